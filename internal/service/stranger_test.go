package service_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// The load of TestStranger: each attack lasts a few seconds, in which each of its
// clients asks about once a second, so its cost is limited by time and by number. There
// are fewer handshakes, as each of them costs the attacker's time, too.
const (
	attackTime    = 3 * time.Second
	askers        = 600
	shakers       = 150
	victimPause   = 50 * time.Millisecond
	listedDomains = 2000
)

// victims are the questions of other clients, each about a domain that nobody has
// asked for before, and the time within which the answer has to come. The last one
// needs no DNS: it shows how busy the machine is.
var victims = []struct {
	what   string
	ask    func(v *victim, n int64) int
	within time.Duration
}{
	{"request, MX", (*victim).fresh, 500 * time.Millisecond},
	{"handshake, MX", (*victim).freshHandshake, 500 * time.Millisecond},
	{"/ask, listed", (*victim).listed, 100 * time.Millisecond},
	{"request, listed", (*victim).withoutDNS, 0},
}

// TestStranger has one stranger do its worst to the look-ups in DNS: from one IPv4
// address and from one IPv6 /48, by requests and by handshakes, for names whose servers
// are silent and for names that are not there, and through a proxy that asks for
// certificates. The others' first questions about domains found by their MX records are
// answered all the same, and so are the proxy's about names that are listed.
func TestStranger(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	w := startVictim(t)
	v4 := func(int) string { return "203.0.113.66" }
	wide := func(i int) string { return fmt.Sprintf("2001:db8:66:%x::1", i+1) }
	silent := func(i int64) string { return fmt.Sprintf("n%d-silent.test", i) }
	absent := func(i int64) string { return fmt.Sprintf("n%d-absent.test", i) }
	chain := func(i int64) string { return fmt.Sprintf("n%d-chain.test", i) }
	attacks := []struct {
		name    string
		clients int
		ask     func(ctx context.Context, i int, n int64)
	}{
		{"nobody", 0, nil},
		{"requests, one address, silent", askers, w.requests(v4, silent)},
		{"requests, /48, silent", askers, w.requests(wide, silent)},
		{"handshakes, one address, silent", shakers, w.handshakes(v4, silent)},
		{"handshakes, /48, silent", shakers, w.handshakes(wide, silent)},
		{"handshakes, one address, aliases", shakers, w.handshakes(v4, chain)},
		{"/ask, silent", askers, w.asks(silent)},
		{"/ask, absent", askers, w.asks(absent)},
	}
	goroutines := runtime.NumGoroutine()
	all := make([]times, len(victims))
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "attack\tvictim's first question\tstatus\tmedian\t99th percentile\tattacker's\tto DNS")
	for _, attack := range attacks {
		questions := w.questions.Load()
		sent := w.attack(t, attack.clients, attack.ask)
		got := make([]*times, len(victims))
		for i := range victims {
			got[i] = w.askAsVictim(i)
		}
		w.running.Wait()
		questions = w.questions.Load() - questions
		for i, g := range got {
			fmt.Fprintf(table, "%s\t%s\t%s\t%v\t%v\t%d\t%d\n", attack.name, victims[i].what, g.statuses(),
				g.at(0.5), g.at(0.99), sent.Load(), questions)
			if attack.ask != nil {
				all[i].add(g)
			}
		}
	}
	table.Flush()
	t.Logf("\n%s", &text)
	busy := all[len(victims)-1].at(0.99)
	for i, question := range victims {
		if statuses := all[i].statuses(); statuses != "200" {
			t.Errorf("%s: the answers have the statuses %s, want only 200", question.what, statuses)
		}
		if race {
			continue // which leaves the processor no time for the clients themselves
		}
		if got := all[i].at(0.99); question.within > 0 && got > question.within+2*busy {
			t.Errorf("%s: the 99th percentile is %v, and %v without DNS; want less than %v",
				question.what, got, busy, question.within)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > goroutines+50 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines+50 {
		t.Errorf("%d goroutines run after the attacks, and %d before", n, goroutines)
	}
}

// times are the answers to the questions of a victim.
type times struct {
	mu     sync.Mutex
	took   []time.Duration
	status map[int]int
}

// askAsVictim asks one of the victims' questions at regular times while the attack
// lasts, whether or not the questions before have been answered.
func (v *victim) askAsVictim(i int) *times {
	result := &times{status: map[int]int{}}
	v.running.Go(func() {
		for ; time.Now().Before(v.end); time.Sleep(victimPause) {
			v.running.Go(func() {
				begun := time.Now()
				status := victims[i].ask(v, v.next.Add(1))
				result.mu.Lock()
				defer result.mu.Unlock()
				result.took = append(result.took, time.Since(begun))
				result.status[status]++
			})
		}
	})
	return result
}

func (r *times) add(more *times) {
	r.took = append(r.took, more.took...)
	if r.status == nil {
		r.status = map[int]int{}
	}
	for status, n := range more.status {
		r.status[status] += n
	}
}

// at returns the time within which a part of the answers came.
func (r *times) at(part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.took))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)].Round(100 * time.Microsecond)
}

// statuses returns the statuses of the answers, and how many had each if there is more
// than one.
func (r *times) statuses() string {
	var all []string
	for status, n := range r.status {
		if len(r.status) == 1 {
			return fmt.Sprint(status)
		}
		all = append(all, fmt.Sprintf("%d: %d", status, n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
