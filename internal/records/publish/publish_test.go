package publish

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/dns/dnstest"
	"signpost/internal/fault"
	"signpost/internal/freeport"
	"signpost/internal/records"
)

// These are the keys of package dnstest.
var (
	testKey     = keyOf(dnstest.TestKey)
	powerless   = keyOf(dnstest.Powerless)
	unknownKey  = keyOf(dnstest.UnknownKey)
	wrongSecret = keyOf(dnstest.WrongSecret)
)

func keyOf(k dnstest.Key) dns.Key {
	return dns.Key{Name: k.Name, Algorithm: k.Algorithm, Secret: dns.Secret(k.Secret)}
}

// server is a real name server to publish to.
type server struct{ *dnstest.Nameserver }

// onEach runs a test against a fresh server of every kind.
func onEach(t *testing.T, f func(t *testing.T, n server)) {
	for _, name := range []string{"BIND", "Knot", "PowerDNS"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, server{dnstest.StartNameserver(t, name)})
		})
	}
}

func (n server) publisher(t testing.TB, change ...func(*Options)) *Publisher {
	t.Helper()
	o := Options{Updates: []dns.Update{{Zone: "*", Primary: n.Address, Key: testKey}}, Owner: "setup.example.net"}
	for _, f := range change {
		f(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func replacing(o *Options) { o.Replace = true }

func withKey(key dns.Key) func(*Options) {
	return func(o *Options) { o.Updates[0].Key = key }
}

// plan returns a plan, and fails the test if it cannot be made.
func (p *Publisher) plan(t testing.TB, d records.Domain) *Plan {
	t.Helper()
	plan, err := p.Plan(t.Context(), d)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.Hint(err))
	}
	return plan
}

// publish makes a plan, applies it, and returns what was done.
func (p *Publisher) publish(t testing.TB, d records.Domain) string {
	t.Helper()
	plan := p.plan(t, d)
	if err := p.Apply(t.Context(), plan); err != nil {
		t.Fatalf("%v (%s)\n%s", err, fault.Hint(err), plan)
	}
	add, change, remove := plan.Counts()
	return fmt.Sprintf("+%d ~%d -%d", add, change, remove)
}

var everyServer = []account.Server{
	{Type: account.IMAP, Hostname: "mail.example.net", Port: 993, SocketType: account.SSL, Authentication: password, Login: wholeAddress},
	{Type: account.IMAP, Hostname: "mail.example.net", Port: 143, SocketType: account.STARTTLS, Authentication: password, Login: wholeAddress},
	{Type: account.POP3, Hostname: "mail.example.net", Port: 995, SocketType: account.SSL, Authentication: password, Login: wholeAddress},
	{Type: account.SMTP, Hostname: "mail.example.net", Port: 465, SocketType: account.SSL, Authentication: password, Login: wholeAddress},
	{Type: account.CalDAV, URL: "https://dav.example.net/dav/calendars/", Authentication: password, Login: wholeAddress},
	{Type: account.CardDAV, URL: "https://dav.%EMAILDOMAIN%:8443/dav/", Authentication: password, Login: wholeAddress},
	{Type: account.JMAP, URL: "https://jmap.example.net/session", Authentication: password, Login: wholeAddress},
	{Type: account.ManageSieve, Hostname: "mail.example.net", Port: 4190, SocketType: account.STARTTLS, Authentication: password, Login: wholeAddress},
	{Type: account.ActiveSync, URL: "https://mail.example.net/Microsoft-Server-ActiveSync", Authentication: password, Login: wholeAddress},
}

var (
	password     = []account.Authentication{account.PasswordCleartext}
	wholeAddress = account.Login{Username: account.EmailAddress}
)

func settingsFor(domain string, servers ...account.Server) account.Settings {
	address := account.AnyAt(domain)
	provider := &account.Provider{ID: "example", DisplayName: "Example", Servers: servers}
	return account.Settings{Address: address, Login: address, Provider: provider, Servers: servers}
}

// printed returns the input for nsupdate.
func printed(t testing.TB, d records.Domain) string {
	t.Helper()
	var b strings.Builder
	w, err := records.NewWriter(&b, "nsupdate")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(d), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// publishedDomain should have every kind of record, with hosts of its own.
func publishedDomain(name string, change ...func(*records.Options, []account.Server) []account.Server) records.Domain {
	servers := slices.Clone(everyServer)
	for i := range servers {
		if servers[i].Hostname != "" {
			servers[i].Hostname = "mail.%EMAILDOMAIN%"
		} else {
			servers[i].URL = "https://mail.%EMAILDOMAIN%/dav/"
		}
	}
	o := records.Options{Name: "setup." + name}
	for _, f := range change {
		servers = f(&o, servers)
	}
	return records.New(o).For(settingsFor(name, servers...))
}

// holds makes sure, with dig, that the server has exactly the records.
func (n server) holds(t testing.TB, d records.Domain) {
	t.Helper()
	var questions, want, got []string
	asked := map[string]bool{}
	for _, m := range records.Names {
		for _, recordType := range m.Types {
			questions = append(questions, m.Label+"."+d.Name, recordType)
			asked[m.Label+"."+d.Name+". "+recordType] = true
		}
	}
	for _, r := range d.Records {
		want = append(want, r.String())
	}
	for _, line := range n.Dig(t, questions...) {
		// Aliases come with each type, and so does what a wildcard has.
		if f := strings.Fields(line); asked[f[0]+" "+f[3]] && f[1] != "300" && !slices.Contains(got, line) {
			got = append(got, line)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", d.Name, diff)
	}
}

func TestPublish(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("kund.example")
		p := n.publisher(t)
		foreign := []string{
			"update add old.kund.example. 300 A 192.0.2.99",
			"update add kund.example. 300 TXT \"v=spf1 -all\"",
			"update add x.autoconfig.kund.example. 300 TXT \"below a name of ours\"",
		}
		n.Update(t, foreign...)
		before := n.Serial(t, "kund.example")

		// The first publication adds each set of records, and the marker.
		if did := p.publish(t, d); did != "+18 ~0 -0" {
			t.Errorf("first: %s", did)
		}
		n.holds(t, d)
		first := n.Serial(t, "kund.example")
		if first == before {
			t.Errorf("the serial number is still %s", first)
		}

		// Publishing again changes nothing.
		again := p.plan(t, d)
		if !again.Empty() || again.String() != "kund.example: nothing to do\n" {
			t.Errorf("second: %v", again)
		}
		if err := p.Apply(t.Context(), again); err != nil {
			t.Error(err)
		}
		if serial := n.Serial(t, "kund.example"); serial != first {
			t.Errorf("publishing again took the serial number from %s to %s", first, serial)
		}

		// The comparison agrees.
		resolver, err := dns.NewResolver([]string{n.Address}, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := records.NewViewComparer(resolver)
		if got := c.Compare(t.Context(), d); got.Wrong() || len(got.Findings) > 0 {
			t.Errorf("compared: %v", got)
		}

		// After a change of the configuration, only the differences are
		// published.
		changed := publishedDomain("kund.example", func(o *records.Options, servers []account.Server) []account.Server {
			servers[3].Port = 587
			servers[3].SocketType = account.STARTTLS
			o.Name = "mail.kund.example"
			return slices.Delete(servers, 6, 7) // no JMAP
		})
		plan := p.plan(t, changed)
		var names []string
		for _, c := range plan.Changes {
			names = append(names, fmt.Sprintf("%s %s %d %d", strings.TrimSuffix(c.Name, ".kund.example"), c.Type, len(c.Old), len(c.New)))
		}
		want := []string{"autoconfig CNAME 1 1", "autodiscover CNAME 1 1", "ua-auto-config CNAME 1 0", "_ua-auto-config TXT 1 0",
			"_autodiscover._tcp SRV 1 1", "_submissions._tcp SRV 1 1", "_submission._tcp SRV 1 1", "_jmap._tcp SRV 1 0", "_signpost TXT 1 1"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if err := p.Apply(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		n.holds(t, changed)

		// The aliases become addresses, with another TTL.
		withAddresses := publishedDomain("kund.example", func(o *records.Options, servers []account.Server) []account.Server {
			o.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.11"), netip.MustParseAddr("2001:db8::1")}
			o.TTL = 600
			return servers
		})
		p.publish(t, withAddresses)
		n.holds(t, withAddresses)
		// The addresses become aliases again.
		p.publish(t, d)
		n.holds(t, d)

		// When the domain leaves, the records that were there before are still
		// there.
		if did := p.publish(t, records.Empty("kund.example")); did != "+0 ~0 -18" {
			t.Errorf("removal: %s", did)
		}
		n.holds(t, records.Domain{Name: "kund.example"})
		if marker := n.Dig(t, "_signpost.kund.example", "TXT"); len(marker) > 0 {
			t.Errorf("the marker is left: %v", marker)
		}
		for _, line := range foreign {
			f := strings.Fields(line)
			if got := n.Dig(t, f[2], f[4]); len(got) != 1 {
				t.Errorf("%s: %v", line, got)
			}
		}
		if plan := p.plan(t, records.Empty("kund.example")); !plan.Empty() {
			t.Errorf("removed again: %v", plan)
		}
	})
}

// TestConflicts has records at our names that somebody else wrote.
func TestConflicts(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("kund.example")
		p := n.publisher(t)
		n.Update(t,
			"update add autoconfig.kund.example. 300 A 192.0.2.99",
			"update add _imaps._tcp.kund.example. 300 SRV 0 1 993 mail.other.example.",
			"update add _pop3._tcp.kund.example. 300 SRV 0 0 0 .", // as it should be
			"update add _sieve._tcp.kund.example. 300 CNAME elsewhere.example.")
		serial := n.Serial(t, "kund.example")
		plan := p.plan(t, d)
		want := `kund.example: 3 conflicts, nothing can be published
  ! autoconfig.kund.example A was not written by Signpost
    autoconfig.kund.example. 300 IN A 192.0.2.99
  ! _imaps._tcp.kund.example SRV was not written by Signpost
    _imaps._tcp.kund.example. 300 IN SRV 0 1 993 mail.other.example.
  ! _sieve._tcp.kund.example CNAME holds a CNAME, beside which nothing else can stand
    _sieve._tcp.kund.example. 300 IN CNAME elsewhere.example.
  _pop3._tcp.kund.example SRV is right, but not written by us: it is left alone
`
		if diff := cmp.Diff(want, plan.String()); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
		err := p.Apply(t.Context(), plan)
		if err == nil || err.Error() != "kund.example: 3 conflicts" || !strings.Contains(fault.Hint(err), "-replace") {
			t.Errorf("applied: %v", err)
		}
		if now := n.Serial(t, "kund.example"); now != serial {
			t.Error("a refused plan changed the zone")
		}

		// With Replace, all records are taken over.
		n.publisher(t, replacing).publish(t, d)
		n.holds(t, d)
		if again := p.plan(t, d); !again.Empty() || len(again.Notes) > 0 {
			t.Errorf("after replacing: %v", again)
		}

		// A set that somebody edits afterwards belongs to them, also when the
		// domain leaves.
		n.Update(t,
			"update delete _imaps._tcp.kund.example. SRV",
			"update add _imaps._tcp.kund.example. 300 SRV 0 1 993 edited.other.example.",
			"update delete autodiscover.kund.example. CNAME")
		plan = p.plan(t, d)
		if len(plan.Conflicts) != 1 || plan.Conflicts[0].Problem != "was changed since Signpost wrote it" {
			t.Errorf("edited: %v", plan)
		}
		plan = p.plan(t, records.Empty("kund.example"))
		if len(plan.Conflicts) != 1 || plan.Conflicts[0].Name != "_imaps._tcp.kund.example SRV" {
			t.Errorf("leaving: %v", plan)
		}
		n.Update(t, "update delete _imaps._tcp.kund.example. SRV")
		// A set that somebody deleted is written again.
		if did := p.publish(t, d); did != "+2 ~0 -0" {
			t.Errorf("deleted by hand: %s", did)
		}

		// Another service publishes the domain.
		other := n.publisher(t, func(o *Options) { o.Owner = "setup.other.example" })
		plan = other.plan(t, d)
		if len(plan.Conflicts) != 1 || plan.Conflicts[0].Problem != "says that the service setup.example.net publishes this domain" {
			t.Errorf("another service: %v", plan)
		}
		if plan = other.plan(t, records.Empty("kund.example")); len(plan.Conflicts) != 1 {
			t.Errorf("another service removes: %v", plan)
		}

		// A text beside the CNAME is never replaced.
		p.publish(t, records.Empty("kund.example"))
		n.Update(t, `update add autodiscover.kund.example. 300 TXT "somebody's"`)
		plan = n.publisher(t, replacing).plan(t, d)
		if len(plan.Conflicts) != 1 || !strings.HasPrefix(plan.Conflicts[0].Problem, "holds TXT as well, beside which no CNAME can stand") {
			t.Errorf("a text beside a CNAME: %v", plan)
		}
		// Somebody else's record is at the name of the marker.
		n.Update(t, "update delete autodiscover.kund.example. TXT", `update add _signpost.kund.example. 300 TXT "somebody's"`)
		plan = p.plan(t, d)
		if len(plan.Conflicts) != 1 || plan.Conflicts[0].Problem != "is where Signpost keeps its marker, but holds something else" {
			t.Errorf("a text at the marker: %v", plan)
		}
		n.Update(t, "update delete _signpost.kund.example. TXT", `update add _signpost.kund.example. 300 CNAME x.example.`)
		plan = n.publisher(t, replacing).plan(t, d)
		if len(plan.Conflicts) != 1 || !strings.Contains(plan.Conflicts[0].Problem, "holds a CNAME") {
			t.Errorf("an alias at the marker: %v", plan)
		}
	})
}

// TestReplaceAndRemove removes a domain with Replace. Records that are not
// known to be ours stay, and those that another service is known to have
// written are removed with its marker.
func TestReplaceAndRemove(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("kund.example")
		p, replacer := n.publisher(t), n.publisher(t, replacing)
		marker := func() string { return strings.Join(n.Dig(t, "_signpost.kund.example", "TXT"), "\n") }

		// The text at the name of the marker is not a marker.
		n.Update(t, `update add _signpost.kund.example. 300 TXT "somebody else"`,
			"update add _imaps._tcp.kund.example. 300 SRV 0 1 993 mail.other.example.")
		for _, p := range []*Publisher{p, replacer} {
			plan := p.plan(t, records.Empty("kund.example"))
			if !plan.Empty() || len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0], "holds no marker of Signpost") {
				t.Errorf("a text at the marker: %v", plan)
			}
			if err := p.Apply(t.Context(), plan); err != nil {
				t.Error(err)
			}
		}
		if got := marker(); !strings.Contains(got, "somebody else") {
			t.Errorf("the text is gone: %q", got)
		}
		n.Update(t, "update delete _imaps._tcp.kund.example. SRV", "update delete _signpost.kund.example. TXT")

		// There is a text beside the marker.
		p.publish(t, d)
		n.Update(t, `update add _signpost.kund.example. 3600 TXT "somebody else"`)
		plan := p.plan(t, records.Empty("kund.example"))
		if len(plan.Notes) > 0 {
			t.Errorf("leaving with a text beside the marker: notes %q, want none", plan.Notes)
		}
		if err := p.Apply(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		n.holds(t, records.Domain{Name: "kund.example"})
		if got := marker(); !strings.Contains(got, "somebody else") || strings.Contains(got, "signpost1") {
			t.Errorf("beside the marker: %q", got)
		}
		n.Update(t, "update delete _signpost.kund.example. TXT")

		// A digest that another service wrote is overwritten, not kept for a day.
		n.Update(t, `update add _ua-auto-config.kund.example. 600 TXT "v=UAAC1; a=sha256; d=Zm9yZWlnbg=="`)
		replacer.publish(t, d)
		n.holds(t, d)
		p.publish(t, records.Empty("kund.example"))

		// The service has another name now, and takes over or leaves.
		renamed := func(o *Options) { o.Owner, o.Replace = "new.example.net", true }
		p.publish(t, d)
		if did := n.publisher(t, renamed).publish(t, d); did != "+0 ~1 -0" {
			t.Errorf("taken over: %s", did)
		}
		n.holds(t, d)
		if did := n.publisher(t, renamed).publish(t, records.Empty("kund.example")); did != "+0 ~0 -18" {
			t.Errorf("left after taking over: %s", did)
		}
		p.publish(t, d)
		if did := n.publisher(t, renamed).publish(t, records.Empty("kund.example")); did != "+0 ~0 -18" {
			t.Errorf("left under another name: %s", did)
		}
		n.holds(t, records.Domain{Name: "kund.example"})
		if got := marker(); got != "" {
			t.Errorf("the marker is left: %q", got)
		}
	})
}

