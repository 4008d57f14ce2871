package directory

import (
	"cmp"
	"fmt"
	"slices"

	"signpost/account"
)

// found is what a list or a store knows of a mailbox.
type found struct {
	Stored
	at     account.Address // where its mail goes: under one of its names, or behind an alias
	listed bool
	store  *storeUse // nil for a list
}

// isAlias reports whether the mail of the address goes to others.
func (f *found) isAlias() bool { return !f.Alias.IsZero() || len(f.Aliases) > 0 }

// names are the names under which a mailbox may be known, the best first.
type names struct{ exact, other account.Address }

// names returns the names of a mailbox, whose address at the domain that it is really in
// is login. A domain that a store has as another name may have addresses of its own
// there, which come first.
func (h *hosting) names(domain string, login account.Address) names {
	if h.of != "" && h.store != nil {
		return names{login.At(domain), login}
	}
	return names{exact: login}
}

// resolveMailbox fills in what the lists and stores know about the login. If they name
// no provider, the mailbox has that of its domain. An alias has the provider of
// its mailbox, and with AliasSignsInAsMailbox its login. If only DNS could tell
// where that mailbox is, the alias is answered like any address of its own
// domain: time and failures of a look-up would show that it exists.
func (d *Directory) resolveMailbox(w *wait, h *hosting, s *account.Settings) error {
	n := h.names(s.Address.Domain(), s.Login)
	f := d.inLists(&n)
	if !f.listed && len(d.stores) > 0 {
		err := d.findProvider(w, s.Address.Domain(), h)
		if err == nil {
			f, err = d.inStores(w, h, &n, false)
		}
		if err != nil {
			return err
		}
	}
	s.Account.Listed = f.listed
	s.Account.Inactive = f.Inactive
	s.Account.DisplayName = f.DisplayName
	s.Account.Username = f.Username
	s.MailHost = cmp.Or(f.MailHost, h.mailHost)
	if f.Provider != "" {
		var err error
		if s.Provider, err = d.provider(f.Provider); err != nil {
			return err
		}
	}
	if f.isAlias() && s.Provider == nil {
		// It is found like any address of its domain: the time of a look-up that is left
		// out, and a failure that others have, would show that the alias exists.
		if err := d.findProvider(w, s.Address.Domain(), h); err != nil && !account.IsUnknown(err) {
			return err
		}
	}
	switch {
	case f.isAlias() && (f.store == nil || w.tells() || d.follows(f.store, h.provider)):
		if err := d.resolveAlias(w, &f, s); err != nil {
			return err
		}
	case f.listed && !f.isAlias() && f.Problem == "" && f.at.Domain() == n.exact.Domain():
		s.Login = n.exact
	}
	if s.Provider != nil {
		return nil
	}
	if err := d.findProvider(w, s.Address.Domain(), h); err != nil {
		return err
	}
	s.Provider, s.Account.ByMX = h.provider, h.mx
	return nil
}

// resolveAlias fills in what an alias has of its mailbox. It asks no DNS.
func (d *Directory) resolveAlias(w *wait, f *found, s *account.Settings) error {
	s.Account.AliasOf = f.Alias
	h, end, err := d.follow(w, f)
	if err != nil || end.at.IsZero() {
		return err
	}
	if f.Alias.IsZero() {
		s.Account.AliasOf = end.at
	}
	s.Account.Inactive = s.Account.Inactive || end.Inactive
	if s.Provider == nil {
		if s.Provider, err = d.ofTarget(&h, end.Record); err != nil {
			return err
		}
	}
	if s.Provider == nil {
		s.Account.AliasUnresolved = true
		return nil
	}
	s.MailHost = cmp.Or(end.MailHost, h.mailHost, f.MailHost)
	if s.Provider.AliasSignsInAsMailbox {
		s.Login = end.at
		s.Account.Username = cmp.Or(s.Account.Username, end.Username)
	}
	return nil
}

// ofTarget returns the provider of the mailbox behind an alias, or nil if neither its
// record nor the name of its domain tells.
func (d *Directory) ofTarget(h *hosting, r Record) (*account.Provider, error) {
	switch {
	case r.Provider != "":
		return d.provider(r.Provider)
	case h.provider != nil || len(d.byMX) > 0:
		return h.provider, nil
	}
	return d.anyDomain, nil
}

// maxAliases is how many aliases in a row are followed.
const maxAliases = 5

