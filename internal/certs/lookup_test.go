package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/fair"
)

// TestQuotas checks that any number of made-up names with silent name servers do
// not keep clients from certificates that are in storage, nor from those of listed
// names.
func TestQuotas(t *testing.T) {
	dir := t.TempDir()
	fillStorage(t, dir, 1)
	stored := benchName(0)
	const listed, late = "autoconfig.listed.se", "autoconfig.late.test"
	away := errors.New("it is at 192.0.2.7")
	answer := make(chan struct{}) // of the silent name servers
	m, err := New(Options{
		ACME: benchACME(dir),
		Policy: &testPolicy{
			allowed: func(ctx context.Context, _ string) error {
				select {
				case <-answer:
				case <-ctx.Done():
				}
				return account.ErrUnknownDomain
			},
			listed:    func(name string) bool { return name == listed },
			leadsHere: func(context.Context, string) error { return away },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	a := m.acme
	get := func(name string) (*tls.Certificate, error) {
		return m.certificate(&tls.ClientHelloInfo{ServerName: name})
	}
	checkOthers := func(load string) {
		t.Helper()
		if c, err := get(stored); c == nil || err != nil {
			t.Errorf("%s: the name in storage: %v, want its certificate", load, err)
		}
		a.drop(stored)
		if _, err := get(listed); err == nil || !strings.Contains(err.Error(), away.Error()) {
			t.Errorf("%s: the listed name: %v, want the answer of the policy, %q", load, err, away)
		}
	}

	for i := range maxLookups {
		a.begin(fmt.Sprintf("autoconfig.n%d-evil.test", i))
	}
	within(t, 30*time.Second, "the quota of names is used up", func() bool {
		return taken(a.unlisted.names) == unlistedRoom.names
	})
	checkOthers("all lookups of strangers in use")
	if _, err := get(late); !errors.Is(err, fair.ErrBusy) {
		t.Errorf("one name more: %v, want %v", err, fair.ErrBusy)
	}

	a.mu.Lock()
	var pending string
	for name, c := range a.calls {
		if pending = name; c.release != nil {
			break
		}
	}
	a.mu.Unlock()
	var clients sync.WaitGroup
	for range unlistedRoom.clients {
		clients.Go(func() {
			if c, err := get(pending); c != nil || err != nil {
				t.Errorf("a waiting client: %v, want neither a certificate nor an error", err)
			}
		})
	}
	within(t, 30*time.Second, "the quota of clients is used up", func() bool {
		return taken(a.unlisted.clients) == unlistedRoom.clients
	})
	checkOthers("all waiting clients of strangers in use")
	if _, err := get(pending); !errors.Is(err, fair.ErrBusy) {
		t.Errorf("one client more: %v, want %v", err, fair.ErrBusy)
	}

	close(answer)
	clients.Wait()
	within(t, 30*time.Second, "all lookups have ended", func() bool { return a.lookupsUnderWay() == 0 })
	if c, err := get(late); c != nil || err != nil {
		t.Errorf("the refused name, when there is room: %v, want neither a certificate nor an error", err)
	}
	within(t, 30*time.Second, "all lookups have ended", func() bool { return a.lookupsUnderWay() == 0 })
	for kind, q := range map[string]*quota{"listed": a.listed, "unlisted": a.unlisted} {
		if n := taken(q.names) + taken(q.clients) + taken(q.orders); n != 0 {
			t.Errorf("%d slots of the quota of %s names were not released", n, kind)
		}
	}
}

func taken(l *fair.Limiter) int {
	n, _ := l.Taken()
	return n
}

func (a *acmeIssuer) lookupsUnderWay() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}

// TestClientLeaves checks that an order continues without the client that
// caused it.
func TestClientLeaves(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	n.delay.Store(int64(500 * time.Millisecond))
	s := n.start(t.TempDir(), nil, nil)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	go tls.Client(c, &tls.Config{ServerName: customer, InsecureSkipVerify: true}).Handshake()
	within(t, 5*time.Second, "an order", func() bool { return n.orders.Load() > 0 })
	c.Close()
	within(t, 10*time.Second, "a certificate", func() bool { return s.Status().Count(Valid) == 1 })
	s.mustDial(customer)
	if got := n.orders.Load(); got != 1 {
		t.Errorf("%d orders, want the one that the first client caused", got)
	}
}

// TestClose checks that Close does not wait for a slow order, and the next start
// can place it again.
func TestClose(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	n.delay.Store(int64(3 * time.Second))
	dir := t.TempDir()
	s := n.start(dir, nil, nil)
	failed := make(chan error)
	go func() {
		_, err := s.dial(customer)
		failed <- err
	}()
	within(t, 5*time.Second, "an order", func() bool { return n.orders.Load() > 0 })
	start := time.Now()
	s.Close()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Close took %v, want less than 2 s", took)
	}
	if <-failed == nil {
		t.Error("the handshake succeeded although the order was cancelled")
	}
	if s.log.count("level=WARN") > 0 {
		t.Errorf("the cancelled order is logged as a failure:\n%s", s.log)
	}
	n.delay.Store(0)
	n.restart(s, dir).mustDial(customer)
}

// TestCacheFull checks that certificates that do not fit in memory are read from
// storage again and not ordered again.
func TestCacheFull(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	const capacity, all = 3, 6
	s := n.start(t.TempDir(), func(t *tuning) { t.capacity = capacity }, nil)
	for range 3 {
		for i := range all {
			s.mustDial(benchName(i))
		}
	}
	if got := n.orders.Load(); got != all {
		t.Errorf("%d orders for %d names, want one each", got, all)
	}
	if got := s.Status().Count(Valid); got != capacity {
		t.Errorf("%d certificates in memory, want %d", got, capacity)
	}
}

// TestWait checks that a client waits for a limited time, and an order extends the
// deadline of its handshake.
func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall("a.test", newQuota(fair.Listed, listedRoom, listedShare))
		conn := &deadlineConn{}
		time.AfterFunc(time.Second, func() { close(c.absent) })
		time.AfterFunc(2*time.Second, func() { close(c.ordering) })
		start := time.Now()
		if _, err := c.wait(&tls.ClientHelloInfo{Conn: conn}, fair.Caller{}); err != errSlow ||
			time.Since(start) != maxWait {
			t.Errorf("wait ended after %v with %v, want %v with %v", time.Since(start), err, maxWait, errSlow)
		}
		if got, want := conn.deadline.Sub(start), 2*time.Second+maxWait+5*time.Second; got != want {
			t.Errorf("the deadline of the handshake is after %v, want %v", got, want)
		}
		if taken(c.quota.clients) != 0 {
			t.Error("the client still counts as waiting")
		}
	})
}

// deadlineConn is a connection that remembers its deadline.
type deadlineConn struct {
	net.Conn
	deadline time.Time
}

func (c *deadlineConn) SetDeadline(t time.Time) error { c.deadline = t; return nil }
