package network

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	own "signpost/internal/dns"
	"signpost/internal/dns/dnstest"
	"signpost/internal/doctor/probe"
)

// ask asks a DNS question.
func ask(t *testing.T, n *Network, recordType, name string, view probe.View) probe.DNSAnswer {
	t.Helper()
	return n.DNS(t.Context(), probe.DNSQuestion{Name: name, Type: recordType, View: view})
}

// TestViews looks at the bits that are sent and read in each view.
func TestViews(t *testing.T) {
	n := networkAt(t, atHome, func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		answer.AuthenticatedData = q.AuthenticatedData && !q.CheckingDisabled
		text := fmt.Sprintf("RD=%v CD=%v AD=%v", q.RecursionDesired, q.CheckingDisabled, q.AuthenticatedData)
		answer.Answer = []dns.RR{dnstest.RR(fmt.Sprintf("%s 77 IN TXT %q", q.Question[0].Name, text))}
		w.WriteMsg(answer)
	})
	for _, test := range []struct {
		view      probe.View
		want      string
		authentic bool
	}{
		{probe.Recursive, `"RD=true CD=false AD=true"`, true},
		{probe.Unchecked, `"RD=true CD=true AD=true"`, false},
		{probe.View(n.Resolver()[0]), `"RD=false CD=false AD=true"`, true},
	} {
		answer := ask(t, n, "TXT", "nordlys.example", test.view)
		if len(answer.Records) != 1 || answer.Records[0].Data != test.want || answer.Authentic != test.authentic {
			t.Errorf("view %q: %+v, want %s, authentic %v", test.view, answer, test.want, test.authentic)
		} else if answer.Records[0].TTL != 77 || answer.Took == 0 {
			t.Errorf("view %q: TTL %d, took %v, want 77 and a time", test.view, answer.Records[0].TTL, answer.Took)
		}
	}
	if got, want := n.Counts(), (Counts{DNS: 1, Unchecked: 1, Direct: 1}); got != want {
		t.Errorf("Counts() = %+v, want %+v", got, want)
	}
}

// TestCNAMEs follows aliases, those that the resolver leaves out as well, and none for a zone's own server.
func TestCNAMEs(t *testing.T) {
	n, _ := network(t, atHome,
		"a.nordlys.example. 300 IN CNAME b.nordlys.example.",
		"b.nordlys.example. 60 IN A 127.0.0.1")
	// The server of the test answers a question for A with A records only, as a name server that sees only
	// its own zone would with the CNAME: so this is what NoData looks like.
	if answer := ask(t, n, "CNAME", "a.nordlys.example", probe.Recursive); len(answer.Records) != 1 ||
		answer.Records[0].Data != "b.nordlys.example." {
		t.Errorf("CNAME: %+v", answer)
	}
	chain := networkAt(t, atHome, func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		switch q.Question[0].Name {
		case "a.nordlys.example.":
			answer.Answer = []dns.RR{dnstest.RR("a.nordlys.example. 300 IN CNAME b.nordlys.example.")}
		case "b.nordlys.example.":
			answer.Answer = []dns.RR{dnstest.RR("b.nordlys.example. 60 IN A 127.0.0.1")}
		}
		w.WriteMsg(answer)
	})
	answer := ask(t, chain, "A", "a.nordlys.example", probe.Recursive)
	if got := fmt.Sprint(answer.Records); answer.Failure != nil ||
		got != "[a.nordlys.example. 300 IN CNAME b.nordlys.example. b.nordlys.example. 60 IN A 127.0.0.1]" {
		t.Errorf("the chain is %s, failure %v", got, answer.Failure)
	}
	direct := ask(t, chain, "A", "a.nordlys.example", probe.View(chain.Resolver()[0]))
	if len(direct.Records) != 1 || direct.Status != own.NoData {
		t.Errorf("the zone's own server: %+v, want the alias alone", direct)
	}
}

// TestLies asks name servers that lie, never end or answer badly.
func TestLies(t *testing.T) {
	shorten(t)
	loops := func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		switch name := q.Question[0].Name; {
		case name == "pair.nordlys.example.":
			answer.Answer = []dns.RR{dnstest.RR("pair.nordlys.example. 1 IN CNAME riap.nordlys.example."),
				dnstest.RR("riap.nordlys.example. 1 IN CNAME pair.nordlys.example.")}
		case strings.HasSuffix(name, "long.nordlys.example."):
			answer.Answer = []dns.RR{dnstest.RR(name + " 1 IN CNAME x." + name)}
		case name == "self.nordlys.example.":
			answer.Answer = []dns.RR{dnstest.RR(name + " 1 IN CNAME " + name)}
		case name == "fail.nordlys.example.":
			answer.Rcode = dns.RcodeServerFailure
		case name == "refer.nordlys.example.":
			answer.Ns = []dns.RR{dnstest.RR("nordlys.example. 1 IN NS ns.nordlys.example.")}
		case name == "other.nordlys.example.":
			answer.Question[0].Name = "www.nordlys.example."
		case name == "silent.nordlys.example.":
			return
		}
		w.WriteMsg(answer)
	}
	n := networkAt(t, atHome, loops)
	for name, text := range map[string]string{
		"pair": "circle", "long": "circle or too far", "self": "circle", "fail": "SERVFAIL", "refer": "other name servers",
		"other": "does not answer", "silent": "does not answer",
	} {
		for _, view := range []probe.View{probe.Recursive, probe.View(n.Resolver()[0])} {
			if view != probe.Recursive && name == "long" {
				continue // one alias is an answer there
			}
			answer := ask(t, n, "A", name+".nordlys.example", view)
			wantFailure(t, name+" at "+string(view), answer.Failure, probe.NoAnswer, text)
		}
	}
}

