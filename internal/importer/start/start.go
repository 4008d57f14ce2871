// Package start finds out what a first configuration says: from the network, from the mail
// server of this machine, and by a few questions to a person. Each question has what was found as
// its default, so that whoever is not asked gets the same.
package start

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
	"signpost/internal/fault"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/living"
)

// Options are what is known before, and how the rest is found out.
type Options struct {
	// Answers are those that the command line gives. What is empty is asked, or the default.
	Answers
	// Asker asks the network. A test has it without one.
	Asker probe.Asker
	// Machine adds to the draft what the mail server of this machine is configured to do. It is
	// nil if there is none.
	Machine func(context.Context, *draft.Draft) error
	// PortTaken reports whether a port of this machine is in use.
	PortTaken func(port int) bool
	// Person answers questions; nil if there is nobody.
	Person *Person
	// Out is where the findings are told.
	Out io.Writer
}

// Answers are the answers to the questions.
type Answers struct {
	Domains  []string // in A-labels
	MailHost string
	Servers  []account.Server
	Product  string
	TLS      TLS
	Name     string // of the service; never asked
}

// TLS says how TLS is ended.
type TLS string

// The ways to end TLS.
const (
	Proxy TLS = "proxy" // by a web server in front, on this machine
	ACME  TLS = "acme"  // by Signpost, with certificates that it orders
)

// Result is what a first configuration is written from.
type Result struct {
	Draft draft.Draft
	// Name is that of the service. Its record has to lead to this machine.
	Name string
	// Unknown is what could not be known, each as a sentence.
	Unknown []string
	// Contradicted reports whether the network contradicts itself.
	Contradicted bool
}

// start is a run.
type start struct {
	Options
	machine  *draft.Draft // nil if this machine has no mail server
	survey   *living.Survey
	provider account.Provider // with the servers that are told
	guesses  []string         // about the provider
	result   Result
}

// ErrNoDomain is the error where no domain is named, and nobody can be asked.
var ErrNoDomain = errors.New("the domain of the mail addresses is not known")

// Run finds out what a first configuration says.
func Run(ctx context.Context, o Options) (*Result, error) {
	s := &start{Options: o}
	s.askMachine(ctx)
	if err := s.domains(ctx); err != nil {
		return nil, err
	}
	if err := s.askNetwork(ctx); err != nil {
		return nil, err
	}
	if err := s.servers(ctx); err != nil {
		return nil, err
	}
	if err := s.product(ctx); err != nil {
		return nil, err
	}
	if err := s.tls(ctx); err != nil {
		return nil, err
	}
	s.finish()
	return &s.result, nil
}

func (s *start) say(format string, args ...any) { fmt.Fprintf(s.Out, format+"\n", args...) }

func (s *start) unknown(format string, args ...any) {
	s.result.Unknown = append(s.result.Unknown, fmt.Sprintf(format, args...))
}

// guess notes what is assumed, also for the configuration.
func (s *start) guess(format string, args ...any) {
	s.guesses = append(s.guesses, fmt.Sprintf(format, args...))
}

// askMachine reads the configuration of this machine's mail server.
func (s *start) askMachine(ctx context.Context) {
	if s.Machine == nil {
		return
	}
	d := &draft.Draft{}
	if err := s.Machine(ctx, d); err != nil {
		s.say("The mail server of this machine could not be read: %v", err)
		s.unknown("what the mail server of this machine is configured to do: %v", err)
		return
	}
	if len(d.Products) == 0 {
		return
	}
	s.machine = d
	if len(domainsOf(d)) == 0 {
		s.say("This machine has a mail server. Its configuration names no domain.\n")
		return
	}
	s.say("This machine has a mail server. It is configured for these domains:\n%s\n", columns(domainsOf(d), 4))
}

func domainsOf(d *draft.Draft) (all []string) {
	for _, p := range d.Products {
		all = append(all, p.Domains...)
	}
	return all
}

// domains finds out which domains are served.
func (s *start) domains(ctx context.Context) error {
	var found []string
	if s.machine != nil {
		found = domainsOf(s.machine)
	}
	if len(s.Domains) > 0 {
		return nil
	}
	if host := s.ownHost(); len(found) == 0 && host != "" {
		found = []string{dns.Registrable(host)}
	}
	text := strings.Join(found, ", ")
	if len(found) > 3 {
		text = "all of them"
	}
	answer, err := s.Person.ask(ctx, "Domain of the mail addresses (several: with commas)", text,
		func(answer string) (err error) {
			if answer == text && text != "" {
				s.Domains = found
				return nil
			}
			s.Domains, err = ParseDomains(answer)
			return err
		})
	switch {
	case errors.Is(err, errNobody) && len(found) > 0:
		s.Domains = found
		return nil
	case errors.Is(err, errNobody) || err == nil && answer == "":
		return fault.WithHint(ErrNoDomain, "name it: -domain domain.se")
	}
	return err
}

// ownHost returns the host name of this machine's mail server, or nothing.
func (s *start) ownHost() string {
	if s.machine == nil {
		return ""
	}
	for _, p := range s.machine.Products {
		for _, server := range p.Provider.Servers {
			if host, err := account.ParseDomain(server.Hostname); err == nil {
				return host
			}
		}
	}
	return ""
}