// TestConcurrentChange has the zone change between plan and update: the update
// fails as a whole.
func TestConcurrentChange(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("kund.example")
		p := n.publisher(t)
		for name, edit := range map[string]string{
			"a set that was not there": "update add _imaps._tcp.kund.example. 300 SRV 0 1 993 mail.other.example.",
			"an address":               "update add autoconfig.kund.example. 300 A 192.0.2.99",
			"a text":                   `update add autoconfig.kund.example. 300 TXT "x"`,
			"an alias":                 "update add _jmap._tcp.kund.example. 300 CNAME x.example.",
			"the marker":               `update add _signpost.kund.example. 300 TXT "x"`,
		} {
			plan := p.plan(t, d)
			n.Update(t, edit)
			serial := n.Serial(t, "kund.example")
			err := p.Apply(t.Context(), plan)
			if !errors.Is(err, ErrChanged) || fault.Hint(err) == "" {
				t.Errorf("%s: %v", name, err)
			}
			if now := n.Serial(t, "kund.example"); now != serial {
				t.Errorf("%s: something was changed nevertheless", name)
			}
			f := strings.Fields(edit)
			n.Update(t, "update delete "+f[2]+" "+f[4])
		}

		// Two publishers apply their plans at once.
		one, two := p.plan(t, d), p.plan(t, d)
		if err := p.Apply(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(t.Context(), two); !errors.Is(err, ErrChanged) {
			t.Errorf("the second of two at once: %v", err)
		}
		// The same happens if only one set is to be changed.
		fewer := publishedDomain("kund.example", func(_ *records.Options, servers []account.Server) []account.Server {
			return slices.Delete(servers, 6, 7)
		})
		one, two = p.plan(t, fewer), p.plan(t, records.Empty("kund.example"))
		if err := p.Apply(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(t.Context(), two); !errors.Is(err, ErrChanged) {
			t.Errorf("a removal that saw the old state: %v", err)
		}
	})
}

