package importer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// Proof says what was compared.
type Proof struct {
	Domains  int           // whose answers were compared with the draft
	Warnings []fault.Fault // of the configuration
}

// Prove loads the configuration that was written from the draft, and compares what clients of
// every domain are told with what the draft says.
func Prove(ctx context.Context, file string, d *draft.Draft) (Proof, error) {
	c, err := config.Load(file)
	if err != nil {
		return Proof{}, err
	}
	defer closeStores(c)
	proof := Proof{Warnings: c.Warnings}
	answers := directory.New(c.Providers, c.Lists(), nil)
	type question struct {
		product *draft.Product
		domain  string
		login   string // the domain in which its mailboxes sign in: another one for another name
	}
	questions := make(chan question)
	go func() {
		defer close(questions)
		for i := range d.Products {
			for _, domain := range d.Products[i].Domains {
				questions <- question{&d.Products[i], domain, domain}
			}
			for alias, of := range d.Products[i].Aliases {
				questions <- question{&d.Products[i], alias, of}
			}
		}
	}()
	var faults []error
	var mu sync.Mutex
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for q := range questions {
				err := proveDomain(ctx, answers, q.product, q.domain, q.login)
				mu.Lock()
				proof.Domains++
				if err != nil {
					faults = append(faults, fmt.Errorf("%s: %w", q.domain, err))
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	const most = 10
	if n := len(faults); n > most {
		faults = append(faults[:most], fmt.Errorf("%d other domains differ, too", n-most))
	}
	return proof, errors.Join(faults...)
}

func closeStores(c *config.Config) {
	for _, a := range c.Accounts {
		if a.Store != nil && a.Store.Backend != nil {
			a.Store.Backend.Close()
		}
	}
}

// sample is the local part of the mailbox for which answers are compared. It is in no list.
const sample = "signpost.import+proof"

// proveDomain compares the answer for a mailbox of the domain with the product. Its owner signs in
// with the address in the domain login.
func proveDomain(ctx context.Context, answers *directory.Directory, p *draft.Product, domain, login string) error {
	address, err := account.ParseAddress(sample + "@" + domain)
	if err != nil {
		return err
	}
	signsIn, err := account.ParseAddress(sample + "@" + login)
	if err != nil {
		return err
	}
	s, err := answers.Resolve(ctx, account.Query{Address: address, Client: account.Thunderbird})
	if err != nil {
		return err
	}
	want := expanded(p.Provider.Servers, signsIn)
	if got := s.Expanded(); !slices.EqualFunc(got, want, same) {
		return fmt.Errorf("its servers would be %v, but the source has %v", places(got), places(want))
	}
	if what := difference(s.Provider, &p.Provider, signsIn); what != "" {
		return errors.New(what)
	}
	document, err := autoconfig.Document(s)
	if err != nil {
		return nil // nothing of it is for readers of autoconfig
	}
	read, err := autoconfig.Read(document, address)
	if err != nil {
		return err
	}
	told := read.Expanded()
	for _, t := range []account.ServerType{account.IMAP, account.POP3, account.SMTP} {
		has := func(s account.Server) bool { return s.Type == t && s.SocketType != account.Plain }
		if slices.ContainsFunc(want, has) &&
			!slices.ContainsFunc(told, func(s account.Server) bool { return s.Type == t }) {
			return fmt.Errorf("clients would be told no %s server", t)
		}
	}
	for _, server := range told {
		// The document has no place for a folder, and one for both parts of a login.
		if server.Type.HasURL() || slices.ContainsFunc(want, func(w account.Server) bool {
			w.PathPrefix, w.PrincipalURL = "", ""
			if w.NeedsNoLogin() { // the document has the mailbox's there, which no client uses
				w.Login = server.Login
			}
			w.Login, server.Login = joined(w.Login), joined(server.Login)
			return same(w, server)
		}) {
			continue
		}
		return fmt.Errorf("clients would be told %v, which the source has not", places([]account.Server{server}))
	}
	return nil
}

// joined returns a login with its domain in the user name, as documents have it.
func joined(l account.Login) account.Login {
	if l.DomainName == "" {
		return l
	}
	return account.Login{Username: l.DomainName + `\` + l.Username}
}

func expanded(servers []account.Server, a account.Address) []account.Server {
	all := make([]account.Server, len(servers))
	for i, server := range servers {
		all[i] = server.Expand(a)
	}
	return all
}

// same reports whether two servers are told alike.
func same(a, b account.Server) bool {
	return a.Type == b.Type && a.Hostname == b.Hostname && a.Port == b.Port && a.SocketType == b.SocketType &&
		a.URL == b.URL && a.Login == b.Login && slices.Equal(a.Authentication, b.Authentication) &&
		a.PathPrefix == b.PathPrefix && a.PrincipalURL == b.PrincipalURL
}

// difference returns what else of a provider than its servers is not what the source says, or nothing.
func difference(got, want *account.Provider, a account.Address) string {
	redirect := func(p *account.Provider) string {
		if p.AutodiscoverRedirect == nil {
			return ""
		}
		return p.AutodiscoverRedirect.Hostname + p.AutodiscoverRedirect.Address
	}
	tokens := func(p *account.Provider) string {
		if p.OAuth2 == nil {
			return ""
		}
		return fmt.Sprint(*p.OAuth2)
	}
	for _, field := range []struct{ name, got, want string }{
		{"displayName", got.DisplayName, want.DisplayName},
		{"displayShortName", got.DisplayShortName, want.DisplayShortName},
		{"webmail", account.ExpandURL(got.Webmail, a), account.ExpandURL(want.Webmail, a)},
		{"autodiscover", redirect(got), redirect(want)},
		{"oAuth2", tokens(got), tokens(want)},
	} {
		// What the source does not say may have a default, but for what has none.
		noDefault := field.want != "" || field.name == "autodiscover" || field.name == "oAuth2"
		if noDefault && field.got != strings.TrimSpace(field.want) {
			return fmt.Sprintf("its %s would be %q, but the source has %q", field.name, field.got, field.want)
		}
	}
	return ""
}

func places(servers []account.Server) (all []string) {
	for _, s := range servers {
		place := fmt.Sprintf("%s %s%s", s.Type, s.Hostname, s.URL)
		if s.Port != 0 {
			place += fmt.Sprintf(":%d %s", s.Port, s.SocketType)
		}
		all = append(all, fmt.Sprintf("%s as %s", place, s.Login.Username))
	}
	return all
}
