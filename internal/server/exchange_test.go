package server_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/server"
)

// TestExchangePerAccount checks that the product of an account decides what Exchange
// programs are told, and that nothing is told without an address in domains where mailboxes
// differ: what a mailbox was refused, no other question gives.
func TestExchangePerAccount(t *testing.T) {
	login := account.Login{Username: account.EmailAddress}
	password := []account.Authentication{account.PasswordCleartext}
	product := func(id string, servers ...account.Server) *account.Provider {
		for i := range servers {
			servers[i].Login, servers[i].Authentication = login, password
		}
		return &account.Provider{ID: id, DisplayName: id, DisplayShortName: id, Servers: servers}
	}
	const ewsURL = "https://ex.hoster.example/EWS/Exchange.asmx"
	exchange := product("exchange", account.Server{Type: account.EWS, URL: ewsURL, ExchangeEntries: true})
	mail := product("mail",
		account.Server{Type: account.IMAP, Hostname: "imap.hoster.example", Port: 993, SocketType: account.SSL},
		account.Server{Type: account.SMTP, Hostname: "smtp.hoster.example", Port: 465, SocketType: account.SSL})
	phone := product("phone",
		account.Server{Type: account.ActiveSync, URL: "https://ex.hoster.example/Microsoft-Server-ActiveSync"})
	list := directory.List{}
	for text, id := range map[string]string{"imap@mixed.example": "mail", "ews@imap.example": "exchange",
		"phone@imap.example": "phone"} {
		a, err := account.ParseAddress(text)
		if err != nil {
			t.Fatal(err)
		}
		list[a.Key()] = directory.Record{Provider: id}
	}
	log := new(bytes.Buffer)
	o := optionsFor(directory.New([]directory.Provider{
		{Provider: exchange, Domains: []string{"ews.example", "mixed.example"}},
		{Provider: mail, Domains: []string{"imap.example", "pure.example"}},
		{Provider: phone, Domains: []string{"phone.example"}},
	}, []directory.List{list}, nil), log)
	o.Exchange = true
	handler := server.Handler(o)
	ask := func(method, host, target, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request(method, host, target, body))
		return w
	}
	for _, c := range []struct {
		address string
		told    bool
	}{
		{"anna@ews.example", true}, {"nobody@ews.example", true},
		{"anna@mixed.example", true}, {"imap@mixed.example", false},
		{"anna@imap.example", false}, {"ews@imap.example", true}, {"phone@imap.example", false},
		{"anna@pure.example", false}, {"anna@unknown.example", false},
	} {
		_, domain, _ := strings.Cut(c.address, "@")
		for name, w := range map[string]*httptest.ResponseRecorder{
			"SOAP":           ask("POST", "autodiscover."+domain, soapPath, soapRequest(c.address)),
			"SOAP elsewhere": ask("POST", "autodiscover.ews.example", soapPath, soapRequest(c.address)),
			"XML":            ask("POST", "autodiscover."+domain, poxPath, outlookRequest(c.address)),
			"XML elsewhere":  ask("POST", "autodiscover.ews.example", poxPath, outlookRequest(c.address)),
			"JSON":           ask("GET", domain, "/autodiscover/autodiscover.json?Protocol=Ews&Email="+c.address, ""),
		} {
			if got := strings.Contains(w.Body.String(), ewsURL); got != c.told {
				t.Errorf("%s for %s names the Exchange server: %v, want %v: %d %s",
					name, c.address, got, c.told, w.Code, w.Body)
			}
			if w.Code >= http.StatusInternalServerError || w.Header().Get("WWW-Authenticate") != "" {
				t.Errorf("%s for %s: status %d, %v", name, c.address, w.Code, w.Header())
			}
		}
		if w := ask("POST", "autodiscover."+domain, soapPath, soapRequest(c.address)); !c.told && w.Code != http.StatusNotFound &&
			domain != "unknown.example" {
			t.Errorf("SOAP for %s: status %d, want 404, after which programs ask the next host", c.address, w.Code)
		}
	}
	// Without an address, only ews.example has one answer.
	for domain, told := range map[string]bool{"ews.example": true, "mixed.example": false, "imap.example": false,
		"pure.example": false} {
		domainRequest := strings.NewReplacer("GetUserSettings", "GetDomainSettings", "<a:Users><a:User><a:Mailbox>", "<a:Domains><a:Domain>",
			"</a:Mailbox></a:User></a:Users>", "</a:Domain></a:Domains>").Replace(soapRequest(domain))
		for name, w := range map[string]*httptest.ResponseRecorder{
			"GetDomainSettings": ask("POST", "autodiscover."+domain, soapPath, domainRequest),
			"JSON":              ask("GET", domain, "/autodiscover/autodiscover.json?Protocol=Ews&Email="+domain, ""),
		} {
			if got := strings.Contains(w.Body.String(), ewsURL); got != told {
				t.Errorf("%s of %s names the Exchange server: %v, want %v: %d %s",
					name, domain, got, told, w.Code, w.Body)
			}
		}
		for _, w := range []*httptest.ResponseRecorder{ask("GET", domain, poxPath, ""),
			ask("GET", domain, soapPath, ""), ask("POST", domain, soapPath, "")} {
			if strings.Contains(w.Body.String(), ewsURL) {
				t.Errorf("%s tells of the Exchange server without an address: %s", domain, w.Body)
			}
		}
	}
	for domain, want := range map[string]string{"ews.example": "True", "mixed.example": "True", "imap.example": "True",
		"pure.example": ""} {
		if got := ask("GET", "autodiscover."+domain, poxPath, "").Header().Get("X-SOAP-Enabled"); got != want {
			t.Errorf("X-SOAP-Enabled of %s = %q, want %q", domain, got, want)
		}
	}
	for _, local := range []string{"anna", "nobody", "imap@", "phone@"} {
		if strings.Contains(log.String(), local) {
			t.Errorf("the log holds %s:\n%s", local, log)
		}
	}
}
