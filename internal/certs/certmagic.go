package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"signpost/account"
)

// clientOrder is a value of the context of an order that a client waits for.
// certmagic's own renewals have none.
type clientOrder struct {
	failureLogged bool
}

type clientOrderKey struct{}

// order orders a certificate and waits for it. ctx holds a clientOrder; state is
// the error of load.
func (a *acmeIssuer) order(ctx context.Context, name string, state error) (*tls.Certificate, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx = a.storage.OnLoss(ctx, func() { cancel(errLockLost) })
	var err error
	if state == errNotStored {
		err = a.config.ObtainCertSync(ctx, name)
	} else {
		// certmagic replaces a damaged certificate only if it is forced to.
		err = a.config.RenewCertSync(ctx, name, state != errExpired)
	}
	if err == nil || errors.Is(err, errStored) {
		a.drop(name) // certmagic would keep the previous one as well
		var c *tls.Certificate
		if c, err = a.load(ctx, name); err == nil {
			return c, nil
		}
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return nil, r // without the text that certmagic adds
	}
	if isLockLost(ctx) {
		return nil, errLockLost
	}
	if a.storage.Away() {
		return nil, errAway
	}
	if o := ctx.Value(clientOrderKey{}).(*clientOrder); !o.failureLogged {
		// The ACME server did not fail. The disk is full, for example, or the
		// certificate that it issued cannot be used.
		o.failureLogged = true
		a.orderFailed(name, false, err)
	}
	return nil, err
}

// onEvent handles the events that certmagic emits under these names. An error in
// reply to cert_obtaining prevents the order.
func (a *acmeIssuer) onEvent(ctx context.Context, event string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	renewal, _ := data["renewal"].(bool)
	o, _ := ctx.Value(clientOrderKey{}).(*clientOrder)
	switch event {
	case "cert_obtaining":
		if err := a.admit(ctx, name, renewal, o); err != nil {
			a.dropExpired(name, o)
			return certmagic.ErrNoRetry{Err: err}
		}
	case "cert_failed":
		err, _ := data["error"].(error)
		if err == nil {
			err = errors.New("no reason given")
		}
		if isLockLost(ctx) {
			return nil
		}
		if o != nil {
			o.failureLogged = true
		}
		if a.storage.Away() {
			return nil // the ACME server did not fail, and it is tried again
		}
		a.orderFailed(name, renewal, err)
		a.dropExpired(name, o)
	case "cert_obtained":
		a.limits.succeeded(name)
		a.mu.Lock()
		a.counts.Obtained++
		a.mu.Unlock()
		a.log.Info("certificate obtained", "name", name, "renewal", renewal)
	}
	return nil
}

// admit decides whether an order may be placed. For an order that a client waits
// for, mayOrder has decided about the name. A renewal needs the decision again: a
// customer who moved away loses the certificate.
func (a *acmeIssuer) admit(ctx context.Context, name string, renewal bool, o *clientOrder) error {
	listed := a.isListed(name)
	if o == nil && !listed {
		if err := a.policy.Allowed(ctx, name); account.IsUnknown(err) {
			if a.policy.Gone(name) {
				a.erase(ctx, name)
			}
			return &refusal{"no order, because the name is no longer hosted here"}
		} else if err != nil {
			return undecided(err)
		}
	}
	if o == nil {
		if err := a.leadsHere(ctx, name); err != nil {
			return err
		}
	}
	if a.storage.Away() {
		return errAway
	}
	if err := a.limits.allow(ctx, name, priorityOf(listed, renewal, name == a.name)); err != nil || renewal {
		return err
	}
	if err := a.mustBeAbsent(ctx, name); err != nil {
		a.limits.notPlaced(name)
		return err
	}
	return nil
}

// errLockLost is the reason why an order ends whose lock another machine has by now.
var errLockLost = &refusal{"another machine orders it, because this one did not reach the store of " +
	"certificates in time"}

func isLockLost(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errLockLost) }

// errStored is the reason why nothing is ordered for a name that has a certificate.
var errStored = &refusal{"no order, because there is a certificate"}

// mustBeAbsent returns an error unless there is no valid certificate of a name. certmagic has
// looked, but takes a storage that fails for one without the certificate.
func (a *acmeIssuer) mustBeAbsent(ctx context.Context, name string) error {
	chain, err := a.stored(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return errUnreadable
	}
	if block, _ := pem.Decode(chain); block != nil {
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err == nil && time.Now().After(leaf.NotAfter) {
			return nil
		}
	}
	return errStored
}

// dropExpired removes a certificate from memory that has expired because its
// renewals failed; certmagic would try for ever. In most cases DNS leads the name
// elsewhere by now. If a client asks for it anyway, it is ordered like any other.
func (a *acmeIssuer) dropExpired(name string, o *clientOrder) {
	if o == nil && a.cached(name) == nil {
		a.drop(name)
	}
}

// orderFailed records and logs a failed order, unless it was cancelled because the
// service stops.
func (a *acmeIssuer) orderFailed(name string, renewal bool, err error) {
	if a.ctx.Err() != nil {
		return
	}
	reason := shorten(a.scrub.Replace(err.Error()), 400)
	again := a.limits.failed(name, err, reason)
	a.mu.Lock()
	a.counts.Failed++
	a.mu.Unlock()
	a.log.Warn("order failed", "name", name, "renewal", renewal, "reason", reason,
		"again", again.UTC().Truncate(time.Second))
}

// shorten limits the text of an ACME server, which can quote what a customer's
// host has sent.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
