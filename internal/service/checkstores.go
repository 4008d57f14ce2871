package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"signpost/internal/directory"
	"signpost/internal/fault"
	"signpost/internal/sources"
	"signpost/internal/sources/row"
)

// readTime is how long commands wait for the domains of an account source.
const readTime = 20 * time.Second

// ReadSources reads the domains of the account sources once, for a command, which does
// not go on reading them. The errors name the sources that cannot be read.
func (l *Loaded) ReadSources(ctx context.Context) []error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	failures := make([]error, len(l.Sources))
	var reads sync.WaitGroup
	for i, s := range l.Sources {
		reads.Go(func() {
			if err := s.Refresh(ctx); err != nil {
				failures[i] = fmt.Errorf("the domains of account source %s cannot be known now: %w", s.Name(), err)
			}
		})
	}
	reads.Wait()
	return slices.DeleteFunc(failures, func(err error) bool { return err == nil })
}

// CloseSources ends the use of the account sources.
func (l *Loaded) CloseSources() { l.closeSources() }

// SourceCheck is what a check of an account source found.
type SourceCheck struct {
	Name     string
	Domains  int  // that are hosted here because it lists them
	Listing  bool // it lists domains
	Faults   []error
	Warnings []error
	Notes    []string
	Misled   []string // which clients set its accounts up wrongly
}

// CheckSources opens each account source, asks it what it would be asked, and says what
// is missing there. An error about something that can be cured there has a hint.
func (l *Loaded) CheckSources(ctx context.Context) []SourceCheck {
	l.ReadSources(ctx) // what fails is found again below, with more words
	checks := make([]SourceCheck, len(l.Sources))
	var running sync.WaitGroup
	for i, s := range l.Sources {
		running.Go(func() { checks[i] = l.checkSource(ctx, s) })
	}
	running.Wait()
	return checks
}

func (l *Loaded) checkSource(ctx context.Context, s *sources.Source) SourceCheck {
	stats := s.Stats()
	check := SourceCheck{Name: s.Name(), Domains: l.Directory.HostedBy(s.Name()), Listing: stats.HasDomains}
	for _, finding := range s.Backend().Check(ctx, l.sampleDomain(s)) {
		finding.Text, finding.Cure = row.Visible(finding.Text), row.Visible(finding.Cure)
		switch {
		case finding.Note:
			check.Notes = append(check.Notes, finding.Text)
		case finding.Warning:
			check.Warnings = append(check.Warnings, l.findingError(s, finding))
		default:
			check.Faults = append(check.Faults, l.findingError(s, finding))
		}
	}
	if len(check.Faults) == 0 && stats.ListError != nil {
		check.Faults = append(check.Faults, l.findingError(s, row.Finding{Text: stats.ListError.Error()}))
	}
	notes, misled := l.toldOf(s)
	check.Notes, check.Misled = append(check.Notes, notes...), misled
	for _, finding := range slices.Concat(l.listedTwice(s), oddities(s)) {
		check.Warnings = append(check.Warnings, l.findingError(s, finding))
	}
	return check
}

// oddities says what rows of the list of domains have that has no effect.
func oddities(s *sources.Source) (found []row.Finding) {
	o := s.Oddities()
	if o.Nameless > 0 {
		rows := "a row of the list names"
		if o.Nameless > 1 {
			rows = fmt.Sprintf("%d rows of the list name", o.Nameless)
		}
		found = append(found,
			row.Finding{Text: rows + " no domain, and nothing follows from that" + quoted(o.Examples)})
	}
	if len(o.Providers) > 0 {
		found = append(found, row.Finding{
			Text: "domains have words for a provider that mean none, and get the provider of the source" +
				quoted(o.Providers),
			Cure: "say under providers: of this source which provider each word means",
		})
	}
	return found
}

// quoted returns a colon and a few texts in quotation marks, or nothing.
func quoted(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = strconv.Quote(text)
	}
	return ": " + few(list)
}

// few returns the first texts with commas between them, and how many there are more.
func few(texts []string) string {
	named := strings.Join(texts[:min(len(texts), maxNamed)], ", ")
	if more := len(texts) - maxNamed; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return named
}

// findingError returns a finding as an error with its place, and with its cure as a hint.
func (l *Loaded) findingError(s *sources.Source, finding row.Finding) error {
	place := fault.Fault{File: l.Config.Files[0], Text: "account source " + s.Name() + ": " + finding.Text}
	for _, entry := range l.Config.Accounts {
		if entry.Store != nil && entry.Store.Name == s.Name() {
			place.Line = entry.Line
		}
	}
	if finding.Cure == "" {
		return fault.List{place}
	}
	return fault.WithHint(fault.List{place}, finding.Cure)
}