// TestForgedIDs waits for the true answer among forged ones.
func TestForgedIDs(t *testing.T) {
	address := dnstest.StartRaw(t, func(query []byte) [][]byte {
		q := new(dns.Msg)
		if q.Unpack(query) != nil {
			return nil
		}
		answer := func(id uint16, data string) []byte {
			m := new(dns.Msg).SetReply(q)
			m.Id = id
			m.Answer = []dns.RR{dnstest.RR("www.nordlys.example. 1 IN A " + data)}
			wire, _ := m.Pack()
			return wire
		}
		return [][]byte{answer(q.Id+1, "6.6.6.6"), {1, 2, 3}, answer(q.Id-1, "6.6.6.6"), answer(q.Id, "9.9.9.9")}
	})
	o := atHome
	o.Servers = []string{address}
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if answer := ask(t, n, "A", "www.nordlys.example", probe.Recursive); len(answer.Records) != 1 ||
		answer.Records[0].Data != "9.9.9.9" {
		t.Errorf("got %+v, want 9.9.9.9", answer)
	}
}

// TestLongAnswer reads an answer of 64 KiB over TCP, of which little is kept.
func TestLongAnswer(t *testing.T) {
	n := networkAt(t, atHome, func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		answer.Compress = true
		if w.LocalAddr().Network() == "udp" {
			answer.Truncated = true
			w.WriteMsg(answer)
			return
		}
		line := dnstest.RR(q.Question[0].Name + ` 1 IN TXT "` + strings.Repeat(`\200`, 250) + `"`)
		for range 235 {
			answer.Answer = append(answer.Answer, line)
		}
		w.WriteMsg(answer)
	})
	answer := ask(t, n, "TXT", "nordlys.example", probe.Recursive)
	kept := 0
	for _, record := range answer.Records {
		kept += len(record.Data)
	}
	if answer.Failure != nil || !answer.Truncated || kept == 0 || kept > maxText {
		t.Errorf("failure %v, truncated %v, %d bytes kept, want at most %d of a cut answer", answer.Failure,
			answer.Truncated, kept, maxText)
	}
}

// TestSlowTCP asks a server that sends its answer over TCP a byte at a time.
func TestSlowTCP(t *testing.T) {
	shorten(t)
	port := listen(t, "127.0.0.1:0", func(c net.Conn) {
		c.Read(make([]byte, 512))
		head := binary.BigEndian.AppendUint16(nil, 60_000)
		for _, b := range append(head, make([]byte, 60_000)...) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	packets, err := net.ListenPacket("udp", "127.0.0.1:"+port)
	if err != nil {
		t.Skip("the port is taken for UDP")
	}
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		answer.Truncated = true
		w.WriteMsg(answer)
	})}
	go server.ActivateAndServe()
	t.Cleanup(func() { server.Shutdown() })
	o := atHome
	o.Servers = []string{"127.0.0.1:" + port}
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	answer := ask(t, n, "TXT", "nordlys.example", probe.Recursive)
	if answer.Failure == nil || time.Since(began) > 5*time.Second {
		t.Errorf("failure %v after %v, want one within the time for a question", answer.Failure, time.Since(began))
	}
}

// TestDeadResolver asks a resolver that answers nothing: nothing is known about the domain.
func TestDeadResolver(t *testing.T) {
	shorten(t)
	for name, address := range map[string]string{
		"silent":  dnstest.StartRaw(t, func([]byte) [][]byte { return nil }),
		"refuses": "127.0.0.1:1",
	} {
		o := atHome
		o.Servers = []string{address}
		n, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		wantFailure(t, name, ask(t, n, "A", "nordlys.example", probe.Recursive).Failure, probe.NotAsked,
			"the resolver does not work")
		wantFailure(t, name, get(t, n, "http://nordlys.example/").Failure, probe.NotAsked, "the resolver does not work")
		wantFailure(t, name, ask(t, n, "A", "nordlys.example", probe.View(address)).Failure, probe.NoAnswer, "")
	}
}

// TestEndOfQuestion ends the diagnosis while a name server is silent.
func TestEndOfQuestion(t *testing.T) {
	n := networkAt(t, atHome, func(dns.ResponseWriter, *dns.Msg) {})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	answer := n.DNS(ctx, probe.DNSQuestion{Name: "nordlys.example", Type: "A"})
	wantFailure(t, "a silent server", answer.Failure, probe.NotAsked, "ended")
	if time.Since(began) > 3*time.Second {
		t.Errorf("ended after %v, want 0.1 s", time.Since(began))
	}
}

func TestBadQuestions(t *testing.T) {
	n, zone := network(t, atHome)
	for _, q := range []probe.DNSQuestion{
		{Name: "", Type: "A"}, {Name: strings.Repeat("a", 64) + ".example", Type: "A"}, {Name: "nordlys.example",
			Type: "NONSENSE"},
		{Name: "nordlys.example", Type: "A", View: "ns1.nordlys.example"}, {Name: "a..example", Type: "A"},
	} {
		if answer := n.DNS(t.Context(), q); answer.Failure == nil || answer.Failure.Known() {
			t.Errorf("%+v: %+v, want a failure that tells nothing", q, answer)
		}
	}
	if zone.Queries.Load() > 0 {
		t.Errorf("%d bad questions were sent", zone.Queries.Load())
	}
}

// shorten makes name servers that do not answer cost less time.
func shorten(t *testing.T) {
	before := dnsTimeout
	dnsTimeout = 200 * time.Millisecond
	t.Cleanup(func() { dnsTimeout = before })
}
