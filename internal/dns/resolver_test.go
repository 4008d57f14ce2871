package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
)

func TestLookupMX(t *testing.T) {
	hundred := make([]string, 100)
	for i := range hundred {
		hundred[i] = fmt.Sprintf("many.test. 300 IN MX %d mx%03d.a-rather-long-name-so-that-udp-does-not-do.test.",
			i, i)
	}
	z := dnstest.NewZone(t, "test", append(hundred,
		"sorted.test. 300 IN MX 20 c.test.",
		"sorted.test. 300 IN MX 10 B.test.",
		"sorted.test. 300 IN MX 10 a.test.",
		"null.test. 300 IN MX 0 .",
		"address.test. 300 IN A 192.0.2.1",
	)...)
	server := dnstest.StartServer(t, z.ServeDNS)
	for _, test := range []struct {
		domain string
		want   []MX
	}{
		{"sorted.test", []MX{{Host: "a.test", Preference: 10}, {Host: "b.test", Preference: 10},
			{Host: "c.test", Preference: 20}}},
		{"SORTED.test.", []MX{{Host: "a.test", Preference: 10}, {Host: "b.test", Preference: 10},
			{Host: "c.test", Preference: 20}}},
		{"null.test", nil},        // RFC 7505
		{"address.test", nil},     // NODATA: Signpost ignores the implicit MX
		{"nowhere.test", nil},     // NXDOMAIN
		{"x.nowhere.test", nil},   // NXDOMAIN
		{"xn--bcher-kva.x", nil},  // outside the zone: NXDOMAIN here
		{"sub.sorted.test", nil},  // below a name with MX
		{"_sorted.sub.test", nil}, // not a host name, but a name
	} {
		got, err := newTestResolver(t, server).LookupMX(t.Context(), test.domain)
		if err != nil {
			t.Errorf("LookupMX(%s): %v", test.domain, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("LookupMX(%s) (-want +got):\n%s", test.domain, diff)
		}
	}
	got, err := newTestResolver(t, server).LookupMX(t.Context(), "many.test")
	if err != nil || len(got) != 100 || got[99].Host != "mx099.a-rather-long-name-so-that-udp-does-not-do.test" {
		t.Errorf("LookupMX(many.test) over TCP = %d hosts, error %v, want all 100", len(got), err)
	}
}

// TestLookupAddresses checks that one kind of address is enough, and that the lack of
// both is an error only if DNS failed for one of them.
func TestLookupAddresses(t *testing.T) {
	const failure = "SERVFAIL"
	for _, test := range []struct{ a, aaaa, want string }{
		{"192.0.2.1", "2001:db8::1", "[192.0.2.1 2001:db8::1] <nil>"},
		{"192.0.2.1", failure, "[192.0.2.1] <nil>"},
		{failure, "2001:db8::1", "[2001:db8::1] <nil>"},
		{"", failure, "[] AAAA of name.test: SERVER answers SERVFAIL"},
		{failure, "", "[] A of name.test: SERVER answers SERVFAIL"},
		{failure, failure, "[] A of name.test: SERVER answers SERVFAIL"},
		{"", "", "[] <nil>"},
	} {
		server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
			answer := new(dns.Msg).SetReply(query)
			recordType := dns.TypeToString[query.Question[0].Qtype]
			switch data := map[string]string{"A": test.a, "AAAA": test.aaaa}[recordType]; data {
			case failure:
				answer.Rcode = dns.RcodeServerFailure
			case "":
				answer.Ns = append(answer.Ns, dnstest.RR("test. 60 IN SOA a. b. 1 2 3 4 120"))
			default:
				answer.Answer = append(answer.Answer, dnstest.RR("name.test. 60 IN CNAME other.test."),
					dnstest.RR("other.test. 60 IN "+recordType+" "+data))
			}
			w.WriteMsg(answer)
		})
		got, err := newTestResolver(t, server).LookupAddresses(t.Context(), "name.test")
		if have := strings.ReplaceAll(fmt.Sprint(got, " ", err), server, "SERVER"); have != test.want {
			t.Errorf("LookupAddresses with A %q and AAAA %q = %s, want %s", test.a, test.aaaa, have, test.want)
		}
	}
}

