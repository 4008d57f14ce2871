// Package freeport chooses ports for servers that tests start and that cannot report
// which port they use.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// The ports lie below those that Linux uses for outgoing connections by default
// (32768 and up, ip(7)). One of those may be in use by the time that a server asks for
// it, and all of them are while another test makes many connections.
const (
	lowest = 10_000
	count  = 20_000
)

// next starts at random, so that parallel test processes hardly ever choose the same
// port. It only increases, so that the ports of one process differ.
var next atomic.Uint32

func init() { next.Store(rand.Uint32N(count)) }

// Choose returns a port of 127.0.0.1 that is free for TCP and UDP, and that it has not
// returned before.
func Choose(t testing.TB) string {
	t.Helper()
	for range 50 {
		port := strconv.Itoa(lowest + int(next.Add(1)%count))
		if free("127.0.0.1:" + port) {
			return port
		}
	}
	t.Fatal("found no free port in 50 attempts")
	return ""
}

// free reports whether the address is free for TCP and UDP.
func free(address string) bool {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer listener.Close()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	packets.Close()
	return true
}
