package acceptance

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// machineTimeout is how long the test of several machines may take.
const machineTimeout = 4 * time.Minute

// sharedNames is how many names are asked for by the test of several machines, and sharedOutages
// is how long the database is away, several times. SIGNPOST_MACHINE_NAMES and
// SIGNPOST_MACHINE_OUTAGES set others.
const (
	sharedNames   = 40
	sharedOutages = "1s 4s"
)

// TestMachines starts three machines, each in a network namespace of its own, that share
// certificates in PostgreSQL. HAProxy is in front of them, and Pebble is the ACME server.
func TestMachines(t *testing.T) {
	need(t, "haproxy", "nsenter", "unshare")
	names := number(t, "SIGNPOST_MACHINE_NAMES", sharedNames)
	outages, all := durations(t, "SIGNPOST_MACHINE_OUTAGES", sharedOutages)
	closedFor(t, machineTimeout+all+time.Duration(names)*time.Second/2, func(t *testing.T) {
		f := startFarm(t, 3, names+50)
		f.orderOnce(t, names)
		f.serveWithEmptyDisk(t, names)
		f.resume(t)
		f.sameProfile(t)
		f.killWhileOrdering(t, f.names[names])
		f.restartInOutage(t)
		for i, length := range outages {
			f.outage(t, length, f.names[names+2+2*i:])
		}
		f.stopWhileOrdering(t, f.names[names+1])
	})
}

// orderOnce asks for names for the first time, at whichever machine. Each is ordered once, and
// each machine has it afterwards.
func (f *farm) orderOnce(t *testing.T, names int) {
	began := time.Now()
	f.atOnce(t, 16, f.shuffled(names), func(name string) error { return f.handshake(frontIP, name) })
	ordering := time.Since(began)
	if got := f.acme.orders.Load(); got > int64(names) {
		t.Errorf("%d orders for %d names, want no more than one for each", got, names)
	}
	for _, m := range f.machines {
		f.atOnce(t, 16, f.names[:names], func(name string) error { return f.handshake(m.ip, name) })
	}
	if got := f.acme.orders.Load(); got > int64(names) {
		t.Errorf("after each machine has served each name there are %d orders for %d names", got, names)
	}
	t.Logf("%d names asked for at 3 machines: %d orders in %.1f s", names, f.acme.orders.Load(), ordering.Seconds())
}

// serveWithEmptyDisk starts a fourth machine. It has all certificates at once.
func (f *farm) serveWithEmptyDisk(t *testing.T, names int) {
	before := f.acme.orders.Load()
	m := f.startMachine(t, len(f.machines)+1)
	defer m.stop()
	f.atOnce(t, 16, f.names[:names], func(name string) error { return f.handshake(m.ip, name) })
	if got := f.acme.orders.Load(); got != before {
		t.Errorf("the fourth machine placed %d orders, want none", got-before)
	}
}

// resume resumes a session at another machine than that where it began.
func (f *farm) resume(t *testing.T) {
	config := f.clientConfig(f.names[0])
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for i, m := range f.machines {
		state, err := f.get(m.ip, config)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && !state.DidResume {
			t.Errorf("the session was not resumed at %s", m.ip)
		}
	}
}

// sameProfile fetches a profile from each machine: a device takes the same for the same account.
func (f *farm) sameProfile(t *testing.T) {
	var first string
	for _, m := range f.machines {
		client := f.client(m.ip)
		resp, err := client.Get("https://setup.hoster.example/profile.mobileconfig?emailaddress=anna%40" + f.domain(0))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("profile from %s: status %d, %v", m.ip, resp.StatusCode, err)
		}
		if first = cmp.Or(first, string(body)); string(body) != first {
			t.Errorf("the profile from %s is another than the first:\n%s\n%s", m.ip, body, first)
		}
	}
}

