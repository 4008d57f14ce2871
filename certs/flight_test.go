package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"signpost/account"
)

// TestBusy: strangers cannot make us look for any number of names at once, nor
// let any number of clients wait.
func TestBusy(t *testing.T) {
	release := make(chan struct{})
	m, err := New(Options{
		ACME: benchACME(t.TempDir()),
		Allowed: func(ctx context.Context, _ string) error {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return account.ErrUnknownDomain
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	hello := &tls.ClientHelloInfo{ServerName: "autoconfig.late.example"}
	for i := range maxFlights {
		if m.acme.join(benchName(i)) == nil {
			t.Fatalf("busy with %d names", i)
		}
	}
	if _, err := m.certificate(hello); !errors.Is(err, errBusy) {
		t.Errorf("one name more: %v", err)
	}
	f := m.acme.join(benchName(0))
	if f == nil {
		t.Error("nobody can join a search that is under way")
	}
	close(release)
	<-f.done
	within(t, 5*time.Second, "an end of the searches", func() bool {
		m.acme.mu.Lock()
		defer m.acme.mu.Unlock()
		return len(m.acme.flights) == 0
	})

	m.acme.waiting.Store(maxWaiting)
	if _, err := m.certificate(hello); !errors.Is(err, errBusy) {
		t.Errorf("one client more: %v", err)
	}
	if got := m.acme.waiting.Load(); got != maxWaiting {
		t.Errorf("%d clients are counted", got)
	}
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
