package certs

import (
	"crypto/x509"
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
	State    State
	NotAfter time.Time // zero if there is no certificate
}

// Orders counts the orders since the start.
type Orders struct {
	Obtained, Failed int64
	// StoppedUntil is set while no orders are placed because the ACME server failed.
	StoppedUntil time.Time
}

// Status is the state of all certificates.
type Status struct {
	Certificates []Certificate
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
		s.Certificates = append(s.Certificates, certificateOf(c.Leaf))
	}
	if m.acme != nil {
		m.acme.addStatus(&s)
	}
	return s
}

func certificateOf(leaf *x509.Certificate) Certificate {
	return Certificate{State: stateOf(leaf), NotAfter: leaf.NotAfter}
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

// addStatus adds what was ordered.
func (a *acmeIssuer) addStatus(s *Status) {
	inMemory := a.inMemory()
	for _, c := range inMemory {
		s.Certificates = append(s.Certificates, certificateOf(c.Leaf))
	}
	for _, name := range a.limits.failing() {
		if _, ok := inMemory[name]; !ok {
			s.Certificates = append(s.Certificates, Certificate{State: Failed})
		}
	}
	a.mu.Lock()
	s.Orders = a.counts
	a.mu.Unlock()
	_, s.Orders.StoppedUntil = a.limits.state()
}
