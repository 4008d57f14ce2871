package client

import (
	"cmp"
	"context"
	"regexp"
	"strings"
	"time"
)

// ews-javascript-api stands for the EWS programs that descend from Microsoft's EWS Managed API. It asks for
// autodiscover.xml only to see whether a header says that there is SOAP: at
// autodiscover.domain, at the domain, by a redirect on plain http, and by an SRV record
// (src/js/Autodiscover/AutodiscoverService.ts at e30870a).
func init() {
	register(Client{ID: "ews-javascript-api", Name: "EWS programs (ews-javascript-api)", Version: "0.15",
		Certainty: ByCode, Forecast: ewsJavaScript})
}

// ewsRedirect is the only place that a redirect may lead to (LegacyPathRegex, with https).
var ewsRedirect = regexp.MustCompile(`^https://[^/]+.*/autodiscover/([^/]+/)*autodiscover.xml`)

const ewsMaxHops = 10 // AutodiscoverMaxRedirections

func ewsJavaScript(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	e := ewsSearch{Search: s}
	s.expectServices(ctx, domain, autodiscoverService)
	plain := AutodiscoverGET(AutodiscoverURL("http", "autodiscover."+domain))
	hosts := []string{"autodiscover." + domain, domain}
	for _, host := range hosts {
		s.Expect(ctx, AutodiscoverGET(AutodiscoverURL("https", host)))
	}
	s.Expect(ctx, plain)
	for _, host := range hosts {
		if f, ok := e.host(ctx, host); ok {
			return f
		}
	}
	page := s.Fetch(ctx, plain, Fetching{})
	e.took += page.Took
	if !page.Failure.Known() {
		return cannotTell(page.Key())
	}
	if target := ewsTarget(page); target != "" {
		if f, ok := e.host(ctx, hostOf(target)); ok {
			if f.Outcome == Elsewhere {
				s.NotePage(page, Spoilt, "it leads to "+f.But)
			}
			return f
		}
	} else {
		s.noteNoExchange(page, page.Says())
	}
	host, key, unknown := s.autodiscoverHost(ctx, func(a, b SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight))
	})
	if unknown != "" {
		return cannotTell(unknown)
	}
	if host != "" {
		if f, ok := e.host(ctx, host); ok {
			if f.Outcome == Elsewhere {
				s.Note(key, Spoilt, "it leads to "+f.But)
			}
			return f
		}
	}
	return noExchange(e.took)
}

type ewsSearch struct {
	*Search
	took time.Duration
}

// host asks a host, and those that it redirects to, and reports whether the search ends there.
// The status does not matter.
func (e *ewsSearch) host(ctx context.Context, host string) (Forecast, bool) {
	for range ewsMaxHops {
		page := e.Fetch(ctx, AutodiscoverGET(AutodiscoverURL("https", host)), Fetching{})
		e.took += page.Took
		switch target := ewsTarget(page); {
		case !page.Failure.Known():
			return cannotTell(page.Key()), true
		case target != "":
			host = hostOf(target)
			continue
		case page.Failure != nil:
			e.noteNoExchange(page, page.Says())
			return Forecast{}, false
		case page.Header["X-Soap-Enabled"] == "":
			e.noteNoExchange(page, page.Says()+" without X-SOAP-Enabled")
			return Forecast{}, false
		}
		return e.settings(ctx, host, page)
	}
	return Forecast{}, false
}

// settings asks a host for the mailbox, where the password goes with the question. An error for the mailbox
// ends the search; after any other the next host is asked.
func (e *ewsSearch) settings(ctx context.Context, host string, announced Page) (Forecast, bool) {
	page := e.Fetch(ctx, e.soapSettings(soapURL(host)), Fetching{})
	e.took += page.Took
	f := Forecast{Source: announced.URL(), Took: e.took}
	user := readSOAPUser(page.Body)
	switch {
	case !page.Failure.Known():
		return cannotTell(page.Key()), true
	case page.Failure == nil && page.Status == 401 || strings.HasPrefix(user.code, "Redirect"):
		return e.exchangeAt(ctx, host, announced, f), true
	case page.Failure != nil || page.Status != 200 || user.code == "":
		e.noteNoExchange(page, page.Says())
		return Forecast{}, false
	case user.code != "NoError" || user.url == "":
		return noExchange(e.took), true
	}
	f.Servers = e.ewsServer(user.url)
	return e.exchangeAt(ctx, hostOf(user.url), announced, f), true
}

// ewsTarget returns where a page redirects to, if it is a place that may be followed.
func ewsTarget(page Page) string {
	location := page.Header["Location"]
	if page.Failure != nil || page.Status < 300 || page.Status > 399 || !ewsRedirect.MatchString(location) {
		return ""
	}
	return strings.TrimSpace(location)
}
