package network

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/doctor/probe"
)

// TestPlaces lets several diagnoses ask the same and different servers, all at once.
func TestPlaces(t *testing.T) {
	var mu sync.Mutex
	open, most := map[string]int{}, map[string]int{}
	change := func(where string, by int) {
		mu.Lock()
		defer mu.Unlock()
		open[where] += by
		most[where] = max(most[where], open[where])
	}
	serve := func(c net.Conn) {
		address := c.LocalAddr().(*net.TCPAddr).IP.String()
		change(address, 1)
		change("all", 1)
		http.ReadRequest(newReader(c))
		time.Sleep(10 * time.Millisecond)
		change(address, -1)
		change("all", -1)
		io.WriteString(c, "HTTP/1.1 204 None\r\n\r\n")
	}
	var urls []string
	for host := 2; host < 9; host++ {
		for range 2 { // the limit is for the address, not for its ports
			address := fmt.Sprintf("127.0.0.%d", host)
			urls = append(urls, "http://"+address+":"+listen(t, address+":0", serve)+"/")
		}
	}
	var all sync.WaitGroup
	var failed atomic.Int64
	for range 4 {
		n, _ := network(t, atHome)
		for i := range 5 * len(urls) {
			all.Go(func() {
				url := fmt.Sprintf("%s%d", urls[i%len(urls)], i)
				if answer := get(t, n, url); answer.Status != 204 {
					failed.Add(1)
				}
			})
		}
	}
	all.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), 4*5*len(urls))
	}
	for where, number := range most {
		want := MaxPerAddress
		if where == "all" {
			want = MaxConnections
		}
		if number > want {
			t.Errorf("%d connections at a time to %s, want %d", number, where, want)
		}
	}
	if most["all"] < MaxConnections {
		t.Errorf("at most %d connections at a time, want %d", most["all"], MaxConnections)
	}
	if taken, waiting := connections.Taken(); taken+waiting != 0 {
		t.Errorf("%d places are still taken, %d callers wait", taken, waiting)
	}
}

// TestCeilings asks more than a diagnosis may.
func TestCeilings(t *testing.T) {
	port := listen(t, "127.0.0.1:0", says("HTTP/1.1 204 None\r\n\r\n"))
	n, zone := network(t, atHome)
	for i := range MaxWeb + 1 {
		answer := get(t, n, fmt.Sprintf("http://127.0.0.1:%s/%d", port, i))
		if i < MaxWeb && answer.Status != 204 {
			t.Fatalf("request %d: %v", i, answer.Failure)
		}
		if i == MaxWeb {
			wantFailure(t, "one request more", answer.Failure, probe.NotAsked, "at most 120 web requests")
		}
	}
	for i := range MaxDNS + 10 {
		answer := n.DNS(t.Context(), probe.DNSQuestion{Name: fmt.Sprintf("x%d.nordlys.example", i), Type: "A"})
		if i >= MaxDNS {
			wantFailure(t, "one DNS question more", answer.Failure, probe.NotAsked, "at most 180 DNS questions")
		}
	}
	if got := zone.Queries.Load(); got != MaxDNS {
		t.Errorf("the resolver was asked %d questions, want %d", got, MaxDNS)
	}
	if answer := n.DNS(t.Context(), probe.DNSQuestion{Name: "nordlys.example", Type: "SOA",
		View: probe.Unchecked}); answer.Failure != nil {
		t.Errorf("another view: %v", *answer.Failure)
	}
	if got, want := n.Counts(), (Counts{Web: MaxWeb, DNS: MaxDNS, Unchecked: 1}); got != want {
		t.Errorf("Counts() = %+v, want %+v", got, want)
	}
}

// TestTriedOnce connects to a port that refuses. It is tried once in a diagnosis, and again in the next.
func TestTriedOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	n, _ := network(t, atHome)
	first := get(t, n, "http://127.0.0.1:"+port+"/1")
	wantFailure(t, "a closed port", first.Failure, probe.Refused, "refuses")
	listen(t, "127.0.0.1:"+port, says("HTTP/1.1 204 None\r\n\r\n"))
	again := get(t, n, "http://127.0.0.1:"+port+"/2")
	wantFailure(t, "the same port", again.Failure, probe.Refused, "refuses")
	if again.Took != first.Took || again.Address != first.Address {
		t.Errorf("again: took %v, from %v, want %v, %v", again.Took, again.Address, first.Took, first.Address)
	}
	if next, _ := network(t, atHome); get(t, next, "http://127.0.0.1:"+port+"/").Status != 204 {
		t.Error("the next diagnosis did not ask the port again")
	}
}