// follow returns the mailbox to which an alias leads, and what is known of its domain.
// It returns none for an alias that leads to several mailboxes, to none that is hosted
// here, or around in a circle: nobody signs in there.
func (d *Directory) follow(w *wait, f *found) (hosting, found, error) {
	visited := make([]string, 1, maxAliases+1)
	visited[0] = f.at.Key()
	for {
		h, next, err := d.target(w, f)
		if err != nil || next.IsZero() {
			return h, found{}, err
		}
		w.hop(next)
		if slices.Contains(visited, next.Key()) || len(visited) > maxAliases {
			w.problem("the aliases lead around in a circle, or more than %d follow one another", maxAliases)
			return h, found{}, nil
		}
		visited = append(visited, next.Key())
		n := h.names(next.Domain(), h.login(next))
		end := d.inLists(&n)
		if !end.listed && h.provider != nil {
			if end, err = d.inStores(w, &h, &n, true); err != nil {
				return h, end, err
			}
		}
		if end.store == nil {
			end.at = h.login(next)
		}
		if end.store == nil || !end.isAlias() {
			return h, end, nil
		}
		end.at = next
		f = &end
	}
}

// target returns the address to which an alias leads, and what is known of its domain.
// It asks no DNS. The address is zero if there is none or more than one.
func (d *Directory) target(w *wait, f *found) (h hosting, target account.Address, err error) {
	if !f.Alias.IsZero() {
		h, err = d.quietly(w, f.Alias.Domain())
		return h, f.Alias, err
	}
	for _, a := range f.Aliases {
		of, err := d.quietly(w, a.Domain())
		switch {
		case err != nil:
			return h, target, err
		case of.provider == nil:
		case target.IsZero():
			h, target = of, a
		case h.login(target).Key() != of.login(a).Key():
			w.problem("several mailboxes here get its mail, so it is nobody's login")
			return hosting{}, account.Address{}, nil
		}
	}
	if target.IsZero() {
		w.problem("its mail goes only to addresses whose domains neither this file nor an account source lists")
	}
	return h, target, nil
}

// login returns the address of a mailbox in the domain that it is really in.
func (h *hosting) login(a account.Address) account.Address {
	if h.of == "" {
		return a
	}
	return a.At(h.of)
}

// quietly returns what is known of the domain behind an alias. It asks only stores that
// have no list in memory: a question would show that the alias exists.
func (d *Directory) quietly(w *wait, domain string) (hosting, error) {
	h := d.listed(domain)
	if h.provider == nil && !account.IsUnknown(h.err) && d.lacksList() {
		h = d.named(w, domain)
	}
	if h.err != nil && !account.IsUnknown(h.err) {
		return h, fmt.Errorf("the domain behind an alias: %w", h.err)
	}
	return h, nil
}

// inLists returns what the lists know of a mailbox.
func (d *Directory) inLists(n *names) (f found) {
	for _, list := range d.lists {
		if list.find(&n.exact, &f) || !n.other.IsZero() && list.find(&n.other, &f) {
			break
		}
	}
	return f
}

// find fills in what the list knows of a mailbox, with its +tag or without, and reports
// whether it does.
func (x *indexedList) find(a *account.Address, f *found) bool {
	r, ok := x.List[a.Key()]
	f.at = *a
	if !ok {
		untagged, tagged := a.Untagged()
		if !tagged {
			return false
		}
		f.at = untagged
		r, ok = x.List[untagged.Key()]
	}
	if ok {
		f.Record, f.listed = r, true
	}
	return ok
}

// inStores returns what the first store knows that knows the mailbox. It asks all stores
// whose answer can matter, for all names of the mailbox, so that it takes as long for
// one that nobody knows. It asks none if w is nil.
// behind says that an alias led to the mailbox.
func (d *Directory) inStores(w *wait, h *hosting, n *names, behind bool) (f found, err error) {
	if w == nil {
		return f, nil
	}
	for _, u := range d.stores {
		if !u.knowsAccountsOf(h) || !w.tells() && !d.mayDiffer(u, h.provider) {
			continue
		}
		how := Lookup{Alike: d.follows(u, h.provider) && !h.provider.AliasSignsInAsMailbox, Behind: behind}
		for _, name := range [...]*account.Address{&n.exact, &n.other} {
			if name.IsZero() {
				continue
			}
			err := u.lookUp(w, *name, how, &f)
			if untagged, tagged := name.Untagged(); tagged && err == nil {
				err = u.lookUp(w, untagged, how, &f)
			}
			if err != nil {
				return f, fmt.Errorf("an account in %s: %w", u.Name(), err)
			}
		}
	}
	w.found(&f)
	return f, nil
}

// lookUp fills in what the store knows of an address, unless another is known already.
func (u *storeUse) lookUp(w *wait, a account.Address, how Lookup, f *found) (err error) {
	r, listed, known := u.Known(a, how)
	if !known {
		if r, listed, err = u.Account(w.forStores(), a, how); err != nil {
			return err
		}
	}
	if listed && !f.listed {
		f.Stored, f.at, f.listed, f.store = r, a, true, u
	}
	return nil
}

// follows reports whether the answer for an alias of the store in a domain with the
// provider may depend on the mailbox behind it.
func (d *Directory) follows(u *storeUse, p *account.Provider) bool {
	return u.columns.Alias && (p.AliasSignsInAsMailbox || p.MailHost != "" || d.byAccount || d.hasOtherThan(p))
}
