// Package living asks the network what mail clients are told about a domain, and drafts a
// configuration that tells them the same.
package living

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
	"signpost/internal/importer/draft"
)

// Limit is the time after which the survey ends with what is known.
const Limit = 60 * time.Second

// standIn is the local part of the mailbox that servers are asked about. Every domain with mail
// has it (RFC 5321 §4.5.1), and it is nobody's.
const standIn = "postmaster"

// Survey is what the network tells about a domain.
type Survey struct {
	Domain string
	// Witnesses are all who were asked, in the order in which they are believed. Those
	// that say nothing are there, too.
	Witnesses []Witness
	// Exchangers are the MX hosts, the best first; MXKnown reports whether DNS said so.
	Exchangers []string
	MXKnown    bool
	// HandOver is the service that answers Autodiscover for the domain, such as
	// Microsoft 365; nil if there is none. HandOverFrom says where that was seen.
	HandOver     *account.AutodiscoverRedirect
	HandOverFrom string
	// Contradictions are the differences between witnesses.
	Contradictions []Contradiction
	// Unknown are the questions that could not be asked or got no answer, each with the reason.
	Unknown []string

	taken  []taken
	denied []service // that have a SRV record which says that there is none
	lost   []draft.Remark
	hints  []string
}

// Witness is a place that may name the domain's servers.
type Witness struct {
	Kind  string // such as "autoconfig"
	Place string // the URL or the name of the records
	// Nothing says why it names no server; empty if it names some. Unsure is set if it got no
	// chance to: Survey.Unknown says so, too.
	Nothing string
	Unsure  bool
	// Provider holds what it says. Host names and user names that are those of the mailbox
	// or domain in question have placeholders.
	Provider account.Provider

	dropped []string // what cannot be used, each with the reason
}

// String names the witness for sentences: `autoconfig (https://…)`.
func (w *Witness) String() string { return fmt.Sprintf("%s (%s)", w.Kind, w.Place) }

// survey is a Survey in the making.
type survey struct {
	*Survey
	*client.Search
	domain string
}

// Ask asks the network about a domain, which is a result of account.ParseDomain. Nobody signs
// in, and no mailbox but postmaster's is named to anybody. What could not be asked is in the
// survey; the error is a *DNSError, or for a domain that has no addresses.
func Ask(ctx context.Context, asker probe.Asker, domain string) (*Survey, error) {
	address, err := account.ParseAddress(standIn + "@" + domain)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	s := survey{
		Survey: &Survey{Domain: domain},
		Search: &client.Search{Address: address, Asker: probe.NewRecording(asker), Real: true},
		domain: domain,
	}
	if f := s.Asker.DNS(ctx, client.DNS("MX", domain)).Failure; f != nil {
		if s.Asker.DNS(ctx, client.DNS("A", domain)).Failure != nil {
			return nil, &DNSError{domain, f.Text}
		}
	}
	s.expect(ctx)
	// The order is that in which the witnesses are believed.
	s.autoconfig(ctx)
	s.pacc(ctx)
	s.autodiscover(ctx)
	s.autodiscoverJSON(ctx)
	s.services(ctx)
	s.exchangers(ctx)
	s.handOver(ctx)
	s.compare(ctx)
	s.guessHandOver()
	return s.Survey, nil
}

// DNSError says that nothing is known of a domain, as DNS does not answer.
type DNSError struct{ domain, reason string }

func (e *DNSError) Error() string {
	return fmt.Sprintf("DNS says nothing about %s: %s", e.domain, e.reason)
}

// expect lets all questions be asked at once that do not depend on answers.
func (s *survey) expect(ctx context.Context) {
	for _, place := range s.autoconfigPlaces() {
		s.Expect(ctx, place.without, place.with)
	}
	s.Expect(ctx, client.PACC(s.domain), client.DNS("TXT", "_ua-auto-config."+s.domain),
		client.DNS("MX", s.domain), client.DNS("CNAME", "autodiscover."+s.domain))
	for _, host := range []string{"autodiscover." + s.domain, s.domain} {
		rawURL := client.AutodiscoverURL("https", host)
		s.Expect(ctx, client.Autodiscover(rawURL, s.Address), client.MobileSync(rawURL, s.Address))
	}
	for _, protocol := range jsonProtocols {
		s.Expect(ctx, client.AutodiscoverJSON("autodiscover."+s.domain, s.Address, protocol))
	}
	for _, service := range services {
		s.Expect(ctx, client.ServiceQuestion(service.label, s.domain))
	}
}

