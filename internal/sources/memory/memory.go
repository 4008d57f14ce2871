// Package memory is a store of accounts in memory, for tests of what asks stores.
package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"signpost/account"
	"signpost/internal/sources/row"
)

// Backend is a store whose rows, failures and delays a test sets. The zero value is an
// empty store. It counts what it is asked.
type Backend struct {
	Has row.Columns // what Columns returns
	// Wait, if set, is called before each answer, without a lock.
	Wait func(ctx context.Context)
	// Options, if set, is what Settings returns.
	Options any

	mu       sync.Mutex
	accounts map[string][]row.Account // by key
	domains  []row.Domain
	err      error
	asked    []string
	closed   bool
}

// SetAccounts replaces the rows about mailboxes.
func (b *Backend) SetAccounts(rows ...row.Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.accounts = map[string][]row.Account{}
	for _, r := range rows {
		key := r.Address
		if a, err := account.ParseAddress(r.Address); err == nil {
			key = a.Key()
		}
		b.accounts[key] = append(b.accounts[key], r)
	}
}

// SetDomains replaces the list of domains.
func (b *Backend) SetDomains(rows ...row.Domain) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.domains = rows
}

// Fail makes all questions fail with the error, or succeed again if it is nil.
func (b *Backend) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// Asked returns what was asked since the last call: "domains", the name of a domain, or
// the key of an address.
func (b *Backend) Asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.asked
	b.asked = nil
	return asked
}

// Closed reports whether Close was called.
func (b *Backend) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

// ask counts a question and waits.
func (b *Backend) ask(ctx context.Context, what string) error {
	b.mu.Lock()
	b.asked = append(b.asked, what)
	b.mu.Unlock()
	if b.Wait != nil {
		b.Wait(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Columns implements sources.Backend.
func (b *Backend) Columns() row.Columns { return b.Has }

// Account implements sources.Backend.
func (b *Backend) Account(ctx context.Context, a account.Address) ([]row.Account, error) {
	if err := b.ask(ctx, a.Key()); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.accounts[a.Key()]), nil
}

// Domain implements sources.Backend.
func (b *Backend) Domain(ctx context.Context, name string) ([]row.Domain, error) {
	if err := b.ask(ctx, name); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var rows []row.Domain
	for _, r := range b.domains {
		if domain, err := account.ParseDomain(r.Domain); err == nil && domain == name {
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// Domains implements sources.Backend.
func (b *Backend) Domains(ctx context.Context) ([]row.Domain, error) {
	if err := b.ask(ctx, "domains"); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.domains), nil
}

// Check implements sources.Backend.
func (b *Backend) Check(context.Context, string) []row.Finding { return nil }

// Settings implements sources.Backend. Without Options, a Backend is equal to itself only.
func (b *Backend) Settings() any {
	if b.Options != nil {
		return b.Options
	}
	return fmt.Sprintf("%p", b)
}

// Close implements sources.Backend.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}
