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
			t.Fatalf("%s is chosen twice", port)
		}
		seen[port] = true
	}
}

func TestTakenIsNotFree(t *testing.T) {
	address := "127.0.0.1:" + Choose(t)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if free(address) {
		t.Error("a port that is taken over TCP is free")
	}
	listener.Close()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	if free(address) {
		t.Error("a port that is taken over UDP is free")
	}
}
