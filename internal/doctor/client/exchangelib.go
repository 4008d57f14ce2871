package client

import (
	"cmp"
	"context"
	"strings"
	"time"

	"signpost/internal/doctor/document"
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

const soapPath = "/autodiscover/autodiscover.svc"

func exchangelib(ctx context.Context, s *Search) Forecast {
	domain := s.Address.Domain()
	x := exchangelibSearch{Search: s}
	s.expectServices(ctx, domain, autodiscoverService)
	for _, host := range []string{domain, "autodiscover." + domain} {
		s.Expect(ctx, DNS("A", host), DNS("AAAA", host), soapQuestion(host))
	}
	s.Expect(ctx, Get("http://autodiscover."+domain+soapPath))

	for _, host := range []string{domain, "autodiscover." + domain} {
		if f, ok := x.attempt(ctx, soapQuestion(host)); ok {
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

// soapQuestion asks for user settings, as it does at first to learn how to sign in: for an invented
// mailbox, and without a password.
func soapQuestion(host string) probe.WebQuestion {
	const schema = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
	return probe.WebQuestion{
		Method: "POST", URL: "https://" + host + soapPath, ContentType: "text/xml; charset=utf-8",
		Body: `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` +
			`xmlns:a="` + schema + `"><s:Header><a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion></s:Header>` +
			`<s:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>DUMMY@example.com</a:Mailbox>` +
			`</a:User></a:Users><a:RequestedSettings><a:Setting>ExternalEwsUrl</a:Setting></a:RequestedSettings></a:Request>` +
			`</a:GetUserSettingsRequestMessage></s:Body></s:Envelope>`,
	}
}

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
func (x *exchangelibSearch) attempt(ctx context.Context, q probe.WebQuestion) (Forecast, bool) {
	page, unknown := x.fetch(ctx, q)
	if unknown != "" {
		return cannotTell(unknown), true
	}
	switch challenge := strings.ToLower(page.Header["Www-Authenticate"]); {
	case page.Failure != nil:
	case page.Status == 401 && (strings.Contains(challenge, "basic") || strings.Contains(challenge, "ntlm") ||
		strings.Contains(challenge, "digest")),
		page.Status == 200 && isEnvelope(page.Body):
		return x.exchangeAt(ctx, hostOf(page.Question.URL), page, Forecast{Source: page.URL(), Took: x.took}), true
	}
	x.noteNoExchange(page, page.Says())
	return Forecast{}, false
}

func isEnvelope(body []byte) bool {
	root := document.ReadXML(body).Root
	return root != nil && root.Local() == "Envelope"
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
	f, ok := x.attempt(ctx, at(soapQuestion("x"), location))
	if ok && f.Outcome == Elsewhere {
		x.NotePage(page, Spoilt, "it leads to "+f.But)
	}
	return f, ok
}

func at(q probe.WebQuestion, rawURL string) probe.WebQuestion {
	q.URL = Normalize(rawURL)
	return q
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
	f, ok := x.attempt(ctx, soapQuestion(host))
	if ok && f.Outcome == Elsewhere {
		x.Note(key, Spoilt, "it leads to "+f.But)
	}
	return f, ok
}
