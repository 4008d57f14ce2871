package certs

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// State is how a certificate stands.
type State string

// The states of a certificate.
const (
	Valid   State = "valid"
	Due     State = "due"     // to be renewed: less than a third of its life is left, or thirty days
	Expired State = "expired" // one that came by ACME is not served any more
	Failed  State = "failed"  // there is none, and the last order failed
)

// States lists them all.
var States = []State{Valid, Due, Expired, Failed}

// Certificate is one that is in memory, or that failed.
type Certificate struct {
	Names    []string
	ACME     bool // else out of a file
	State    State
	NotAfter time.Time // zero where there is none
}

// Orders counts what has been ordered since the start.
type Orders struct {
	Obtained, Failed int64
	// LastHour is how many orders were placed within an hour, of PerHour.
	LastHour, PerHour int
	// StoppedUntil is set while the ACME server is left alone after a failure.
	StoppedUntil time.Time
}

// Status is how the certificates stand.
type Status struct {
	Certificates []Certificate // by name
	Orders       Orders
}

// Count is how many certificates are in a state.
func (s Status) Count(state State) int {
	n := 0
	for _, c := range s.Certificates {
		if c.State == state {
			n++
		}
	}
	return n
}

// NextExpiry is when the first of the certificates that are still valid expires,
// zero if there is none.
func (s Status) NextExpiry() time.Time {
	var next time.Time
	for _, c := range s.Certificates {
		if (c.State == Valid || c.State == Due) && (next.IsZero() || c.NotAfter.Before(next)) {
			next = c.NotAfter
		}
	}
	return next
}

// Status lists the certificates in memory. One in storage that nobody has asked
// for since the start is not among them.
func (m *Manager) Status() Status {
	var s Status
	now := m.files.now()
	for _, c := range m.files.table.Load().all {
		s.Certificates = append(s.Certificates, Certificate{
			Names: c.Leaf.DNSNames, State: stateOf(c.Leaf, now), NotAfter: c.Leaf.NotAfter,
		})
	}
	if m.acme != nil {
		s.Certificates = append(s.Certificates, m.acme.status()...)
		s.Orders = m.acme.orders()
	}
	slices.SortStableFunc(s.Certificates, func(a, b Certificate) int { return strings.Compare(a.Names[0], b.Names[0]) })
	return s
}

func stateOf(leaf *x509.Certificate, now time.Time) State {
	left := leaf.NotAfter.Sub(now)
	switch {
	case left < 0:
		return Expired
	case left < min(leaf.NotAfter.Sub(leaf.NotBefore)/3, 30*24*time.Hour):
		return Due
	}
	return Valid
}

func (o *orderer) status() []Certificate {
	var all []Certificate
	have := o.inMemory()
	now := o.now()
	for name, c := range have {
		if c.Leaf != nil {
			all = append(all, Certificate{Names: []string{name}, ACME: true, State: stateOf(c.Leaf, now), NotAfter: c.Leaf.NotAfter})
		}
	}
	for _, name := range o.limits.failing() {
		if _, ok := have[name]; !ok {
			all = append(all, Certificate{Names: []string{name}, ACME: true, State: Failed})
		}
	}
	return all
}

func (o *orderer) orders() Orders {
	o.mu.Lock()
	counts := o.counts
	o.mu.Unlock()
	counts.PerHour = o.limits.perHour
	counts.LastHour, counts.StoppedUntil = o.limits.state()
	return counts
}

// failing lists the names whose last order failed.
func (l *limits) failing() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear(l.now())
	names := make([]string, 0, len(l.names))
	for name := range l.names {
		names = append(names, name)
	}
	return names
}

// state is how many orders were placed within the window, and until when there
// are none, zero if there may be.
func (l *limits) state() (orders int, stopped time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.placed = recent(l.placed, now)
	orders, _ = count(l.placed, "")
	if now.Before(l.stopped) {
		stopped = l.stopped
	}
	return orders, stopped
}
