package account_test

import (
	"fmt"

	"signpost/account"
)

func ExampleParseAddress() {
	a, err := account.ParseAddress(" Anna+news@BÜCHER.example ")
	fmt.Println(a, err)
	fmt.Println(a.Local(), a.Domain())

	_, err = account.ParseAddress("anna@192.0.2.1")
	fmt.Println(err)
	// Output:
	// Anna+news@xn--bcher-kva.example <nil>
	// Anna+news xn--bcher-kva.example
	// not a mail address: its domain is an IP address or ends in a number
}

func ExampleExpand() {
	a, _ := account.ParseAddress("anna@example.com")
	fmt.Println(account.Expand("mail.%EMAILDOMAIN%", a))
	fmt.Println(account.Expand("%EMAILLOCALPART%_%EMAILDOMAIN%", a))
	fmt.Println(account.Expand("%EMAILLOCALPART%@mail.%EMAILDOMAIN%", account.AnyAt("example.com")))
	// Output:
	// mail.example.com
	// anna_example.com
	// %EMAILLOCALPART%@mail.example.com
}

// A new format needs a function that writes a template. Documents completes it
// for each mailbox, and calls the function once for each provider.
func ExampleDocuments() {
	write := func(s account.Settings) ([]byte, error) {
		imap, _ := s.First(account.IMAP)
		return fmt.Appendf(nil, "%s: %s at %s", account.EmailAddress, imap.Login.Username, imap.Hostname), nil
	}
	provider := &account.Provider{Servers: []account.Server{{
		Type:     account.IMAP,
		Hostname: "mail.%EMAILDOMAIN%",
		Login:    account.Login{Username: "%EMAILLOCALPART%"},
	}}}
	var documents account.Documents[string]
	for _, text := range []string{"anna@example.com", "bo@example.org"} {
		a, _ := account.ParseAddress(text)
		s := account.Settings{Address: a, Login: a, Provider: provider, Servers: provider.Servers}
		template, err := documents.Template(&s, "no variants", write)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(string(template.Append(nil, a, nil)))
	}
	// Output:
	// anna@example.com: anna at mail.example.com
	// bo@example.org: bo at mail.example.org
}