// TestHugeText looks up a text that nearly fills the longest possible message.
func TestHugeText(t *testing.T) {
	// 61,000 bytes, which take four characters each in a zone file.
	text := strings.Repeat(`"`+strings.Repeat("å", 127)+`" `, 240)
	z := dnstest.NewZone(t, "test", "huge.test. 300 IN TXT "+text)
	r := newTestResolver(t, dnstest.StartServer(t, z.ServeDNS))
	for range 2 {
		answer, err := r.Lookup(t.Context(), "huge.test", "TXT")
		if err != nil || len(answer.Records) != 1 || Unquote(answer.Records[0].Data) != strings.Repeat("å", 127*240) {
			t.Errorf("Lookup(huge.test) = %d records, error %v, want the whole text", len(answer.Records), err)
		}
	}
	if z.Queries.Load() != 2 || r.cache.used.bytes < 200_000 { // UDP, then TCP
		t.Errorf("%d queries and %d bytes in the cache, want 2 and at least 200,000",
			z.Queries.Load(), r.cache.used.bytes)
	}
}

func TestLookupRefusesNames(t *testing.T) {
	r := newTestResolver(t, "127.0.0.1:1")
	for _, name := range []string{"", "a..b", strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 200)} {
		if _, err := r.Lookup(t.Context(), name, "MX"); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("Lookup(%q): error %v, want one before any query", name, err)
		}
	}
	if _, err := r.Lookup(t.Context(), "test", "MAILBOX"); err == nil {
		t.Error("Lookup of the type MAILBOX succeeds, want an error")
	}
}

// TestServerFails checks that every failure to answer becomes an error that says what
// the server did.
func TestServerFails(t *testing.T) {
	withCode := func(code int) dns.HandlerFunc {
		return func(w dns.ResponseWriter, query *dns.Msg) {
			w.WriteMsg(new(dns.Msg).SetRcode(query, code))
		}
	}
	for _, test := range []struct {
		name    string
		handler dns.HandlerFunc
		want    string
	}{
		{"SERVFAIL", withCode(dns.RcodeServerFailure), "answers SERVFAIL"},
		{"REFUSED", withCode(dns.RcodeRefused), "answers REFUSED"},
		{"NOTIMP", withCode(dns.RcodeNotImplemented), "answers NOTIMP"},
		{"FORMERR", withCode(dns.RcodeFormatError), "answers FORMERR"},
		{"no answer", func(dns.ResponseWriter, *dns.Msg) {}, "does not answer"},
		{"referral", func(w dns.ResponseWriter, query *dns.Msg) {
			answer := new(dns.Msg).SetReply(query)
			answer.Ns = []dns.RR{dnstest.RR("test. 300 IN NS ns.test.")}
			w.WriteMsg(answer)
		}, "only refers to other name servers"},
		{"CNAME loop", func(w dns.ResponseWriter, query *dns.Msg) {
			answer := new(dns.Msg).SetReply(query)
			answer.Answer = []dns.RR{dnstest.RR("a.test. 300 IN CNAME b.test."),
				dnstest.RR("b.test. 300 IN CNAME a.test.")}
			w.WriteMsg(answer)
		}, "its CNAMEs lead in a circle or too far"},
		{"CNAME of itself, one at a time", func(w dns.ResponseWriter, query *dns.Msg) {
			answer := new(dns.Msg).SetReply(query)
			answer.Answer = []dns.RR{dnstest.RR(query.Question[0].Name + " 300 IN CNAME a.test.")}
			w.WriteMsg(answer)
		}, "its CNAMEs lead in a circle or too far"},
		{"CNAMEs without end", func(w dns.ResponseWriter, query *dns.Msg) {
			answer := new(dns.Msg).SetReply(query)
			answer.Answer = []dns.RR{dnstest.RR(query.Question[0].Name + " 300 IN CNAME x" + query.Question[0].Name)}
			w.WriteMsg(answer)
		}, "its CNAMEs lead in a circle or too far"},
		{"truncated over TCP as well", func(w dns.ResponseWriter, query *dns.Msg) {
			answer := new(dns.Msg).SetReply(query)
			answer.Truncated = true
			w.WriteMsg(answer)
		}, "truncates its answer even over TCP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := dnstest.StartServer(t, test.handler)
			mx, err := newTestResolver(t, server).LookupMX(t.Context(), "a.test")
			if err == nil {
				t.Fatalf("LookupMX(a.test) = %v, want the error %q", mx, test.want)
			}
			if !strings.HasPrefix(err.Error(), "MX of a.test: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("LookupMX(a.test): error %q, want %q", err, test.want)
			}
		})
	}
	t.Run("closed port", func(t *testing.T) {
		_, err := newTestResolver(t, "127.0.0.1:1").LookupMX(t.Context(), "a.test")
		if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1 cannot be reached: connection refused") {
			t.Errorf("LookupMX(a.test): error %v, want a refused connection", err)
		}
	})
}

