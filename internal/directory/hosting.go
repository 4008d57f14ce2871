package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"signpost/account"
)

// answerTime is how long stores may take for one answer, whatever they are asked for.
const answerTime = 2 * time.Second

// wait is how long a caller waits for an answer.
type wait struct {
	ctx     context.Context
	limited context.Context // for stores; nil before the first question
	cancel  context.CancelFunc
	trace   *Trace // nil for an answer to a client
}

// forStores returns the context of a question to a store. The time begins with the
// first one: an answer that needs none costs no timer.
func (w *wait) forStores() context.Context {
	if w.limited == nil {
		w.limited, w.cancel = context.WithTimeout(w.ctx, answerTime)
	}
	return w.limited
}

func (w *wait) end() {
	if w.cancel != nil {
		w.cancel()
	}
}

// hosting is what is known of a domain.
type hosting struct {
	name     string            // of the domain that the mailboxes are in; empty for any
	provider *account.Provider // nil if nothing names the domain
	of       string            // the domain that it is another name of, or empty
	mailHost string            // the host of its mailboxes, or empty for the provider's
	mx       string            // the MX host by which the provider was found, or empty
	store    *storeUse         // the store that has the domain, nil for the configuration
	err      error             // why it may be hosted all the same, or certainly is not
}

// settings returns the settings of an address of the domain before anything is known of
// its mailbox.
func (h *hosting) settings(a account.Address) account.Settings {
	return account.Settings{Address: a, Login: h.login(a), Account: account.AccountInfo{DomainOf: h.of}}
}

// hosted returns what the configuration, the stores and DNS know of a domain, which has
// a provider then.
func (d *Directory) hosted(w *wait, domain string) (hosting, error) {
	h := d.named(w, domain)
	err := d.findProvider(w, domain, &h)
	return h, err
}

// named returns what the configuration and the stores know of a domain.
func (d *Directory) named(w *wait, domain string) hosting { return d.find(w, domain, 0) }

// listed is like named, but asks nobody.
func (d *Directory) listed(domain string) hosting { return d.find(nil, domain, 0) }

// maxOtherNames is how many other names of domains are followed.
const maxOtherNames = 5

// errNotAsked says that a store may have a domain which was not asked for it.
var errNotAsked = errors.New("a source without a list of domains was not asked")

// lacksList reports whether a store that has domains has no list of them in memory.
func (d *Directory) lacksList() bool {
	for _, u := range d.stores {
		if u.hasDomains && !u.HasList() {
			return true
		}
	}
	return false
}

// find returns what the configuration and the stores know of a domain that was reached
// by a number of other names. It asks nobody if w is nil.
func (d *Directory) find(w *wait, domain string, names int) (h hosting) {
	if p, ok := d.byDomain[domain]; ok {
		of := d.aliases[domain]
		return hosting{name: cmp.Or(of, domain), provider: p, of: of}
	}
	h.name = domain
	for _, u := range d.stores {
		if row, ok := u.Listed(domain); ok {
			return d.ofStore(w, u, row, domain, names)
		}
	}
	if w == nil {
		return h
	}
	for _, u := range d.stores {
		if !u.hasDomains {
			continue
		}
		row, ok, err := u.Domain(w.forStores(), domain)
		switch {
		case ok:
			return d.ofStore(w, u, row, domain, names)
		case err != nil && (h.err == nil || errors.Is(h.err, ErrNotListed)):
			h.err = err
		}
	}
	return h
}

// ofStore returns what a store's row says of a domain. A domain that is another name of
// one that is not hosted is not hosted either.
func (d *Directory) ofStore(w *wait, u *storeUse, row Domain, domain string, names int) hosting {
	h := hosting{store: u, mailHost: row.MailHost}
	if row.Inactive {
		h.err = fmt.Errorf("%w: it is inactive in account source %s", account.ErrUnknownDomain, u.Name())
		return h
	}
	if row.Alias == "" {
		if h.provider = d.byID[row.Provider]; h.provider == nil {
			h.err = fmt.Errorf("%s names no provider for %s", u.Name(), domain)
		}
		return h
	}
	target := hosting{}
	if names < maxOtherNames {
		target = d.find(w, row.Alias, names+1)
		if w == nil && target.provider == nil && target.err == nil && d.lacksList() {
			target.err = errNotAsked
		}
	}
	h.provider, h.of = target.provider, cmp.Or(target.of, row.Alias)
	h.mailHost = cmp.Or(h.mailHost, target.mailHost)
	switch {
	case h.provider != nil:
	case target.err != nil && !account.IsUnknown(target.err):
		h.err = fmt.Errorf("%s, of which it is another name: %v", row.Alias, target.err)
	default:
		h.err = fmt.Errorf("%w: it is another name of %s, which is not", account.ErrUnknownDomain, row.Alias)
	}
	return h
}

// findProvider sets the provider of the domain if it has none as yet: by its best MX, or
// the one for any domain. A store that cannot be asked now says "no" to nobody, but
// domains that its last list lacked keep what they had without it.
func (d *Directory) findProvider(w *wait, domain string, h *hosting) error {
	if h.provider != nil {
		return nil
	}
	if h.err != nil && !errors.Is(h.err, ErrNotListed) {
		return h.err
	}
	if len(d.byMX) > 0 {
		hosts, err := d.lookupMX(w.ctx, domain)
		if err != nil {
			// The error is not "unknown": a client that gets that answer goes
			// elsewhere for good.
			return fmt.Errorf("looking up the MX record: %w", err)
		}
		for _, mx := range hosts {
			// A host of ours with a worse preference than somebody else's is a
			// backup that holds no mailboxes.
			if mx.Preference != hosts[0].Preference {
				break
			}
			if p := d.byMXHost(mx.Host); p != nil {
				h.provider, h.mx = p, mx.Host
				return nil
			}
		}
	}
	if d.anyDomain != nil {
		h.provider = d.anyDomain
		return nil
	}
	return cmp.Or(h.err, account.ErrUnknownDomain)
}
