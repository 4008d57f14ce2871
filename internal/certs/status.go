package certs

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// State is the state of a certificate.
type State string

// The states of a certificate.
const (
	Valid   State = "valid"
	Due     State = "due"     // for renewal: less than a third of its life is left, or less than thirty days
	Expired State = "expired" // an expired certificate from ACME is no longer served
	Failed  State = "failed"  // there is none, and the last order failed
)

// States lists all states.
var States = []State{Valid, Due, Expired, Failed}

// Certificate describes a certificate in memory, or one whose order failed.
type Certificate struct {
	Names    []string
	ACME     bool // and not from a file
	State    State
	NotAfter time.Time // zero if there is no certificate
}

// Orders counts the orders since the start.
type Orders struct {
	Obtained, Failed int64
	// LastHour is the number of orders within the last hour, PerHour its limit.
	LastHour, PerHour int
	// StoppedUntil is set while no orders are placed because the ACME server failed.
	StoppedUntil time.Time
}

// Status is the state of all certificates.
type Status struct {
	Certificates []Certificate // sorted by name
	Orders       Orders
}

// Count returns how many certificates are in a state.
func (s Status) Count(state State) int {
	n := 0
	for _, c := range s.Certificates {
		if c.State == state {
			n++
		}
	}
	return n
}

// NextExpiry returns when the first of the valid certificates expires, zero if
// there is none.
func (s Status) NextExpiry() time.Time {
	var next time.Time
	for _, c := range s.Certificates {
		if (c.State == Valid || c.State == Due) && (next.IsZero() || c.NotAfter.Before(next)) {
			next = c.NotAfter
		}
	}
	return next
}

// Status returns the state of the certificates in memory. It leaves out
// certificates in storage that nobody has asked for since the start.
func (m *Manager) Status() Status {
	var s Status
	for _, c := range m.files.table.Load().all {
		s.Certificates = append(s.Certificates, Certificate{
			Names: c.Leaf.DNSNames, State: stateOf(c.Leaf), NotAfter: c.Leaf.NotAfter,
		})
	}
	if m.acme != nil {
		s.Certificates = append(s.Certificates, m.acme.certificates()...)
		s.Orders = m.acme.orders()
	}
	slices.SortStableFunc(s.Certificates, func(a, b Certificate) int { return strings.Compare(a.Names[0], b.Names[0]) })
	return s
}

func stateOf(leaf *x509.Certificate) State {
	left := time.Until(leaf.NotAfter)
	switch {
	case left < 0:
		return Expired
	case left < min(leaf.NotAfter.Sub(leaf.NotBefore)/3, 30*24*time.Hour):
		return Due
	}
	return Valid
}

func (a *acmeIssuer) certificates() []Certificate {
	var all []Certificate
	inMemory := a.inMemory()
	for name, c := range inMemory {
		if c.Leaf != nil {
			all = append(all, Certificate{Names: []string{name}, ACME: true, State: stateOf(c.Leaf), NotAfter: c.Leaf.NotAfter})
		}
	}
	for _, name := range a.limits.failing() {
		if _, ok := inMemory[name]; !ok {
			all = append(all, Certificate{Names: []string{name}, ACME: true, State: Failed})
		}
	}
	return all
}

func (a *acmeIssuer) orders() Orders {
	a.mu.Lock()
	orders := a.counts
	a.mu.Unlock()
	orders.PerHour = a.limits.perHour
	orders.LastHour, orders.StoppedUntil = a.limits.state()
	return orders
}
