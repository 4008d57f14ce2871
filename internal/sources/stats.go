package sources

import (
	"slices"
	"time"
)

// Stats is what a source has done since the start, and how it is.
type Stats struct {
	Hits     uint64 // questions answered from memory
	Misses   uint64 // questions that the store was asked
	Failures uint64 // those of them that failed
	Stale    uint64 // questions answered with what the store said before it failed

	HasDomains bool
	Domains    int       // in the list
	ListRead   time.Time // when a good list was read last; zero before the first
	ListError  error     // why the last list was not taken; nil if it was

	FailingSince time.Time // when questions began to fail; zero if they do not
	Error        error     // why they fail
}

// Stats returns what the source has done. Sources that ask the same store in the same way
// share it.
func (s *Source) Stats() Stats {
	c := s.core
	since, err := c.breaker.state()
	st := Stats{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Failures: c.failures.Load(), Stale: c.stale.Load(),
		HasDomains: s.columns.Domains, Domains: c.list.table.Load().len(), FailingSince: since, Error: err,
	}
	if s.columns.Domains {
		st.ListError = c.list.failure()
		c.list.mu.Lock()
		st.ListRead = c.list.read
		c.list.mu.Unlock()
	}
	return st
}

// Ready returns nil if the source can tell which domains it has, and the reason otherwise.
// Whether it can be asked for accounts does not count: what is known of them is served.
func (s *Source) Ready() error {
	if !s.columns.Domains || s.core.list.table.Load() != nil {
		return nil
	}
	return s.core.list.failure()
}

// Oddities are what rows of the list of domains have that has no effect.
type Oddities struct {
	Nameless  int      // rows that name no domain
	Examples  []string // what some of those have for a name
	Providers []string // words that name no provider, in order
}

// Oddities returns what a check of the list tells.
func (s *Source) Oddities() (o Oddities) {
	t := s.core.list.table.Load()
	if t == nil {
		return o
	}
	o.Nameless, o.Examples = t.nameless.rows, t.nameless.examples
	for _, d := range t.values {
		if _, known := s.options.Providers[d.Provider]; d.Provider != "" && !known {
			o.Providers = append(o.Providers, d.Provider)
		}
	}
	slices.Sort(o.Providers)
	o.Providers = slices.Compact(o.Providers)
	return o
}
