// Package freeport chooses ports for servers that tests start and that cannot say
// which one they got.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// The ports that are chosen lie below those that Linux gives to outgoing
// connections unless told otherwise (32768 and up, ip(7)): of these any may be
// taken by the time that a server asks for it, and all are while another test
// makes many connections.
const (
	lowest = 10_000
	count  = 20_000
)

// next starts anywhere, so that the processes of one run of all tests hardly ever
// meet, and never goes back, so that the ports of one process differ.
var next atomic.Uint32

func init() { next.Store(rand.Uint32N(count)) }

// Choose returns a port that nobody has on 127.0.0.1, over TCP and UDP, and that it
// has not returned before.
func Choose(t testing.TB) string {
	t.Helper()
	for range 50 {
		port := strconv.Itoa(lowest + int(next.Add(1)%count))
		if free("127.0.0.1:" + port) {
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}

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