// TestPublishRefused checks that every refusal of a primary is named and has a
// hint.
func TestPublishRefused(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		for _, test := range []struct {
			name    string
			domain  string
			options func(*Options)
			sign    time.Duration
			want    []string // one of them, as servers tell more or less
			hint    string
		}{
			{name: "another secret", options: withKey(wrongSecret), want: []string{
				"has another secret for the key signpost",
				"does not accept the key signpost: it knows no key of that name or another secret"}, hint: "compare"},
			{name: "unknown key", options: withKey(unknownKey), want: []string{
				"knows no key nobody, or allows it nothing in this zone",
				"does not accept the key nobody: it knows no key of that name or another secret"}, hint: "compare"},
			{name: "a key without rights", options: withKey(powerless), want: []string{
				"zone kund.example: primary " + n.Address + " refuses to update kund.example with the key reader",
				"knows no key reader, or allows it nothing in this zone"}, hint: "allow"},
			{name: "our clock is ahead", sign: 3 * time.Hour, want: []string{
				"the clocks differ by more than five minutes: it is ",
				"the clocks differ by more than five minutes"}, hint: "NTP"},
			{name: "our clock is behind", sign: -3 * time.Hour, want: []string{
				"the clocks differ by more than five minutes: it is ",
				"the clocks differ by more than five minutes"}, hint: "NTP"},
			{name: "no such zone", domain: "nowhere.example", want: []string{"has no zone for nowhere.example, or does not show it to us"}, hint: "primary"},
			{name: "handed to others", domain: "handed.example", want: []string{"_tcp.handed.example, which primary " + n.Address + " delegates to other servers"}, hint: "primary"},
			{name: "server down", options: func(o *Options) { o.Updates[0].Primary = "127.0.0.1:" + freeport.Choose(t) }, want: []string{"cannot be reached: connection refused"}},
			{name: "no primary", options: func(o *Options) { o.Updates[0].Zone = "other.example" }, want: []string{"no primary is configured for kund.example"}, hint: "configuration"},
		} {
			t.Run(test.name, func(t *testing.T) {
				if test.domain == "" {
					test.domain = "kund.example"
				}
				p := n.publisher(t, func(o *Options) {
					if test.options != nil {
						test.options(o)
					}
				})
				p.signClock = func() time.Time { return time.Now().Add(test.sign) }
				plan, err := p.Plan(t.Context(), publishedDomain(test.domain))
				if err == nil {
					err = p.Apply(t.Context(), plan)
				}
				if err == nil {
					t.Fatal("nobody said no")
				}
				if !slices.ContainsFunc(test.want, func(want string) bool { return strings.Contains(err.Error(), want) }) {
					t.Errorf("error %q, want one of %q", err, test.want)
				}
				if !strings.Contains(fault.Hint(err), test.hint) {
					t.Errorf("hint %q, want %q", fault.Hint(err), test.hint)
				}
				t.Log(err)
				for _, secret := range []dns.Secret{testKey.Secret, wrongSecret.Secret} {
					if strings.Contains(fmt.Sprintf("%v %+v %#v %s", err, p.options, p.options, fault.Hint(err)), string(secret)) {
						t.Error("the secret shows")
					}
				}
			})
		}
	})
}

