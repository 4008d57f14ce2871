package certs

import (
	"context"
	"errors"
	"time"

	"github.com/caddyserver/certmagic"
)

// attempt is an order that a client waits for, as against a renewal that
// certmagic makes by itself.
type attempt struct{ settled bool }

type attemptKey struct{}

// toldError is one that has had its log line.
type toldError struct{ error }

func (e *toldError) Unwrap() error { return e.error }

// event is certmagic's account of what it does, and our last word before it
// places an order.
func (o *orderer) event(ctx context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	renewal, _ := data["renewal"].(bool)
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	switch event {
	case "cert_obtaining":
		if err := o.admit(ctx, name, renewal, a); err != nil {
			o.giveUp(name, a)
			return certmagic.ErrNoRetry{Err: err}
		}
	case "cert_failed":
		err, _ := data["error"].(error)
		if err == nil {
			err = errors.New("no reason was given")
		}
		if a != nil {
			a.settled = true
		}
		o.failed(name, renewal, err)
		o.giveUp(name, a)
	case "cert_obtained":
		o.limits.succeeded(name)
		o.mu.Lock()
		o.counts.Obtained++
		o.mu.Unlock()
		o.log.Info("certificate obtained", "name", name, "renewal", renewal)
	}
	return nil
}

// giveUp takes a certificate out of memory that has expired in spite of renewals,
// lest certmagic try for ever. The name's DNS leads elsewhere by now, mostly; if
// a client asks for it nevertheless, it is ordered like any other.
func (o *orderer) giveUp(name string, a *attempt) {
	if a == nil && o.cached(name) == nil {
		o.drop(name)
	}
}

// admit decides whether an order may be placed. A renewal begins with the
// question whether the name is still ours: who has left takes their name along.
func (o *orderer) admit(ctx context.Context, name string, renewal bool, a *attempt) error {
	listed := o.isListed(name)
	if a == nil {
		if !listed {
			switch err := o.allowed(ctx, name); {
			case isNo(err):
				o.erase(ctx, name)
				return &refusal{"no order, since the name is no longer hosted here"}
			case err != nil:
				return unknown(err)
			}
		}
		if err := o.pointed(ctx, name); err != nil {
			return err
		}
	}
	return o.limits.take(name, rankOf(listed, renewal, name == o.name))
}

// failed notes a failed order and writes its line.
func (o *orderer) failed(name string, renewal bool, err error) error {
	if o.ctx.Err() != nil {
		return err // given up because the service ends
	}
	why := short(o.scrub.Replace(err.Error()))
	again := o.limits.fail(name, err, why)
	o.mu.Lock()
	o.counts.Failed++
	o.mu.Unlock()
	o.log.Warn("order failed", "name", name, "renewal", renewal, "reason", why, "again", again.UTC().Truncate(time.Second))
	return err
}

// short bounds what an ACME server may say, which can quote what it found at a
// customer's host.
func short(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
