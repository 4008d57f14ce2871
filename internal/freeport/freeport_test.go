package freeport

import (
	"net"
	"testing"
)

func TestChoose(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		port := Choose(t)
		if seen[port] {
			t.Fatalf("Choose returned port %s twice", port)
		}
		seen[port] = true
	}
}

func TestPortInUse(t *testing.T) {
	address := "127.0.0.1:" + Choose(t)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if free(address) {
		t.Errorf("free(%s) = true while a TCP listener uses it", address)
	}
	listener.Close()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	if free(address) {
		t.Errorf("free(%s) = true while a UDP socket uses it", address)
	}
}