// TestZoneCuts publishes where zones do not begin at the domain.
func TestZoneCuts(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		p := n.publisher(t)
		for _, name := range []string{"cut.example", "avdelning.kund.example", "wild.example"} {
			d := publishedDomain(name, func(o *records.Options, servers []account.Server) []account.Server {
				o.Name = "setup.kund.example"
				return servers
			})
			plan := p.plan(t, d)
			zones := map[string]bool{}
			for _, c := range plan.Changes {
				zones[c.Zone] = true
			}
			want := map[string]bool{"cut.example": true, "_tcp.cut.example": true}
			switch name {
			case "avdelning.kund.example":
				want = map[string]bool{"kund.example": true}
			case "wild.example":
				want = map[string]bool{"wild.example": true}
			}
			if diff := cmp.Diff(want, zones); diff != "" {
				t.Errorf("%s: zones (-want +got):\n%s", name, diff)
			}
			if err := p.Apply(t.Context(), plan); err != nil {
				t.Errorf("%s: %v\n%v", name, err, plan)
				continue
			}
			n.holds(t, d)
			if again := p.plan(t, d); !again.Empty() {
				t.Errorf("again: %v", again)
			}
			p.publish(t, records.Empty(name))
			if again := p.plan(t, records.Empty(name)); !again.Empty() {
				t.Errorf("removed again: %v", again)
			}
			if left := n.Dig(t, "_imaps._tcp."+name, "SRV"); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		}
	})
}