// TestHostileBytes sends messages that no library would write.
func TestHostileBytes(t *testing.T) {
	// header returns a header with the counts, and the question of the query.
	header := func(query []byte, counts ...uint16) []byte {
		question := query[12 : len(query)-11] // without our OPT
		message := []byte{query[0], query[1], 0x81, 0x80}
		for _, count := range counts {
			message = binary.BigEndian.AppendUint16(message, count)
		}
		return append(message, question...)
	}
	mx := []byte{0xc0, 12, 0, 15, 0, 1, 0, 0, 1, 44}
	one := func(f func(query []byte) []byte) func([]byte) [][]byte {
		return func(query []byte) [][]byte { return [][]byte{f(query)} }
	}
	good := func(query []byte) []byte {
		return append(append(header(query, 1, 1, 0, 0), mx...), 0, 4, 0, 5, 0xc0, 12)
	}
	otherID := func(query []byte) []byte {
		message := good(query)
		message[0] ^= 0xff
		return message
	}
	for _, test := range []struct {
		name  string
		reply func([]byte) [][]byte
		want  string // part of the error, empty for the good answer
	}{
		{"good", one(good), ""},
		{"wrong IDs, then good", func(query []byte) [][]byte {
			return [][]byte{otherID(query), otherID(query), good(query)}
		}, ""},
		{"only wrong IDs", one(otherID), "does not answer"},
		{"another question, then good", func(query []byte) [][]byte {
			other := good(query)
			other[13] = 'z' // z.test was not asked for
			return [][]byte{other, good(query)}
		}, ""},
		{"a query, then good", func(query []byte) [][]byte { return [][]byte{query, good(query)} }, ""},
		{"three bytes, then good", func(query []byte) [][]byte { return [][]byte{{1, 2, 3}, {}, good(query)} }, ""},
		{"data length beyond the end", one(func(query []byte) []byte {
			return append(append(header(query, 1, 1, 0, 0), mx...), 0xff, 0xff, 0, 5, 0xc0, 12)
		}), "malformed"},
		{"data length too short for its name", one(func(query []byte) []byte {
			return append(append(header(query, 1, 1, 0, 0), mx...), 0, 3, 0, 5, 0xc0, 12)
		}), "malformed"},
		{"65,535 answers promised, one given", one(func(query []byte) []byte {
			message := good(query)
			message[6], message[7] = 0xff, 0xff
			return message
		}), "malformed"},
		{"two answers promised, one given", one(func(query []byte) []byte {
			message := good(query)
			message[7] = 2
			return message
		}), "malformed"},
		{"a name that points to itself", one(func(query []byte) []byte {
			message := append(header(query, 1, 1, 0, 0), mx...)
			target := len(message) + 4
			return append(message, 0, 4, 0, 5, 0xc0|byte(target>>8), byte(target))
		}), "malformed"},
		{"two names that point to each other", one(func(query []byte) []byte {
			message := append(header(query, 1, 1, 0, 0), mx...)
			target := len(message) + 4
			return append(message, 0, 8, 0, 5, 1, 'a', 0xc0|byte((target+4)>>8), byte(target+4), 0xc0|byte(target>>8),
				byte(target))
		}), "malformed"},
		{"a pointer beyond the end", one(func(query []byte) []byte {
			return append(append(header(query, 1, 1, 0, 0), mx...), 0, 4, 0, 5, 0xff, 0xff)
		}), "malformed"},
		{"NXDOMAIN, cut off in its SOA", one(func(query []byte) []byte {
			message := append(header(query, 1, 0, 1, 0), 0xc0, 12, 0, 6, 0, 1, 0, 0, 1, 44, 0, 30, 0xc0)
			message[3] |= dns.RcodeNameError
			return message
		}), "malformed"},
		{"NXDOMAIN, its SOA promised but not there", one(func(query []byte) []byte {
			message := header(query, 1, 0, 1, 0)
			message[3] |= dns.RcodeNameError
			return message
		}), "malformed"},
		{"header only", one(func(query []byte) []byte { return header(query, 0, 0, 0, 0)[:12] }), "does not answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := dnstest.StartRaw(t, test.reply)
			got, err := newTestResolver(t, server).LookupMX(t.Context(), "a.test")
			if test.want == "" {
				if diff := cmp.Diff([]MX{{Host: "a.test", Preference: 5}}, got); diff != "" || err != nil {
					t.Errorf("LookupMX(a.test): error %v (-want +got):\n%s", err, diff)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("LookupMX(a.test) = %v, error %v, want the error %q", got, err, test.want)
			}
		})
	}
}

