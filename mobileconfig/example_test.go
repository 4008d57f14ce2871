package mobileconfig_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"signpost/account"
	"signpost/mobileconfig"
)

// provider is a mail service with IMAP and submission.
var provider = &account.Provider{
	DisplayName: "Example Mail",
	Servers: []account.Server{{
		Type: account.IMAP, Hostname: "imap.example.com", Port: 993, SocketType: account.SSL,
		Authentication: []account.Authentication{account.PasswordCleartext},
		Login:          account.Login{Username: account.EmailAddress},
	}, {
		Type: account.SMTP, Hostname: "smtp.example.com", Port: 465, SocketType: account.SSL,
		Authentication: []account.Authentication{account.PasswordCleartext},
		Login:          account.Login{Username: account.EmailAddress},
	}},
}

// Write a profile, and read it back.
func ExampleDocument() {
	address, err := account.ParseAddress("anna@example.com")
	if err != nil {
		log.Fatal(err)
	}
	settings := account.Settings{Address: address, Login: address, Provider: provider, Servers: provider.Servers}
	profile, err := mobileconfig.Document(settings, mobileconfig.Options{Service: "setup.example.com", Name: "Anna Ek"})
	if err != nil {
		log.Fatal(err)
	}
	read, err := mobileconfig.Read(profile)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range read.Expanded() {
		fmt.Println(s.Type, s.Hostname, s.Port, s.Login.Username)
	}
	// Output:
	// imap imap.example.com 993 anna@example.com
	// smtp smtp.example.com 465 anna@example.com
}

// Serve profiles for every mailbox of a domain.
func ExampleHandler() {
	resolve := func(_ context.Context, q account.Query) (account.Settings, error) {
		if q.Address.Domain() != "example.com" {
			return account.Settings{}, account.ErrUnknownDomain
		}
		return account.Settings{Address: q.Address, Login: q.Address, Provider: provider,
			Servers: provider.Servers}, nil
	}
	handler := mobileconfig.Handler(resolve, mobileconfig.HandlerOptions{Service: "setup.example.com"})

	for _, address := range []string{"anna@example.com", "anna@example.net"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/profile.mobileconfig?emailaddress="+address, nil))
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// 200 application/x-apple-aspen-config
	// 404 text/plain; charset=utf-8
}
