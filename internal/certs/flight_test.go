package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/account"
)

// TestShares: strangers, who can make up any number of names whose name servers
// are silent, keep neither those that are in storage nor those of the
// configuration from their certificates.
func TestShares(t *testing.T) {
	folder := t.TempDir()
	fillStorage(t, folder, 1)
	stored := benchName(0)
	const listed, missing = "autoconfig.listed.se", "autoconfig.late.test"
	away := errors.New("it is at 192.0.2.7")
	release := make(chan struct{})
	m, err := New(Options{
		ACME: benchACME(folder),
		Policy: Policy{
			Allowed: func(ctx context.Context, _ string) error {
				select {
				case <-release:
				case <-ctx.Done():
				}
				return account.ErrUnknownDomain
			},
			Listed:    func(name string) bool { return name == listed },
			LeadsHere: func(context.Context, string) error { return away },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, clients := range []bool{false, true} {
		if clients {
			m.acme.found.clients.taken.Store(foundClients)
		} else {
			for i := range maxFlights {
				m.acme.join(fmt.Sprintf("autoconfig.n%d.evil.test", i))
			}
			within(t, 30*time.Second, "full places", func() bool { return m.acme.inFlight() == shareNames })
		}
		if c, err := m.certificate(&tls.ClientHelloInfo{ServerName: stored}); c == nil || err != nil {
			t.Errorf("clients %v: a name in storage: %v", clients, err)
		}
		if _, err := m.certificate(&tls.ClientHelloInfo{ServerName: listed}); err == nil || !strings.Contains(err.Error(), away.Error()) {
			t.Errorf("clients %v: a name of the configuration: %v", clients, err)
		}
		if _, err := m.certificate(&tls.ClientHelloInfo{ServerName: missing}); !errors.Is(err, errBusy) {
			t.Errorf("clients %v: one name more: %v", clients, err)
		}
		m.acme.drop(stored)
	}
	m.acme.mu.Lock()
	pending := slices.Collect(maps.Keys(m.acme.flights))[0]
	m.acme.mu.Unlock()
	if _, err := m.certificate(&tls.ClientHelloInfo{ServerName: pending}); !errors.Is(err, errBusy) {
		t.Errorf("one client more: %v", err)
	}
	m.acme.found.clients.taken.Store(0)
	close(release)
	within(t, 30*time.Second, "an end of the searches", func() bool { return m.acme.inFlight() == 0 })
	if c, err := m.certificate(&tls.ClientHelloInfo{ServerName: missing}); c != nil || err != nil {
		t.Errorf("a stranger's name when all is over: %v %v", c, err)
	}
	for _, s := range []*share{m.acme.found, m.acme.configured} {
		if names, clients := s.names.taken.Load(), s.clients.taken.Load(); names != 0 || clients != 0 || len(s.asking) != 0 || len(s.orders) != 0 {
			t.Errorf("places that nobody left: %d of names, %d of clients, %d, %d", names, clients, len(s.asking), len(s.orders))
		}
	}
}

// inFlight is how many names are looked for.
func (o *orderer) inFlight() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.flights)
}

// TestClientLeaves: an order goes on without the client that caused it.
func TestClientLeaves(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.delay.Store(int64(500 * time.Millisecond))
	s := w.start(t.TempDir(), nil, nil)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	go tls.Client(c, &tls.Config{ServerName: customer, InsecureSkipVerify: true}).Handshake()
	within(t, 5*time.Second, "an order", func() bool { return w.orders.Load() > 0 })
	c.Close()
	within(t, 10*time.Second, "a certificate", func() bool { return s.Status().Count(Valid) == 1 })
	s.mustDial(customer)
	if got := w.orders.Load(); got != 1 {
		t.Errorf("%d orders", got)
	}
}

// TestEnd: Close does not wait for an order that takes long, and the next start
// can place it anew.
func TestEnd(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.delay.Store(int64(3 * time.Second))
	folder := t.TempDir()
	s := w.start(folder, nil, nil)
	failed := make(chan error)
	go func() {
		_, err := s.dial(customer)
		failed <- err
	}()
	within(t, 5*time.Second, "an order", func() bool { return w.orders.Load() > 0 })
	start := time.Now()
	s.Close()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if <-failed == nil {
		t.Error("the handshake succeeded")
	}
	if s.log.count("level=WARN") > 0 {
		t.Errorf("the end is taken for a failure:\n%s", s.log)
	}
	w.delay.Store(0)
	w.another(s, folder).mustDial(customer)
}

// TestCrowded: certificates that have no room in memory are read again, not
// ordered.
func TestCrowded(t *testing.T) {
	w := newWorld(t, worldOptions{})
	const room, all = 3, 6
	s := w.start(t.TempDir(), func(k *tuning) { k.capacity = room }, nil)
	for range 3 {
		for i := range all {
			s.mustDial(benchName(i))
		}
	}
	if got := w.orders.Load(); got != all {
		t.Errorf("%d orders", got)
	}
	if got := s.Status().Count(Valid); got != room {
		t.Errorf("%d certificates are in memory", got)
	}
}