func TestFollowsAliases(t *testing.T) {
	unrelated := dnstest.RR("a.test. 300 IN MX 1 evil.test.")
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		answer := new(dns.Msg).SetReply(query)
		switch query.Question[0].Name {
		case "whole.test.": // like a resolver that follows the CNAME itself
			answer.Answer = []dns.RR{unrelated, dnstest.RR("Whole.test. 60 IN CNAME b.test."),
				dnstest.RR("b.test. 300 IN MX 7 mx.test.")}
		case "part.test.": // like a forwarder that does not
			answer.Answer = []dns.RR{dnstest.RR("part.test. 60 IN CNAME b.test.")}
		case "b.test.":
			answer.Answer = []dns.RR{unrelated, dnstest.RR("b.test. 300 IN MX 7 mx.test.")}
		case "gone.test.":
			answer.Answer = []dns.RR{dnstest.RR("gone.test. 60 IN CNAME nowhere.test.")}
			answer.Rcode = dns.RcodeNameError
		}
		w.WriteMsg(answer)
	})
	r := newTestResolver(t, server)
	for _, name := range []string{"whole.test", "part.test"} {
		got, err := r.Lookup(t.Context(), name, "MX")
		want := Answer{Found, []Record{
			{Name: name, TTL: 60, Type: "CNAME", Data: "b.test."},
			{Name: "b.test", TTL: 300, Type: "MX", Data: "7 mx.test."},
		}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Lookup(%s): error %v (-want +got):\n%s", name, err, diff)
		}
	}
	if got, err := r.Lookup(t.Context(), "gone.test", "MX"); err != nil || got.Status != NoName ||
		len(got.Records) != 1 {
		t.Errorf("Lookup(gone.test) = %v, %v, want NoName and the CNAME record", got, err)
	}
}

func TestOldServerWithoutEDNS(t *testing.T) {
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		answer := new(dns.Msg).SetReply(query)
		if query.IsEdns0() != nil {
			answer = new(dns.Msg).SetRcodeFormatError(query)
		} else {
			answer.Answer = []dns.RR{dnstest.RR("a.test. 300 IN MX 1 mx.test.")}
		}
		w.WriteMsg(answer)
	})
	got, err := newTestResolver(t, server).LookupMX(t.Context(), "a.test")
	if err != nil || len(got) != 1 {
		t.Errorf("LookupMX(a.test) = %v, %v, want one host", got, err)
	}
}

// TestNextServer checks that the second server answers in place of the first, and is
// the first one that gets the queries from then on.
func TestNextServer(t *testing.T) {
	var queries atomic.Int32
	silent := dnstest.StartServer(t, func(dns.ResponseWriter, *dns.Msg) { queries.Add(1) })
	z := dnstest.NewZone(t, "test", "a.test. 300 IN MX 1 mx.test.")
	good := dnstest.StartServer(t, z.ServeDNS)
	r := newTestResolver(t, silent, good)
	for _, name := range []string{"a.test", "b.test", "c.test"} {
		if _, err := r.LookupMX(t.Context(), name); err != nil {
			t.Errorf("LookupMX(%s): %v", name, err)
		}
	}
	if n := queries.Load(); n != 1 {
		t.Errorf("the silent server got %d queries, want 1", n)
	}
	_, err := newTestResolver(t, "127.0.0.1:1", silent).LookupMX(t.Context(), "d.test")
	want := "MX of d.test: 127.0.0.1:1 cannot be reached: connection refused, " + silent + " does not answer"
	if err == nil || err.Error() != want {
		t.Errorf("LookupMX(d.test): error %v, want %s", err, want)
	}
}

