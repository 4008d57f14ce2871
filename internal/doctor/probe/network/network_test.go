package network

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
	"signpost/internal/doctor/probe"
)

// network returns a Network whose resolver knows the lines of a zone nordlys.example and nothing
// else, and which may ask loopback addresses at any port.
func network(t *testing.T, o Options, lines ...string) (*Network, *dnstest.Zone) {
	t.Helper()
	zone := dnstest.NewZone(t, "nordlys.example", lines...)
	return networkAt(t, o, zone.ServeDNS), zone
}

func networkAt(t *testing.T, o Options, resolver dns.HandlerFunc) *Network {
	t.Helper()
	o.Servers = []string{dnstest.StartServer(t, resolver)}
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// atHome are the options of tests that ask servers on loopback.
var atHome = Options{Private: true, AnyPort: true}

// listen accepts connections at an address of loopback, lets serve have each, and returns the port.
func listen(t *testing.T, address string, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// silent serves a connection on which nothing ever comes.
func silent(c net.Conn) {
	c.Read(make([]byte, 1<<10))
	c.SetReadDeadline(time.Now().Add(time.Minute))
	c.Read(make([]byte, 1))
}

// get asks for a URL.
func get(t *testing.T, n *Network, url string) probe.WebAnswer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return n.Web(ctx, probe.WebQuestion{Method: "GET", URL: url})
}

// wantFailure checks the kind of a failure and a part of its text.
func wantFailure(t *testing.T, what string, got *probe.Failure, kind probe.FailureKind, text string) {
	t.Helper()
	switch {
	case got == nil:
		t.Errorf("%s: no failure, want %s (%s)", what, kind, text)
	case got.Kind != kind || !strings.Contains(got.Text, text):
		t.Errorf("%s: failure %s (%s), want %s (%s)", what, got.Kind, got.Text, kind, text)
	}
}

func newReader(c net.Conn) *bufio.Reader { return bufio.NewReader(c) }
