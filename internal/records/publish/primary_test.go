package publish

import (
	"net"
	"strings"
	"testing"
	"time"

	miekg "github.com/miekg/dns"

	"signpost/internal/dns"
	"signpost/internal/dns/dnstest"
	"signpost/internal/fault"
	"signpost/internal/records"
)

// startPrimary runs an invented primary over TCP, for behaviour that real ones never
// show. The handler signs the answers.
func startPrimary(t *testing.T, secret dns.Secret, handler miekg.HandlerFunc) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	server := &miekg.Server{
		Listener: listener, Handler: handler, TsigSecret: map[string]string{"signpost.": string(secret)},
		MsgAcceptFunc:     func(miekg.Header) miekg.MsgAcceptAction { return miekg.MsgAccept },
		NotifyStartedFunc: func() { close(ready) },
	}
	go server.ActivateAndServe()
	<-ready
	t.Cleanup(func() { server.Shutdown() })
	return listener.Addr().String()
}

// sign signs m if the query is signed.
func sign(m, query *miekg.Msg) *miekg.Msg {
	if tsig := query.IsTsig(); tsig != nil {
		m.SetTsig(tsig.Hdr.Name, tsig.Algorithm, 300, time.Now().Unix())
	}
	return m
}

// emptyZone returns the answer of a primary whose zone kund.example is empty.
func emptyZone(query *miekg.Msg) *miekg.Msg {
	answer := new(miekg.Msg).SetReply(query)
	answer.Authoritative = true
	soa := dnstest.RR("kund.example. 300 IN SOA ns. host. 1 2 3 4 5")
	if query.Question[0].Name == "kund.example." && query.Question[0].Qtype == miekg.TypeSOA {
		answer.Answer = []miekg.RR{soa}
	} else {
		answer.Rcode = miekg.RcodeNameError
		answer.Ns = []miekg.RR{soa}
	}
	return answer
}