// dns asks for records, and notes if nobody knows whether there are any.
func (s *survey) dns(ctx context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	answer := s.Asker.DNS(ctx, q)
	if f := answer.Failure; f != nil {
		s.unknown("the %s records of %s: %s", q.Type, q.Name, f.Text)
	}
	return answer
}

func (s *survey) unknown(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.Unknown, text) {
		s.Unknown = append(s.Unknown, text)
	}
}

// add adds a witness that names servers. Those that nobody could use are dropped.
func (s *survey) add(w Witness) {
	w.tidy()
	var usable []account.Server
	for _, server := range w.Provider.Servers {
		if problem := s.problem(server); problem != "" {
			w.dropped = append(w.dropped, Printable(fmt.Sprintf("%s: %s", server.Type, problem)))
			continue
		}
		usable = append(usable, server)
	}
	w.Provider.Servers = usable
	if len(usable) == 0 && w.Nothing == "" {
		w.Nothing = "no server in it that can be used"
	}
	s.Witnesses = append(s.Witnesses, w)
}

// nothing adds a witness that names no server.
func (s *survey) nothing(kind, place, why string) {
	unsure := slices.ContainsFunc(s.Unknown, func(text string) bool { return strings.HasPrefix(text, place+": ") })
	s.Witnesses = append(s.Witnesses, Witness{Kind: kind, Place: place, Nothing: Printable(why), Unsure: unsure})
}

// tidy drops what a configuration cannot have: names that are too long, and links that are none.
func (w *Witness) tidy() {
	p := &w.Provider
	drop := func(what, text string) string {
		w.dropped = append(w.dropped, fmt.Sprintf("the %s %q", what, Printable(text)))
		return ""
	}
	if p.DisplayName = Printable(p.DisplayName); len([]rune(p.DisplayName)) > 60 {
		p.DisplayName = drop("display name", p.DisplayName)
	}
	if p.DisplayShortName = Printable(p.DisplayShortName); len([]rune(p.DisplayShortName)) > 20 {
		p.DisplayShortName = drop("short display name", p.DisplayShortName)
	}
	for _, link := range []*string{&p.Webmail, &p.Logo, &p.Developer} {
		if *link != "" && (!isWebURL(*link) || Printable(*link) != *link) {
			*link = drop("link", *link)
		}
	}
	p.Documentation = slices.DeleteFunc(slices.Clone(p.Documentation), func(d account.Documentation) bool {
		return !isWebURL(d.URL) || Printable(d.URL) != d.URL
	})
	if o := p.OAuth2; o != nil &&
		(o.Issuer == "" || len(o.Scopes) == 0 || !isWebURL(o.AuthURL) || !isWebURL(o.TokenURL)) {
		p.OAuth2 = nil
		drop("OAuth2 of the issuer", o.Issuer)
	}
}

// problem returns why a server cannot be used, or nothing.
func (s *survey) problem(server account.Server) string {
	for _, text := range []string{server.Login.Username, server.Login.DomainName, server.Hostname, server.URL,
		server.PathPrefix} {
		if text != Printable(text) {
			return "it has characters that cannot be seen"
		}
	}
	if server.Type.HasURL() {
		if !isWebURL(account.ExpandURL(server.URL, s.Address)) {
			return fmt.Sprintf("%q is not an https URL", server.URL)
		}
		return ""
	}
	host := account.Expand(server.Hostname, s.Address)
	if _, err := account.ParseDomain(host); err != nil || !strings.Contains(host, ".") {
		return fmt.Sprintf("%q is not the name of a host", host)
	}
	if server.Port < 1 || server.Port > 65535 {
		return fmt.Sprintf("%d is not a port", server.Port)
	}
	return ""
}

// Printable makes a text of a stranger's fit for a terminal: without control characters and others
// that cannot be seen, on one line.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
}

// sameMachine reports whether two hosts have an address in common.
func (s *survey) sameMachine(ctx context.Context, a, b string) bool {
	of := func(host string) (data []string) {
		for _, recordType := range []string{"A", "AAAA"} {
			for _, r := range s.Asker.DNS(ctx, client.DNS(recordType, host)).OfType(recordType) {
				data = append(data, r.Data)
			}
		}
		return data
	}
	others := of(b)
	return slices.ContainsFunc(of(a), func(address string) bool { return slices.Contains(others, address) })
}

// texts returns the texts of the TXT records in an answer.
func texts(answer probe.DNSAnswer) (all []string) {
	for _, r := range answer.OfType("TXT") {
		all = append(all, dns.Unquote(r.Data))
	}
	return all
}