// TestBesideWildcard has somebody else's records that are equal to those of the
// wildcard but exist at the managed names themselves.
func TestBesideWildcard(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("wild.example")
		n.Update(t, "update add autoconfig.wild.example. 300 A 192.0.2.80",
			`update add autodiscover.wild.example. 300 TXT "v=spf1 -all"`)
		plan := n.publisher(t).plan(t, d)
		var problems []string
		for _, c := range plan.Conflicts {
			problems = append(problems, c.Name+" "+c.Problem)
		}
		if len(problems) != 2 || problems[0] != "autoconfig.wild.example A was not written by Signpost" ||
			!strings.HasPrefix(problems[1], "autodiscover.wild.example holds TXT as well") {
			t.Errorf("conflicts %q", problems)
		}
		n.Update(t, "update delete autodiscover.wild.example. TXT")
		n.publisher(t, replacing).publish(t, d)
		n.holds(t, d)
	})
}

// TestDigestChange keeps the old digest beside the new one for a day.
func TestDigestChange(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		p := n.publisher(t)
		now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		p.clock = func() time.Time { return now }
		with := func(digest, was string) records.Domain {
			d := publishedDomain("kund.example")
			for i, r := range d.Records {
				if r.Name == "_ua-auto-config.kund.example" {
					r.Data = dns.Quote("v=UAAC1; a=sha256; d=" + digest)
					d.Records[i] = r
					if was != "" {
						r.Data = dns.Quote("v=UAAC1; a=sha256; d=" + was)
						d.Records = slices.Insert(d.Records, i+1, r)
					}
					break
				}
			}
			return d
		}
		digests := func() string {
			var all []string
			for _, line := range n.Dig(t, "_ua-auto-config.kund.example", "TXT") {
				_, digest, _ := strings.Cut(line, "d=")
				all = append(all, strings.TrimSuffix(digest, `"`))
			}
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		for _, step := range []struct {
			after  time.Duration
			digest string
			was    string // of the configuration in use up to now, as -was gives it
			did    string
			want   string
		}{
			{0, "one", "", "+18 ~0 -0", "one"},
			{0, "one", "", "+0 ~0 -0", "one"},
			{0, "two", "", "+0 ~2 -0", "one two"},
			{time.Hour, "two", "", "+0 ~0 -0", "one two"},
			{24 * time.Hour, "two", "", "+0 ~2 -0", "two"},
			{0, "two", "", "+0 ~0 -0", "two"},
			{0, "three", "", "+0 ~2 -0", "three two"},
			{time.Hour, "four", "", "+0 ~2 -0", "four three two"},
			{time.Hour, "three", "", "+0 ~1 -0", "four three two"}, // taken back
			{23 * time.Hour, "three", "", "+0 ~0 -0", "four three two"},
			{2 * time.Hour, "three", "", "+0 ~2 -0", "three"},
			{0, "five", "", "+0 ~2 -0", "five three"},
			{48 * time.Hour, "three", "", "+0 ~1 -0", "five three"}, // taken back late
			{time.Hour, "three", "", "+0 ~0 -0", "five three"},
			{24 * time.Hour, "three", "", "+0 ~2 -0", "three"},
			{0, "six", "three", "+0 ~2 -0", "six three"},
			{time.Hour, "six", "three", "+0 ~0 -0", "six three"},
			{0, "six", "", "+0 ~2 -0", "six"}, // the operator says that the change is over
			{0, "seven", "six", "+0 ~2 -0", "seven six"},
			{0, "eight", "", "+0 ~2 -0", "eight seven six"}, // a second change before that
			{25 * time.Hour, "eight", "", "+0 ~2 -0", "eight"},
		} {
			now = now.Add(step.after)
			if did := p.publish(t, with(step.digest, step.was)); did != step.did {
				t.Errorf("publishing %q: changes %s, want %s", step.digest, did, step.did)
			}
			if got := digests(); got != step.want {
				t.Errorf("publishing %q after %v: digests %q, want %q", step.digest, step.after, got, step.want)
			}
		}
		p.publish(t, records.Empty("kund.example"))
		if got := digests(); got != "" {
			t.Errorf("left: %s", got)
		}
	})
}

// TestNsupdateFormat feeds what we print to nsupdate itself, twice.
func TestNsupdateFormat(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("print.example")
		for range 2 {
			file := filepath.Join(t.TempDir(), "records.nsupdate")
			dnstest.Write(t, file, "server 127.0.0.1 "+n.Port+"\n"+printed(t, d))
			dnstest.Run(t, dnstest.Tool(t, "nsupdate"), "-y", testKey.Algorithm+":"+testKey.Name+":"+string(testKey.Secret), file)
			n.holds(t, d)
		}
	})
}
