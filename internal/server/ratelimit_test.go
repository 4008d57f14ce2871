package server

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"signpost/internal/conn"
)

func addr4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func TestLimiter(t *testing.T) {
	l := NewLimiter()
	rate := RateOf(10, 5)
	now := l.start
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range 5 {
		if wait := l.allow(one, rate, now); wait != 0 {
			t.Fatalf("request %d of the burst has to wait %v", i, wait)
		}
	}
	if wait := l.allow(one, rate, now); wait != 100*time.Millisecond {
		t.Errorf("after the burst: wait %v, want 100ms", wait)
	}
	if wait := l.allow(other, rate, now); wait != 0 {
		t.Errorf("another address has to wait %v", wait)
	}
	if wait := l.allow(one, rate, now.Add(99*time.Millisecond)); wait != time.Millisecond {
		t.Errorf("too early: wait %v, want 1ms", wait)
	}
	now = now.Add(100 * time.Millisecond)
	if wait := l.allow(one, rate, now); wait != 0 {
		t.Errorf("after the interval: wait %v, want none", wait)
	}
	if wait := l.allow(one, rate, now); wait == 0 {
		t.Error("two requests were allowed in one interval")
	}
	// Refused requests are not counted: a client that keeps trying is not locked out.
	for range 100 {
		l.allow(one, rate, now)
	}
	if wait := l.allow(one, rate, now.Add(100*time.Millisecond)); wait != 0 {
		t.Errorf("after refused requests: wait %v, want none", wait)
	}
	// A long pause allows no more than the burst.
	now, allowed := now.Add(time.Hour), 0
	for range 20 {
		if l.allow(one, rate, now) == 0 {
			allowed++
		}
	}
	if allowed != 5 {
		t.Errorf("%d requests allowed after a pause, want the burst of 5", allowed)
	}
}

// TestLimiterOfWideBlocks sends from one address of each /64 of a /48, which has four
// times the rate of one /64. The next /48 and a neighbour that waits are not concerned.
func TestLimiterOfWideBlocks(t *testing.T) {
	l := NewLimiter()
	rate, now := RateOf(10, 5), l.start
	addr := func(network byte, subnet int) netip.Addr {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, network, byte(subnet >> 8), byte(subnet), 15: 1})
	}
	allowed := 0
	for subnet := range 1000 {
		if l.allow(addr(1, subnet), rate, now) == 0 {
			allowed++
		}
	}
	if allowed != conn.Wider*5 {
		t.Errorf("%d of 1000 /64 networks of one /48 sent a request, want %d", allowed, conn.Wider*5)
	}
	if wait := l.allow(addr(2, 0), rate, now); wait != 0 {
		t.Errorf("another /48 has to wait %v", wait)
	}
	// Requests that are refused for the sake of the /48 do not count for the /64.
	neighbour := addr(1, 2000)
	for range 100 {
		if wait := l.allow(neighbour, rate, now); wait != 25*time.Millisecond {
			t.Fatalf("a neighbour has to wait %v, want 25ms", wait)
		}
	}
	for i := range 5 {
		now = now.Add(25 * time.Millisecond)
		if wait := l.allow(neighbour, rate, now); wait != 0 {
			t.Errorf("request %d of the neighbour has to wait %v", i+1, wait)
		}
	}
	for range 100 {
		l.allow(addr(3, 0), rate, now)
	}
	if wait := l.allow(addr(3, 1), rate, now); wait != 0 {
		t.Errorf("beside a /64 that floods, the rest of its /48 has to wait %v", wait)
	}
}

// TestOffice lets 200 clients behind one address set themselves up at once, with the
// default limits of the configuration.
func TestOffice(t *testing.T) {
	l, now := NewLimiter(), time.Now()
	office := netip.MustParseAddr("192.0.2.1")
	for request := range 200 * 10 {
		if wait := l.allow(office, RateOf(50, 2000), now); wait > 0 {
			t.Fatalf("request %d has to wait %v", request, wait)
		}
	}
}

// TestLimiterUnderManyAddresses floods from a million addresses: the memory does not
// grow, and addresses that have used up their burst stay limited.
func TestLimiterUnderManyAddresses(t *testing.T) {
	l := NewLimiter()
	if size := bucketSets * unsafe.Sizeof(bucketSet{}); size > 1200<<10 {
		t.Errorf("a limiter takes %d bytes, want at most 1200 KiB", size)
	}
	rate, now := RateOf(1, 100), l.start
	busy := make([]netip.Addr, 50)
	for i := range busy {
		busy[i] = addr4(10<<24 | uint32(i))
		for l.allow(busy[i], rate, now) == 0 {
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range uint32(1_000_000) {
		l.allow(addr4(172<<24|n), rate, now)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
		t.Errorf("a million addresses took %d bytes, want at most 64 KiB", grown)
	}
	for _, addr := range busy {
		if l.allow(addr, rate, now) == 0 {
			t.Errorf("%s was allowed a second burst", addr)
		}
	}
}

// TestLimiterModel compares the limiter with the definition of a token bucket, kept as a
// floating-point number.
func TestLimiterModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		l := NewLimiter()
		perSecond, burst := 1+random.IntN(200), 1+random.IntN(300)
		rate, now := RateOf(perSecond, burst), l.start
		tokens, addr := float64(burst), addr4(random.Uint32())
		for step := range 2000 {
			passed := time.Duration(random.Int64N(int64(30 * time.Millisecond)))
			now = now.Add(passed)
			tokens = min(tokens+passed.Seconds()*float64(perSecond), float64(burst))
			allowed := l.allow(addr, rate, now) == 0
			// Time is counted in whole nanoseconds, hence the tolerance.
			if allowed && tokens < 1-1e-3 || !allowed && tokens > 1+1e-3 {
				t.Fatalf("%d a second, burst %d, step %d: allowed %v with %v tokens",
					perSecond, burst, step, allowed, tokens)
			}
			if allowed {
				tokens--
			}
		}
	}
}

func TestLimiterConcurrently(t *testing.T) {
	l := NewLimiter()
	rate, addr := RateOf(1, 1000), netip.MustParseAddr("192.0.2.1")
	var allowed [8]int
	var group sync.WaitGroup
	for i := range allowed {
		group.Go(func() {
			for range 1000 {
				if l.allow(addr, rate, l.start) == 0 {
					allowed[i]++
				}
			}
		})
	}
	group.Wait()
	sum := 0
	for _, n := range allowed {
		sum += n
	}
	if sum != 1000 {
		t.Errorf("%d requests passed, want 1000", sum)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l, rate, now := NewLimiter(), RateOf(1_000_000, 1_000_000), time.Now()
	b.ReportAllocs()
	n := uint32(0)
	for b.Loop() {
		n = n*1664525 + 1013904223
		l.allow(addr4(n), rate, now)
	}
}
