package client

import (
	"context"
	"sync"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// Search is one client's search for the settings of an address.
type Search struct {
	Address account.Address
	Asker   probe.Asker
	// Real allows the person's address in questions to servers of other domains. Otherwise they
	// are asked for an invented one.
	Real bool

	mu    sync.Mutex
	steps []Step
}

// Note writes a step.
func (s *Search) Note(key probe.Key, verdict Verdict, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, Step{key, verdict, why})
}

// Steps returns the steps so far.
func (s *Search) Steps() []Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Step(nil), s.steps...)
}

// Expect lets questions be asked at once whose answers are wanted later, in any order.
// It does not wait.
func (s *Search) Expect(ctx context.Context, questions ...any) {
	for _, question := range questions {
		switch q := question.(type) {
		case probe.DNSQuestion:
			go s.Asker.DNS(ctx, q)
		case probe.WebQuestion:
			go s.Asker.Web(ctx, q)
		case probe.MailQuestion:
			go s.Asker.Mail(ctx, q)
		case probe.TLSQuestion:
			go s.Asker.TLS(ctx, q)
		}
	}
}

// NotePage writes what came of a page for each question that led to it.
func (s *Search) NotePage(page Page, verdict Verdict, why string) {
	for _, key := range page.Asked {
		s.Note(key, verdict, why)
	}
}

// slow is how long a step may take without a person noticing.
const slow = 3 * time.Second

// failed is the verdict on a page that was no use to the client.
func failed(page Page) Verdict {
	if page.Took >= slow {
		return Slowed
	}
	return Passed
}
