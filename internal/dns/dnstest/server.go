package dnstest

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// UDPSize is the most that the servers send over UDP.
const UDPSize = 1232

// StartServer runs a DNS server on loopback, with UDP and TCP on the same port,
// and returns its address.
func StartServer(t testing.TB, handler dns.HandlerFunc) string {
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
	t.Fatal("found no port that is free for UDP and TCP in 20 attempts")
	return ""
}

// StartRaw runs a server that answers every UDP datagram with the datagrams that reply
// returns, byte for byte, and returns its address.
func StartRaw(t testing.TB, reply func(query []byte) [][]byte) string {
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
			for _, datagram := range reply(buffer[:n]) {
				packets.WriteTo(datagram, peer)
			}
		}
	}()
	return packets.LocalAddr().String()
}

// Zone answers from lines of a zone file, as an authoritative server that also
// claims to recurse. Names that no line mentions do not exist.
type Zone struct {
	Queries atomic.Int64 // the number of queries so far
	rrs     []dns.RR
}

// NewZone returns a zone with the records of the lines and a SOA record.
func NewZone(t testing.TB, apex string, lines ...string) *Zone {
	t.Helper()
	z := &Zone{}
	for _, line := range append(lines, apex+". 300 IN SOA ns."+apex+". host."+apex+". 1 3600 600 86400 120") {
		rr, err := dns.NewRR(line)
		if err != nil || rr == nil {
			t.Fatalf("zone line %q: %v", line, err)
		}
		z.rrs = append(z.rrs, rr)
	}
	return z
}

// ServeDNS implements dns.Handler.
func (z *Zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	z.Queries.Add(1)
	answer := new(dns.Msg).SetReply(query)
	answer.Authoritative = true
	question := query.Question[0]
	exists := false
	for _, rr := range z.rrs {
		name := rr.Header().Name
		exists = exists || strings.EqualFold(name, question.Name) || dns.IsSubDomain(question.Name, name)
		if strings.EqualFold(name, question.Name) && rr.Header().Rrtype == question.Qtype {
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
		answer.SetEdns0(UDPSize, false)
	}
	if w.LocalAddr().Network() == "udp" {
		answer.Truncate(UDPSize)
	}
	w.WriteMsg(answer)
}

// RR parses a line of a zone file.
func RR(line string) dns.RR {
	rr, err := dns.NewRR(line)
	if err != nil {
		panic(err)
	}
	return rr
}
