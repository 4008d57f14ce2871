package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
)

// startPrimary runs a primary of our own over TCP, for what the real ones never
// do. It signs as the handler says.
func startPrimary(t *testing.T, secret Secret, handler dns.HandlerFunc) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	server := &dns.Server{
		Listener: listener, Handler: handler, TsigSecret: map[string]string{"signpost.": string(secret)},
		MsgAcceptFunc:     func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
		NotifyStartedFunc: func() { close(ready) },
	}
	go server.ActivateAndServe()
	<-ready
	t.Cleanup(func() { server.Shutdown() })
	return listener.Addr().String()
}

func sign(m, query *dns.Msg) *dns.Msg {
	if tsig := query.IsTsig(); tsig != nil {
		m.SetTsig(tsig.Hdr.Name, tsig.Algorithm, 300, time.Now().Unix())
	}
	return m
}

// emptyZone answers as a primary whose zone kund.example is empty.
func emptyZone(query *dns.Msg) *dns.Msg {
	answer := new(dns.Msg).SetReply(query)
	answer.Authoritative = true
	soa := mustRR("kund.example. 300 IN SOA ns. host. 1 2 3 4 5")
	if query.Question[0].Name == "kund.example." && query.Question[0].Qtype == dns.TypeSOA {
		answer.Answer = []dns.RR{soa}
	} else {
		answer.Rcode = dns.RcodeNameError
		answer.Ns = []dns.RR{soa}
	}
	return answer
}

