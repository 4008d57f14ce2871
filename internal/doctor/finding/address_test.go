package finding

import (
	"net/netip"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// v6 is the IPv6 address of imap.hoster.example in these tests.
var v6 = netip.MustParseAddr("2001:db8::25")

// withIPv6 gives imap.hoster.example an AAAA record, at which connections fail.
func (w *world) withIPv6(kind probe.FailureKind) {
	w.record("imap.hoster.example", "AAAA", v6.String())
	q := imaps
	q.Address = v6
	w.mail[q] = probe.MailAnswer{Address: v6, Failure: &probe.Failure{Kind: kind, Text: "connection " + string(kind)}}
}

// overIPv6 lets the SMTP server answer over IPv6.
func (w *world) overIPv6() {
	w.mail[submissions] = probe.MailAnswer{Greeting: "ready", Address: netip.MustParseAddr("2001:db8::26")}
}

func TestAddressFaults(t *testing.T) {
	forbidden := &probe.Failure{Kind: probe.Forbidden, Text: "10.0.0.5 is a private address"}
	check(t, []fault{
		{"D13 refused", func(w *world) { w.withIPv6(probe.Refused) }, "D13 imap.hoster.example",
			"imap.hoster.example does not answer over IPv6 (2001:db8::25), but over IPv4"},
		{"D13 no route, while another host has one", func(w *world) { w.withIPv6(probe.Unreachable); w.overIPv6() },
			"D13 imap.hoster.example", ""},
		{"no IPv6 here", func(w *world) { w.withIPv6(probe.Unreachable) }, "", ""},
		{"IPv6 answers too late once only", func(w *world) { w.withIPv6(probe.TimedOut) }, "", ""},
		{"IPv6 works", func(w *world) {
			w.withIPv6(probe.Refused)
			w.mail[imaps] = probe.MailAnswer{Greeting: "ready", Address: v6}
		}, "", ""},
		{"neither works", func(w *world) {
			w.withIPv6(probe.Refused)
			w.mail[imaps] = probe.MailAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "refused"}}
		}, "", ""},
		{"D14", func(w *world) {
			w.record("imap.hoster.example", "A")
			w.record("imap.hoster.example", "AAAA", v6.String())
			w.mail[imaps] = probe.MailAnswer{Greeting: "ready", Address: v6}
		}, "D14 imap.hoster.example", "imap.hoster.example has no A record"},
		{"D15", func(w *world) {
			w.record("imap.hoster.example", "A", "10.0.0.5")
			w.mail[imaps] = probe.MailAnswer{Failure: forbidden}
		}, "D15 imap.hoster.example", "imap.hoster.example is 10.0.0.5: that works only inside"},
		{"D15 beside a public address", func(w *world) { w.record("imap.hoster.example", "A", "198.51.100.25", "192.168.1.5") },
			"D15 imap.hoster.example", "imap.hoster.example is 192.168.1.5"},
		{"inside", func(w *world) { w.record("imap.hoster.example", "A", "10.0.0.5") }, "", ""},
	})
}

// TestOtherPlaces holds that H14 needs a client that is lost by it.
func TestOtherPlaces(t *testing.T) {
	w := healthy()
	w.page("GET https"+wellKnownURL, 404, "text/html", "")
	c := w.caseOf(t)
	asked := client.WellKnown("https", c.Domain()).Key()
	c.Clients = []client.Client{{ID: "a", Name: "Ambra"}}
	for _, row := range []struct {
		outcome client.Outcome
		keys    []probe.Key
		want    string
	}{
		{client.Asks, []probe.Key{asked}, "warning H14 nordlys.example a"},
		{client.SetsUp, []probe.Key{asked}, ""},
		{client.Asks, []probe.Key{asked, client.Autoconfig("https", c.Domain()).Key()}, ""},
	} {
		f := client.Forecast{Outcome: row.outcome}
		for _, key := range row.keys {
			f.Steps = append(f.Steps, client.Step{Key: key, Verdict: client.Passed})
		}
		c.Forecasts["a"] = f
		if got := summary(find(t.Context(), c, webFaults)); got != row.want {
			t.Errorf("a client that asked %v and %s: found %q, want %q", row.keys, row.outcome, got, row.want)
		}
	}
}

// TestWithoutSNI holds that H17 comes from a handshake that somebody else wanted.
func TestWithoutSNI(t *testing.T) {
	c := healthy().caseOf(t)
	q := probe.TLSQuestion{Host: "autoconfig.nordlys.example", Port: 443, NoName: true}
	c.Asker.PutTLS(q, probe.TLSAnswer{TLS: &probe.TLS{Names: []string{"www.webhost.example"},
		Problems: []probe.Problem{probe.WrongName}}})
	found := find(t.Context(), c, webFaults)
	if summary(found) != "note H17 autoconfig.nordlys.example" ||
		!strings.Contains(found[0].Sentence, "for www.webhost.example") {
		t.Errorf("found %q %v, want H17 with the name of the certificate", summary(found), found)
	}
	c.Asker.PutTLS(q, probe.TLSAnswer{TLS: &probe.TLS{Names: []string{"autoconfig.nordlys.example"}}})
	if got := summary(find(t.Context(), c, webFaults)); got != "" {
		t.Errorf("found %q with a good default site, want nothing", got)
	}
}

// TestServers holds that a server that several sources name is there once, with all of them.
func TestServers(t *testing.T) {
	c := healthy().caseOf(t)
	c.Clients = []client.Client{{ID: "a"}}
	c.Forecasts["a"] = client.Forecast{Servers: []client.Server{
		{Type: account.IMAP, Hostname: "IMAP.hoster.example", Port: 993, SocketType: account.SSL},
		{Type: account.IMAP, Hostname: "imap.nordlys.example", Port: 143, SocketType: account.STARTTLS},
	}}
	for _, n := range c.Servers(t.Context()) {
		switch n.Question() {
		case imaps:
			if len(n.Keys) < 4 || len(n.Clients) != 1 {
				t.Errorf("%v: named by %q and used by %v, want documents, a SRV record and the client",
					n.Question(), n.Keys, n.Clients)
			}
		case submissions, submission:
			if len(n.Keys) == 0 {
				t.Errorf("%v: nobody names it", n.Question())
			}
		default:
			if n.Hostname != "imap.nordlys.example" || len(n.Keys) > 0 || len(n.Clients) != 1 {
				t.Errorf("unexpected server %+v", n)
			}
		}
	}
}
