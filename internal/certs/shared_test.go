package certs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"

	"signpost/internal/fair"
)

// testShared is a storage that several machines share, and that a test can make fail.
type testShared struct {
	*certmagic.FileStorage
	mu      sync.Mutex
	away    atomic.Bool
	lost    atomic.Pointer[func()] // of the last OnLoss
	failing atomic.Pointer[func(operation, key string) bool]
}

var errTransient = errors.New("the storage failed")

func newTestShared(t *testing.T) *testShared {
	return &testShared{FileStorage: &certmagic.FileStorage{Path: t.TempDir()}}
}

func (s *testShared) fail(which func(operation, key string) bool) { s.failing.Store(&which) }

func (s *testShared) fails(operation, key string) bool {
	which := s.failing.Load()
	return which != nil && (*which)(operation, key)
}

// Swap implements Shared.
func (s *testShared) Swap(ctx context.Context, key string, old, value []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails("Swap", key) {
		return false, errTransient
	}
	now, err := s.FileStorage.Load(ctx, key)
	if !bytes.Equal(now, old) || err == nil && old == nil {
		return false, nil
	}
	return true, s.FileStorage.Store(ctx, key, value)
}

// OnLoss implements Shared.
func (s *testShared) OnLoss(ctx context.Context, lost func()) context.Context {
	s.lost.Store(&lost)
	return ctx
}

// DeleteOlder implements Shared.
func (s *testShared) DeleteOlder(ctx context.Context, prefix string, age time.Duration) error {
	return disk{s.FileStorage}.DeleteOlder(ctx, prefix, age)
}

func (s *testShared) Away() bool { return s.away.Load() }

func (s *testShared) Load(ctx context.Context, key string) ([]byte, error) {
	if s.fails("Load", key) {
		return nil, errTransient
	}
	return s.FileStorage.Load(ctx, key)
}

func (s *testShared) Store(ctx context.Context, key string, value []byte) error {
	if s.fails("Store", key) {
		return errTransient
	}
	return s.FileStorage.Store(ctx, key, value)
}

func (s *testShared) Exists(ctx context.Context, key string) bool {
	return !s.fails("Exists", key) && s.FileStorage.Exists(ctx, key)
}

// TestTransientError checks that a certificate that is there and cannot be read for a moment is
// not ordered again.
func TestTransientError(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	shared := newTestShared(t)
	share := func(o *Options, _ *testPolicy) { o.Shared = shared }
	first := n.start("", nil, share)
	first.mustDial(customer)
	first.stop()
	orders := n.orders.Load()
	second := n.start("", nil, share)
	var loads atomic.Int32
	shared.fail(func(operation, key string) bool {
		return strings.Contains(key, customer) && strings.HasPrefix(key, "certificates/") &&
			(operation == "Exists" || loads.Add(1) == 1)
	})
	if _, err := second.dial(customer); err != nil {
		t.Log(err)
	}
	if got := n.orders.Load(); got != orders {
		t.Errorf("%d orders after a transient error of the storage, want none", got-orders)
	}
}

// TestAwayOrdersNothing asks for a name while nothing can be known of the storage, although it
// says that there is no certificate: as long as its private keys are not proved to be readable,
// one that is ordered could not be read by others.
func TestAwayOrdersNothing(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	shared := newTestShared(t)
	s := n.start("", nil, func(o *Options, _ *testPolicy) { o.Shared = shared })
	shared.away.Store(true)
	if _, err := s.dial(customer); err == nil || n.orders.Load() != 0 {
		t.Errorf("a handshake while the storage is away: %v, and %d orders; want an error and none",
			err, n.orders.Load())
	}
	shared.away.Store(false)
	s.mustDial(customer)
}

// TestLostOrder gives the lock of an order to another machine. The order ends, and is nobody's
// failure.
func TestLostOrder(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	n.delay.Store(int64(3 * time.Second))
	shared := newTestShared(t)
	s := n.start("", nil, func(o *Options, _ *testPolicy) { o.Shared = shared })
	failed := make(chan error)
	go func() {
		_, err := s.dial(customer)
		failed <- err
	}()
	within(t, 10*time.Second, "an order", func() bool { return n.orders.Load() > 0 })
	(*shared.lost.Load())()
	select {
	case err := <-failed:
		if err == nil {
			t.Error("the handshake succeeded")
		}
	case <-time.After(2 * time.Second):
		t.Fatal("the order goes on after its lock was lost")
	}
	if got := s.Status().Orders; got.Failed != 0 || !got.StoppedUntil.IsZero() {
		t.Errorf("Orders = %+v, want neither a failure nor a stop", got)
	}
	if s.log.count("no certificate", customer, "another machine orders it") != 1 {
		t.Errorf("the log does not say why:\n%s", s.log)
	}
}

