package probe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// Recording asks each question once and remembers its answer. It is safe for
// concurrent use: who asks what is being asked waits for the answer.
type Recording struct {
	asker Asker // nil: nothing is asked any more

	mu    sync.Mutex
	dnss  map[DNSQuestion]*entry[DNSAnswer]
	webs  map[WebQuestion]*entry[WebAnswer]
	mails map[MailQuestion]*entry[MailAnswer]
	tlss  map[TLSQuestion]*entry[TLSAnswer]
}

// entry is the answer to a question, once done is closed.
type entry[A any] struct {
	done   chan struct{}
	answer A
}

// NewRecording returns an empty recording over the asker. Over nil it is for a test, which
// puts answers into it: every other question is NotAsked.
func NewRecording(asker Asker) *Recording {
	return &Recording{
		asker: asker,
		dnss:  map[DNSQuestion]*entry[DNSAnswer]{},
		webs:  map[WebQuestion]*entry[WebAnswer]{},
		mails: map[MailQuestion]*entry[MailAnswer]{},
		tlss:  map[TLSQuestion]*entry[TLSAnswer]{},
	}
}

var notAsked = &Failure{Kind: NotAsked, Text: "not asked"}

// once returns the answer of the entry, which the first caller lets ask provide. Who waits
// for an answer that another caller asked for gets none when its own time ends.
func once[Q comparable, A any](ctx context.Context, r *Recording, entries map[Q]*entry[A], q Q, none A,
	ask func() A) A {
	r.mu.Lock()
	e, known := entries[q]
	if !known {
		e = &entry[A]{done: make(chan struct{})}
		entries[q] = e
	}
	r.mu.Unlock()
	if !known {
		e.answer = none // in case ask panics
		defer close(e.done)
		if r.asker != nil {
			e.answer = ask()
		}
		return e.answer
	}
	select {
	case <-e.done:
		return e.answer
	default:
	}
	select {
	case <-e.done:
		return e.answer
	case <-ctx.Done():
		return none
	}
}

// DNS implements Asker.
func (r *Recording) DNS(ctx context.Context, q DNSQuestion) DNSAnswer {
	return once(ctx, r, r.dnss, q, DNSAnswer{Failure: notAsked}, func() DNSAnswer { return r.asker.DNS(ctx, q) })
}

// Web implements Asker.
func (r *Recording) Web(ctx context.Context, q WebQuestion) WebAnswer {
	return once(ctx, r, r.webs, q, WebAnswer{Failure: notAsked}, func() WebAnswer { return r.asker.Web(ctx, q) })
}

// Mail implements Asker.
func (r *Recording) Mail(ctx context.Context, q MailQuestion) MailAnswer {
	return once(ctx, r, r.mails, q, MailAnswer{Failure: notAsked}, func() MailAnswer { return r.asker.Mail(ctx, q) })
}

// TLS implements Asker.
func (r *Recording) TLS(ctx context.Context, q TLSQuestion) TLSAnswer {
	return once(ctx, r, r.tlss, q, TLSAnswer{Failure: notAsked}, func() TLSAnswer { return r.asker.TLS(ctx, q) })
}

// PutDNS records an answer, in place of an earlier one.
func (r *Recording) PutDNS(q DNSQuestion, a DNSAnswer) { put(r, r.dnss, q, a) }

// PutWeb records an answer, in place of an earlier one.
func (r *Recording) PutWeb(q WebQuestion, a WebAnswer) { put(r, r.webs, q, a) }

// PutMail records an answer, in place of an earlier one.
func (r *Recording) PutMail(q MailQuestion, a MailAnswer) { put(r, r.mails, q, a) }

// PutTLS records an answer, in place of an earlier one.
func (r *Recording) PutTLS(q TLSQuestion, a TLSAnswer) { put(r, r.tlss, q, a) }

func put[Q comparable, A any](r *Recording, entries map[Q]*entry[A], q Q, a A) {
	e := &entry[A]{done: make(chan struct{}), answer: a}
	close(e.done)
	r.mu.Lock()
	defer r.mu.Unlock()
	entries[q] = e
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// DNSs returns the questions for records that have been answered, with their answers.
func (r *Recording) DNSs() map[DNSQuestion]DNSAnswer { return answered(r, r.dnss) }

// Webs returns the web requests that have been answered, with their answers.
func (r *Recording) Webs() map[WebQuestion]WebAnswer { return answered(r, r.webs) }

// Mails returns the connections to mail servers that have ended, with what was said.
func (r *Recording) Mails() map[MailQuestion]MailAnswer { return answered(r, r.mails) }

// TLSs returns the handshakes that have ended, with their outcomes.
func (r *Recording) TLSs() map[TLSQuestion]TLSAnswer { return answered(r, r.tlss) }

func answered[Q comparable, A any](r *Recording, entries map[Q]*entry[A]) map[Q]A {
	r.mu.Lock()
	defer r.mu.Unlock()
	answers := make(map[Q]A, len(entries))
	for q, e := range entries {
		select {
		case <-e.done:
			answers[q] = e.answer
		default: // still being asked
		}
	}
	return answers
}
