package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// Requests make garbage of a few KB each, and the runtime collects whenever as
// much has been made as is in use. A small configuration uses less than 3 MB, so
// that a busy service would collect some twenty times a second. It may make
// garbageRoom before it collects; a configuration that uses more than that is
// left to the runtime's own rule.
const (
	garbageRoom = 12 << 20
	// The runtime lets a heap below 4 MB grow as if it had 4 MB
	// (runtime/debug.SetGCPercent).
	smallestHeap = 4 << 20
)

// settle is called when a configuration has come into use. It gives back what
// only reading it took, for which a small machine has better uses, and decides
// how much garbage may be made. GOGC in the environment overrides that.
func settle() {
	debug.FreeOSMemory() // also collects
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	used := max(live[0].Value.Uint64(), smallestHeap)
	debug.SetGCPercent(int(max(100, garbageRoom*100/used)))
}
