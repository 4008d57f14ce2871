package autodiscover

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

const exchangeURL = "https://ex.hoster.example/EWS/Exchange.asmx"

// TestDavMail reads the answer as DavMail's AutoDiscoverMethod.java does (3b87d52): by exactly this
// Content-Type, and line by line, without an XML parser.
func TestDavMail(t *testing.T) {
	body, err := os.ReadFile("testdata/exchange/davmail.xml")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"anna@ews.example":      exchangeURL,
		"anna@ews-imap.example": exchangeURL,
		"anna@imap.example":     "",
		"anna@exchange.example": "", // no exchangeEntries
		"anna@unknown.invalid":  "",
	} {
		request := strings.Replace(string(body), "anna@ews.example", address, 1)
		w := serve(XMLHandler(resolver, true), http.MethodPost,
			"https://autodiscover.ews.example/autodiscover/autodiscover.xml", strings.NewReader(request))
		if got := w.Header().Get("Content-Type"); got != "text/xml; charset=utf-8" {
			t.Errorf("Content-Type for %s = %q, which DavMail does not read", address, got)
		}
		got := ""
		for line := range strings.Lines(w.Body.String()) {
			if _, rest, begins := strings.Cut(line, "<EwsUrl>"); begins {
				url, _, ends := strings.Cut(rest, "</EwsUrl>")
				if !ends {
					t.Errorf("EwsUrl for %s is not on one line, and DavMail fails: %s", address, line)
				}
				got = url
				break
			}
		}
		if got != want {
			t.Errorf("DavMail finds %q for %s, want %q:\n%s", got, address, want, w.Body)
		}
	}
}

// TestMacMail sends what Macs ask for an Exchange account that a person enters (a server's log in
// https://github.com/mail-in-a-box/mailinabox/issues/1811). Nothing else of theirs is public.
func TestMacMail(t *testing.T) {
	for address, want := range map[string]string{
		"anna%40ews.example":      exchangeURL,
		"anna%40ews-imap.example": exchangeURL,
		"anna%40exchange.example": ews.URL, // no exchangeEntries: Outlook does not ask so
		"anna%40imap.example":     "",
	} {
		w := serve(JSONHandler(resolver, ""), http.MethodGet, "https://autodiscover.ews.example"+
			"/autodiscover/autodiscover.json?Email="+address+"&Protocol=EWS&RedirectCount=1", nil)
		answer, status := `{"Protocol":"Ews","Url":"`+want+`"}`, http.StatusOK
		if want == "" {
			answer, status = "InvalidProtocol", http.StatusBadRequest
		}
		if w.Code != status || !strings.Contains(w.Body.String(), answer) {
			t.Errorf("the answer for %s is %d %s, want %d with %s", address, w.Code, w.Body, status, answer)
		}
	}
}