// TestSecondAddress connects to a host of which one address refuses or never answers.
func TestSecondAddress(t *testing.T) {
	port := listen(t, "127.0.0.2:0", says("HTTP/1.1 204 None\r\n\r\n"))
	n, _ := network(t, atHome, "www.nordlys.example. 300 IN A 127.0.0.3", "www.nordlys.example. 300 IN A 127.0.0.2",
		"six.nordlys.example. 300 IN AAAA ::1", "six.nordlys.example. 300 IN A 127.0.0.2")
	for _, host := range []string{"www", "six"} {
		answer := get(t, n, "http://"+host+".nordlys.example:"+port+"/")
		if answer.Status != 204 || answer.Address != netip.MustParseAddr("127.0.0.2") {
			t.Errorf("%s: status %d from %v, failure %v, want 204 from 127.0.0.2", host, answer.Status, answer.Address,
				answer.Failure)
		}
	}
	one := n.Web(t.Context(), probe.WebQuestion{Method: "GET", URL: "http://www.nordlys.example:" + port + "/",
		Address: netip.MustParseAddr("127.0.0.3")})
	wantFailure(t, "the address that refuses, alone", one.Failure, probe.Refused, "")
}

// TestSilentPort gives up a port that never answers after a few requests, but not one that sometimes does.
func TestSilentPort(t *testing.T) {
	n, _ := network(t, atHome)
	c := &connection{address: netip.MustParseAddr("127.0.0.1"), port: 1}
	target := netip.AddrPortFrom(c.address, c.port)
	late := &probe.Failure{Kind: probe.TimedOut}
	for i := range maxSilent {
		if got := n.known(target); got != nil {
			t.Fatalf("after %d silent requests: %v", i, got.failure.Text)
		}
		n.heard(c, false, late)
	}
	got := n.known(target)
	if got == nil {
		t.Fatalf("after %d silent requests, the port is asked again", maxSilent)
	}
	wantFailure(t, "a silent port", got.failure, probe.TimedOut, "3 other requests")
	if got.elapsed() != probe.ByteLimit {
		t.Errorf("took %v, want %v", got.elapsed(), probe.ByteLimit)
	}
	n.heard(c, true, late) // a header that does not end is an answer, too
	if n.known(target) != nil {
		t.Error("a port that answered once is given up")
	}
}

// TestWorst: no route from here says less than what another address of the host did, and is no fault of the host.
func TestWorst(t *testing.T) {
	failed := func(kind probe.FailureKind, took time.Duration) *connection {
		return &connection{failure: &probe.Failure{Kind: kind}, took: took, noRoute: kind == probe.Unreachable}
	}
	for _, test := range []struct {
		a, b *connection
		want probe.FailureKind
	}{
		{failed(probe.Unreachable, 9), failed(probe.Refused, 1), probe.Refused},
		{failed(probe.TimedOut, 9), failed(probe.Refused, 1), probe.TimedOut},
		{failed(probe.Forbidden, 0), failed(probe.TimedOut, 9), probe.Forbidden},
		{failed(probe.NotAsked, 0), failed(probe.Unreachable, 9), probe.NotAsked},
	} {
		for _, list := range [][]*connection{{test.a, test.b}, {test.b, test.a}} {
			if got := worst(list).failure.Kind; got != test.want {
				t.Errorf("worst of %s and %s = %s, want %s", test.a.failure.Kind, test.b.failure.Kind, got, test.want)
			}
		}
	}
}

// TestNoRoute connects to an IPv6 address from a machine that has no route to it, if this is one.
func TestNoRoute(t *testing.T) {
	public := netip.MustParseAddrPort("[2a00:1450:4001::1]:9")
	if hasRoute(public) {
		t.Skip("this machine has IPv6")
	}
	n, _ := network(t, Options{AnyPort: true}, "six.nordlys.example. 300 IN AAAA "+public.Addr().String())
	q := probe.WebQuestion{Method: "GET", URL: "http://six.nordlys.example:9/"}
	wantFailure(t, "a host with IPv6 alone", n.Web(t.Context(), q).Failure, probe.NotAsked, "no route")
	q.Address = public.Addr()
	wantFailure(t, "its address", n.Web(t.Context(), q).Failure, probe.Unreachable, "no route")
}