// sharedLimits returns the limits of machines that count together.
func sharedLimits(shared Shared, machines, perHour int) []*limits {
	var all []*limits
	for range machines {
		l := newLimits(perHour)
		l.ledger = newLedger[entries](shared, ordersKey, slog.New(slog.DiscardHandler))
		all = append(all, l)
	}
	return all
}

// TestCountedTogether has machines order at the same time. Together they place as many orders as
// one may.
func TestCountedTogether(t *testing.T) {
	shared := newTestShared(t)
	var group sync.WaitGroup
	var placed atomic.Int32
	for i, l := range sharedLimits(shared, 3, 40) {
		for j := range 15 {
			group.Go(func() {
				if l.allow(t.Context(), fmt.Sprintf("autoconfig.d%d-%d.example", i, j), high) == nil {
					placed.Add(1)
				}
			})
		}
	}
	group.Wait()
	if got := int(placed.Load()); got != 40/ordersPerAttempt {
		t.Errorf("3 machines have placed %d orders, want %d", got, 40/ordersPerAttempt)
	}
}

// TestCountedLater notes a failure while the ledger does not answer. This machine counts it, and
// tells the others with what it counts next.
func TestCountedLater(t *testing.T) {
	shared := newTestShared(t)
	all := sharedLimits(shared, 2, 0)
	shared.fail(func(operation, _ string) bool { return operation == "Swap" })
	all[0].failed("a.example", &acme.Problem{Type: acme.ProblemTypeUnauthorized, Status: 403}, "words")
	shared.fail(func(string, string) bool { return false })
	for range 2 { // what is counted in between does not make it forget
		if err := all[0].allow(t.Context(), "b.example", high); err != nil {
			t.Fatal(err)
		}
	}
	if err := all[0].ready("a.example"); err == nil {
		t.Error("the machine has forgotten the failure that it could not tell the others")
	}
	if err := all[1].allow(t.Context(), "a.example", high); err == nil {
		t.Error("the other machine places an order for the name that has failed")
	}
}

// TestCountsHonorsTheCaller waits for the ledger no longer than the caller.
func TestCountsHonorsTheCaller(t *testing.T) {
	l := sharedLimits(newTestShared(t), 1, 0)[0]
	l.ledger.turn <- struct{}{} // somebody counts, for long
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := l.allow(ctx, "a.example", high); err == nil || time.Since(began) > time.Second {
		t.Errorf("allow = %v after %v, want an error when the caller's time is over", err, time.Since(began))
	}
}

// TestStopOfAnotherMachine has an order succeed that was placed before another machine found
// that the ACME server fails. The stop stays. One that was placed later ends it.
func TestStopOfAnotherMachine(t *testing.T) {
	all := sharedLimits(newTestShared(t), 2, 0)
	if err := all[0].allow(t.Context(), "a.example", high); err != nil {
		t.Fatal(err)
	}
	all[1].failed("b.example", &acme.Problem{Status: 500}, "words")
	all[0].succeeded("a.example")
	if _, until := all[0].state(); until.IsZero() {
		t.Error("the success of an earlier order ended the stop")
	}
	err := all[0].update(t.Context(), func(c *counts) bool {
		c.orders = append(c.orders, newEvent("c.example", 2)) // after the stop was decided
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	all[0].succeeded("c.example")
	if _, until := all[1].state(); !until.IsZero() {
		all[1].update(t.Context(), func(*counts) bool { return false })
		if _, until := all[1].state(); !until.IsZero() {
			t.Errorf("after a success orders are stopped until %v", until)
		}
	}
}

// TestTicketsTogether has machines make keys at the same time. All use the same ones.
func TestTicketsTogether(t *testing.T) {
	shared := newTestShared(t)
	var group sync.WaitGroup
	found := make([][]ticketKey, 4)
	for i := range found {
		group.Go(func() {
			keys, err := (&tickets{storage: shared}).add(t.Context(), nil, nil)
			if err != nil {
				t.Error(err)
			}
			found[i] = keys
		})
	}
	group.Wait()
	for i := range found {
		if len(found[i]) != 1 || found[i][0] != found[0][0] {
			t.Errorf("machine %d has the keys %v, want those of the first, %v", i, found[i], found[0])
		}
	}
}

// TestAskTogether has a proxy ask several machines about new names. They count them together,
// and a name that each is asked about only once. While the storage fails each counts by itself.
func TestAskTogether(t *testing.T) {
	shared := newTestShared(t)
	var machines []http.Handler
	for range 2 {
		h := AskHandler(&testPolicy{allowed: (&Names{Domains: exampleDomains{}}).Allowed},
			testAuthority, 10, shared, slog.New(slog.DiscardHandler))
		machines = append(machines, h)
		t.Cleanup((&askers{t: t, all: []*askHandler{h.(*askHandler)}}).settle)
	}
	yes := func(i int, name string) bool {
		status, _ := ask(t, machines[i], "?domain="+name)
		return status == http.StatusOK
	}
	for i := range 10 {
		name := fmt.Sprintf("autoconfig.d%d.example", i)
		if !yes(i%2, name) || !yes((i+1)%2, name) {
			t.Fatalf("%s was not granted by both machines", name)
		}
	}
	for i := range machines {
		if yes(i, fmt.Sprintf("autoconfig.more%d.example", i)) {
			t.Errorf("machine %d granted a name more than both together may", i)
		}
	}
	shared.fail(func(string, string) bool { return true })
	if !yes(0, "autoconfig.other.example") {
		t.Error("while the storage fails no name is granted")
	}
}

// TestClaimsTakeTurns has strangers claim to validate orders. They keep no listed name waiting.
func TestClaimsTakeTurns(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	shared := newTestShared(t)
	s := n.start("", nil, func(o *Options, p *testPolicy) {
		o.Shared = shared
		p.listed = func(name string) bool { return name == customer }
	})
	let := make(chan struct{})
	var asked atomic.Int32
	shared.fail(func(operation, key string) bool {
		if operation == "Exists" && strings.Contains(key, "stranger") {
			asked.Add(1)
			<-let
		}
		return false
	})
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			s.acme.isChallengedElsewhere(t.Context(), fmt.Sprintf("autoconfig.stranger%d.example", i),
				fair.Caller{Block: uint64(100 + i)})
		})
	}
	within(t, 5*time.Second, "a question", func() bool { return asked.Load() > 0 })
	began := time.Now()
	s.acme.isChallengedElsewhere(t.Context(), customer, fair.Caller{Block: 2})
	if took := time.Since(began); took > time.Second {
		t.Errorf("a question about a listed name took %v, want no waiting for strangers", took)
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("%d questions of strangers are asked at once, want 1", got)
	}
	close(let)
	group.Wait()
}

