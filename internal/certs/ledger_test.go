package certs

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3/acme"
)

// TestLedgerHasRoom counts what the ledger can hold at most: as many orders as an operator can
// allow, and failures with long reasons. They can be read again from a directory.
func TestLedgerHasRoom(t *testing.T) {
	long := strings.Repeat("long-label.", 20)
	d := disk{&certmagic.FileStorage{Path: t.TempDir()}}
	var e entries
	for i := range 10_000 {
		e.Orders = append(e.Orders, orderEntry{time.Now(), fmt.Sprintf("autodiscover.%sd%d.example", long, i), 1})
	}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Store(t.Context(), ordersKey, data); err != nil {
		t.Fatal(err)
	}
	l := sharedLimits(d, 1, 20_000)[0]
	problem := acme.Problem{Type: acme.ProblemTypeDNS}
	l.updateAnyhow(func(c *counts) {
		for i := range 3 * maxFailures {
			c.fail(fmt.Sprintf("autoconfig.%sd%d.example", long, i), problem, strings.Repeat("reason ", 100))
		}
	})
	if err := l.allow(t.Context(), "setup.hoster.example", high); err != nil {
		t.Errorf("an order is refused: %v", err)
	}
	if got := len(l.failing()); got != maxFailures {
		t.Errorf("%d failures are remembered, want %d", got, maxFailures)
	}
	if l.ready(fmt.Sprintf("autoconfig.%sd%d.example", long, 3*maxFailures-1)) == nil {
		t.Error("the last failure is forgotten")
	}
}

// TestWrongClock reads what a machine has counted whose clock is ahead by a year. It stops no
// other.
func TestWrongClock(t *testing.T) {
	ahead := time.Now().Add(365 * 24 * time.Hour)
	const name = "autoconfig.d.example"
	for what, write := range map[string]func(*entries){
		"orders": func(e *entries) {
			for i := range 90 {
				e.Orders = append(e.Orders, orderEntry{ahead, fmt.Sprintf("autoconfig.d%d.example", i), 2})
			}
		},
		"a stop": func(e *entries) {
			e.Stopped.Since, e.Stopped.Until, e.Stopped.Delay = ahead, ahead.Add(time.Minute), time.Minute
		},
		"a failure": func(e *entries) { e.Failures = map[string]failureEntry{name: {1, ahead, "words"}} },
	} {
		shared := newTestShared(t)
		store(t, shared, ordersKey, write)
		for _, l := range sharedLimits(shared, 2, 0) {
			if err := l.allow(t.Context(), name, high); err != nil {
				t.Errorf("%s of next year: %v", what, err)
			}
		}
	}
}

// TestDamagedLedger replaces a ledger that cannot be read.
func TestDamagedLedger(t *testing.T) {
	shared := newTestShared(t)
	if err := shared.Store(t.Context(), ordersKey, []byte(`{"orders":[{"at":"2026`)); err != nil {
		t.Fatal(err)
	}
	log := &testLog{}
	l := newLimits(4)
	l.ledger = newLedger[entries](shared, ordersKey, log.logger())
	for i, want := range []bool{true, true, false} {
		err := l.allow(t.Context(), fmt.Sprintf("autoconfig.d%d.example", i), high)
		if (err == nil) != want {
			t.Errorf("order %d: %v, want it allowed: %t", i, err, want)
		}
	}
	if log.count("what was counted is damaged") != 1 {
		t.Errorf("the log does not say once that the ledger was damaged:\n%s", log)
	}
}

// TestTicketKeyOfWrongClock reads a key that was made next year. Another one is used, and the keys
// do not become more and more while two machines disagree about the time.
func TestTicketKeyOfWrongClock(t *testing.T) {
	shared := newTestShared(t)
	var keys []ticketKey
	for range 3 * maxTicketKeys {
		for _, ahead := range []time.Duration{365 * 24 * time.Hour, 0} {
			store(t, shared, ticketsKey, func(stored *[]ticketKey) {
				if ahead > 0 { // as the other machine does
					keys = append([]ticketKey{{Made: time.Now().Add(ahead)}}, keys...)
					keys = keys[:min(len(keys), maxTicketKeys)]
				}
				*stored = keys
			})
			k := &tickets{storage: shared, log: slog.New(slog.DiscardHandler)}
			if err := k.refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			var err error
			if _, keys, err = k.read(t.Context()); err != nil {
				t.Fatal(err)
			}
			if time.Until(keys[0].Made) > time.Minute || len(keys) > maxTicketKeys {
				t.Fatalf("%d keys, the first made at %v; want at most %d, and one of now",
					len(keys), keys[0].Made, maxTicketKeys)
			}
		}
	}
}

// store writes a value into a storage as package json does.
func store[T any](t *testing.T, shared Shared, key string, fill func(*T)) {
	t.Helper()
	var value T
	fill(&value)
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := shared.Store(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}
