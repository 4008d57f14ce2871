package service

import "runtime/debug"

// Requests make garbage of a few KB each, and the runtime collects when as much
// has been made as is in use. A small configuration uses less than 3 MB, so that a
// busy service would collect some twenty times a second. The ballast counts as in use
// and is never touched, so that the system gives no memory for it.
const ballastSize = 12 << 20

var ballast []byte

// settle is called when a configuration has come into use. It gives back what
// only reading it took, for which a small machine has better uses.
func settle() {
	if ballast == nil {
		ballast = make([]byte, ballastSize)
	}
	debug.FreeOSMemory()
}
