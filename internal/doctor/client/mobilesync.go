package client

import (
	"context"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// mobileSync is the search for an ActiveSync server as phones make it (MS-ASCMD 4.2; AOSP's
// EasAutoDiscover.java): at the domain, at autodiscover.domain, by a redirect on plain http.
type mobileSync struct {
	*Search
	url     string // of the ActiveSync server
	page    Page   // that tells it
	problem string // of a certificate on the way
	took    time.Duration
	unknown probe.Key
	refused string // a host that wants a password before it answers; phones have it by then
}

func mobileSyncHosts(domain string) []string { return []string{domain, "autodiscover." + domain} }

// find searches and reports whether there is an ActiveSync server.
func (m *mobileSync) find(ctx context.Context) bool {
	domain := m.Address.Domain()
	plain := AutodiscoverGET(AutodiscoverURL("http", "autodiscover."+domain))
	for _, host := range mobileSyncHosts(domain) {
		m.Expect(ctx, MobileSync(AutodiscoverURL("https", host), m.Address))
	}
	m.Expect(ctx, plain)
	for _, host := range mobileSyncHosts(domain) {
		if m.ask(ctx, AutodiscoverURL("https", host)) || m.unknown != "" {
			return m.unknown == ""
		}
	}
	page := m.Fetch(ctx, plain, Fetching{})
	m.took += page.Took
	if !page.Failure.Known() {
		m.unknown = page.Key()
		return false
	}
	location := page.Header["Location"]
	if page.Failure != nil || page.Status < 300 || page.Status > 399 || !strings.HasPrefix(location, "https://") {
		m.noteNoExchange(page, page.Says())
		return false
	}
	found := m.ask(ctx, location)
	if p, ok := ProviderOfHost(hostOf(location)); ok {
		m.NotePage(page, Spoilt, "it leads to "+p.Name)
	}
	return found
}

// ask asks one place. The answer must be 200 with the URL of a server of the type MobileSync.
func (m *mobileSync) ask(ctx context.Context, rawURL string) bool {
	page := m.Fetch(ctx, MobileSync(rawURL, m.AddressFor(rawURL)), Fetching{Hops: 10, KeepsPOST: true})
	m.took += page.Took
	if !page.Failure.Known() {
		m.unknown = page.Key()
		return false
	}
	if page.Failure != nil && page.TLS != nil && len(page.TLS.Problems) > 0 {
		m.problem = "the certificate of " + hostOf(page.Question.URL) + " is bad"
	}
	if page.Failure == nil && page.Status == 401 {
		m.refused = hostOf(page.Question.URL)
	}
	if page.Failure != nil || page.Status != 200 {
		m.noteNoExchange(page, page.Says())
		return false
	}
	document.ReadXML(page.Body).Root.Walk(func(server *document.Element) {
		if server.Local() == "Server" && strings.TrimSpace(server.Content("Type")) == "MobileSync" && m.url == "" {
			m.url = strings.TrimSpace(server.Content("Url"))
		}
	})
	if m.url == "" {
		m.noteNoExchange(page, page.Says()+", no ActiveSync server in it")
		return false
	}
	m.page = page
	return true
}

// server is the ActiveSync server that was found.
func (m *mobileSync) server() Server {
	return Server{Type: account.ActiveSync, URL: m.url, Username: m.Address.String()}
}

// told says what the search was told, for clients of which no more is known.
func (m *mobileSync) told() string {
	switch {
	case m.unknown != "":
		return inWords(m.unknown) + " could not be asked"
	case m.url != "":
		return "ActiveSync is announced at " + hostOf(m.url)
	case m.refused != "":
		if p, large := ProviderOfHost(m.refused); large {
			return "it is led to " + p.Name
		}
		return answersWithPassword(m.refused)
	}
	return "no ActiveSync server is announced"
}
