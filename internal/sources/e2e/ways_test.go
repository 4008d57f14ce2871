package e2e

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/idna"

	"signpost/account"
	"signpost/autodiscover"
	"signpost/internal/show"
)

// way is one way in which clients ask about an address.
type way struct {
	name string
	// dialect reads the answer. Without it, the answer tells no login.
	dialect string
	// login is set if the answer names the mailbox's login.
	login   bool
	request func(address, domain string) *http.Request
}

// ways are all dialects, and the page.
var ways = []way{
	{"autoconfig", "thunderbird", true, func(address, domain string) *http.Request {
		return request("GET", "autoconfig."+domain, "/mail/config-v1.1.xml?emailaddress="+url.QueryEscape(address), "")
	}},
	{"autoconfig without address", "thunderbird-android", false, func(_, domain string) *http.Request {
		return request("GET", "autoconfig."+domain, "/mail/config-v1.1.xml", "")
	}},
	{"Outlook", "outlook", true, func(address, domain string) *http.Request {
		return request("POST", "autodiscover."+domain, "/autodiscover/autodiscover.xml",
			pox("outlook", "2006a", address))
	}},
	{"ActiveSync", "activesync", true, func(address, domain string) *http.Request {
		return request("POST", "autodiscover."+domain, "/autodiscover/autodiscover.xml",
			pox("mobilesync", "2006", address))
	}},
	{"JSON", "", false, func(address, domain string) *http.Request {
		return request("GET", "autodiscover."+domain,
			"/autodiscover/autodiscover.json/v1.0/"+url.PathEscape(address)+"?Protocol=AutodiscoverV1", "")
	}},
	{"PACC", "pacc", false, func(_, domain string) *http.Request {
		return request("GET", "ua-auto-config."+domain, "/.well-known/user-agent-configuration.json", "")
	}},
	{"profile", "apple", true, func(address, _ string) *http.Request {
		return request("GET", ownName, "/profile.mobileconfig?emailaddress="+url.QueryEscape(address), "")
	}},
	{"page", "", true, func(address, _ string) *http.Request {
		return request("GET", ownName, "/?format=text&device=thunderbird&emailaddress="+url.QueryEscape(address), "")
	}},
}

func request(method, host, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = host
	if body != "" {
		r.Header.Set("Content-Type", "text/xml")
	}
	return r
}

// pox returns a request of Autodiscover in XML.
func pox(client, version, address string) string {
	const schema = "http://schemas.microsoft.com/exchange/autodiscover/"
	var text bytes.Buffer
	xml.EscapeText(&text, []byte(address))
	return `<Autodiscover xmlns="` + schema + client + `/requestschema/2006"><Request><EMailAddress>` + text.String() +
		`</EMailAddress><AcceptableResponseSchema>` + schema + client + `/responseschema/` + version +
		`</AcceptableResponseSchema></Request></Autodiscover>`
}

// What an answer can say, besides "login …".
const (
	served      = "served"
	notHosted   = "not hosted"
	unavailable = "unavailable"
	noSettings  = "no settings" // for this client, as its protocol has no place for a login
)

// refusals are the outcomes of Autodiscover's errors.
var refusals = map[autodiscover.Code]string{
	autodiscover.AddressUnknown: notHosted, autodiscover.NotAvailable: noSettings, autodiscover.ServerError: unavailable,
}

// expect returns the outcome for an address whose login is the given one, or which is not
// hosted.
func (s *running) expect(t testing.TB, w way, text, login string) string {
	t.Helper()
	asked := address(t, text)
	switch {
	case login == notHosted || w.name == "PACC" && asked.Domain() == s.otherName:
		return notHosted // PACC cannot say that logins have another domain than the address
	case !w.login:
		return served
	case w.name == "ActiveSync" && login != asked.String():
		return noSettings
	}
	return "login " + login
}

// outcome says in a word what a client reads from an answer.
func (w way) outcome(t testing.TB, address string, a answer) string {
	t.Helper()
	switch {
	case a.status == http.StatusServiceUnavailable:
		return unavailable
	case a.status == http.StatusNotFound:
		return notHosted
	case a.status != http.StatusOK:
		return http.StatusText(a.status)
	case w.name == "page":
		return pageLogin(string(a.body))
	case w.dialect == "":
		return served
	}
	dialect, _ := show.Find(w.dialect)
	parsed, err := account.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := dialect.Read(a.body, parsed)
	switch {
	case err != nil:
		if refusal, ok := errors.AsType[*autodiscover.Error](err); ok {
			return refusals[refusal.Code]
		}
		t.Errorf("%s: %v\n%s", w.name, err, a.body)
		return "unreadable"
	case !w.login:
		return served
	}
	for _, server := range settings.Expanded() {
		if server.Login.Username != "" {
			return "login " + server.Login.Username
		}
	}
	return "no login"
}

// pageLogin returns the login that the page in plain text names.
func pageLogin(text string) string {
	for line := range strings.Lines(text) {
		if name, login, ok := strings.Cut(line, ":"); ok && strings.Contains(strings.ToLower(name), "user name") {
			return "login " + strings.TrimSpace(login)
		}
	}
	return "no login: " + text
}

// ask asks about an address in one way. The host has the domain in A-labels, as clients
// ask DNS.
func (s *running) ask(t testing.TB, w way, address string) string {
	t.Helper()
	_, domain, _ := strings.Cut(address, "@")
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	a, err := s.do(w.request(address, domain))
	if err != nil {
		return err.Error()
	}
	return w.outcome(t, address, a)
}