func TestOddPrimaries(t *testing.T) {
	onUpdate := func(rcode int) miekg.HandlerFunc {
		return func(w miekg.ResponseWriter, query *miekg.Msg) {
			if query.Opcode == miekg.OpcodeUpdate {
				w.WriteMsg(sign(new(miekg.Msg).SetRcode(query, rcode), query))
				return
			}
			w.WriteMsg(sign(emptyZone(query), query))
		}
	}
	for _, test := range []struct {
		name    string
		secret  dns.Secret
		handler miekg.HandlerFunc
		want    string
		hint    string
	}{
		{"unsigned answers", testKey.Secret, func(w miekg.ResponseWriter, query *miekg.Msg) { w.WriteMsg(emptyZone(query)) },
			"answers without a valid signature, and is not trusted", ""},
		{"signed with another secret", wrongSecret.Secret, onUpdate(miekg.RcodeSuccess),
			"answers without a valid signature, and is not trusted", ""},
		{"no answer", testKey.Secret, func(miekg.ResponseWriter, *miekg.Msg) {}, "does not answer", ""},
		{"closes the connection", testKey.Secret, func(w miekg.ResponseWriter, _ *miekg.Msg) { w.Close() },
			"ends the connection", ""},
		{"cannot serve", testKey.Secret, func(w miekg.ResponseWriter, query *miekg.Msg) {
			w.WriteMsg(sign(new(miekg.Msg).SetRcode(query, miekg.RcodeServerFailure), query))
		}, "answers SERVFAIL", ""},
		{"does not support updates", testKey.Secret, onUpdate(miekg.RcodeNotImplemented), "does not support updates",
			"-format zone"},
		{"cannot write", testKey.Secret, onUpdate(miekg.RcodeServerFailure), "failed to update kund.example", "log"},
		{"is a secondary", testKey.Secret, onUpdate(miekg.RcodeNotAuth), "is not the primary of kund.example", "primary"},
		{"answers with an unexpected code", testKey.Secret, onUpdate(miekg.RcodeNotZone),
			"answers NOTZONE to the update of kund.example", "run again"},
		{"accepts the update without doing it", testKey.Secret, onUpdate(miekg.RcodeSuccess),
			"accepted the update, but autoconfig.kund.example CNAME is not what was published", "run again"},
		{"refuses everybody", testKey.Secret, func(w miekg.ResponseWriter, query *miekg.Msg) {
			answer := new(miekg.Msg).SetRcode(query, miekg.RcodeRefused)
			answer.Authoritative = true
			w.WriteMsg(answer)
		}, "has no zone for", "create the zone there"},
		{"answers another question", testKey.Secret, func(w miekg.ResponseWriter, query *miekg.Msg) {
			query.Id++
			w.WriteMsg(sign(emptyZone(query), query))
		}, "answers another question than ours", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			address := startPrimary(t, test.secret, test.handler)
			p, err := New(Options{
				Updates: []dns.Update{{Zone: "kund.example", Primary: address, Key: testKey}},
				Timeout: 2 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := p.Plan(t.Context(), publishedDomain("kund.example"))
			if err == nil {
				err = p.Apply(t.Context(), plan)
			}
			if err == nil || !strings.Contains(err.Error(), address+" "+test.want) ||
				!strings.Contains(fault.Hint(err), test.hint) {
				t.Errorf("Plan and Apply: error %v (hint %q), want %q (hint %q)",
					err, fault.Hint(err), test.want, test.hint)
			}
		})
	}
}

// TestWildcardProbeFails has a record that somebody else wrote, and a primary that fails
// the query whether a wildcard causes that record. A marker of our own needs no such query.
func TestWildcardProbeFails(t *testing.T) {
	for _, test := range []struct{ record, want string }{
		{"_sieve._tcp.kund.example. 300 IN SRV 0 1 4190 mail.other.example.", "answers SERVFAIL"},
		{`_signpost.kund.example. 300 IN TXT "something else"`, "answers SERVFAIL"},
		{`_signpost.kund.example. 300 IN TXT "v=signpost1 owner=setup.example.net"`, ""},
	} {
		record := dnstest.RR(test.record)
		address := startPrimary(t, testKey.Secret, func(w miekg.ResponseWriter, query *miekg.Msg) {
			answer := emptyZone(query)
			question := query.Question[0]
			switch {
			case strings.HasPrefix(question.Name, records.WildcardProbe):
				answer = new(miekg.Msg).SetRcode(query, miekg.RcodeServerFailure)
			case question.Name == record.Header().Name && question.Qtype == record.Header().Rrtype:
				answer = new(miekg.Msg).SetReply(query)
				answer.Authoritative = true
				answer.Answer = []miekg.RR{record}
			}
			w.WriteMsg(sign(answer, query))
		})
		p, err := New(Options{Owner: "setup.example.net",
			Updates: []dns.Update{{Zone: "*", Primary: address, Key: testKey}}})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := p.Plan(t.Context(), publishedDomain("kund.example"))
		if test.want == "" && err != nil || test.want != "" &&
			(err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("Plan with %s = %v, %v, want the error %q", test.record, plan, err, test.want)
		}
	}
}

// TestNameTooLong checks that a domain below which no name fits is refused, not published in
// part.
func TestNameTooLong(t *testing.T) {
	address := startPrimary(t, testKey.Secret, func(w miekg.ResponseWriter, query *miekg.Msg) {
		w.WriteMsg(sign(emptyZone(query), query))
	})
	p, err := New(Options{Updates: []dns.Update{{Zone: "*", Primary: address, Key: testKey}}})
	if err != nil {
		t.Fatal(err)
	}
	domain := strings.Repeat("a.", 120) + "kund.example"
	if plan, err := p.Plan(t.Context(), publishedDomain(domain)); err == nil ||
		!strings.Contains(err.Error(), "not a valid DNS name") {
		t.Errorf("Plan of a domain of %d bytes = %v, %v, want that a name is too long", len(domain), plan, err)
	}
}

// TestIdleConnection has the primary close the connection after each answer.
func TestIdleConnection(t *testing.T) {
	address := startPrimary(t, testKey.Secret, func(w miekg.ResponseWriter, query *miekg.Msg) {
		if query.RecursionDesired {
			t.Errorf("the query for %s asks for recursion, want what the primary itself has", query.Question[0].Name)
		}
		w.WriteMsg(sign(emptyZone(query), query))
		w.Close()
	})
	p, err := New(Options{Updates: []dns.Update{{Zone: "*", Primary: address, Key: testKey}}})
	if err != nil {
		t.Fatal(err)
	}
	if plan, err := p.Plan(t.Context(), publishedDomain("kund.example")); err != nil || len(plan.Changes) != 18 {
		t.Errorf("Plan = %v, %v, want 18 changes", plan, err)
	}
}

func TestWhichPrimary(t *testing.T) {
	p, err := New(Options{Updates: []dns.Update{
		{Zone: "kund.example", Primary: "192.0.2.1", Key: testKey},
		{Zone: "*", Primary: "192.0.2.2", Key: testKey},
		{Zone: "avd.kund.example", Primary: "192.0.2.3:5353", Key: testKey},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if p.options.Timeout != 5*time.Second {
		t.Errorf("the time limit is %v where none is given, want 5s", p.options.Timeout)
	}
	for domain, want := range map[string]string{
		"kund.example":       "192.0.2.1:53",
		"x.kund.example":     "192.0.2.1:53",
		"avd.kund.example":   "192.0.2.3:5353",
		"x.avd.kund.example": "192.0.2.3:5353",
		"inkund.example":     "192.0.2.2:53",
		"other.example":      "192.0.2.2:53",
	} {
		if got, err := p.updateFor(domain); err != nil || got.Primary != want {
			t.Errorf("updateFor(%s) = %v, %v, want the primary %s", domain, got, err, want)
		}
	}
	for _, u := range []dns.Update{{Zone: "*", Primary: "", Key: testKey},
		{Zone: "*", Primary: "https://x", Key: testKey}, {Zone: "*", Primary: "192.0.2.1", Key: dns.Key{}}} {
		if _, err := New(Options{Updates: []dns.Update{u}}); err == nil ||
			!strings.HasPrefix(err.Error(), "primary of *: ") {
			t.Errorf("New with the update %v: error %v, want one about the primary of *", u, err)
		}
	}
}
