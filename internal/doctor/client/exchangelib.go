package client

import (
	"cmp"
	"context"
	"strings"
	"time"

	"signpost/internal/doctor/probe"
)

// exchangelib is a library for programs that use EWS. It asks SOAP Autodiscover at the domain, at
// autodiscover.domain, by a redirect on plain http, and by an SRV record
// (exchangelib/autodiscover/discovery.py at 527d240). Of each host it wants an A record: one with IPv6 only
// "has no DNS entry".
func init() {
	register(Client{ID: "exchangelib", Name: "exchangelib", Version: "5.6", Certainty: ByCode, Forecast: exchangelib})
}

// exchangelibFetching: TIMEOUT of AutodiscoverProtocol; redirects are looked at, not followed.
var exchangelibFetching = Fetching{Limit: 10 * time.Second}

func exchangelib(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	x := exchangelibSearch{Search: s}
	s.expectServices(ctx, domain, autodiscoverService)
	for _, host := range []string{domain, "autodiscover." + domain} {
		s.Expect(ctx, DNS("A", host), DNS("AAAA", host), dummyQuestion(soapURL(host)))
	}
	s.Expect(ctx, Get("http://autodiscover."+domain+soapPath))

	for _, host := range []string{domain, "autodiscover." + domain} {
		if f, ok := x.attempt(ctx, soapURL(host)); ok {
			return f
		}
	}
	if f, ok := x.byRedirect(ctx); ok {
		return f
	}
	if f, ok := x.bySRV(ctx); ok {
		return f
	}
	return noExchange(x.took)
}

// dummyQuestion is what it asks at first, to learn how to sign in: for an invented mailbox.
func dummyQuestion(rawURL string) probe.WebQuestion { return soapQuestion(rawURL, "DUMMY@example.com") }

type exchangelibSearch struct {
	*Search
	took time.Duration
}

// fetch asks a question if the host has an A record.
func (x *exchangelibSearch) fetch(ctx context.Context, q probe.WebQuestion) (page Page, unknown probe.Key) {
	a := DNS("A", hostOf(q.URL))
	answer := x.Asker.DNS(ctx, a)
	if !answer.Failure.Known() {
		return Page{}, a.Key()
	}
	if len(answer.OfType("A")) == 0 {
		if len(x.Asker.DNS(ctx, DNS("AAAA", a.Name)).OfType("AAAA")) > 0 {
			x.Note(a.Key(), Passed, "no A record, and it does not look for others")
		}
		page.Question, page.Asked = q, []probe.Key{q.Key()}
		page.Failure = &probe.Failure{Kind: probe.NoAddress, Text: "no A record"}
		return page, ""
	}
	page = x.Fetch(ctx, q, exchangelibFetching)
	x.took += page.Took
	if !page.Failure.Known() {
		return page, page.Key()
	}
	return page, ""
}

// attempt asks a host, and reports whether the search ends there: at one that wants to know who
// asks, or that answers in SOAP.
func (x *exchangelibSearch) attempt(ctx context.Context, rawURL string) (Forecast, bool) {
	page, unknown := x.fetch(ctx, dummyQuestion(rawURL))
	switch {
	case unknown != "":
		return cannotTell(unknown), true
	case wantsPassword(page):
		return x.exchangeAt(ctx, hostOf(rawURL), page, Forecast{Source: page.URL(), Took: x.took}), true
	case page.Failure != nil || page.Status != 200:
		x.noteNoExchange(page, page.Says())
		return Forecast{}, false
	}
	return x.settings(ctx, rawURL)
}

// settings asks a host that wants no password for the mailbox. An error for the mailbox ends the search
// (raise_errors in exchangelib/properties.py).
func (x *exchangelibSearch) settings(ctx context.Context, rawURL string) (Forecast, bool) {
	page, unknown := x.fetch(ctx, x.soapSettings(rawURL))
	if unknown != "" {
		return cannotTell(unknown), true
	}
	user := readSOAPUser(page.Body)
	switch {
	case page.Failure != nil || page.Status != 200 || user.code == "":
		x.noteNoExchange(page, page.Says())
		return Forecast{}, false
	case user.code == "RedirectAddress" || user.code == "RedirectUrl":
		return x.exchangeAt(ctx, hostOf(rawURL), page, Forecast{Source: page.URL(), Took: x.took}), true
	case user.code != "NoError" || user.url == "":
		return noExchange(x.took), true
	}
	f := Forecast{Source: page.URL(), Took: x.took, Servers: x.ewsServer(user.url)}
	return x.exchangeAt(ctx, hostOf(user.url), page, f), true
}

// byRedirect takes an answer 301 or 302 of plain http that leads to https.
func (x *exchangelibSearch) byRedirect(ctx context.Context) (Forecast, bool) {
	page, unknown := x.fetch(ctx, Get("http://autodiscover."+x.Address.Domain()+soapPath))
	if unknown != "" {
		return cannotTell(unknown), true
	}
	location := page.Header["Location"]
	if page.Failure != nil || page.Status != 301 && page.Status != 302 || !strings.HasPrefix(location, "https://") {
		x.noteNoExchange(page, page.Says())
		return Forecast{}, false
	}
	f, ok := x.attempt(ctx, location)
	if ok && f.Outcome == Elsewhere {
		x.NotePage(page, Spoilt, "it leads to "+f.But)
	}
	return f, ok
}

// bySRV takes, of the records with port 443, the first of the highest priority number: the
// least preferred one (_select_srv_host).
func (x *exchangelibSearch) bySRV(ctx context.Context) (Forecast, bool) {
	host, key, unknown := x.autodiscoverHost(ctx, func(a, b SRV) int { return cmp.Compare(b.Priority, a.Priority) })
	if unknown != "" {
		return cannotTell(unknown), true
	}
	if host == "" {
		return Forecast{}, false
	}
	f, ok := x.attempt(ctx, soapURL(host))
	if ok && f.Outcome == Elsewhere {
		x.Note(key, Spoilt, "it leads to "+f.But)
	}
	return f, ok
}