// TestClaimAfterOutage asks about the order of another machine, which has reached the storage
// again before this one. Somebody has asked about it a moment before it was placed.
func TestClaimAfterOutage(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	shared := newTestShared(t)
	s := n.start("", nil, func(o *Options, _ *testPolicy) { o.Shared = shared })
	if s.acme.isChallengedElsewhere(t.Context(), customer, fair.Caller{}) {
		t.Error("before there is an order of another machine, its validation is answered")
	}
	issuer := certmagic.StorageKeys.Safe(s.acme.config.Issuers[0].IssuerKey())
	if err := shared.Store(t.Context(), "acme/"+issuer+"/challenge_tokens/"+customer+".json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	shared.away.Store(true)
	if !s.acme.isChallengedElsewhere(t.Context(), customer, fair.Caller{}) {
		t.Error("the validation of an order of another machine is refused, because the storage was away")
	}
}

// TestReadersTakeTurns has strangers look up names in a slow storage. A listed name is read at
// once.
func TestReadersTakeTurns(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	shared := newTestShared(t)
	s := n.start("", nil, func(o *Options, p *testPolicy) {
		o.Shared = shared
		p.listed = func(name string) bool { return name == customer }
	})
	s.mustDial(customer)
	s.acme.drop(customer)
	let := make(chan struct{})
	var asked atomic.Int32
	shared.fail(func(operation, key string) bool {
		if operation == "Load" && strings.Contains(key, "stranger") {
			asked.Add(1)
			<-let
		}
		return false
	})
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			c := s.acme.lookup(fmt.Sprintf("autoconfig.stranger%d.example", i), fair.Caller{})
			<-ctx.Done()
			s.acme.leave(c)
		})
	}
	within(t, 5*time.Second, "a look-up", func() bool { return asked.Load() > 0 })
	s.mustDial(customer)
	if got := asked.Load(); got != 1 {
		t.Errorf("the storage is asked for %d names of strangers at once, want 1", got)
	}
	cancel()
	close(let)
	group.Wait()
}

// TestTidyTriesAgain starts while the storage fails. What has expired is removed later, and not
// only the next day.
func TestTidyTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := newTestShared(t)
		var tries atomic.Int32
		shared.fail(func(operation, _ string) bool { return operation == "Load" && tries.Add(1) <= 2 })
		log := &testLog{}
		a := &acmeIssuer{storage: shared, isDatabase: true, log: log.logger(), zap: zap.NewNop()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		a.tidy(ctx)
		if got := tries.Load(); got != 3 {
			t.Errorf("within an hour it was tried %d times, want until it succeeded the third time\n%s", got, log)
		}
		if strings.Contains(log.String(), "directory") {
			t.Errorf("the log speaks of a directory, and there is a database:\n%s", log)
		}
	})
}
