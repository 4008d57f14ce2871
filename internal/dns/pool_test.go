package dns

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
	"signpost/internal/fair"
)

// asClient returns a context of questions of a kind on behalf of the n-th client.
func asClient(t *testing.T, kind fair.Kind, n uint64) context.Context {
	return fair.WithCaller(t.Context(), fair.Caller{Kind: kind, Block: n})
}

// TestFlood looks up more names than may wait. At most as many queries as there are
// places are under way, and the callers beyond the limit get an error at once.
func TestFlood(t *testing.T) {
	var underWay, most atomic.Int32
	goOn := make(chan struct{})
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		if n := underWay.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-goOn
		underWay.Add(-1)
		w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeNameError))
	})
	r := newTestResolver(t, server)
	r.client.timeout = 30 * time.Second
	l := limits{places: 16, queue: 64}
	r.pools[fair.Operator].open(l, 30*time.Second)
	var answered, busy atomic.Int32
	var all sync.WaitGroup
	full := make(chan struct{})
	for i := range l.places + l.queue + 200 {
		all.Go(func() {
			_, err := r.LookupMX(t.Context(), fmt.Sprintf("n%d.test", i))
			switch {
			case err == nil:
				answered.Add(1)
			case errors.Is(err, fair.ErrBusy):
				if busy.Add(1) == 200 {
					close(full)
				}
			default:
				t.Errorf("LookupMX(n%d.test): %v", i, err)
			}
		})
	}
	<-full
	close(goOn)
	all.Wait()
	if n := int(answered.Load()); n != l.places+l.queue || busy.Load() != 200 {
		t.Errorf("%d look-ups answered and %d refused, want %d and 200", n, busy.Load(), l.places+l.queue)
	}
	if int(most.Load()) > l.places {
		t.Errorf("%d queries under way at once, want at most %d", most.Load(), l.places)
	}
	if r.Stats().Refused != 200 {
		t.Errorf("the metric counts %d refused questions, want 200", r.Stats().Refused)
	}
}

// silentFor returns the handler of a server that is silent for names that end in
// silent, and has an MX record for all others.
func silentFor(silent string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, query *dns.Msg) {
		name := query.Question[0].Name
		if strings.HasSuffix(name, silent) {
			return
		}
		answer := new(dns.Msg).SetReply(query)
		answer.Answer = []dns.RR{dnstest.RR(name + " 60 IN MX 1 mx.test.")}
		w.WriteMsg(answer)
	}
}

// TestShares lets strangers ask as much as they can for names whose servers are
// silent. Everybody else is answered at once.
func TestShares(t *testing.T) {
	server := dnstest.StartServer(t, silentFor("silent.test."))
	for _, test := range []struct {
		name    string
		kind    fair.Kind
		caller  func(i int) fair.Caller
		domain  func(i int) string
		most    int    // questions that may be under way
		refused string // a question that is beyond the share, of the stranger
		victim  string // a question of another client
	}{
		{
			"an address", fair.Request, func(int) fair.Caller { return fair.Caller{Block: 1} },
			func(i int) string { return fmt.Sprintf("n%d-silent.test", i) }, 32, "fresh.test", "fresh.test",
		},
		{
			"a /48", fair.Request, func(i int) fair.Caller { return fair.Caller{Block: uint64(1000 + i), Wide: 1} },
			func(i int) string { return fmt.Sprintf("n%d-silent.test", i) }, 64, "fresh.test", "fresh.test",
		},
		{
			"names below one domain", fair.Request, func(i int) fair.Caller { return fair.Caller{Block: uint64(1000 + i)} },
			func(i int) string { return fmt.Sprintf("n%d.silent.test", i) }, 96, "more.silent.test", "fresh.test",
		},
		{
			// The share of a domain is larger than that of a client, even with a /48.
			"names below another's domain", fair.Request,
			func(i int) fair.Caller { return fair.Caller{Block: uint64(1000 + i), Wide: 1} },
			func(i int) string { return fmt.Sprintf("silent.n%d.silent.test", i) }, 64, "fresh.test", "fresh.silent.test",
		},
		{
			"handshakes", fair.Handshake, func(int) fair.Caller { return fair.Caller{Block: 1} },
			func(i int) string { return fmt.Sprintf("n%d-silent.test", i) }, 16, "fresh.test", "fresh.test",
		},
		{
			"a proxy's questions about one domain", fair.Ask, func(int) fair.Caller { return fair.Caller{} },
			func(i int) string { return fmt.Sprintf("n%d.silent.test", i) }, 8, "more.silent.test", "fresh.test",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newTestResolver(t, server)
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			defer all.Wait()
			defer cancel()
			asked := func(i int) context.Context {
				c := test.caller(i)
				c.Kind = test.kind
				return fair.WithCaller(ctx, c)
			}
			for i := range test.most {
				all.Go(func() {
					_, err := r.LookupMX(asked(i), test.domain(i))
					if !errors.Is(err, ErrSilent) && !errors.Is(err, context.Canceled) {
						t.Errorf("question %d of the stranger: %v, want no answer", i, err)
					}
				})
			}
			waitTaken(t, r.pools[test.kind].group.Places, test.most)
			_, err := r.LookupMX(asked(test.most), test.refused)
			if !errors.Is(err, fair.ErrBusy) {
				t.Errorf("question %d of the stranger: %v, want %v", test.most+1, err, fair.ErrBusy)
			}
			if test.victim == "fresh.silent.test" {
				// The server is silent for all names of the domain, but is asked.
				go r.LookupMX(asClient(t, test.kind, 7), test.victim)
				waitTaken(t, r.pools[test.kind].group.Places, test.most+1)
				return
			}
			if _, err := r.LookupMX(asClient(t, test.kind, 7), test.victim); err != nil {
				t.Errorf("a question of another client: %v, want the answer", err)
			}
		})
	}
}

