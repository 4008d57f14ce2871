package directory

import (
	"context"
	"fmt"
	"strings"

	"signpost/account"
)

// Trace is what the stores know of an address, and how that leads to a mailbox. It is for
// the operator only.
type Trace struct {
	Domain  string            // the store that has the domain, empty for none
	Store   string            // the store that knows the address, empty for none
	Hops    []account.Address // the address as the store has it, then what it is an alias of
	Problem string            // why the last of these is no login, or empty
	Account account.AccountInfo
}

// Trace asks the stores for an address, whether or not an answer depends on it. The error
// is that of Resolve.
func (d *Directory) Trace(ctx context.Context, a account.Address) (Trace, error) {
	t := Trace{}
	w := wait{ctx: ctx, trace: &t}
	defer w.end()
	h := d.named(&w, a.Domain())
	if h.store != nil {
		t.Domain = h.store.Name()
	}
	s := h.settings(a)
	err := d.resolveMailbox(&w, &h, &s)
	t.Account = s.Account
	return t, err
}

// String returns the trace in words, such as
// "info@example.com → anna@example.com, active".
func (t Trace) String() string {
	if len(t.Hops) == 0 {
		return "not listed"
	}
	hops := make([]string, len(t.Hops))
	for i, hop := range t.Hops {
		hops[i] = hop.String()
	}
	state := "active"
	switch {
	case t.Problem != "":
		state = t.Problem
	case t.Account.Inactive:
		state = "inactive"
	}
	return strings.Join(hops, " → ") + ", " + state
}

// tells reports whether everything is asked for, to be told to the operator.
func (w *wait) tells() bool { return w != nil && w.trace != nil }

// found records what a store knows of a mailbox.
func (w *wait) found(f *found) {
	if !w.tells() || f.store == nil {
		return
	}
	t := w.trace
	if len(t.Hops) == 0 {
		t.Store = f.store.Name()
		t.Hops = append(t.Hops, f.at)
	}
	t.Problem = f.Problem
}

// hop records the address that an alias leads to.
func (w *wait) hop(a account.Address) {
	if w.tells() {
		w.trace.Hops = append(w.trace.Hops, a)
	}
}

// problem records why an alias leads to no mailbox.
func (w *wait) problem(format string, args ...any) {
	if w.tells() {
		w.trace.Problem = fmt.Sprintf(format, args...)
	}
}