// sampleDomain returns a domain for which a source is asked about nobody's mailbox.
func (l *Loaded) sampleDomain(s *sources.Source) string {
	if domains, err := s.Domains(); err == nil {
		for domain := range domains {
			return domain
		}
	}
	for _, p := range l.Config.Providers {
		for _, domain := range p.Domains {
			if domain != "*" {
				return domain
			}
		}
	}
	return "example.com"
}

// HasDomains reports whether the configuration or a source has domains for the provider,
// or if a source has not been read, whether it may have some.
func (l *Loaded) HasDomains(p directory.Provider) bool {
	return len(p.Domains) > 0 || len(p.MX) > 0 || slices.ContainsFunc(l.Sources, func(s *sources.Source) bool {
		return slices.Contains(s.DomainProviders(), p.ID)
	})
}

// toldOf says what the answers tell of the accounts of a source to whoever asks, and whom
// clients set up wrongly that send no address.
func (l *Loaded) toldOf(s *sources.Source) (notes, misled []string) {
	columns := s.Columns()
	var differ []string
	if columns.Provider && l.canHaveOther(s) {
		differ = append(differ, "its provider")
	}
	if columns.Username {
		differ = append(differ, "its user name")
	}
	if columns.MailHost {
		differ = append(differ, "its mail host")
	}
	ordinary := func(p directory.Provider) bool { return !p.NothingWithoutAddress }
	if len(differ) > 0 && slices.ContainsFunc(l.Config.Providers, ordinary) {
		misled = append(misled, "clients that send no address (Thunderbird for Android, KMail, Geary, Mailspring) "+
			"and those that read SRV records are told what the domain's other mailboxes have, which is wrong for an "+
			"account that differs in "+strings.Join(differ, ", ")+"; withoutAddress: nothing avoids it")
	}
	follows := func(p directory.Provider) bool { return p.AliasSignsInAsMailbox }
	switch {
	case !columns.Alias:
	case slices.ContainsFunc(l.Config.Providers, follows):
		differ = append(differ, "the mailbox behind an alias (aliasLogin: mailbox)")
	default:
		notes = append(notes, "who types an alias is told the alias as the login; where nobody can sign in with an "+
			"alias, as in most mail systems, aliasLogin: mailbox tells the login of the mailbox behind it")
	}
	if len(differ) > 0 {
		notes = append(notes, "an account can have an answer of its own, so whoever asks for an address learns "+
			strings.Join(differ, ", "))
	}
	return notes, misled
}

// canHaveOther reports whether an account of the source can have another provider than its
// domain.
func (l *Loaded) canHaveOther(s *sources.Source) bool {
	for _, id := range s.AccountProviders() {
		if slices.ContainsFunc(l.Config.Providers, func(p directory.Provider) bool { return p.ID != id }) {
			return true
		}
	}
	return false
}

// maxNamed is how many domains or words a warning names.
const maxNamed = 10

// listedTwice says which domains of a source stand in the configuration or in an earlier
// source, too: what that says holds.
func (l *Loaded) listedTwice(s *sources.Source) (found []row.Finding) {
	domains, err := s.Domains()
	if err != nil {
		return nil
	}
	inFile := map[string]bool{}
	for _, p := range l.Config.Providers {
		for _, domain := range p.Domains {
			inFile[domain] = true
		}
	}
	var twice, earlier []string
	for domain := range domains {
		if inFile[domain] {
			twice = append(twice, domain)
		} else if first := l.firstSource(domain); first != s {
			earlier = append(earlier, domain+" ("+first.Name()+")")
		}
	}
	slices.Sort(twice)
	slices.Sort(earlier)
	if len(twice) > 0 {
		found = append(found, row.Finding{
			Text: "has domains that this file lists as well, and what this file says of them holds: " + few(twice)})
	}
	if len(earlier) > 0 {
		found = append(found, row.Finding{
			Text: "has domains that an earlier source lists as well, and what that says of them holds: " +
				few(earlier)})
	}
	return found
}

// firstSource returns the first source that lists the domain, which one does.
func (l *Loaded) firstSource(domain string) *sources.Source {
	i := slices.IndexFunc(l.Sources, func(s *sources.Source) bool {
		_, listed := s.Listed(domain)
		return listed
	})
	return l.Sources[i]
}

// sourceStates returns one line for each account source that does not answer, or whose
// domains are not known.
func (l *Loaded) sourceStates() string {
	var states []string
	for _, s := range l.Sources {
		stats := s.Stats()
		if err := cmp.Or(stats.Error, stats.ListError); err != nil {
			states = append(states, fmt.Sprintf("account source %s: %v", s.Name(), err))
		}
	}
	return strings.Join(states, "\n")
}