// waitTaken waits until n places are taken.
func waitTaken(t *testing.T, l *fair.Limiter, n int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		taken, _ := l.Taken()
		if taken == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d places are taken, want %d", taken, n)
		}
	}
}

// TestKinds fills the places of each kind of caller in turn. The others are answered,
// also those who ask the same question.
func TestKinds(t *testing.T) {
	server := dnstest.StartServer(t, silentFor("silent.test."))
	for full := range fair.Kinds {
		r := newTestResolver(t, server)
		for kind := range r.pools {
			l := poolLimits[kind]
			l.places, l.queue = 1, 0
			r.pools[kind].open(l, time.Second)
		}
		ctx, cancel := context.WithCancel(asClient(t, full, 1))
		go r.LookupMX(ctx, "silent.test")
		waitTaken(t, r.pools[full].group.Places, 1)
		for kind := range fair.Kinds {
			_, err := r.LookupMX(asClient(t, kind, 2), fmt.Sprintf("fresh%d.test", kind))
			if busy := errors.Is(err, fair.ErrBusy); busy != (kind == full) || err != nil && !busy {
				t.Errorf("the places of kind %d are taken: a question of kind %d gets the error %v", full, kind, err)
			}
		}
		cancel()
	}
}

// TestWaitingCallers has a client send more requests for one slow domain than may wait.
// The others still may.
func TestWaitingCallers(t *testing.T) {
	goOn := make(chan struct{})
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		<-goOn
		w.WriteMsg(new(dns.Msg).SetReply(query))
	})
	r := newTestResolver(t, server)
	r.client.timeout = 20 * time.Second
	p := &r.pools[fair.Request]
	var all sync.WaitGroup
	for range p.callers / 8 {
		all.Go(func() { r.LookupMX(asClient(t, fair.Request, 1), "slow.test") })
	}
	waitTaken(t, p.waiting, p.callers/8)
	if _, err := r.LookupMX(asClient(t, fair.Request, 1), "slow.test"); !errors.Is(err, fair.ErrClient) {
		t.Errorf("one caller more: %v, want %v", err, fair.ErrClient)
	}
	all.Go(func() {
		if _, err := r.LookupMX(asClient(t, fair.Request, 2), "slow.test"); err != nil {
			t.Errorf("another client: %v, want the answer", err)
		}
	})
	waitTaken(t, p.waiting, p.callers/8+1)
	close(goOn)
	all.Wait()
	waitTaken(t, p.waiting, 0)
}

// TestBudget lets a caller pay for each question that the cache cannot answer.
func TestBudget(t *testing.T) {
	r := newTestResolver(t, dnstest.StartServer(t, silentFor("silent.test.")))
	budget := 2
	poor := fair.WithCaller(t.Context(), fair.Caller{Kind: fair.Handshake, Block: 1, Pay: func() bool {
		budget--
		return budget >= 0
	}})
	for i, want := range []error{nil, nil, nil, fair.ErrClient, nil} {
		domain := []string{"a.test", "a.test", "b.test", "c.test", "a.test"}[i]
		if _, err := r.LookupMX(poor, domain); !errors.Is(err, want) {
			t.Errorf("question %d, for %s: %v, want %v", i, domain, err, want)
		}
	}
}