// TestTruncated checks that what does not fit into UDP is asked again over TCP, also where it
// says that there is no such name.
func TestTruncated(t *testing.T) {
	for _, code := range []int{dns.RcodeSuccess, dns.RcodeNameError} {
		server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
			answer := new(dns.Msg).SetReply(query)
			if w.RemoteAddr().Network() == "udp" {
				answer.Rcode, answer.Truncated = code, true
			} else {
				answer.Answer = []dns.RR{dnstest.RR("a.test. 300 IN MX 1 mx.test.")}
			}
			w.WriteMsg(answer)
		})
		got, err := newTestResolver(t, server).LookupMX(t.Context(), "a.test")
		if err != nil || len(got) != 1 {
			t.Errorf("LookupMX(a.test) after a truncated %s = %v, %v, want the host that TCP has",
				dns.RcodeToString[code], got, err)
		}
	}
}

// TestManySilentServers checks that a look-up ends after four times the timeout of one try.
func TestManySilentServers(t *testing.T) {
	const timeout = 200 * time.Millisecond
	var queries atomic.Int32
	var servers []string
	for range 10 {
		servers = append(servers, dnstest.StartServer(t, func(dns.ResponseWriter, *dns.Msg) { queries.Add(1) }))
	}
	r, err := NewResolver(servers, timeout)
	if err != nil {
		t.Fatal(err)
	}
	for name, lookup := range map[string]func(context.Context, string, string) (Answer, error){
		"Resolver": r.Lookup, "Client": (&Client{servers: servers, timeout: timeout}).Lookup,
	} {
		queries.Store(0)
		if _, err := lookup(t.Context(), "a.test", "MX"); !errors.Is(err, ErrSilent) {
			t.Errorf("Lookup of the %s: error %v, want %v", name, err, ErrSilent)
		}
		if n := queries.Load(); n > 4 {
			t.Errorf("the %s asked %d silent servers, want at most 4", name, n)
		}
	}
}

// TestGivesUp checks that a client whose caller has gone asks no further server.
func TestGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	first := dnstest.StartServer(t, func(dns.ResponseWriter, *dns.Msg) { cancel() })
	var queries atomic.Int32
	second := dnstest.StartServer(t, func(dns.ResponseWriter, *dns.Msg) { queries.Add(1) })
	c := &Client{servers: []string{first, second}, timeout: 10 * time.Second}
	_, err := c.Lookup(ctx, "a.test", "MX")
	if want := "MX of a.test: " + first + " "; err == nil || !strings.HasPrefix(err.Error(), want) ||
		strings.Contains(err.Error(), second) || queries.Load() != 0 {
		t.Errorf("Lookup that is given up: error %v, %d queries to the second server, want the first alone",
			err, queries.Load())
	}
}

// TestTransportError checks what is said of a server that cannot be asked.
func TestTransportError(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{context.Canceled, "was not waited for"},
		{context.DeadlineExceeded, "does not answer"},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "does not answer"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}, "cannot be reached: no route to host"},
		{&net.OpError{Op: "dial", Err: &net.AddrError{Err: "no suitable address", Addr: "x"}},
			"cannot be reached: address x: no suitable address"},
		{io.EOF, "ends the connection: EOF"},
	} {
		if got := TransportError(row.err); got.Error() != row.want {
			t.Errorf("TransportError(%v) = %q, want %q", row.err, got, row.want)
		}
	}
}

