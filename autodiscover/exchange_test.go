package autodiscover

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"signpost/account"
	"signpost/internal/golden"
)

// TestExchangePrograms answers what Exchange programs send with golden files. The requests
// are those of exchangelib 4.9 and 5.6 (services/get_user_settings.py, autodiscover/protocol.py),
// ews-javascript-api 0.15 (Autodiscover/Requests), evolution-ews (e_ews_autodiscover_ws_xml)
// and Thunderbird (ExchangeAutoDiscover.sys.mjs).
func TestExchangePrograms(t *testing.T) {
	requests, err := filepath.Glob("testdata/exchange/*.[sx][vm][cl]")
	if err != nil || len(requests) < 7 {
		t.Fatalf("Glob found %q, %v, want the requests of the programs", requests, err)
	}
	for _, path := range requests {
		t.Run(filepath.Base(path), func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			handler := XMLHandler(resolver, true)
			if filepath.Ext(path) == ".svc" {
				handler = SOAPHandler(withoutExampleCom, true)
			}
			w := serve(handler, http.MethodPost, "https://autodiscover.ews.example/autodiscover/autodiscover"+
				filepath.Ext(path), strings.NewReader(string(body)))
			checkAnswer(t, w, http.StatusOK, xmlType)
			golden.Check(t, path+".answer", indented(t, w.Body.Bytes()))
			for _, name := range settingNames.FindAllStringSubmatch(w.Body.String(), -1) {
				// exchangelib fails over a name that it did not ask for.
				if !strings.Contains(string(body), ">"+name[1]+"<") {
					t.Errorf("the answer has an error of the setting %s, which was not asked for", name[1])
				}
			}
		})
	}
}

// indented returns a document for people to read.
func indented(t *testing.T, document []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		t.Fatalf("the answer is not XML: %v\n%s", err, document)
	}
	return render(doc)
}

var settingNames = regexp.MustCompile("<SettingName>([^<]*)<")

// withoutExampleCom is the resolver of a service that does not have example.com, where
// exchangelib asks for a mailbox first.
func withoutExampleCom(ctx context.Context, q account.Query) (account.Settings, error) {
	if q.Address.Domain() == "example.com" {
		return account.Settings{}, account.ErrUnknownDomain
	}
	return resolver(ctx, q)
}

// TestOutlookGetsNoExchange checks that what says that it speaks MAPI, and what sends no
// address, is never told of an Exchange server in autodiscover.xml.
func TestOutlookGetsNoExchange(t *testing.T) {
	for _, c := range []struct {
		name, method, body, mapi string
		want                     bool
	}{
		{"Evolution", http.MethodPost, pox("anna@ews-imap.example", nsOutlook), "", true},
		{"Outlook", http.MethodPost, pox("anna@ews-imap.example", nsOutlook), "1", false},
		{"Outlook, no imap", http.MethodPost, pox("anna@ews.example", nsOutlook), "2", false},
		{"a phone", http.MethodPost, pox("anna@ews.example", nsMobileSync), "", false},
		{"no address", http.MethodGet, "", "", false},
		{"no exchangeEntries", http.MethodPost, pox("anna@exchange.example", nsOutlook), "", false},
		{"another login", http.MethodPost, pox("anna@ews-login.example", nsOutlook), "", false},
	} {
		r := httptest.NewRequest(c.method, "https://autodiscover.ews-imap.example/autodiscover/autodiscover.xml",
			strings.NewReader(c.body))
		if c.mapi != "" {
			r.Header.Set("X-Mapihttpcapability", c.mapi)
		}
		w := httptest.NewRecorder()
		XMLHandler(resolver, true).ServeHTTP(w, r)
		if got := strings.Contains(w.Body.String(), "<EwsUrl>"); got != c.want {
			t.Errorf("%s is told an EwsUrl: %v, want %v:\n%s", c.name, got, c.want, w.Body)
		}
	}
}

// TestSOAPHeader checks where GET and HEAD of autodiscover.xml announce SOAP.
func TestSOAPHeader(t *testing.T) {
	for _, c := range []struct {
		host     string
		exchange bool
		want     string
	}{
		{"autodiscover.ews.example", true, "True"},
		{"ews-imap.example", true, "True"},
		{"autodiscover.example.com", true, ""},
		{"autodiscover.office365.example", true, ""},
		{"ews-login.example", true, ""},
		{"autodiscover.wrong.example", true, "True"}, // the mailboxes of the domain differ
		{"setup.hoster.invalid", true, "True"},       // an SRV record leads here
		{"setup.hoster.invalid", false, ""},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := serve(XMLHandler(resolver, c.exchange), method,
				"https://"+c.host+"/autodiscover/autodiscover.xml", nil)
			if got := w.Header().Get("X-SOAP-Enabled"); got != c.want {
				t.Errorf("%s at %s, exchange %v: X-SOAP-Enabled %q, want %q", method, c.host, c.exchange, got, c.want)
			}
		}
	}
}
