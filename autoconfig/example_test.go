package autoconfig_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"signpost/account"
	"signpost/autoconfig"
)

// example is a provider with one set of servers for all domains.
var example = &account.Provider{
	DisplayName: "Example Mail",
	Servers: []account.Server{
		{
			Type: account.IMAP, Hostname: "mail.example.com", Port: 993, SocketType: account.SSL,
			Authentication: []account.Authentication{account.PasswordCleartext},
			Login:          account.Login{Username: account.EmailAddress},
		},
		{
			Type: account.SMTP, Hostname: "mail.example.com", Port: 465, SocketType: account.SSL,
			Authentication: []account.Authentication{account.PasswordCleartext},
			Login:          account.Login{Username: account.EmailAddress},
		},
	},
}

// resolve answers for any mailbox of example.com.
func resolve(_ context.Context, q account.Query) (account.Settings, error) {
	a := q.Address
	if a.IsZero() && q.Host == "autoconfig.example.com" {
		a = account.AnyAt("example.com")
	}
	if a.Domain() != "example.com" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	return account.Settings{Address: a, Login: a, Provider: example, Servers: example.Servers}, nil
}

func ExampleDocument() {
	a, _ := account.ParseAddress("anna@example.com")
	document, err := autoconfig.Document(account.Settings{Address: a, Login: a, Provider: example,
		Servers: example.Servers})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(document))
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <clientConfig version="1.1">
	//   <emailProvider id="example.com">
	//     <domain>example.com</domain>
	//     <displayName>Example Mail</displayName>
	//     <incomingServer type="imap">
	//       <hostname>mail.example.com</hostname>
	//       <port>993</port>
	//       <socketType>SSL</socketType>
	//       <authentication>password-cleartext</authentication>
	//       <username>%EMAILADDRESS%</username>
	//     </incomingServer>
	//     <outgoingServer type="smtp">
	//       <hostname>mail.example.com</hostname>
	//       <port>465</port>
	//       <socketType>SSL</socketType>
	//       <authentication>password-cleartext</authentication>
	//       <username>%EMAILADDRESS%</username>
	//     </outgoingServer>
	//   </emailProvider>
	// </clientConfig>
}

func ExampleRead() {
	a, _ := account.ParseAddress("anna@example.com")
	document, _ := autoconfig.Document(account.Settings{Address: a, Login: a, Provider: example,
		Servers: example.Servers})
	s, err := autoconfig.Read(document, a)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, server := range s.Expanded() {
		fmt.Println(server.Type, server.Hostname, server.Port, server.SocketType, server.Login.Username)
	}
	// Output:
	// imap mail.example.com 993 SSL anna@example.com
	// smtp mail.example.com 465 SSL anna@example.com
}

func ExampleHandler() {
	handler := autoconfig.Handler(resolve)
	for _, url := range []string{
		"http://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=anna%40example.com",
		"http://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=bo%40example.org",
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// 200 text/xml; charset=utf-8
	// 404 text/plain; charset=utf-8
}

// The digest of the PACC document is published in DNS.
func ExampleDigest() {
	anyone := account.AnyAt("example.com")
	document, err := autoconfig.PACC(account.Settings{Address: anyone, Login: anyone, Provider: example,
		Servers: example.Servers})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(document))
	fmt.Println("_ua-auto-config.example.com. TXT", autoconfig.Digest(document))
	// Output:
	// {
	//   "protocols": {
	//     "imap": {
	//       "host": "mail.example.com"
	//     },
	//     "smtp": {
	//       "host": "mail.example.com"
	//     },
	//     "submit": {
	//       "host": "mail.example.com"
	//     }
	//   },
	//   "authentication": {
	//     "password": true
	//   },
	//   "info": {
	//     "provider": {
	//       "name": "Example Mail"
	//     }
	//   }
	// }
	// _ua-auto-config.example.com. TXT v=UAAC1; a=sha256; d=8w0suctLoT4tTJRWDPZBCG/C7sFOxiZQ56Ta/5nzvcc=
}
