package mapfile

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"signpost/account"
	"signpost/internal/sources/row"
)

// Source answers from files. It reads them when it is asked first, and again when they
// have changed.
type Source struct {
	options Options
	files   []file

	mu      sync.Mutex
	running chan struct{} // closed when the read that is under way ends; nil if none is
	looked  time.Time     // when the files were last looked at
	read    []stamp       // of the files as they were last read
	err     error         // why they could not be read
	latest  *content      // what they said then; nil before the first success
	// accounts is latest, or what was known before files lost much of what they held.
	accounts *content
	lost     time.Time // since when the two differ
}

// New returns a source for the files. It does not open them.
func New(o Options) (*Source, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Domain != "" {
		o.Domain, _ = account.ParseDomain(o.Domain) // validated
	}
	return &Source{options: o, files: o.files()}, nil
}

// Columns returns which fields the rows can have.
func (s *Source) Columns() row.Columns {
	return row.Columns{
		Alias:    slices.ContainsFunc(s.files, func(f file) bool { return f.kind == aliases }),
		Username: s.options.UnixUsers,
		Domains:  true, OneDomain: true,
	}
}

// Account returns what the files say of the address.
func (s *Source) Account(ctx context.Context, a account.Address) ([]row.Account, error) {
	s.look(ctx, false)
	s.mu.Lock()
	c, err := s.accounts, s.err
	s.mu.Unlock()
	if c == nil {
		return nil, unknown(ctx, err)
	}
	key := a.Key()
	if _, ok := c.mailboxes[key]; ok {
		return []row.Account{{Address: key}}, nil
	}
	targets, ok := c.aliases[key]
	if !ok {
		return nil, nil
	}
	// "@domain" as the first target means the same local part there (virtual(5)).
	if strings.HasPrefix(targets, "@") {
		targets = a.Local() + targets
	}
	if s.options.UnixUsers && isUnixUser(targets) {
		return []row.Account{{Address: key, Username: targets}}, nil
	}
	return []row.Account{{Address: key, Aliases: targets}}, nil
}

// isUnixUser reports whether the targets of an alias are one Unix user. The superuser
// reads no mail by IMAP, and its name is no answer for strangers.
func isUnixUser(targets string) bool {
	return targets != "root" && !strings.ContainsAny(targets, "@,;:|/\\\""+blanks)
}

// Domain returns what the files say of one domain.
func (s *Source) Domain(ctx context.Context, name string) ([]row.Domain, error) {
	s.look(ctx, false)
	s.mu.Lock()
	c, err := s.latest, s.err
	s.mu.Unlock()
	if c == nil {
		return nil, unknown(ctx, err)
	}
	alias, ok := c.domains[name]
	if !ok {
		return nil, nil
	}
	return []row.Domain{{Domain: name, Alias: alias}}, nil
}

// Domains returns all domains, as the files are now.
func (s *Source) Domains(ctx context.Context) ([]row.Domain, error) {
	s.look(ctx, true)
	s.mu.Lock()
	c, err := s.latest, s.err
	s.mu.Unlock()
	if c == nil || err != nil {
		return nil, unknown(ctx, err)
	}
	rows := make([]row.Domain, 0, len(c.domains))
	for _, name := range slices.Sorted(maps.Keys(c.domains)) {
		rows = append(rows, row.Domain{Domain: name, Alias: c.domains[name]})
	}
	return rows, nil
}

// Settings returns the Options of the source.
func (s *Source) Settings() any { return s.options }

// Close does nothing: no file stays open.
func (s *Source) Close() error { return nil }

// unknown returns why the files could not be asked.
func unknown(ctx context.Context, err error) error {
	if err == nil {
		return ctx.Err()
	}
	return err
}
