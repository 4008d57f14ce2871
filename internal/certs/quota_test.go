package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/fair"
)

// peerConn is a connection that has only the address of its peer.
type peerConn struct {
	deadlineConn
	peer string
}

func (c *peerConn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: c.peer, Net: "test"} }

// strangers is an issuer with clients that have names, and a policy with silent name
// servers.
type strangers struct {
	*Manager
	answer  chan struct{} // closed when the name servers answer
	asked   atomic.Int32  // names of which DNS was asked
	kinds   []fair.Kind   // of the questions about names that lead here
	blocks  map[string]uint64
	budgets map[string]*atomic.Int32 // of clients with a limited one
}

func newStrangers(t *testing.T) *strangers {
	s := &strangers{
		answer: make(chan struct{}), budgets: map[string]*atomic.Int32{},
		blocks: map[string]uint64{"attacker": 1, "victim": 2, "poor": 3},
	}
	var err error
	s.Manager, err = New(Options{
		ACME: benchACME(t.TempDir()),
		Policy: &testPolicy{
			listed: func(name string) bool { return name == "autoconfig.listed.se" },
			allowed: func(ctx context.Context, _ string) error {
				s.asked.Add(1)
				select {
				case <-s.answer:
				case <-ctx.Done():
					return ctx.Err()
				}
				return account.ErrUnknownDomain
			},
			leadsHere: func(ctx context.Context, _ string) error {
				s.kinds = append(s.kinds, fair.CallerOf(ctx).Kind)
				return &elsewhereError{"it is away"}
			},
		},
		Caller: func(peer net.Addr) fair.Caller {
			c := fair.Caller{Block: s.blocks[peer.String()]}
			if budget := s.budgets[peer.String()]; budget != nil {
				c.Pay = func() bool { return budget.Add(-1) >= 0 }
			}
			return c
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// handshake begins a handshake of a client, which ends with ctx.
func (s *strangers) handshake(ctx context.Context, client, name string) error {
	hello := &tls.ClientHelloInfo{ServerName: name, Conn: &peerConn{peer: client}}
	c := s.acme.lookup(name, fair.Caller{})
	if c == nil {
		return errBusy
	}
	defer s.acme.leave(c)
	ended := make(chan error, 1)
	go func() {
		_, err := c.wait(hello, s.acme.clientOf(hello))
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestShareOfAClient has one client ask for as many names as it can.
func TestShareOfAClient(t *testing.T) {
	s := newStrangers(t)
	var all sync.WaitGroup
	for i := range unlistedShare.names {
		all.Go(func() { s.handshake(t.Context(), "attacker", fmt.Sprintf("autoconfig.n%d-evil.test", i)) })
	}
	within(t, 10*time.Second, "the share of names is used up", func() bool {
		return int(s.asked.Load()) == unlistedShare.names
	})
	for range 100 {
		if err := s.handshake(t.Context(), "attacker", "autoconfig.one-more.test"); err != fair.ErrClient {
			t.Fatalf("one name more: %v, want %v", err, fair.ErrClient)
		}
	}
	all.Go(func() {
		if err := s.handshake(t.Context(), "victim", "autoconfig.fresh.test"); err != nil {
			t.Errorf("another client: %v, want the answer of DNS", err)
		}
	})
	within(t, 10*time.Second, "DNS is asked for the other client", func() bool {
		return int(s.asked.Load()) == unlistedShare.names+1
	})
	close(s.answer)
	all.Wait()
	within(t, 10*time.Second, "all lookups have ended", func() bool { return s.acme.lookupsUnderWay() == 0 })
	if n := taken(s.acme.unlisted.names) + taken(s.acme.unlisted.clients); n != 0 {
		t.Errorf("%d places were not given back", n)
	}
}

// TestEachClientPays has a client that cannot pay begin a call that others join.
func TestEachClientPays(t *testing.T) {
	s := newStrangers(t)
	close(s.answer)
	s.budgets["poor"] = new(atomic.Int32)
	const name = "autoconfig.fresh.test"
	c := s.acme.lookup(name, fair.Caller{}) // holds the call back until others have joined it
	if err := s.handshake(t.Context(), "poor", name); err != fair.ErrClient {
		t.Errorf("the client that cannot pay: %v, want %v", err, fair.ErrClient)
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("DNS was asked %d times for a client that cannot pay", n)
	}
	if err := s.handshake(t.Context(), "victim", name); err != nil {
		t.Errorf("a client that can pay: %v, want the answer of DNS", err)
	}
	s.acme.leave(c)
}

// TestPayers has two clients wait for a call. When the budget of the first one ends, the
// other one pays for the questions, as long as it waits.
func TestPayers(t *testing.T) {
	c := newCall("autoconfig.fresh.test", newQuota(fair.Handshake, unlistedRoom, unlistedShare))
	budget := 2 // one for itself
	_, err := c.admit(fair.Caller{Block: 1, Pay: func() bool { budget--; return budget >= 0 }})
	if err != nil {
		t.Fatal(err)
	}
	leave, err := c.admit(fair.Caller{Block: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if !c.quota.callerOf(c.payer).Pays() {
			t.Errorf("question %d of the call is not paid, want it paid by one of the clients", i+1)
		}
	}
	leave()
	if c.quota.callerOf(c.payer).Pays() {
		t.Error("a question is paid when only the client without a budget waits")
	}
}

// TestDomainOfOneStranger has a stranger take all names of a customer's domain that it
// can, from an address and a /48. Another client still gets one.
func TestDomainOfOneStranger(t *testing.T) {
	q := newQuota(fair.Handshake, unlistedRoom, unlistedShare)
	names := 0
	for i := range 300 {
		stranger := fair.Caller{Block: 1}
		if i%3 > 0 {
			stranger = fair.Caller{Block: uint64(1000 + i), Wide: 1}
		}
		c := newCall(fmt.Sprintf("autoconfig.n%d.customer.test", i), q)
		if c.pay(&stranger) == nil {
			names++
		}
	}
	if names != 3*unlistedShare.names {
		t.Errorf("the stranger has %d names, want %d", names, 3*unlistedShare.names)
	}
	if err := newCall("autoconfig.customer.test", q).pay(&fair.Caller{Block: 2}); err != nil {
		t.Errorf("another client: %v, want a place", err)
	}
}

// TestNobodyWaits checks that a call asks nothing after its clients have left, and
// that a later client gets one of its own.
func TestNobodyWaits(t *testing.T) {
	s := newStrangers(t)
	const name = "autoconfig.fresh.test"
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.handshake(ctx, "victim", name) }()
	within(t, 10*time.Second, "DNS is asked", func() bool { return s.asked.Load() == 1 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the client that left: %v, want %v", err, context.Canceled)
	}
	within(t, 10*time.Second, "the call has ended", func() bool { return taken(s.acme.unlisted.names) == 0 })
	close(s.answer)
	if err := s.handshake(t.Context(), "victim", name); err != nil {
		t.Errorf("a later client: %v, want the answer of DNS", err)
	}
}

// TestQuestionsOfAHandshake checks that the questions of one handshake are limited, and
// come from the budget of the client.
func TestQuestionsOfAHandshake(t *testing.T) {
	q := newQuota(fair.Handshake, unlistedRoom, unlistedShare)
	rich, poor := q.callerOf(fair.Caller{Block: 1}),
		q.callerOf(fair.Caller{Block: 1, Pay: func() bool { return false }})
	for i := range 2 * maxQuestions {
		if pays := rich.Pays(); pays != (i < maxQuestions) {
			t.Errorf("question %d of a handshake may be asked: %v", i+1, pays)
		}
	}
	if poor.Pays() {
		t.Error("a client without a budget asks a question")
	}
	if rich.Kind != fair.Handshake || rich.Block != 1 {
		t.Errorf("the caller is %+v, want a handshake of the client", rich)
	}
}

// TestListedHandshake checks that the questions about a listed name have places of
// their own.
func TestListedHandshake(t *testing.T) {
	s := newStrangers(t)
	if err := s.handshake(t.Context(), "victim", "autoconfig.listed.se"); err == nil {
		t.Error("a listed name that leads elsewhere got a certificate")
	}
	if !slices.Equal(s.kinds, []fair.Kind{fair.Listed}) {
		t.Errorf("the questions were of the kinds %v, want %v", s.kinds, fair.Listed)
	}
}

// TestLinesOfStrangers checks that strangers' names do not keep what concerns listed
// names out of the log.
func TestLinesOfStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &testLog{}
		listed := newQuota(fair.Listed, listedRoom, listedShare)
		unlisted := newQuota(fair.Handshake, unlistedRoom, unlistedShare)
		for range 1000 {
			unlisted.sampler.warn(log.logger(), "no certificate", "name", "evil.test")
		}
		listed.sampler.warn(log.logger(), "no certificate", "name", "listed.se")
		if got := log.count("no certificate", "listed.se"); got != 1 {
			t.Errorf("the log has %d lines about the listed name, want 1", got)
		}
	})
}
