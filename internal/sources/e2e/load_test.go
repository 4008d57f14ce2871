package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A client is a kind of client under load.
type client struct {
	name  string
	count int // of connections, 64 in all, or none if they ask at fixed times
	way   way
	// address returns the address that a client asks about and the login that is right
	// for it.
	address func(n int64) (address, login string)
}

// clientsOf are the clients of a store whose known addresses have these logins. They are
// the columns of the table in docs/accounts.md.
func clientsOf(logins map[string]string) []client {
	known := slices.Sorted(maps.Keys(logins))
	hosted := func(n int64) (string, string) {
		return []string{"x@example.com", "x@example.net", "x@all.example"}[n%3], served
	}
	return []client{
		{"known address", 24, ways[0], func(n int64) (string, string) {
			address := known[n%int64(len(known))]
			return address, logins[address]
		}},
		{"other address", 16, ways[0], func(n int64) (string, string) {
			address := fmt.Sprintf("nobody%d@example.com", n)
			return address, address
		}},
		{"no address", 16, ways[1], hosted},
		{"other domain", 8, ways[0], func(n int64) (string, string) {
			return fmt.Sprintf("anna@foreign%d.example", n), notHosted
		}},
		{"at fixed times", 0, ways[1], hosted},
		{"of a bare server", 0, ways[1], hosted},
	}
}

// These are the places of clients who ask at fixed times, whatever the others and the
// service do: steady ones, whose answer needs no database, and for comparison, at the same
// times, those of a bare server, for whom only the machine is busy.
const (
	steady = 4
	bare   = 5
)

// steadyPause is the time between two of their requests.
const steadyPause = 5 * time.Millisecond

// load asks without pause from 64 connections.
type load struct {
	clients  []client
	stop     chan struct{}
	ended    sync.WaitGroup
	serial   atomic.Int64
	mu       sync.Mutex
	phase    string
	outcomes map[string]map[string]int          // by phase and client, the number of each outcome
	times    map[string]map[int][]time.Duration // by phase and client
	wrong    []string
	peak     int // of goroutines
}

// pause is how long a client waits between two requests: the test is about waiting for
// a database, not for a processor.
const pause = 100 * time.Millisecond

// start starts 64 clients, in a phase.
func (s *running) start(t testing.TB, clients []client, phase string) *load {
	t.Helper()
	a, err := s.do(clients[steady].way.request("x@example.com", "example.com"))
	if err != nil {
		t.Fatal(err)
	}
	l := &load{clients: clients, stop: make(chan struct{}), phase: phase,
		outcomes: map[string]map[string]int{}, times: map[string]map[int][]time.Duration{}}
	for place, c := range clients {
		for range c.count {
			l.ended.Go(func() {
				for {
					select {
					case <-l.stop:
						return
					case <-time.After(pause):
						l.one(t, s, place, time.Now())
					}
				}
			})
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(a.body) }))
	t.Cleanup(server.Close)
	l.atFixedTimes(t, s, steady)
	l.atFixedTimes(t, &running{address: server.Listener.Addr().String(), client: s.client}, bare)
	return l
}

// atFixedTimes has clients ask at fixed times. When all of them wait, nobody is left to ask:
// on a machine that stands still, ever more connections would meet the service's limit.
func (l *load) atFixedTimes(t testing.TB, s *running, place int) {
	dues := make(chan time.Time)
	for range 64 {
		l.ended.Go(func() {
			for due := range dues {
				l.one(t, s, place, due)
			}
		})
	}
	l.ended.Go(func() {
		defer close(dues)
		for due := time.Now(); ; due = due.Add(steadyPause) {
			select {
			case <-l.stop:
				return
			case <-time.After(time.Until(due)):
			}
			select {
			case dues <- due:
			default:
			}
		}
	})
}

// one makes one request, which was due at a time, and notes what came of it.
func (l *load) one(t testing.TB, s *running, place int, due time.Time) {
	c := l.clients[place]
	address, login := c.address(l.serial.Add(1))
	l.mu.Lock()
	phase := l.phase
	l.mu.Unlock()
	got := s.ask(t, c.way, address)
	took := time.Since(due)

	l.mu.Lock()
	defer l.mu.Unlock()
	want := s.expect(t, c.way, address, login)
	word := got
	switch got {
	case want:
		word = "right"
	case unavailable:
	default:
		l.wrong = append(l.wrong, fmt.Sprintf("%s, %s: %s got %s, want %s", phase, c.name, address, got, want))
	}
	key := phase + "\t" + c.name
	if l.outcomes[key] == nil {
		l.outcomes[key] = map[string]int{}
	}
	l.outcomes[key][word]++
	if l.times[phase] == nil {
		l.times[phase] = map[int][]time.Duration{}
	}
	l.times[phase][place] = append(l.times[phase][place], took)
	l.peak = max(l.peak, runtime.NumGoroutine())
}

// enter begins a phase.
func (l *load) enter(phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = phase
}

// end stops the clients, and fails the test for each wrong answer.
func (l *load) end(t testing.TB) {
	t.Helper()
	close(l.stop)
	l.ended.Wait()
	for i, wrong := range l.wrong {
		if i == 5 {
			t.Errorf("… and %d more wrong answers", len(l.wrong)-i)
			break
		}
		t.Errorf("wrong answer: %s", wrong)
	}
	for _, key := range slices.Sorted(maps.Keys(l.outcomes)) {
		t.Logf("%-40s %v", key, l.outcomes[key])
	}
	for _, phase := range slices.Sorted(maps.Keys(l.times)) {
		for place, c := range l.clients {
			t.Logf("%-10s %-14s p50 %-10v p99 %v",
				phase, c.name, l.quantile(phase, place, 0.5), l.quantile(phase, place, 0.99))
		}
	}
}

// count returns how often a kind of client asked in a phase.
func (l *load) count(phase string, place int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.times[phase][place])
}

// quantile returns a quantile of the times of a kind of client in a phase.
func (l *load) quantile(phase string, place int, q float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	times := slices.Sorted(slices.Values(l.times[phase][place]))
	if len(times) == 0 {
		return 0
	}
	return times[int(q*float64(len(times)-1))].Round(time.Microsecond)
}
