package service

import (
	"os"
	"runtime"
	"runtime/debug"
)

// minHeap is the size that the heap reaches before the garbage collector runs. A small
// configuration uses less than 3 MB, and each request allocates a few KB: with the
// default, a busy service would collect some twenty times a second.
const minHeap = 16 << 20

// trimHeap is called when a configuration has been loaded. It returns the memory that
// only loading needed to the system, and sets the garbage collector for the size of the
// configuration.
//
// A GOGC that the operator has set in the environment stays.
func trimHeap() {
	debug.FreeOSMemory()
	if os.Getenv("GOGC") != "" {
		return
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	growth := 100 * (minHeap - int(stats.HeapAlloc)) / int(stats.HeapAlloc)
	debug.SetGCPercent(min(max(growth, 100), 400))
}
