package network

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"signpost/internal/doctor/probe"
)

func TestIsPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"9.9.9.9":                true,
		"193.0.6.139":            true,
		"2001:67c:2e8::1":        true,
		"2a00:1450:4001::1":      true,
		"64:ff9b::909:909":       true, // NAT64 of 9.9.9.9
		"2000::1":                true,
		"0.0.0.0":                false,
		"0.1.2.3":                false,
		"10.0.0.5":               false,
		"100.64.0.1":             false, // shared by providers (RFC 6598)
		"100.127.255.255":        false,
		"100.128.0.1":            true,
		"127.0.0.1":              false,
		"127.255.0.1":            false,
		"169.254.169.254":        false, // of cloud machines
		"172.16.0.1":             false,
		"172.32.0.1":             true,
		"192.0.0.8":              false,
		"192.0.2.1":              false,
		"192.88.99.1":            false,
		"192.168.1.1":            false,
		"198.18.0.1":             false,
		"198.19.255.255":         false,
		"198.51.100.1":           false,
		"203.0.113.1":            false,
		"224.0.0.1":              false,
		"239.1.1.1":              false,
		"240.0.0.1":              false,
		"255.255.255.255":        false,
		"::":                     false,
		"::1":                    false,
		"::ffff:9.9.9.9":         false, // no server has such an address in DNS
		"::ffff:127.0.0.1":       false,
		"::7f00:1":               false, // IPv4-compatible
		"64:ff9b::7f00:1":        false, // NAT64 of 127.0.0.1
		"64:ff9b::a00:5":         false,
		"64:ff9b::c0a8:101":      false,
		"64:ff9b:1::909:909":     false, // NAT64 of a site (RFC 8215)
		"100::1":                 false,
		"2001::1":                false, // Teredo
		"2001:2::1":              false,
		"2001:10::1":             false,
		"2001:20::1":             false,
		"2001:db8::1":            false,
		"2002:7f00:1::":          false, // 6to4 of 127.0.0.1
		"2002:909:909::1":        false,
		"3fff::1":                false,
		"5f00::1":                false,
		"fc00::1":                false,
		"fd12:3456::1":           false,
		"fe80::1":                false,
		"fe80::1%eth0":           false,
		"2a00:1450:4001::1%eth0": false,
		"fec0::1":                false,
		"ff02::1":                false,
		"4000::1":                false,
		"::ffff:0:127.0.0.1":     false, // SIIT (RFC 2765)
	} {
		if got := IsPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("IsPublic(%s) = %v, want %v", text, got, want)
		}
	}
}

// TestForbidden asks for servers inside by every way that leads there. None is reached.
func TestForbidden(t *testing.T) {
	reached := make(chan string, 100)
	port := listen(t, "127.0.0.1:0", func(c net.Conn) { reached <- c.RemoteAddr().String() })
	n, _ := network(t, Options{AnyPort: true, Forbidden: []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:9091")}},
		"loop.nordlys.example. 300 IN A 127.0.0.1",
		"loop6.nordlys.example. 300 IN AAAA ::1",
		"mapped.nordlys.example. 300 IN AAAA ::ffff:127.0.0.1",
		"nat64.nordlys.example. 300 IN AAAA 64:ff9b::7f00:1",
		"inside.nordlys.example. 300 IN A 10.0.0.5",
		"none.nordlys.example. 300 IN A 0.0.0.0",
		"alias.nordlys.example. 300 IN CNAME loop.nordlys.example.",
	)
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[::]", "0.0.0.0", "[fe80::1%25lo]",
		"[::1%25lo]",
		"localhost", "localhost.", "LOCALHOST", "www.localhost", "loop.nordlys.example", "loop.nordlys.example.",
		"loop6.nordlys.example", "mapped.nordlys.example", "nat64.nordlys.example", "inside.nordlys.example",
		"none.nordlys.example",
		"127.1", "2130706433", "0x7f000001", "0x7f.1", "127.0.0.1.", "x.0x7f000001",
	} {
		answer := get(t, n, "http://"+host+":"+port+"/")
		wantFailure(t, host, answer.Failure, probe.Forbidden, "")
	}
	for url, text := range map[string]string{
		"http://anna:geheim@www.nordlys.example/": "user name",
		"http://anna@127.0.0.1:" + port + "/":     "user name",
	} {
		wantFailure(t, url, get(t, n, url).Failure, probe.Forbidden, text)
	}
	at := n.Web(t.Context(), probe.WebQuestion{Method: "GET", URL: "http://www.nordlys.example:" + port + "/",
		Address: netip.MustParseAddr("127.0.0.1")})
	wantFailure(t, "a question with the address of loopback", at.Failure, probe.Forbidden, "public internet")
	wantFailure(t, "a name server inside", n.DNS(t.Context(), probe.DNSQuestion{Name: "nordlys.example", Type: "A",
		View: "10.0.0.5"}).Failure, probe.Forbidden, "public internet")
	select {
	case from := <-reached:
		t.Errorf("a connection from %s reached the server on loopback", from)
	default:
	}
}

