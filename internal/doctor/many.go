package doctor

import (
	"context"
	"iter"
	"sync"

	"signpost/account"
	"signpost/internal/doctor/probe"
	"signpost/internal/records"
)

// Many diagnoses many addresses.
type Many struct {
	Options // of each diagnosis, but for Address and Asker
	// NewAsker returns what asks the network for one diagnosis.
	NewAsker func() (probe.Asker, error)
	AtOnce   int // diagnoses at a time

	examine func(context.Context, Options) (*Report, error) // of a test
}

// Result is the outcome for one address.
type Result struct {
	Address account.Address
	Report  *Report // nil if there is an error
	Err     error
}

// Examine diagnoses the addresses and yields the results in their order. It holds a
// limited number of them. A mail server that several domains have is asked once.
func (m *Many) Examine(ctx context.Context, addresses iter.Seq[account.Address]) iter.Seq[Result] {
	mails := newShared()
	examine := Examine
	if m.examine != nil {
		examine = m.examine
	}
	return records.Parallel(ctx, addresses, m.AtOnce, func(ctx context.Context, a account.Address) Result {
		asker, err := m.NewAsker()
		if err != nil {
			return Result{a, nil, err}
		}
		o := m.Options
		o.Address, o.Asker = a, &sharing{asker, mails}
		report, err := examine(ctx, o)
		return Result{a, report, err}
	})
}

// shared are answers of mail servers, for all diagnoses of a run. What a server says does
// not depend on the domain of who asks.
type shared struct {
	mu    sync.Mutex
	mails map[probe.MailQuestion]*answered[probe.MailAnswer]
	tlss  map[probe.TLSQuestion]*answered[probe.TLSAnswer]
}

// answered is a question with its answer, once done is closed.
type answered[A any] struct {
	done   chan struct{}
	answer A
	known  bool
}

// maxShared is how many answers of a kind are kept. Beyond that, servers are asked again.
const maxShared = 2000

func newShared() *shared {
	return &shared{
		mails: map[probe.MailQuestion]*answered[probe.MailAnswer]{},
		tlss:  map[probe.TLSQuestion]*answered[probe.TLSAnswer]{},
	}
}

// sharing is the asker of one diagnosis among many.
type sharing struct {
	probe.Asker
	shared *shared
}

// Mail implements probe.Asker.
func (s *sharing) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	return share(ctx, s.shared, s.shared.mails, q, func() (probe.MailAnswer, bool) {
		a := s.Asker.Mail(ctx, q)
		return a, a.Failure.Known()
	})
}

// TLS implements probe.Asker.
func (s *sharing) TLS(ctx context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	return share(ctx, s.shared, s.shared.tlss, q, func() (probe.TLSAnswer, bool) {
		a := s.Asker.TLS(ctx, q)
		return a, a.Failure.Known()
	})
}

// share returns the answer that is known, waits for whoever is asking, or asks. Where the
// other's diagnosis ended before there was an answer, it asks, too.
func share[Q comparable, A any](
	ctx context.Context, s *shared, entries map[Q]*answered[A], q Q, ask func() (A, bool),
) A {
	s.mu.Lock()
	e, ok := entries[q]
	if !ok {
		e = &answered[A]{done: make(chan struct{})}
		if len(entries) < maxShared {
			entries[q] = e
		}
	}
	s.mu.Unlock()
	if ok {
		select {
		case <-e.done:
			if e.known {
				return e.answer
			}
		case <-ctx.Done():
		}
		answer, _ := ask()
		return answer
	}
	defer close(e.done)
	if e.answer, e.known = ask(); !e.known {
		s.mu.Lock()
		delete(entries, q)
		s.mu.Unlock()
	}
	return e.answer
}
