package doctor

import (
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/doctor/probe"
	"signpost/internal/doctor/probe/network"
)

func (l *loopback) newAsker() (probe.Asker, error) { return network.New(l.options) }

// numberedDomains yields d1.example and so on.
func numberedDomains(n int) iter.Seq[account.Address] {
	return func(yield func(account.Address) bool) {
		for i := range n {
			a, err := AtDomain(fmt.Sprintf("d%d.example", i+1))
			if err != nil || !yield(a) {
				return
			}
		}
	}
}

// watchMemory looks at the heap now and then, and returns a function that tells the most that
// was in use.
func watchMemory(t testing.TB) func() uint64 {
	var peak atomic.Uint64
	debug.FreeOSMemory() // collects what earlier tests left
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return peak.Load
}