// TestPorts asks for ports that no web server of the public has.
func TestPorts(t *testing.T) {
	n, _ := network(t, Options{Private: true}, "www.nordlys.example. 300 IN A 127.0.0.1")
	for _, url := range []string{"http://www.nordlys.example:22/", "https://www.nordlys.example:8443/",
		"http://www.nordlys.example:25/",
		"http://www.nordlys.example:0/"} {
		wantFailure(t, url, get(t, n, url).Failure, probe.Forbidden, "")
	}
	for _, url := range []string{"ftp://www.nordlys.example/", "file:///etc/passwd", "gopher://127.0.0.1/", "http:///x",
		"www.nordlys.example",
		"http://www.nordlys.example:99999/", "http://www.nordlys.example/" + strings.Repeat("a", 5000), "http://[::1/",
		"http://%zz/"} {
		wantFailure(t, url[:min(len(url), 60)], get(t, n, url).Failure, probe.BadProtocol, "")
	}
	if got := n.Counts(); got.Web+got.DNS > 2 {
		t.Errorf("URLs that are not asked counted: %+v", got)
	}
	wantFailure(t, "a name server at port 5353",
		n.DNS(t.Context(), probe.DNSQuestion{Name: "nordlys.example", Type: "A",
			View: "127.0.0.1:5353"}).Failure, probe.Forbidden, "port is not 53")
}

// TestOwnPorts lets documents of strangers name ports of this machine.
func TestOwnPorts(t *testing.T) {
	n, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	own := netip.MustParseAddr("11.0.0.1")
	n.isOwn = func(a netip.Addr) bool { return a == own }
	for _, row := range []struct {
		to        string
		forbidden bool
	}{
		{"11.0.0.1:993", false}, {"11.0.0.1:4190", false}, {"11.0.0.1:443", false},
		{"11.0.0.1:3306", true}, {"11.0.0.1:6379", true}, {"11.0.0.2:3306", false},
	} {
		if got := n.forbids(netip.MustParseAddrPort(row.to)) != nil; got != row.forbidden {
			t.Errorf("%s is forbidden: %v, want %v", row.to, got, row.forbidden)
		}
	}
	n.options.Private = true
	if failure := n.forbids(netip.MustParseAddrPort("11.0.0.1:3306")); failure != nil {
		t.Errorf("with -private: %s, want it asked", failure.Text)
	}
}

// TestAdmin asks for the own admin listener, which private networks do not open either.
func TestAdmin(t *testing.T) {
	reached := make(chan bool, 10)
	port := listen(t, "127.0.0.1:0", func(net.Conn) { reached <- true })
	for _, bound := range []string{"127.0.0.1", "0.0.0.0", "[::]"} {
		o := atHome
		o.Forbidden = []netip.AddrPort{netip.MustParseAddrPort(bound + ":" + port)}
		n, _ := network(t, o, "www.nordlys.example. 300 IN A 127.0.0.1")
		for _, host := range []string{"127.0.0.1", "www.nordlys.example", "[::ffff:127.0.0.1]"} {
			answer := get(t, n, "http://"+host+":"+port+"/")
			wantFailure(t, host+" with a listener at "+bound, answer.Failure, probe.Forbidden, "admin listener")
		}
	}
	if len(reached) > 0 {
		t.Errorf("%d connections reached the admin listener", len(reached))
	}
}

// TestFamilies asks with one family only.
func TestFamilies(t *testing.T) {
	port := listen(t, "127.0.0.1:0", func(c net.Conn) { c.Write([]byte("HTTP/1.1 204 None\r\n\r\n")) })
	o := atHome
	o.IPv6 = true
	n, zone := network(t, o, "www.nordlys.example. 300 IN A 127.0.0.1")
	wantFailure(t, "a host with IPv4 only", get(t, n, "http://www.nordlys.example:"+port+"/").Failure, probe.NoAddress,
		"has no address")
	wantFailure(t, "an IPv4 address", get(t, n, "http://127.0.0.1:"+port+"/").Failure, probe.Unreachable, "only IPv6")
	if zone.Queries.Load() != 1 {
		t.Errorf("%d questions to DNS, want 1, for AAAA", zone.Queries.Load())
	}
}

// TestLookupIsShared asks for the addresses of a host once, whoever wants them.
func TestLookupIsShared(t *testing.T) {
	port := listen(t, "127.0.0.1:0", func(c net.Conn) { c.Write([]byte("HTTP/1.1 204 None\r\n\r\n")) })
	n, zone := network(t, atHome, "www.nordlys.example. 300 IN A 127.0.0.1")
	n.DNS(context.Background(), probe.DNSQuestion{Name: "www.nordlys.example", Type: "A"})
	for range 3 {
		if answer := get(t, n, "http://www.nordlys.example:"+port+"/"); answer.Status != 204 {
			t.Fatalf("status %d, failure %v", answer.Status, answer.Failure)
		}
	}
	if zone.Queries.Load() != 2 {
		t.Errorf("%d questions to DNS, want 2, for A and AAAA", zone.Queries.Load())
	}
}
