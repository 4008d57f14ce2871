package records

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// startServer runs a real DNS server on loopback, UDP and TCP on the same port.
func startServer(t testing.TB, handler dns.HandlerFunc) string {
	t.Helper()
	for range 20 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", packets.LocalAddr().String())
		if err != nil {
			packets.Close() // the port is taken for TCP
			continue
		}
		for _, server := range []*dns.Server{{PacketConn: packets}, {Listener: listener}} {
			server.Handler = handler
			ready := make(chan struct{})
			server.NotifyStartedFunc = func() { close(ready) }
			go server.ActivateAndServe()
			<-ready
			t.Cleanup(func() { server.Shutdown() })
		}
		return packets.LocalAddr().String()
	}
	t.Fatal("no port that is free for UDP and TCP")
	return ""
}

// startRaw answers every UDP datagram with what reply returns, octet for octet.
func startRaw(t testing.TB, reply func(query []byte) [][]byte) string {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { packets.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, peer, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			for _, octets := range reply(buffer[:n]) {
				packets.WriteTo(octets, peer)
			}
		}
	}()
	return packets.LocalAddr().String()
}

// zone answers from lines of a zone file, as an authoritative server that also
// claims to recurse; names that no line mentions do not exist.
type zone struct {
	apex    string
	rrs     []dns.RR
	queries atomic.Int64
}

func newZone(t testing.TB, apex string, lines ...string) *zone {
	t.Helper()
	z := &zone{apex: apex + "."}
	for _, line := range append(lines, apex+". 300 IN SOA ns."+apex+". host."+apex+". 1 3600 600 86400 120") {
		rr, err := dns.NewRR(line)
		if err != nil || rr == nil {
			t.Fatalf("%q: %v", line, err)
		}
		z.rrs = append(z.rrs, rr)
	}
	return z
}

func (z *zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	z.queries.Add(1)
	answer := new(dns.Msg).SetReply(query)
	answer.Authoritative = true
	asked := query.Question[0]
	exists := false
	for _, rr := range z.rrs {
		name := rr.Header().Name
		exists = exists || strings.EqualFold(name, asked.Name) || dns.IsSubDomain(asked.Name, name)
		if strings.EqualFold(name, asked.Name) && rr.Header().Rrtype == asked.Qtype {
			answer.Answer = append(answer.Answer, rr)
		}
	}
	if len(answer.Answer) == 0 {
		answer.Ns = append(answer.Ns, z.rrs[len(z.rrs)-1])
		if !exists {
			answer.Rcode = dns.RcodeNameError
		}
	}
	if opt := query.IsEdns0(); opt != nil {
		answer.SetEdns0(udpSize, false)
	}
	if w.LocalAddr().Network() == "udp" {
		answer.Truncate(udpSize)
	}
	w.WriteMsg(answer)
}

func newTestResolver(t testing.TB, servers ...string) *Resolver {
	t.Helper()
	r, err := NewResolver(servers, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
