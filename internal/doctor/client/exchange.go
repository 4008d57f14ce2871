package client

import (
	"context"
	"slices"
	"strings"
	"time"

	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// This file has what clients of Exchange share: how they end, and the SRV records of Autodiscover.

// autodiscoverService is the service of Microsoft's SRV records.
const autodiscoverService = "autodiscover"

// noExchange is the forecast of a program for Exchange where nothing announces an Exchange
// server, as is right for a domain that has none.
func noExchange(took time.Duration) Forecast {
	return Forecast{Outcome: Asks, But: "the Exchange server: none is announced", Took: took}
}

// exchangeAt is the forecast of a client that is led to Autodiscover at a host and will sign in
// there. A host of Microsoft's is right only if Microsoft has the domain's mail.
func (s *Search) exchangeAt(ctx context.Context, host string, page Page, f Forecast) Forecast {
	p, large := ProviderOfHost(host)
	exchanges, known := s.MX(ctx, s.Address.Domain())
	atHome, ok := ProviderOf(s.Address.Domain(), exchanges)
	switch {
	case large && !ok && !known:
		return cannotTell(DNS("MX", s.Address.Domain()).Key())
	case large && (!ok || atHome.ID != p.ID):
		s.NotePage(page, Spoilt, "it leads to "+p.Name)
		f.Outcome, f.But = Elsewhere, p.Name
	case large:
		s.NotePage(page, Took, "")
		f.Outcome, f.But = Asks, p.login()
	default:
		s.NotePage(page, Took, "")
		f.Outcome = SetsUp
	}
	return f
}

// noteNoExchange notes that a page has nothing for a client of Exchange, unless it says so as
// it should where there is no Exchange: then nothing is wrong with it.
func (s *Search) noteNoExchange(page Page, why string) {
	if !plainNo(page) {
		s.NotePage(page, failed(page), why)
	}
}

// plainNo reports whether there is no host, nothing at the path, or an answer of Autodiscover.
func plainNo(page Page) bool {
	switch {
	case page.Failure != nil:
		return page.Failure.Kind == probe.NoAddress
	case page.Status == 404, page.Status == 405, page.Status == 410:
		return true
	}
	x := document.ReadXML(page.Body)
	return page.Status == 200 && x.Error == nil && x.Root.Local() == "Autodiscover"
}

// hostOf returns the host of a page's last URL, without a port.
func hostOf(rawURL string) string {
	_, rest, _ := strings.Cut(rawURL, "://")
	end := strings.IndexAny(rest, "/:?")
	if end < 0 {
		return rest
	}
	return rest[:end]
}

// autodiscoverHost returns the host that the SRV records of Autodiscover name, chosen by better
// among those of port 443.
func (s *Search) autodiscoverHost(
	ctx context.Context, better func(a, b SRV) int,
) (host string, key, unknown probe.Key) {
	records, known := s.lookupServices(ctx, s.Address.Domain(), autodiscoverService)
	if !known {
		return "", "", ServiceQuestion(autodiscoverService, s.Address.Domain()).Key()
	}
	records = slices.DeleteFunc(records, func(r serviceRecord) bool { return r.Port != 443 })
	if len(records) == 0 {
		return "", "", ""
	}
	best := slices.MinFunc(records, func(a, b serviceRecord) int { return better(a.SRV, b.SRV) })
	return best.Target, best.key, ""
}