// TestChainsEnd follows CNAMEs that a server returns one at a time.
func TestChainsEnd(t *testing.T) {
	var queries atomic.Int32
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		n := queries.Add(1)
		answer := new(dns.Msg).SetReply(query)
		answer.Answer = []dns.RR{dnstest.RR(fmt.Sprintf("%s 60 IN CNAME c%d.test.", query.Question[0].Name, n))}
		w.WriteMsg(answer)
	})
	r := newTestResolver(t, server)
	if _, err := r.LookupMX(t.Context(), "chain.test"); !errors.Is(err, errAliasLoop) {
		t.Errorf("LookupMX of a chain without end: %v, want %v", err, errAliasLoop)
	}
	if queries.Load() != maxQuestions {
		t.Errorf("a chain without end cost %d questions, want %d", queries.Load(), maxQuestions)
	}
}

// TestTimeBeginsWhenAsked has a look-up wait for its place for longer than a question
// may take.
func TestTimeBeginsWhenAsked(t *testing.T) {
	server := dnstest.StartServer(t, silentFor("silent.test."))
	r, err := NewResolver([]string{server}, 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	l := poolLimits[fair.Request]
	l.places = 1
	r.pools[fair.Request].open(l, 10*time.Second)
	go r.LookupMX(asClient(t, fair.Request, 1), "a-silent.test")
	waitTaken(t, r.pools[fair.Request].group.Places, 1)
	begun := time.Now()
	if _, err := r.LookupMX(asClient(t, fair.Request, 2), "fresh.test"); err != nil {
		t.Errorf("a look-up that waited %v for its place: %v, want the answer", time.Since(begun), err)
	}
	if waited := time.Since(begun); waited < 100*time.Millisecond {
		t.Errorf("the look-up waited only %v: this test shows nothing", waited)
	}
}

// TestStale asks for a domain again when its name servers fail.
func TestStale(t *testing.T) {
	var fails atomic.Bool
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		if fails.Load() {
			w.WriteMsg(new(dns.Msg).SetRcode(query, dns.RcodeServerFailure))
			return
		}
		silentFor("silent.test.")(w, query)
	})
	synctest.Test(t, func(t *testing.T) {
		r := newTestResolver(t, server)
		for step, row := range []struct {
			after time.Duration
			fails bool
			want  bool
		}{
			{0, false, true},
			{time.Minute, true, true},
			{time.Second, true, true}, // the failure is known
			{maxStale - 2*time.Minute, true, true},
			{2 * time.Minute, true, false},
			{time.Minute, false, true},
		} {
			time.Sleep(row.after)
			fails.Store(row.fails)
			got, err := r.LookupMX(t.Context(), "a.test")
			if ok := err == nil && len(got) == 1; ok != row.want {
				t.Errorf("step %d: LookupMX = %v, %v; want an answer: %v", step, got, err, row.want)
			}
			if row.fails {
				if _, err := r.Lookup(t.Context(), "a.test", "MX"); err == nil {
					t.Errorf("step %d: Lookup returns what has expired, want the error", step)
				}
			}
		}
		if r.Stats().Stale != 3 {
			t.Errorf("the metric counts %d expired answers, want 3", r.Stats().Stale)
		}
	})
}

// TestStaleWithoutWaiting asks for a domain again when its name servers are silent, or
// when the client may ask nothing more: a person does not wait for either.
func TestStaleWithoutWaiting(t *testing.T) {
	r := newTestResolver(t, dnstest.StartServer(t, func(dns.ResponseWriter, *dns.Msg) {}))
	found := Answer{Records: []Record{{Type: "MX", Data: "10 mx.test."}}}
	for name, most := range map[string]time.Duration{"silent.test": 3 * time.Second, "busy.test": time.Second} {
		r.cache.put("MX "+name+".", 0, found, -time.Second)
		ctx := asClient(t, fair.Request, 1)
		if name == "busy.test" {
			ctx = fair.WithCaller(ctx, fair.Caller{Pay: func() bool { return false }})
		}
		begun := time.Now()
		got, err := r.LookupMX(ctx, name)
		if err != nil || len(got) != 1 || time.Since(begun) > most {
			t.Errorf("LookupMX(%s) = %v, %v after %v, want the expired answer within %v",
				name, got, err, time.Since(begun), most)
		}
	}
}