// killWhileOrdering kills a machine in the middle of an order. Another finishes it as soon as
// the lock has ended by itself.
func (f *farm) killWhileOrdering(t *testing.T, name string) {
	f.acme.orderDelay.Store(int64(3 * time.Second))
	victim := f.machines[2]
	go f.handshake(victim.ip, name)
	time.Sleep(1500 * time.Millisecond)
	if got := f.acme.waiting.Load(); got != 1 {
		t.Errorf("%d orders are under way at the ACME server, want 1", got)
	}
	victim.kill()
	f.acme.orderDelay.Store(0)
	began := time.Now()
	for time.Since(began) < 40*time.Second {
		if f.handshake(f.machines[0].ip, name) == nil {
			t.Logf("after the machine that ordered was killed, another served the name within %.1f s",
				time.Since(began).Seconds())
			f.machines[2] = f.startMachine(t, 3)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("after the machine that ordered was killed, %s had no certificate within 40 s\n%s", name, f.machines[0].log)
}

// restartInOutage restarts a machine while the database is away. It has no certificate, so no client
// is sent to it: it is not ready before the database is back, while the others are.
func (f *farm) restartInOutage(t *testing.T) {
	f.atOnce(t, 2, []string{f.machines[0].ip, f.machines[1].ip},
		func(ip string) error { return f.handshake(ip, f.names[0]) })
	f.database.away(true)
	f.machines[2].stop()
	f.machines[2] = f.startMachine(t, 3)
	f.awaitReadiness(t, f.machines[2], http.StatusServiceUnavailable)
	f.atOnce(t, 4, slices.Repeat(f.names[:1], 30), func(name string) error { return f.handshake(frontIP, name) })
	for _, m := range f.machines[:2] {
		f.awaitReadiness(t, m, http.StatusOK)
	}
	f.database.away(false)
	f.awaitHealthy(t, f.machines[2])
	if err := f.handshake(f.machines[2].ip, f.names[0]); err != nil {
		t.Errorf("the machine that was restarted, after the database is back: %v", err)
	}
}

// stopWhileOrdering stops a machine while a client waits for an order, longer than net/http waits
// for a request. The client gets the certificate and an answer, and the name is ordered once.
func (f *farm) stopWhileOrdering(t *testing.T, name string) {
	before := f.acme.orders.Load()
	f.acme.issueDelay.Store(int64(6 * time.Second))
	answered := make(chan error, 1)
	go func() {
		_, err := f.get(f.machines[1].ip, f.clientConfig(name))
		answered <- err
	}()
	f.awaitDelayed(t)
	f.machines[1].stop()
	if err := <-answered; err != nil {
		t.Errorf("the client that waited when the machine was stopped: %v\n%s", err, f.machines[1].log)
	}
	f.acme.issueDelay.Store(0)
	if err := f.handshake(f.machines[0].ip, name); err != nil {
		t.Errorf("at another machine: %v", err)
	}
	if got := f.acme.orders.Load() - before; got != 1 {
		t.Errorf("%d orders were placed, want 1", got)
	}
	f.machines[1] = f.startMachine(t, 2)
}

// awaitDelayed waits until the ACME server delays an answer.
func (f *farm) awaitDelayed(t *testing.T) {
	t.Helper()
	for began := time.Now(); f.acme.waiting.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatal("no order is under way")
		}
	}
}

// outage takes the database away for a while. What is in memory is served, an order that is
// under way is finished and not lost, and nothing is ordered twice.
func (f *farm) outage(t *testing.T, length time.Duration, names []string) {
	before := f.acme.orders.Load()
	f.acme.issueDelay.Store(int64(2 * time.Second))
	under := make(chan error, 1)
	go func() { under <- f.handshake(f.machines[0].ip, names[0]) }()
	f.awaitDelayed(t)
	f.database.away(true)
	f.acme.issueDelay.Store(0)
	if err := <-under; err != nil {
		t.Errorf("an order that was under way when the database went away: %v\n%s", err, f.machines[0].log)
	}
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for _, m := range f.machines[:2] {
			if err := f.handshake(m.ip, f.names[rand.N(10)]); err != nil {
				t.Errorf("while the database is away: %v", err)
			}
			if _, err := f.get(m.ip, f.clientConfig(f.names[0])); err != nil {
				t.Errorf("while the database is away: %v", err)
			}
		}
	}
	if err := f.handshake(f.machines[1].ip, names[1]); err == nil {
		t.Error("a new name has a certificate while the database is away")
	}
	f.database.away(false)
	began := time.Now()
	for _, name := range names[:2] {
		for _, m := range f.machines {
			for time.Since(began) < 30*time.Second && f.handshake(m.ip, name) != nil {
				time.Sleep(200 * time.Millisecond)
			}
			if err := f.handshake(m.ip, name); err != nil {
				t.Errorf("after the database is back: %v\n%s", err, m.log)
			}
		}
	}
	if got := f.acme.orders.Load() - before; got != 2 {
		t.Errorf("%d orders for the two names of the outage, want 2", got)
	}
	t.Logf("%v after the database was back, all machines served the names of the outage",
		time.Since(began).Round(time.Millisecond))
}

