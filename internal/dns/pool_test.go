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
// silent. What is beyond their shares waits, and everybody else is answered at once.
func TestShares(t *testing.T) {
	server := dnstest.StartServer(t, silentFor("silent.test."))
	v4 := func(int) fair.Caller { return fair.Caller{Block: 1} }
	wide := func(i int) fair.Caller { return fair.Caller{Block: uint64(1000 + i), Wide: 1} }
	many := func(i int) fair.Caller { return fair.Caller{Block: uint64(1000 + i)} }
	dual := func(i int) fair.Caller {
		if i%3 == 0 {
			return v4(i)
		}
		return wide(i)
	}
	domains := func(i int) string { return fmt.Sprintf("n%d-silent.test", i) }
	below := func(i int) string { return fmt.Sprintf("n%d.silent.test", i) }
	for _, test := range []struct {
		name       string
		kind       fair.Kind
		caller     func(i int) fair.Caller
		domain     func(i int) string
		most, wait int    // questions that may be under way, and wait
		victim     string // a question of another client
	}{
		{"an address", fair.Request, v4, domains, 32, 256, "fresh.test"},
		{"a /48", fair.Request, wide, domains, 64, 512, "fresh.test"},
		{"an address and a /48", fair.Request, dual, domains, 96, 768, "fresh.test"},
		{"names below one domain", fair.Request, many, below, 128, 1024, "fresh.test"},
		{"names below another's domain", fair.Request, dual, below, 96, 768, "fresh.silent.test"},
		{"handshakes", fair.Handshake, v4, domains, 16, 128, "fresh.test"},
		{"handshakes, another's domain", fair.Handshake, dual, below, 48, 384, "fresh.silent.test"},
		{"listed names", fair.Listed, dual, below, 48, 768, "fresh.silent.test"},
		{
			"a proxy's questions about one domain", fair.Ask,
			func(int) fair.Caller { return fair.Caller{} }, below, 32, 1024, "fresh.test",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newTestResolver(t, server)
			p := &r.pools[test.kind]
			p.open(poolLimits[test.kind], time.Minute)
			p.group.Places.GiveUp(0, 0)
			r.client.timeout = 20 * time.Second
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			defer all.Wait()
			defer cancel()
			asked := func(i int) context.Context {
				c := test.caller(i)
				c.Kind = test.kind
				return fair.WithCaller(ctx, c)
			}
			n := test.most + test.wait
			var failed atomic.Int32
			for i := range n {
				all.Go(func() {
					if _, err := r.LookupMX(asked(i), test.domain(i)); !errors.Is(err, context.Canceled) &&
						failed.Add(1) == 1 {
						t.Errorf("question %d of the stranger: %v, want no answer", i, err)
					}
				})
			}
			waitFor(t, p.group.Places, test.most, test.wait)
			if _, err := r.LookupMX(asked(n), test.domain(n)); !errors.Is(err, fair.ErrBusy) {
				t.Errorf("question %d of the stranger: %v, want %v", n+1, err, fair.ErrBusy)
			}
			if test.victim == "fresh.silent.test" {
				// The server is silent for all names of the domain, but is asked.
				go r.LookupMX(asClient(t, test.kind, 7), test.victim)
				waitFor(t, p.group.Places, test.most+1, test.wait)
				return
			}
			if _, err := r.LookupMX(asClient(t, test.kind, 7), test.victim); err != nil {
				t.Errorf("a question of another client: %v, want the answer", err)
			}
		})
	}
}

// TestCrowds has honest crowds ask at the same time. DNS takes a while, and none is
// refused.
func TestCrowds(t *testing.T) {
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		time.Sleep(100 * time.Millisecond)
		silentFor("silent.test.")(w, query)
	})
	office := func(int) fair.Caller { return fair.Caller{Block: 1} }
	people := func(i int) fair.Caller { return fair.Caller{Block: uint64(i + 1)} }
	proxy := func(int) fair.Caller { return fair.Caller{} }
	for _, test := range []struct {
		name   string
		kind   fair.Kind
		caller func(i int) fair.Caller
		n      int
		domain string
	}{
		{"an office for its domain", fair.Request, office, 1000, "office.test"},
		{"an office for many domains", fair.Request, office, 120, "n%d.test"},
		{"people for subdomains", fair.Request, people, 400, "n%d.hoster.test"},
		{"a proxy for listed names", fair.Listed, proxy, 200, "n%d.hoster.test"},
		{"a proxy for other names", fair.Ask, proxy, 200, "n%d.hoster.test"},
		{"handshakes of an office", fair.Handshake, office, 60, "n%d.test"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newTestResolver(t, server)
			var refused atomic.Int32
			var last atomic.Value
			var all sync.WaitGroup
			for i := range test.n {
				all.Go(func() {
					c := test.caller(i)
					c.Kind = test.kind
					domain := strings.ReplaceAll(test.domain, "%d", fmt.Sprint(i))
					if _, err := r.LookupAddresses(fair.WithCaller(t.Context(), c), domain); err != nil {
						refused.Add(1)
						last.Store(err)
					}
				})
			}
			all.Wait()
			if refused.Load() > 0 {
				t.Errorf("%d of %d look-ups failed, the last one with %v, want none",
					refused.Load(), test.n, last.Load())
			}
		})
	}
}

// TestSilentDomainsOfAsk has a proxy ask for many domains whose servers are silent, and
// then for one more.
func TestSilentDomainsOfAsk(t *testing.T) {
	r := newTestResolver(t, dnstest.StartServer(t, silentFor("silent.test.")))
	proxy := fair.WithCaller(t.Context(), fair.Caller{Kind: fair.Ask})
	ctx, cancel := context.WithCancel(proxy)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for i := range 340 {
		all.Go(func() { r.LookupMX(ctx, fmt.Sprintf("x.n%d-silent.test", i)) })
	}
	p := &r.pools[fair.Ask]
	waitFor(t, p.group.Places, p.places, 340-p.places)
	begun := time.Now()
	if _, err := r.LookupMX(proxy, "fresh.org"); err != nil {
		t.Errorf("one domain more: %v after %v, want the answer", err, time.Since(begun))
	}
}

// waitTaken waits until n places are taken, and nobody waits for one.
func waitTaken(t *testing.T, l *fair.Limiter, n int) {
	t.Helper()
	waitFor(t, l, n, 0)
}

// waitFor waits until n places are taken, and so many callers wait for one.
func waitFor(t *testing.T, l *fair.Limiter, n, waiting int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		taken, queued := l.Taken()
		if taken == n && queued == waiting {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d places are taken and %d callers wait, want %d and %d", taken, queued, n, waiting)
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
	for range p.callers / 4 {
		all.Go(func() { r.LookupMX(asClient(t, fair.Request, 1), "slow.test") })
	}
	waitTaken(t, p.waiting, p.callers/4)
	if _, err := r.LookupMX(asClient(t, fair.Request, 1), "slow.test"); !errors.Is(err, fair.ErrClient) {
		t.Errorf("one caller more: %v, want %v", err, fair.ErrClient)
	}
	all.Go(func() {
		if _, err := r.LookupMX(asClient(t, fair.Request, 2), "slow.test"); err != nil {
			t.Errorf("another client: %v, want the answer", err)
		}
	})
	waitTaken(t, p.waiting, p.callers/4+1)
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
