package rig

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy passes connections on to a server, until it is told to swallow: then it takes what
// comes from either side and passes nothing on, as a broken network does that nobody is
// told of.
type Proxy struct {
	Address string

	listener net.Listener
	swallows atomic.Bool
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// NewProxy starts a proxy that passes connections on to an address, until the test ends.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: listener.Addr().String(), listener: listener, open: map[net.Conn]bool{}}
	t.Cleanup(p.close)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client, to)
		}
	}()
	return p
}

// Swallow has the proxy pass nothing on from now on. Connections that lived through that
// stay dead even when it ends: bytes are missing in them.
func (p *Proxy) Swallow(swallow bool) { p.swallows.Store(swallow) }

func (p *Proxy) serve(client net.Conn, to string) {
	defer client.Close()
	p.track(client, true)
	defer p.track(client, false)
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.pass(client, server)
		client.Close()
	}()
	p.pass(server, client)
	server.Close()
	<-done
}

// pass copies from one connection to the other, or drops what it reads.
func (p *Proxy) pass(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	dead := false
	for {
		n, err := from.Read(buffer)
		dead = dead || p.swallows.Load()
		if err != nil {
			if dead { // the other side is not told either
				io.Copy(io.Discard, to)
			}
			return
		}
		if dead {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func (p *Proxy) track(conn net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open {
		p.open[conn] = true
	} else {
		delete(p.open, conn)
	}
}

func (p *Proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		conn.Close()
	}
}