func TestOddPrimaries(t *testing.T) {
	onUpdate := func(rcode int) dns.HandlerFunc {
		return func(w dns.ResponseWriter, query *dns.Msg) {
			if query.Opcode == dns.OpcodeUpdate {
				w.WriteMsg(sign(new(dns.Msg).SetRcode(query, rcode), query))
				return
			}
			w.WriteMsg(sign(emptyZone(query), query))
		}
	}
	for _, test := range []struct {
		name    string
		secret  Secret
		handler dns.HandlerFunc
		want    string
		hint    string
	}{
		{"unsigned answers", testKey.Secret, func(w dns.ResponseWriter, query *dns.Msg) { w.WriteMsg(emptyZone(query)) },
			"answers without a valid signature, and is not believed", ""},
		{"signed by somebody else", wrongSecret.Secret, onUpdate(dns.RcodeSuccess), "answers without a valid signature, and is not believed", ""},
		{"silence", testKey.Secret, func(dns.ResponseWriter, *dns.Msg) {}, "does not answer", ""},
		{"hangs up", testKey.Secret, func(w dns.ResponseWriter, _ *dns.Msg) { w.Close() }, "ends the connection", ""},
		{"cannot serve", testKey.Secret, func(w dns.ResponseWriter, query *dns.Msg) {
			w.WriteMsg(sign(new(dns.Msg).SetRcode(query, dns.RcodeServerFailure), query))
		}, "answers SERVFAIL", ""},
		{"takes no updates", testKey.Secret, onUpdate(dns.RcodeNotImplemented), "takes no updates", "-format zone"},
		{"cannot write", testKey.Secret, onUpdate(dns.RcodeServerFailure), "failed to update kund.example", "log"},
		{"is a secondary", testKey.Secret, onUpdate(dns.RcodeNotAuth), "is not the primary of kund.example", "primary"},
		{"answers nonsense", testKey.Secret, onUpdate(dns.RcodeNotZone), "answers NOTZONE to the update of kund.example", "run again"},
		{"does not do what it says", testKey.Secret, onUpdate(dns.RcodeSuccess), "took the update, but autoconfig.kund.example CNAME is not what was published", "run again"},
		{"answers another question", testKey.Secret, func(w dns.ResponseWriter, query *dns.Msg) {
			query.Id++
			w.WriteMsg(sign(emptyZone(query), query))
		}, "answers another question than ours", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := NewPublisher(PublishOptions{
				Updates: []Update{{Zone: "kund.example", Primary: startPrimary(t, test.secret, test.handler), Key: testKey}},
				Timeout: 2 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			plan, err := p.Plan(t.Context(), publishedDomain("kund.example"))
			if err == nil {
				err = p.Apply(t.Context(), plan)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(Hint(err), test.hint) {
				t.Errorf("error %v (%s), want %s (%s)", err, Hint(err), test.want, test.hint)
			}
		})
	}
}

// TestIdleConnection has the primary close the connection after each answer.
func TestIdleConnection(t *testing.T) {
	address := startPrimary(t, testKey.Secret, func(w dns.ResponseWriter, query *dns.Msg) {
		w.WriteMsg(sign(emptyZone(query), query))
		w.Close()
	})
	p, err := NewPublisher(PublishOptions{Updates: []Update{{Zone: "*", Primary: address, Key: testKey}}})
	if err != nil {
		t.Fatal(err)
	}
	if plan, err := p.Plan(t.Context(), publishedDomain("kund.example")); err != nil || len(plan.Changes) != 18 {
		t.Errorf("%v %v", plan, err)
	}
}

func TestWhichPrimary(t *testing.T) {
	p, err := NewPublisher(PublishOptions{Updates: []Update{
		{"kund.example", "192.0.2.1", testKey},
		{"*", "192.0.2.2", testKey},
		{"avd.kund.example", "192.0.2.3:5353", testKey},
	}})
	if err != nil {
		t.Fatal(err)
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
			t.Errorf("%s: %v %v, want %s", domain, got, err, want)
		}
	}
	for _, u := range []Update{{"*", "", testKey}, {"*", "https://x", testKey}, {"*", "192.0.2.1", Key{}}} {
		if _, err := NewPublisher(PublishOptions{Updates: []Update{u}}); err == nil || !strings.HasPrefix(err.Error(), "primary of *: ") {
			t.Errorf("%v: %v", u, err)
		}
	}
}

func TestParseKey(t *testing.T) {
	const secret = "c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA="
	want := Key{"signpost", "hmac-sha256", secret}
	for text, problem := range map[string]string{
		"key \"signpost\" {\n\talgorithm hmac-sha256;\n\tsecret \"" + secret + "\";\n};\n":                                        "",
		"key Signpost. { secret " + secret + "; algorithm HMAC-SHA256; };":                                                        "",
		"# made by hand\nkey \"signpost\" { /* a\ncomment */ algorithm hmac-sha256; // another\n secret \"" + secret + "\"; };\n": "",
		"# hmac-sha256:signpost:" + secret + "\nkey:\n  - id: signpost\n    algorithm: hmac-sha256\n    secret: " + secret + "\n": "",
		"hmac-sha256:signpost:" + secret: "",
		"":                               `it does not hold one key, as "tsig-keygen name" prints it`,
		secret:                           `it does not hold one key, as "tsig-keygen name" prints it`,
		"key a { algorithm hmac-sha256; secret \"" + secret + "\"; }; key b { algorithm hmac-sha256; secret \"" + secret + "\"; };": `it does not hold one key, as "tsig-keygen name" prints it`,
		"key a { algorithm hmac-md5; secret \"" + secret + "\"; };":                                                                 `the key's algorithm is "hmac-md5", it must be one of hmac-sha256, hmac-sha384, hmac-sha512`,
		"key a { algorithm hmac-sha1; secret \"" + secret + "\"; };":                                                                `the key's algorithm is "hmac-sha1", it must be one of hmac-sha256, hmac-sha384, hmac-sha512`,
		"key a { secret \"" + secret + "\"; };":                                                                                     `the key's algorithm is "", it must be one of hmac-sha256, hmac-sha384, hmac-sha512`,
		"key a { algorithm hmac-sha256; };":                                                                                         "the key has no secret",
		"key a { algorithm hmac-sha256; secret \"hemlig!\"; };":                                                                     "the key's secret is not base64",
		"key a { algorithm hmac-sha256; secret \"aGVtbGln\"; };":                                                                    "the key's secret has 6 octets, at least 16 are needed",
	} {
		got, err := parseKey(text)
		if problem == "" {
			if err != nil || got != want {
				t.Errorf("%q: %#v, %v", text, got, err)
			}
		} else if err == nil || err.Error() != problem {
			t.Errorf("%q: error %v, want %s", text, err, problem)
		}
	}
	if _, err := ReadKeyFile("nowhere.key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	file := write(t, filepath.Join(t.TempDir(), "signpost.key"), bindKeyText(testKey))
	if got, err := ReadKeyFile(file); err != nil || got != testKey {
		t.Errorf("%v %v", got, err)
	}
	write(t, file, "key")
	if _, err := ReadKeyFile(file); err == nil || !strings.HasPrefix(err.Error(), file+": it does not hold") {
		t.Errorf("broken file: %v", err)
	}
}

// TestKeyWithSlashes has secrets that look as if they held a comment.
func TestKeyWithSlashes(t *testing.T) {
	for _, secret := range []Secret{"c2//dC1zZWNyZXQtc2VjcmV0LXNlY3JldA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA////"} {
		text := "// a key // \"of\" ours\n/* for\n* it */ key \"signpost\" { # here\n\talgorithm hmac-sha256; // strong\n\tsecret \"" + string(secret) + "\"; # \"x\"\n};\n"
		if key, err := parseKey(text); err != nil || key.Secret != secret || key.Name != "signpost" {
			t.Errorf("%s: %v %v", secret, key, err)
		}
	}
}

// TestTSIGKeygen reads what BIND's own program writes.
func TestTSIGKeygen(t *testing.T) {
	for _, algorithm := range algorithms {
		out, err := exec.Command(tool(t, "tsig-keygen"), "-a", algorithm, "kund.example").Output()
		if err != nil {
			t.Fatal(err)
		}
		if key, err := parseKey(string(out)); err != nil || key.Name != "kund.example" || key.Algorithm != algorithm {
			t.Errorf("%s: %v %v", algorithm, key, err)
		}
	}
}

func TestSecretStaysSecret(t *testing.T) {
	u := Update{"*", "192.0.2.1", testKey}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", testKey.Secret, "update", u, "key", &u.Key)
	octets, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q", u, u, u, u.Key, u.Key.Secret), log.String(), string(octets)} {
		if strings.Contains(text, string(testKey.Secret)) || !strings.Contains(text, "****") {
			t.Errorf("%s", text)
		}
	}
}

func TestMarker(t *testing.T) {
	m := marker{owner: "setup.example.net", sets: map[setKey]owned{
		{"_imaps._tcp", "SRV"}:     {digest: "0123456789abcdef"},
		{"autoconfig", "CNAME"}:    {digest: "1123456789abcdef"},
		{"_ua-auto-config", "TXT"}: {digest: "2123456789abcdef", until: time.Unix(1795000000, 0)},
	}}
	const data = `"v=signpost1 owner=setup.example.net" "autoconfig CNAME 1123456789abcdef" "_ua-auto-config TXT 2123456789abcdef 1795000000" "_imaps._tcp SRV 0123456789abcdef"`
	if got := m.data(); got != data {
		t.Errorf("written as %s", got)
	}
	back, ok := readMarker(data)
	if diff := cmp.Diff(m, back, cmp.AllowUnexported(marker{}, owned{}, setKey{})); diff != "" || !ok {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	for _, text := range []string{"", `""`, `"v=spf1 -all"`, `"v=signpost2 owner=x"`, `"v=signpost1"`, `"`, `\`} {
		if _, ok := readMarker(text); ok {
			t.Errorf("%s is no marker", text)
		}
	}
	// What we could not have written is not ours, whoever says so.
	got, ok := readMarker(`"v=signpost1 owner=x" "www A 0123" "autoconfig MX 0123" "autoconfig" "autoconfig A" "_jmap._tcp SRV 0123 never"`)
	if len(got.sets) != 1 || !ok || !got.sets[setKey{"_jmap._tcp", "SRV"}].until.IsZero() {
		t.Errorf("%v", got)
	}
}

// FuzzMarker reads what anybody who may write into the zone could put there.
func FuzzMarker(f *testing.F) {
	f.Add(`"v=signpost1 owner=setup.example.net" "autoconfig CNAME 1123456789abcdef" "_ua-auto-config TXT 2123 1795000000"`)
	f.Add(`"v=signpost1 owner=\"\\\255" "" " "`)
	f.Fuzz(func(t *testing.T, data string) {
		m, ok := readMarker(data)
		if !ok {
			return
		}
		again, ok := readMarker(m.data())
		if diff := cmp.Diff(m, again, cmp.AllowUnexported(marker{}, owned{}, setKey{})); diff != "" || !ok {
			t.Errorf("%q came back differently:\n%s", data, diff)
		}
	})
}