func TestCacheTimes(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(*dns.Msg)
		want   time.Duration
	}{
		{"as it says", records("a.test. 300 IN MX 1 mx.test."), 300 * time.Second},
		{"least of the set", records("a.test. 300 IN MX 1 mx.test.", "a.test. 60 IN MX 2 my.test."), 60 * time.Second},
		{"not below 30 s", records("a.test. 0 IN MX 1 mx.test."), 30 * time.Second},
		{"not above 1 h", records("a.test. 604800 IN MX 1 mx.test."), time.Hour},
		{"least of the chain", records("a.test. 40 IN CNAME b.test.", "b.test. 300 IN MX 1 mx.test."), 40 * time.Second},
		{"negative: SOA minimum", authority(dns.RcodeNameError, "test. 600 IN SOA a. b. 1 2 3 4 120"), 120 * time.Second},
		{"negative: TTL of the SOA", authority(dns.RcodeSuccess, "test. 60 IN SOA a. b. 1 2 3 4 120"), 60 * time.Second},
		{"negative: not above 5 min", authority(dns.RcodeNameError, "test. 86400 IN SOA a. b. 1 2 3 4 86400"),
			5 * time.Minute},
		{"negative: not below 5 s", authority(dns.RcodeNameError, "test. 0 IN SOA a. b. 1 2 3 4 0"), 5 * time.Second},
		{"negative: without SOA", authority(dns.RcodeNameError), 5 * time.Second},
		{"failure", func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure }, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			var queries atomic.Int32
			server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
				queries.Add(1)
				answer := new(dns.Msg).SetReply(query)
				test.answer(answer)
				w.WriteMsg(answer)
			})
			synctest.Test(t, func(t *testing.T) {
				r := newTestResolver(t, server)
				first, firstErr := r.Lookup(t.Context(), "a.test", "MX")
				time.Sleep(test.want - time.Second)
				again, againErr := r.Lookup(t.Context(), "A.test", "MX")
				if n := queries.Load(); n != 1 {
					t.Errorf("%d queries after %v, want 1", n, test.want-time.Second)
				}
				if diff := cmp.Diff(first, again); diff != "" || !errors.Is(againErr, firstErr) {
					t.Errorf("cached error %v, want %v; cached answer (-want +got):\n%s", againErr, firstErr, diff)
				}
				time.Sleep(time.Second)
				r.Lookup(t.Context(), "a.test", "MX")
				if n := queries.Load(); n != 2 {
					t.Errorf("%d queries after %v, want 2", n, test.want)
				}
			})
		})
	}
}

// TestSharedQuery has many callers look up one name while the server is slow. The
// server gets one query, and the others get the answer even if one caller gives up.
func TestSharedQuery(t *testing.T) {
	var queries atomic.Int32
	begun, goOn := make(chan struct{}), make(chan struct{})
	server := dnstest.StartServer(t, func(w dns.ResponseWriter, query *dns.Msg) {
		queries.Add(1)
		close(begun)
		<-goOn
		answer := new(dns.Msg).SetReply(query)
		answer.Answer = []dns.RR{dnstest.RR("a.test. 300 IN MX 1 mx.test.")}
		w.WriteMsg(answer)
	})
	r := newTestResolver(t, server)
	r.client.timeout = 10 * time.Second
	impatient, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { // its call causes the query
		_, err := r.LookupMX(impatient, "a.test")
		gaveUp <- err
	}()
	<-begun
	var waiters sync.WaitGroup
	for range 50 {
		waiters.Go(func() {
			if got, err := r.LookupMX(t.Context(), "a.test"); err != nil || len(got) != 1 {
				t.Errorf("LookupMX(a.test) = %v, %v, want one host", got, err)
			}
		})
	}
	giveUp()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that gave up got the error %v, want %v", err, context.Canceled)
	}
	close(goOn)
	waiters.Wait()
	if n := queries.Load(); n != 1 {
		t.Errorf("the server got %d queries, want 1", n)
	}
}