// TestRollingRestart restarts and reloads three machines behind HAProxy, one after the other,
// under load: no request fails. When one is killed, only its requests in flight do.
func TestRollingRestart(t *testing.T) {
	need(t, "haproxy", "nsenter", "unshare")
	closedFor(t, machineTimeout, func(t *testing.T) {
		rounds := number(t, "SIGNPOST_MACHINE_ROUNDS", 2)
		f := startFarm(t, 3, 1)
		for _, m := range f.machines {
			if err := f.handshake(m.ip, f.names[0]); err != nil {
				t.Fatal(err)
			}
		}
		load := f.load(t, 64)
		for range rounds {
			for i, m := range f.machines {
				m.stop()
				f.machines[i] = f.startMachine(t, i+1)
				f.awaitHealthy(t, f.machines[i])
			}
			for _, m := range f.machines {
				m.process.Signal(syscall.SIGHUP)
				time.Sleep(500 * time.Millisecond)
			}
		}
		answered, failed := load.counts()
		if failed != 0 || answered < 1000 {
			t.Errorf("during rolling restarts and reloads %d requests were answered and %d failed: %v; want none to fail",
				answered, failed, load.first())
		}
		f.machines[1].kill()
		time.Sleep(2 * time.Second)
		answered2, failed2 := load.stop()
		if lost := failed2 - failed; lost > 64 {
			t.Errorf("when a machine was killed %d requests failed, want at most the 64 in flight", lost)
		}
		t.Logf("%d requests during restarts and reloads, none failed; %d more, of which %d failed, when a machine was killed",
			answered, answered2-answered, failed2-failed)
	})
}

// TestMachinesWithDirectory starts two machines with the same directory for certificates. They
// answer each other's challenges, order each name once, and count orders together.
func TestMachinesWithDirectory(t *testing.T) {
	need(t, "haproxy", "nsenter", "unshare")
	closedFor(t, machineTimeout, func(t *testing.T) {
		const names, perHour = 16, 12
		f := &farm{}
		f.start(t, 2, names, fmt.Sprintf("\n    storage: %s\n    ordersPerHour: %d\n", t.TempDir(), perHour))
		var served, refused []string
		for _, name := range f.names {
			if f.handshake(frontIP, name) == nil {
				served = append(served, name)
			} else {
				refused = append(refused, name)
			}
		}
		for _, m := range f.machines {
			f.atOnce(t, 4, served, func(name string) error { return f.handshake(m.ip, name) })
			if len(refused) == 0 || f.handshake(m.ip, refused[0]) == nil {
				t.Errorf("%s orders more than the machines may together", m.ip)
			}
		}
		// A quarter is for renewals, one order was that of the service's own name, and an attempt needs two.
		if orders := int(f.acme.orders.Load()); orders != len(served) || orders != perHour*3/4-2 {
			t.Errorf("%d names are served with %d orders, want %d: each succeeds at once, whichever machine is asked",
				len(served), orders, perHour*3/4-2)
		}
	})
}

// atOnce calls f for each name, several at a time. A failure is an error of the test.
func (f *farm) atOnce(t *testing.T, places int, names []string, do func(name string) error) {
	t.Helper()
	var group sync.WaitGroup
	waiting := make(chan string)
	var failures atomic.Int32
	for range places {
		group.Go(func() {
			for name := range waiting {
				if err := do(name); err != nil && failures.Add(1) <= 3 {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	for _, name := range names {
		waiting <- name
	}
	close(waiting)
	group.Wait()
	if n := failures.Load(); n > 0 {
		t.Errorf("%d of %d names failed", n, len(names))
		for _, m := range f.machines {
			t.Logf("%s:\n%s", m.ip, tail(m.log.String(), 20))
		}
		t.FailNow()
	}
}

// shuffled returns the first names in another order.
func (f *farm) shuffled(names int) []string {
	some := slices.Clone(f.names[:names])
	rand.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	return some
}

// number returns the number that an environment variable holds, or another one.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	var n int
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatalf("%s=%q is no number", variable, text)
	}
	return n
}

// durations returns the durations that an environment variable holds, or others, and their sum.
func durations(t *testing.T, variable, otherwise string) (all []time.Duration, sum time.Duration) {
	t.Helper()
	for text := range strings.FieldsSeq(cmp.Or(os.Getenv(variable), otherwise)) {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("%s: %v", variable, err)
		}
		all = append(all, d)
		sum += d
	}
	return all, sum
}
