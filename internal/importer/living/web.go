package living

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// secure is how https is fetched: a redirect is followed to https only, and a bad certificate
// is no witness.
var secure = client.Fetching{Hops: 5, SameScheme: true, KeepsPOST: true}

// plain is how http is fetched. Anybody on the way could have written a redirect.
var plain = client.Fetching{}

// autoconfigPlace is where a domain's autoconfig document may be, asked for with and without an
// address.
type autoconfigPlace struct{ without, with probe.WebQuestion }

// autoconfigPlaces returns the places, those on https first.
func (s *survey) autoconfigPlaces() (places []autoconfigPlace) {
	for _, scheme := range []string{"https", "http"} {
		places = append(places,
			autoconfigPlace{client.Autoconfig(scheme, s.domain), client.AutoconfigFor(scheme, s.domain, s.Address)},
			autoconfigPlace{client.WellKnown(scheme, s.domain), client.WellKnownFor(scheme, s.domain, s.Address)})
	}
	return places
}

func (s *survey) autoconfig(ctx context.Context) {
	for _, place := range s.autoconfigPlaces() {
		s.autoconfigAt(ctx, "autoconfig", place)
	}
}

// autoconfigAt asks one place, and reports whether it has a document. The document without
// the address counts: it has placeholders where the other one may have the mailbox's own
// values. It is no secret which, so that both are compared.
func (s *survey) autoconfigAt(ctx context.Context, kind string, place autoconfigPlace) bool {
	document, why := s.document(ctx, kind, place.without, false)
	asked, whyAsked := s.document(ctx, kind, place.with, true)
	switch {
	case document == nil && asked == nil:
		s.nothing(kind, place.without.URL, why)
		return false
	case document == nil:
		asked.dropped = append(asked.dropped, "without an address it says nothing: "+why)
		s.add(*asked)
	case asked == nil:
		document.dropped = append(document.dropped, "asked with an address it says nothing: "+whyAsked)
		s.add(*document)
	default:
		s.add(*document)
		if !slices.EqualFunc(document.Provider.Servers, asked.Provider.Servers, sameServer) {
			asked.Kind += " with an address"
			s.add(*asked)
		}
	}
	return true
}

// document fetches and reads an autoconfig document.
func (s *survey) document(
	ctx context.Context, kind string, q probe.WebQuestion, withAddress bool,
) (w *Witness, why string) {
	page, why := s.page(ctx, q)
	if why != "" {
		return nil, why
	}
	settings, err := autoconfig.Read(page.Body, account.AnyAt(s.domain))
	if err != nil {
		return nil, page.Says() + ", no autoconfig document"
	}
	w = &Witness{Kind: kind, Place: page.URL(), Provider: *settings.Provider, dropped: settings.Dropped}
	w.Provider.Servers = settings.Servers
	if withAddress {
		w.generalise(s.Address)
	}
	return w, ""
}

// page fetches a page that may be believed, or says why there is none.
func (s *survey) page(ctx context.Context, q probe.WebQuestion) (page client.Page, why string) {
	rules := secure
	if strings.HasPrefix(q.URL, "http:") {
		rules = plain
	}
	page = s.Fetch(ctx, q, rules)
	switch {
	case page.Failure != nil:
		if unsure(page.Failure) {
			s.unknown("%s: %s", page.URL(), page.Failure.Text)
		}
		return page, page.Failure.Text
	case page.Status >= 500:
		s.unknown("%s: its server fails with status %d", page.URL(), page.Status)
		return page, fmt.Sprint(page.Status)
	case page.Status/100 == 3 && page.Header["Location"] != "":
		return page, "a redirect over plain http to " + withoutQuery(page.Header["Location"]) +
			", which anybody could forge"
	case !page.Success():
		return page, fmt.Sprint(page.Status)
	case page.Truncated:
		return page, page.Says() + ", longer than any document"
	}
	return page, ""
}

// unsure reports whether the failure leaves open what the server would have said.
func unsure(f *probe.Failure) bool {
	return !f.Known() || f.Kind == probe.TimedOut || f.Kind == probe.NoAnswer
}

// pacc asks for the PACC document, for which a record must vouch.
func (s *survey) pacc(ctx context.Context) {
	q := client.PACC(s.domain)
	page, why := s.page(ctx, q)
	if why != "" {
		s.nothing("PACC", q.URL, why)
		return
	}
	settings, err := autoconfig.ReadPACC(page.Body, account.AnyAt(s.domain))
	answer := s.dns(ctx, client.DNS("TXT", "_ua-auto-config."+s.domain))
	vouches := func(text string) bool { return client.PACCDigest(text, page.Body) }
	switch {
	case err != nil:
		s.nothing("PACC", q.URL, page.Says()+", no PACC document")
	case !slices.ContainsFunc(texts(answer), vouches):
		s.nothing("PACC", q.URL, "no record at _ua-auto-config."+s.domain+" has the digest of the document")
	default:
		w := Witness{Kind: "PACC", Place: q.URL, Provider: *settings.Provider}
		w.Provider.Servers = settings.Servers
		s.add(w)
	}
}

// generalise replaces the mailbox that was asked about by placeholders.
func (w *Witness) generalise(a account.Address) {
	w.Provider.Servers = slices.Clone(w.Provider.Servers)
	for i := range w.Provider.Servers {
		server := &w.Provider.Servers[i]
		server.Login.Username = generalise(server.Login.Username, a)
		server.URL = generalise(server.URL, a)
	}
}

// generalise replaces an address in a text, or its local part where it stands alone between
// other signs, and then its domain.
func generalise(text string, a account.Address) string {
	text = strings.ReplaceAll(text, a.String(), account.EmailAddress)
	if strings.EqualFold(text, a.Local()) {
		return account.EmailLocalPart
	}
	if before, after, ok := strings.Cut(text, a.Local()); ok && !isLetter(before, -1) && !isLetter(after, 1) {
		text = before + account.EmailLocalPart + after
		text = strings.ReplaceAll(text, a.Domain(), account.EmailDomain)
	}
	return text
}

// isLetter reports whether a text ends (-1) or begins (1) with a letter.
func isLetter(text string, end int) bool {
	if text == "" {
		return false
	}
	c := text[0]
	if end < 0 {
		c = text[len(text)-1]
	}
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isWebURL reports whether a text is an https URL with a host and nothing in it that signs in.
func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil
}

func withoutQuery(rawURL string) string {
	rawURL, _, _ = strings.Cut(rawURL, "?")
	return rawURL
}
