package autodiscover_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"signpost/account"
	"signpost/autodiscover"
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
			Type: account.ActiveSync, URL: "https://mail.example.com/Microsoft-Server-ActiveSync",
			Authentication: []account.Authentication{account.PasswordCleartext},
			Login:          account.Login{Username: account.EmailAddress},
		},
	},
}

// resolve answers for the mailboxes of example.com.
func resolve(_ context.Context, q account.Query) (account.Settings, error) {
	if q.Address.Domain() != "example.com" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	return account.Settings{Address: q.Address, Login: q.Address, Provider: example, Servers: example.Servers}, nil
}

func ExampleOutlook() {
	a, _ := account.ParseAddress("anna@example.com")
	document, err := autodiscover.Outlook(account.Settings{Address: a, Login: a, Provider: example,
		Servers: example.Servers})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(document))
	// Output:
	// <?xml version="1.0" encoding="utf-8"?>
	// <Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
	//   <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
	//     <User>
	//       <DisplayName>anna@example.com</DisplayName>
	//       <AutoDiscoverSMTPAddress>anna@example.com</AutoDiscoverSMTPAddress>
	//     </User>
	//     <Account>
	//       <AccountType>email</AccountType>
	//       <Action>settings</Action>
	//       <Protocol>
	//         <Type>IMAP</Type>
	//         <Server>mail.example.com</Server>
	//         <Port>993</Port>
	//         <LoginName>anna@example.com</LoginName>
	//         <DomainRequired>off</DomainRequired>
	//         <SPA>off</SPA>
	//         <SSL>on</SSL>
	//         <Encryption>SSL</Encryption>
	//         <AuthRequired>on</AuthRequired>
	//       </Protocol>
	//     </Account>
	//   </Response>
	// </Autodiscover>
}

// A provider whose Autodiscover is at Microsoft.
func ExampleRedirect() {
	a, _ := account.ParseAddress("anna@example.com")
	microsoft := &account.Provider{AutodiscoverRedirect: &account.AutodiscoverRedirect{Hostname: "autodiscover-s.outlook.com"}}
	_, err := autodiscover.Outlook(account.Settings{Address: a, Login: a, Provider: microsoft})
	fmt.Println(err)
	// Output:
	// the client is redirected to https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml
}

func ExampleJSONHandler() {
	handler := autodiscover.JSONHandler(resolve, "")
	for _, email := range []string{"anna@example.com", "bo@example.org"} {
		url := "https://example.com/autodiscover/autodiscover.json?Protocol=ActiveSync&Email=" + email
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"Protocol":"ActiveSync","Url":"https://mail.example.com/Microsoft-Server-ActiveSync"}
	// 404 {"ErrorCode":"UserNotFound","ErrorMessage":"The email address can't be found."}
}

func ExampleXMLHandler() {
	const request = `<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006">
  <Request>
    <EMailAddress>anna@example.com</EMailAddress>
    <AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006</AcceptableResponseSchema>
  </Request>
</Autodiscover>`
	handler := autodiscover.XMLHandler(resolve, false)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://example.com/autodiscover/autodiscover.xml",
		strings.NewReader(request)))
	s, err := autodiscover.Read(w.Body.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, server := range s.Expanded() {
		fmt.Println(server.Type, server.URL, server.Login.Username)
	}
	// Output:
	// activesync https://mail.example.com/Microsoft-Server-ActiveSync anna@example.com
}
