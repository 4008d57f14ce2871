package living

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autodiscover"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// maxRedirects is how many answers that redirect are followed.
const maxRedirects = 3

// autodiscover asks for Outlook's and for phones' answer at the three places where they ask.
func (s *survey) autodiscover(ctx context.Context) {
	hosts := []string{"autodiscover." + s.domain, s.domain}
	if target := s.autodiscoverTarget(ctx); target != "" && !slices.Contains(hosts, target) {
		hosts = append(hosts, target)
	}
	for _, host := range hosts {
		rawURL := client.AutodiscoverURL("https", host)
		s.autodiscoverAt(ctx, "Autodiscover", rawURL, client.Autodiscover)
		s.autodiscoverAt(ctx, "Autodiscover for phones", rawURL, client.MobileSync)
	}
}

// autodiscoverTarget returns the host that the SRV records of Autodiscover name, or nothing.
func (s *survey) autodiscoverTarget(ctx context.Context) string {
	records := slices.DeleteFunc(client.Services(s.dns(ctx, client.ServiceQuestion("autodiscover", s.domain))),
		func(r client.SRV) bool { return r.Target == "" || r.Port != 443 })
	if len(records) == 0 {
		return ""
	}
	return slices.MinFunc(records, preferred).Target
}

// preferred orders records as RFC 2782 does.
func preferred(a, b client.SRV) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Weight, a.Weight))
}

// autodiscoverAt asks one place, and goes where its answers redirect.
func (s *survey) autodiscoverAt(
	ctx context.Context, kind, rawURL string, ask func(string, account.Address) probe.WebQuestion,
) {
	at := rawURL
	for range maxRedirects + 1 {
		page, why := s.page(ctx, ask(at, s.Address))
		if page.Status == 401 {
			s.exchangeAt(page, "it asks for a password")
			s.nothing(kind, rawURL, "it asks for a password, and is given none")
			return
		}
		if why != "" {
			s.nothing(kind, rawURL, why)
			return
		}
		settings, err := autodiscover.Read(page.Body)
		if answer, ok := errors.AsType[*autodiscover.Error](err); ok {
			s.nothing(kind, rawURL, "error "+string(answer.Code))
			return
		}
		if err != nil {
			s.nothing(kind, rawURL, page.Says()+", no answer of Autodiscover")
			return
		}
		redirect := settings.Provider.AutodiscoverRedirect
		switch {
		case redirect == nil:
			s.answered(kind, rawURL, page, settings)
			return
		case redirect.Address != "":
			s.redirectedTo(redirect, kind, rawURL)
			return
		}
		at = client.AutodiscoverURL("https", redirect.Hostname)
	}
	s.nothing(kind, rawURL, "too many redirects")
}

// answered takes an answer with settings.
func (s *survey) answered(kind, rawURL string, page client.Page, settings account.Settings) {
	w := Witness{Kind: kind, Place: rawURL, Provider: account.Provider{Servers: slices.Clone(settings.Servers)}}
	for i, server := range w.Provider.Servers {
		// The format has a word for NTLM and none for the other ways: its absence says little.
		if slices.Equal(server.Authentication, []account.Authentication{account.PasswordCleartext}) {
			w.Provider.Servers[i].Authentication = nil
		}
	}
	if isExchange(page.Body) {
		s.exchangeAt(page, "it names an Exchange server")
		w.dropped = append(w.dropped, "an Exchange server, which Signpost does not announce itself")
	}
	w.generalise(s.Address)
	if len(w.Provider.Servers) == 0 && len(w.dropped) > 0 {
		w.Nothing = "only an Exchange server"
	}
	s.add(w)
}

// isExchange reports whether an answer names an Exchange server.
func isExchange(body []byte) (found bool) {
	x := document.ReadXML(body)
	if x.Root == nil {
		return false
	}
	x.Root.Walk(func(e *document.Element) {
		switch e.Local() {
		case "Type":
			t := strings.ToUpper(strings.TrimSpace(e.Text))
			found = found || t == "EXCH" || t == "EXPR" || t == "EXHTTP"
		case "Protocol":
			t, _ := e.Attribute("Type")
			found = found || strings.EqualFold(t, "mapiHttp")
		}
	})
	return found
}

// exchangeAt notes that the service at the end of a page answers Autodiscover itself, and has to
// go on doing so.
func (s *survey) exchangeAt(page client.Page, why string) {
	u, err := url.Parse(page.Question.URL)
	if err != nil || s.HandOver != nil {
		return
	}
	host, err := account.ParseDomain(u.Hostname())
	if err != nil {
		return
	}
	redirect := &account.AutodiscoverRedirect{Hostname: host}
	if redirect.IsNameOf(s.domain) || redirect.Hostname == s.domain {
		s.hint("%s answers Autodiscover for an Exchange server or groupware (%s). Its answers are lost once that name "+
			"leads to Signpost: give it another name, and put that into autodiscover: {hostname: …}",
			redirect.Hostname, why)
		return
	}
	s.HandOver, s.HandOverFrom = redirect, page.URL()+", where "+why
}

// redirectedTo takes an answer that sends clients to another address.
func (s *survey) redirectedTo(redirect *account.AutodiscoverRedirect, kind, rawURL string) {
	s.nothing(kind, rawURL, "sends clients to an address at another domain")
	local, domain, _ := strings.Cut(redirect.Address, "@")
	domain, err := account.ParseDomain(domain)
	generalised := generalise(local, s.Address)
	if err == nil && s.HandOver == nil && generalised == account.EmailLocalPart {
		s.HandOver = &account.AutodiscoverRedirect{Address: generalised + "@" + domain}
		s.HandOverFrom = rawURL
	}
}

// jsonProtocols are the protocols that Autodiscover version 2 is asked for.
var jsonProtocols = []string{"ActiveSync", "EWS"}

// autodiscoverJSON asks Autodiscover version 2.
func (s *survey) autodiscoverJSON(ctx context.Context) {
	w := Witness{Kind: "Autodiscover JSON"}
	types := map[string]account.ServerType{"ActiveSync": account.ActiveSync, "EWS": account.EWS}
	for _, protocol := range jsonProtocols {
		q := client.AutodiscoverJSON("autodiscover."+s.domain, s.Address, protocol)
		w.Place = withoutQuery(q.URL)
		page, why := s.page(ctx, q)
		if why == "" {
			answer, err := document.ReadAutodiscoverJSON(page.Body)
			if err == nil && answer.URL != "" && strings.EqualFold(answer.Protocol, protocol) {
				w.Provider.Servers = append(w.Provider.Servers, account.Server{Type: types[protocol], URL: answer.URL})
				continue
			}
			why = page.Says() + ", no URL"
		}
		w.Nothing = cmp.Or(w.Nothing, why)
	}
	if len(w.Provider.Servers) == 0 {
		s.nothing(w.Kind, w.Place, w.Nothing)
		return
	}
	w.Nothing = ""
	w.generalise(s.Address)
	s.add(w)
}