// ParseProduct parses the name of a mail service.
func ParseProduct(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errors.New("a name has at least one character")
	case utf8.RuneCountInString(text) > 60:
		return "", errors.New("a name has at most 60 characters")
	case !utf8.ValidString(text):
		return "", errors.New("the name is not in UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }):
		return "", fmt.Errorf("%q has an invisible character", text)
	}
	return text, nil
}

// ParseDomains parses domains with commas or spaces between them.
func ParseDomains(text string) ([]string, error) {
	var domains []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		_, word, isAddress := cutAddress(word)
		domain, err := account.ParseDomain(word)
		switch {
		case err != nil:
			return nil, notDomain(word, err)
		case !strings.Contains(domain, "."):
			return nil, fmt.Errorf("%q is not a whole domain, such as domain.se", word)
		case isAddress && slices.Contains(domains, domain):
			continue
		}
		if !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	if len(domains) == 0 {
		return nil, errors.New("that names no domain")
	}
	return domains, nil
}

// notDomain says why a text is no domain name.
func notDomain(text string, err error) error {
	if text == "" {
		return errors.New("type a name; Ctrl-C stops")
	}
	return fmt.Errorf("%q is %s", text, strings.TrimSuffix(err.Error(), ": it is not a domain name"))
}

// cutAddress returns the domain of what may be a mail address.
func cutAddress(word string) (local, domain string, isAddress bool) {
	i := strings.LastIndexByte(word, '@')
	return word[:max(i, 0)], word[i+1:], i >= 0
}

// askNetwork asks what the network tells about the first domain.
func (s *start) askNetwork(ctx context.Context) (err error) {
	s.say("Asking DNS and web servers about %s …", s.Domains[0])
	s.survey, err = living.Ask(ctx, s.Asker, s.Domains[0])
	if _, ok := errors.AsType[*living.DNSError](err); ok {
		s.say("  %v", err)
		s.unknown("what mail clients are told today: %v", err)
		s.survey = &living.Survey{Domain: s.Domains[0]}
		return nil
	}
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return errInterrupted
	}
	for _, w := range s.survey.Witnesses {
		if w.Nothing == "" {
			s.say("  %s, %s", w.Kind, w.Place)
			for _, line := range w.Says() {
				s.say("    %s", line)
			}
		}
	}
	if r := s.survey.HandOver; r != nil {
		s.say("  another service answers Autodiscover: %s%s\n    %s", r.Hostname, r.Address, s.survey.HandOverFrom)
	}
	switch {
	case !s.survey.Found() && len(s.survey.Unknown) > 0:
		s.say("  nobody who answered tells mail clients anything, and not everybody did")
	case !s.survey.Found():
		s.say("  nobody tells mail clients anything")
	}
	for _, c := range s.survey.Contradictions {
		s.say("  Contradiction, %s:\n    %s\n      %s\n    %s\n      %s",
			c.About, c.First, c.FirstSays, c.Second, c.SecondSays)
		s.result.Contradicted = true
	}
	if s.result.Contradicted {
		s.unknown("who is right where the network contradicts itself; the first was believed unless you said otherwise")
	}
	for _, text := range s.survey.Unknown {
		s.unknown("%s", text)
	}
	if len(s.Domains) > 1 {
		s.unknown("what the network tells about the other domains: only %s was asked about", s.Domains[0])
	}
	return nil
}

// product finds out what the service is called.
func (s *start) product(ctx context.Context) error {
	if s.Product != "" {
		return nil
	}
	found := s.provider.DisplayName
	if found == "" {
		spellings := account.Spellings(s.Domains[0]) // the last one is what people read
		found = spellings[len(spellings)-1]
	}
	_, err := s.Person.ask(ctx, "Name of the mail service, for people", found, func(answer string) (err error) {
		s.Product, err = ParseProduct(answer)
		return err
	})
	if errors.Is(err, errNobody) {
		s.Product = found
		return nil
	}
	return err
}

// tls finds out who ends TLS: if somebody has the ports already, that one.
func (s *start) tls(ctx context.Context) error {
	if s.TLS != "" {
		return nil
	}
	found := ACME
	why := "Ports 80 and 443 of this machine are free"
	if s.PortTaken(443) || s.PortTaken(80) {
		found, why = Proxy, "A web server of this machine has port 80 or 443"
	}
	s.say("\nMail programs ask by HTTPS. %s.\n"+
		"  acme   Signpost listens on both, and orders certificates from Let's Encrypt\n"+
		"  proxy  a web server in front has the certificates, and passes requests on", why)
	_, err := s.Person.ask(ctx, "How TLS is ended: acme or proxy", string(found), func(answer string) (err error) {
		s.TLS, err = ParseTLS(answer)
		return err
	})
	if errors.Is(err, errNobody) {
		s.TLS = found
		return nil
	}
	return err
}

// ParseTLS parses the way to end TLS.
func ParseTLS(text string) (TLS, error) {
	switch t := TLS(strings.ToLower(strings.TrimSpace(text))); t {
	case Proxy, ACME:
		return t, nil
	}
	return "", fmt.Errorf("%q is neither acme nor proxy", text)
}