func TestServerAddresses(t *testing.T) {
	for server, want := range map[string]string{
		"192.0.2.1":           "192.0.2.1:53",
		"192.0.2.1:5353":      "192.0.2.1:5353",
		"2001:db8::1":         "[2001:db8::1]:53",
		"[2001:db8::1]":       "[2001:db8::1]:53",
		"[2001:db8::1]:5353":  "[2001:db8::1]:5353",
		"fe80::1%eth0":        "[fe80::1%eth0]:53",
		"ns.example.com":      "ns.example.com:53",
		"ns.example.com:5353": "ns.example.com:5353",
		"":                    "",
		":53":                 "",
		"192.0.2.1:0":         "",
		"192.0.2.1:70000":     "",
		"192.0.2.1:domain":    "",
		"https://dns.example": "",
		"a b":                 "",
	} {
		got, err := serverAddresses([]string{server})
		if want == "" {
			if err == nil {
				t.Errorf("serverAddresses(%q) = %v, want an error", server, got)
			}
		} else if err != nil || got[0] != want {
			t.Errorf("serverAddresses(%q) = %v, %v, want %s", server, got, err, want)
		}
	}
}

// TestSystemServers reads files as resolv.conf(5) describes them.
func TestSystemServers(t *testing.T) {
	before := resolvConf
	t.Cleanup(func() { resolvConf = before })
	dir := t.TempDir()
	resolvConf = filepath.Join(dir, "resolv.conf")
	local := []string{"127.0.0.1:53", "[::1]:53"}
	for text, want := range map[string][]string{
		"":            local,
		"search a.b.": local,
		"nameserver 192.0.2.1\nnameserver 2001:db8::1\n": {"192.0.2.1:53", "[2001:db8::1]:53"},
	} {
		if err := os.WriteFile(resolvConf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := serverAddresses(nil); err != nil || !slices.Equal(got, want) {
			t.Errorf("serverAddresses of the file %q = %v, %v, want %v", text, got, err, want)
		}
	}
	resolvConf = filepath.Join(dir, "missing")
	if got, err := serverAddresses(nil); err != nil || !slices.Equal(got, local) {
		t.Errorf("serverAddresses without the file = %v, %v, want %v", got, err, local)
	}
	resolvConf = filepath.Join(dir, "resolv.conf", "below a file")
	if got, err := serverAddresses(nil); !errors.Is(err, syscall.ENOTDIR) ||
		!strings.Contains(err.Error(), resolvConf) {
		t.Errorf("serverAddresses of a file that cannot be read = %v, %v, want an error that names it", got, err)
	}
}

// FuzzAnswer reads answers as they come from a socket. Whatever they hold, all records
// that are returned belong to the question.
func FuzzAnswer(f *testing.F) {
	query := new(dns.Msg).SetQuestion("a.test.", dns.TypeMX)
	query.Id = 0x1234
	for _, lines := range [][]string{
		{"a.test. 300 IN MX 1 mx.test.", "a.test. 300 IN MX 2 mx2.test."},
		{"a.test. 300 IN CNAME b.test.", "b.test. 300 IN MX 2 mx2.test."},
		{"a.test. 300 IN CNAME b.test.", "b.test. 300 IN CNAME a.test."},
		{`a.test. 300 IN TXT "x" "y"`, "a.test. 300 IN SRV 0 1 993 b.test."},
	} {
		answer := new(dns.Msg).SetReply(query)
		records(lines...)(answer)
		message, err := answer.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := readAnswer(data, query)
		if err != nil || checkFinal(message) != nil {
			return
		}
		answer, _, err := follow(message, "a.test.", dns.TypeMX, map[string]bool{})
		if err != nil {
			return
		}
		name := "a.test"
		for _, record := range answer.Records {
			if record.Name != name {
				t.Errorf("record %v does not belong to %s", record, name)
			}
			if record.Type == "CNAME" {
				name = strings.ToLower(strings.TrimSuffix(record.Data, "."))
			}
		}
		if answer.Status == Found && len(answer.Records) == 0 {
			t.Error("the status is Found, but there are no records")
		}
	})
}

func records(lines ...string) func(*dns.Msg) {
	return func(m *dns.Msg) {
		for _, line := range lines {
			m.Answer = append(m.Answer, dnstest.RR(line))
		}
	}
}

func authority(code int, lines ...string) func(*dns.Msg) {
	return func(m *dns.Msg) {
		m.Rcode = code
		for _, line := range lines {
			m.Ns = append(m.Ns, dnstest.RR(line))
		}
	}
}

func newTestResolver(t testing.TB, servers ...string) *Resolver {
	t.Helper()
	r, err := NewResolver(servers, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
