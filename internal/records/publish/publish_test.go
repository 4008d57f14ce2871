package publish

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
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

// onEach runs a test with a new server of each kind.
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

// plan returns the plan for a domain. The test fails if there is an error.
func (p *Publisher) plan(t testing.TB, d records.Domain) *Plan {
	t.Helper()
	plan, err := p.Plan(t.Context(), d)
	if err != nil {
		t.Fatalf("Plan(%s): %v (hint: %s)", d.Name, err, fault.Hint(err))
	}
	return plan
}

// publish publishes a domain and returns the numbers of sets added, changed and removed.
func (p *Publisher) publish(t testing.TB, d records.Domain) string {
	t.Helper()
	plan := p.plan(t, d)
	if err := p.Apply(t.Context(), plan); err != nil {
		t.Fatalf("Apply(%s): %v (hint: %s)\n%s", d.Name, err, fault.Hint(err), plan)
	}
	add, change, remove := plan.Counts()
	return fmt.Sprintf("+%d ~%d -%d", add, change, remove)
}

// everyServer returns a server of each service that DNS can announce, on a host of
// the mail domain.
func everyServer() []account.Server {
	servers := []account.Server{
		{Type: account.IMAP, Port: 993, SocketType: account.SSL},
		{Type: account.IMAP, Port: 143, SocketType: account.STARTTLS},
		{Type: account.POP3, Port: 995, SocketType: account.SSL},
		{Type: account.SMTP, Port: 465, SocketType: account.SSL},
		{Type: account.CalDAV},
		{Type: account.CardDAV},
		{Type: account.JMAP},
		{Type: account.ManageSieve, Port: 4190, SocketType: account.STARTTLS},
		{Type: account.ActiveSync},
	}
	for i := range servers {
		s := &servers[i]
		s.Login.Username = account.EmailAddress
		s.Authentication = []account.Authentication{account.PasswordCleartext}
		if s.Type.HasURL() {
			s.URL = "https://mail.%EMAILDOMAIN%/dav/"
		} else {
			s.Hostname = "mail.%EMAILDOMAIN%"
		}
	}
	return servers
}

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

// publishedDomain returns a domain with every kind of record and hosts of its own.
func publishedDomain(name string, change ...func(*records.Options, []account.Server) []account.Server) records.Domain {
	servers := everyServer()
	o := records.Options{Name: "setup." + name}
	for _, f := range change {
		servers = f(&o, servers)
	}
	return records.New(o).For(settingsFor(name, servers...))
}

// holds checks with dig that the server has exactly the domain's records.
func (n server) holds(t testing.TB, d records.Domain) {
	t.Helper()
	var questions, want, got []string
	queried := map[string]bool{}
	for _, m := range records.Names {
		for _, recordType := range m.Types {
			questions = append(questions, m.Label+"."+d.Name, recordType)
			queried[m.Label+"."+d.Name+". "+recordType] = true
		}
	}
	for _, r := range d.Records {
		want = append(want, r.String())
	}
	for _, line := range n.Dig(t, questions...) {
		// CNAME records and the records of a wildcard come with each type.
		if f := strings.Fields(line); queried[f[0]+" "+f[3]] && f[1] != "300" && !slices.Contains(got, line) {
			got = append(got, line)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records of %s on the server (-want +got):\n%s", d.Name, diff)
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

		// In an empty zone, publishing adds each set of records and the marker.
		if did := p.publish(t, d); did != "+18 ~0 -0" {
			t.Errorf("publishing into an empty zone: changes %s, want +18 ~0 -0", did)
		}
		n.holds(t, d)
		first := n.Serial(t, "kund.example")
		if first == before {
			t.Errorf("publishing left the serial number at %s", first)
		}

		// Publishing again changes nothing.
		again := p.plan(t, d)
		if !again.Empty() || again.String() != "kund.example: nothing to do\n" {
			t.Errorf("plan after publishing: %v, want nothing to do", again)
		}
		if err := p.Apply(t.Context(), again); err != nil {
			t.Errorf("applying an empty plan: %v", err)
		}
		if serial := n.Serial(t, "kund.example"); serial != first {
			t.Errorf("publishing again changed the serial number from %s to %s", first, serial)
		}

		// The comparison finds nothing wrong.
		resolver, err := dns.NewResolver([]string{n.Address}, 0)
		if err != nil {
			t.Fatal(err)
		}
		c := records.NewViewComparer(resolver)
		if got := c.Compare(t.Context(), d); got.Wrong() || len(got.Findings) > 0 {
			t.Errorf("Compare after publishing = %v, want no findings", got)
		}

		// A changed configuration changes only the sets that differ.
		changed := publishedDomain("kund.example", func(o *records.Options, servers []account.Server) []account.Server {
			servers[3].Port = 587
			servers[3].SocketType = account.STARTTLS
			o.Name = "mail.kund.example"
			return slices.Delete(servers, 6, 7) // no JMAP
		})
		plan := p.plan(t, changed)
		var names []string
		for _, c := range plan.Changes {
			label := strings.TrimSuffix(c.Name, ".kund.example")
			names = append(names, fmt.Sprintf("%s %s %d %d", label, c.Type, len(c.Old), len(c.New)))
		}
		want := []string{
			"autoconfig CNAME 1 1", "autodiscover CNAME 1 1", "ua-auto-config CNAME 1 0", "_ua-auto-config TXT 1 0",
			"_autodiscover._tcp SRV 1 1", "_submissions._tcp SRV 1 1", "_submission._tcp SRV 1 1", "_jmap._tcp SRV 1 0",
			"_signpost TXT 1 1",
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		if err := p.Apply(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		n.holds(t, changed)

		// The CNAME records become addresses, with another TTL.
		withAddresses := publishedDomain("kund.example", func(o *records.Options, servers []account.Server) []account.Server {
			o.Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.11"),
				netip.MustParseAddr("2001:db8::1")}
			o.TTL = 600
			return servers
		})
		p.publish(t, withAddresses)
		n.holds(t, withAddresses)
		// They become CNAME records again.
		p.publish(t, d)
		n.holds(t, d)

		// Removal leaves the records that somebody else wrote.
		if did := p.publish(t, records.Empty("kund.example")); did != "+0 ~0 -18" {
			t.Errorf("removing the domain: changes %s, want +0 ~0 -18", did)
		}
		n.holds(t, records.Domain{Name: "kund.example"})
		if marker := n.Dig(t, "_signpost.kund.example", "TXT"); len(marker) > 0 {
			t.Errorf("the marker is still there after the removal: %v", marker)
		}
		for _, line := range foreign {
			f := strings.Fields(line)
			if got := n.Dig(t, f[2], f[4]); len(got) != 1 {
				t.Errorf("after the removal, the record of %q: %v, want one line", line, got)
			}
		}
		if plan := p.plan(t, records.Empty("kund.example")); !plan.Empty() {
			t.Errorf("plan after the removal: %v, want nothing to do", plan)
		}
	})
}

// TestConflicts has records that somebody else wrote at the names that Signpost manages.
func TestConflicts(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("kund.example")
		p := n.publisher(t)
		n.Update(t,
			"update add autoconfig.kund.example. 300 A 192.0.2.99",
			"update add _imaps._tcp.kund.example. 300 SRV 0 1 993 mail.other.example.",
			"update add _pop3._tcp.kund.example. 300 SRV 0 0 0 .", // as it should be
			"update add _sieve._tcp.kund.example. 300 CNAME elsewhere.example.")
		plan := p.plan(t, d)
		want := `kund.example: add 14, change 0, remove 0; 3 conflicts
  ! autoconfig.kund.example A was not written by Signpost
    stays: autoconfig.kund.example. 300 IN A 192.0.2.99
    not published: autoconfig.kund.example. 3600 IN CNAME setup.kund.example.
  ! _imaps._tcp.kund.example SRV was not written by Signpost
    stays: _imaps._tcp.kund.example. 300 IN SRV 0 1 993 mail.other.example.
    not published: _imaps._tcp.kund.example. 3600 IN SRV 0 1 993 mail.kund.example.
  ! _sieve._tcp.kund.example CNAME holds a CNAME, beside which nothing else can stand
    stays: _sieve._tcp.kund.example. 300 IN CNAME elsewhere.example.
    not published: _sieve._tcp.kund.example. 3600 IN SRV 0 1 4190 mail.kund.example.
  + autodiscover.kund.example. 3600 IN CNAME setup.kund.example.
`
		if got := plan.String(); !strings.HasPrefix(got, want) ||
			!strings.HasSuffix(got, "  _pop3._tcp.kund.example SRV is right, but not written by us: it is left alone\n") {
			t.Errorf("plan:\n%s\nwant it to begin with\n%s", got, want)
		}

		// What does not conflict is published, and the marker lists nothing else.
		if err := p.Apply(t.Context(), plan); err != nil {
			t.Errorf("Apply with conflicts: %v", err)
		}
		again := p.plan(t, d)
		if len(again.Changes) > 0 || len(again.Conflicts) != 3 {
			t.Errorf("plan after the changes without conflicts: %v, want no changes and 3 conflicts", again)
		}
		if host := n.Dig(t, "autoconfig.kund.example", "A"); len(host) != 1 {
			t.Errorf("addresses of autoconfig after the changes without conflicts: %v, want the one that was there",
				host)
		}
		p.publish(t, records.Empty("kund.example"))
		if host := n.Dig(t, "autoconfig.kund.example", "A"); len(host) != 1 {
			t.Errorf("addresses of autoconfig after the removal: %v, want the one that was there", host)
		}

		// With Replace, Signpost takes over all records.
		n.publisher(t, replacing).publish(t, d)
		n.holds(t, d)
		if again = p.plan(t, d); !again.Empty() || len(again.Notes) > 0 {
			t.Errorf("plan after replacing: %v, want nothing to do and no notes", again)
		}

		// A record that somebody edits afterwards is theirs, also at the removal.
		n.Update(t,
			"update delete _imaps._tcp.kund.example. SRV",
			"update add _imaps._tcp.kund.example. 300 SRV 0 1 993 edited.other.example.",
			"update delete autodiscover.kund.example. CNAME")
		plan = p.plan(t, d)
		if len(plan.Conflicts) != 1 || plan.Conflicts[0].Problem != "was changed since Signpost wrote it" {
			t.Errorf("plan after an edit by hand: %v, want one conflict", plan)
		}
		plan = p.plan(t, records.Empty("kund.example"))
		if len(plan.Conflicts) != 1 || plan.Conflicts[0].Name != "_imaps._tcp.kund.example SRV" {
			t.Errorf("plan of the removal after an edit by hand: %v, want a conflict at _imaps._tcp", plan)
		}
		// The rest is removed, and the marker still knows what Signpost wrote there.
		if err := p.Apply(t.Context(), plan); err != nil {
			t.Errorf("Apply of the removal with a conflict: %v", err)
		}
		if plan = p.plan(t, records.Empty("kund.example")); len(plan.Conflicts) != 1 || len(plan.Changes) > 0 {
			t.Errorf("plan of the removal after the removal: %v, want the conflict at _imaps._tcp alone", plan)
		}
		p.publish(t, d)
		n.Update(t, "update delete _imaps._tcp.kund.example. SRV")
		n.Update(t, "update delete autodiscover.kund.example. CNAME")
		// Signpost adds records again that somebody deleted.
		if did := p.publish(t, d); did != "+2 ~0 -0" {
			t.Errorf("publishing after a deletion by hand: changes %s, want +2 ~0 -0", did)
		}

		// Another service publishes the domain.
		other := n.publisher(t, func(o *Options) { o.Owner = "setup.other.example" })
		plan = other.plan(t, d)
		if len(plan.Conflicts) != 1 ||
			plan.Conflicts[0].Problem != "says that the service setup.example.net publishes this domain" {
			t.Errorf("plan of another service: %v, want one conflict about the owner", plan)
		}
		if plan = other.plan(t, records.Empty("kund.example")); len(plan.Conflicts) != 1 {
			t.Errorf("plan of another service to remove the domain: %v, want one conflict", plan)
		}

		// A text beside the CNAME is never replaced.
		p.publish(t, records.Empty("kund.example"))
		n.Update(t, `update add autodiscover.kund.example. 300 TXT "somebody's"`)
		plan = n.publisher(t, replacing).plan(t, d)
		if len(plan.Conflicts) != 1 ||
			!strings.HasPrefix(plan.Conflicts[0].Problem, "holds TXT as well, beside which no CNAME can stand") {
			t.Errorf("plan with a text beside a CNAME: %v, want one conflict", plan)
		}
		// Somebody else's records stand at the marker's name.
		n.Update(t, "update delete autodiscover.kund.example. TXT",
			`update add _signpost.kund.example. 300 TXT "somebody's"`)
		plan = p.plan(t, d)
		if len(plan.Conflicts) != 1 ||
			plan.Conflicts[0].Problem != "is where Signpost keeps its marker, but holds something else" {
			t.Errorf("plan with a text at the marker: %v, want one conflict", plan)
		}
		n.Update(t, "update delete _signpost.kund.example. TXT",
			`update add _signpost.kund.example. 300 CNAME x.example.`)
		plan = n.publisher(t, replacing).plan(t, d)
		if len(plan.Conflicts) != 1 || !strings.Contains(plan.Conflicts[0].Problem, "holds a CNAME") {
			t.Errorf("plan with a CNAME at the marker: %v, want one conflict", plan)
		}
	})
}

// TestJudgesAlike has records that somebody else wrote and that lead clients right in
// another way. The comparison finds no fault with them, and the plan leaves them alone.
func TestJudgesAlike(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("kund.example")
		resolver, err := dns.NewResolver([]string{n.Address}, 0)
		if err != nil {
			t.Fatal(err)
		}
		comparer := records.NewViewComparer(resolver)
		p := n.publisher(t, func(o *Options) { o.Comparer = comparer })
		n.Update(t,
			"update add autoconfig.kund.example. 300 A 192.0.2.2", // where setup.kund.example is
			"update add autodiscover.kund.example. 300 A 192.0.2.99",
			"update add _imaps._tcp.kund.example. 300 SRV 5 7 993 mail.kund.example.",
			"update add _caldavs._tcp.kund.example. 300 SRV 0 0 443 mail.kund.example.")
		plan := p.plan(t, d)
		if len(plan.Conflicts) != 1 || plan.Conflicts[0].Name != "autodiscover.kund.example A" {
			t.Errorf("plan: %v, want one conflict, at autodiscover", plan)
		}
		want := []string{
			"autoconfig.kund.example A is right, but not written by us: it is left alone",
			"_imaps._tcp.kund.example SRV is right, but not written by us: it is left alone",
			"_caldavs._tcp.kund.example SRV is right, but not written by us: it is left alone",
		}
		if diff := cmp.Diff(want, plan.Notes); diff != "" {
			t.Errorf("notes of the plan (-want +got):\n%s", diff)
		}
		if err := p.Apply(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		fresh, err := dns.NewResolver([]string{n.Address}, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := records.NewViewComparer(fresh).Compare(t.Context(), d)
		if len(got.Findings) != 1 || got.Findings[0].Name != "autodiscover.kund.example" {
			t.Errorf("Compare after the changes without conflicts = %v, want one finding, at autodiscover", got)
		}
		if path := n.Dig(t, "_caldavs._tcp.kund.example", "TXT"); len(path) != 1 {
			t.Errorf("paths at _caldavs._tcp: %v, want the one that was missing", path)
		}
	})
}

// TestPACCTogether has somebody else's host for PACC: its document needs their digest,
// not ours.
func TestPACCTogether(t *testing.T) {
	n := server{dnstest.StartNameserver(t, "BIND")}
	n.Update(t, "update add ua-auto-config.kund.example. 300 A 192.0.2.99")
	p := n.publisher(t)
	plan := p.plan(t, publishedDomain("kund.example"))
	if err := p.Apply(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if digests := n.Dig(t, "_ua-auto-config.kund.example", "TXT"); len(digests) > 0 {
		t.Errorf("digests beside somebody else's ua-auto-config: %v, want none", digests)
	}
	const note = "_ua-auto-config.kund.example is left alone, as the other name of PACC is"
	if !slices.Contains(plan.Notes, note) {
		t.Errorf("notes %q, want %q", plan.Notes, note)
	}
}

// TestReplaceAndRemove removes domains with Replace. Records that are not known to be
// Signpost's stay. Records that another service is known to have written go together
// with its marker.
func TestReplaceAndRemove(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("kund.example")
		p, replacer := n.publisher(t), n.publisher(t, replacing)
		marker := func() string { return strings.Join(n.Dig(t, "_signpost.kund.example", "TXT"), "\n") }

		// A text that is no marker stands at the marker's name.
		n.Update(t, `update add _signpost.kund.example. 300 TXT "somebody else"`,
			"update add _imaps._tcp.kund.example. 300 SRV 0 1 993 mail.other.example.")
		for _, p := range []*Publisher{p, replacer} {
			plan := p.plan(t, records.Empty("kund.example"))
			if !plan.Empty() || len(plan.Notes) != 1 ||
				!strings.Contains(plan.Notes[0], "holds no marker of Signpost") {
				t.Errorf("plan of the removal with a text at the marker: %v, want no changes and one note", plan)
			}
			if err := p.Apply(t.Context(), plan); err != nil {
				t.Errorf("Apply of an empty plan: %v", err)
			}
		}
		if got := marker(); !strings.Contains(got, "somebody else") {
			t.Errorf("texts at the marker after the removal: %q, want somebody else's text", got)
		}
		n.Update(t, "update delete _imaps._tcp.kund.example. SRV", "update delete _signpost.kund.example. TXT")

		// A text stands beside the marker.
		p.publish(t, d)
		n.Update(t, `update add _signpost.kund.example. 3600 TXT "somebody else"`)
		plan := p.plan(t, records.Empty("kund.example"))
		if len(plan.Notes) > 0 {
			t.Errorf("plan of the removal with a text beside the marker: notes %q, want none", plan.Notes)
		}
		if err := p.Apply(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		n.holds(t, records.Domain{Name: "kund.example"})
		if got := marker(); !strings.Contains(got, "somebody else") || strings.Contains(got, "signpost1") {
			t.Errorf("texts at the marker after the removal: %q, want only somebody else's text", got)
		}
		n.Update(t, "update delete _signpost.kund.example. TXT")

		// Signpost overwrites a digest that another service wrote, and does not keep it for a
		// day.
		n.Update(t, `update add _ua-auto-config.kund.example. 600 TXT "v=UAAC1; a=sha256; d=Zm9yZWlnbg=="`)
		replacer.publish(t, d)
		n.holds(t, d)
		p.publish(t, records.Empty("kund.example"))

		// The service has another name now. It takes the records over, or removes them.
		renamed := func(o *Options) { o.Owner, o.Replace = "new.example.net", true }
		p.publish(t, d)
		if did := n.publisher(t, renamed).publish(t, d); did != "+0 ~1 -0" {
			t.Errorf("publishing under another name: changes %s, want +0 ~1 -0", did)
		}
		n.holds(t, d)
		if did := n.publisher(t, renamed).publish(t, records.Empty("kund.example")); did != "+0 ~0 -18" {
			t.Errorf("removal after publishing under another name: changes %s, want +0 ~0 -18", did)
		}
		p.publish(t, d)
		if did := n.publisher(t, renamed).publish(t, records.Empty("kund.example")); did != "+0 ~0 -18" {
			t.Errorf("removal under another name: changes %s, want +0 ~0 -18", did)
		}
		n.holds(t, records.Domain{Name: "kund.example"})
		if got := marker(); got != "" {
			t.Errorf("the marker is still there after the removal: %q", got)
		}
	})
}

// TestConcurrentChange changes the zone between plan and update. The update must fail
// as a whole.
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
				t.Errorf("Apply after a change of %s: error %v (hint %q), want ErrChanged with a hint",
					name, err, fault.Hint(err))
			}
			if now := n.Serial(t, "kund.example"); now != serial {
				t.Errorf("Apply after a change of %s: the serial number is %s, want %s", name, now, serial)
			}
			f := strings.Fields(edit)
			n.Update(t, "update delete "+f[2]+" "+f[4])
		}

		// Two instances publish at once.
		one, two := p.plan(t, d), p.plan(t, d)
		if err := p.Apply(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(t.Context(), two); !errors.Is(err, ErrChanged) {
			t.Errorf("Apply of the second of two equal plans: error %v, want ErrChanged", err)
		}
		// The second plan is outdated even if the first changed only one set.
		fewer := publishedDomain("kund.example", func(_ *records.Options, servers []account.Server) []account.Server {
			return slices.Delete(servers, 6, 7)
		})
		one, two = p.plan(t, fewer), p.plan(t, records.Empty("kund.example"))
		if err := p.Apply(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(t.Context(), two); !errors.Is(err, ErrChanged) {
			t.Errorf("Apply of a removal that was planned before a change: error %v, want ErrChanged", err)
		}
	})
}

// TestPublishRefused checks that each refusal of a primary becomes an error that names
// the reason and has a hint.
func TestPublishRefused(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		for _, test := range []struct {
			name    string
			domain  string
			options func(*Options)
			sign    time.Duration
			want    []string // one of them, as some servers tell more than others
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
			{name: "no such zone", domain: "nowhere.example",
				want: []string{"has no zone for nowhere.example, or does not show it to us"}, hint: "primary"},
			{name: "handed to others", domain: "handed.example",
				want: []string{"_tcp.handed.example, which primary " + n.Address + " delegates to other servers"}, hint: "primary"},
			{name: "server down", options: func(o *Options) { o.Updates[0].Primary = "127.0.0.1:" + freeport.Choose(t) },
				want: []string{"cannot be reached: connection refused"}},
			{name: "no primary", options: func(o *Options) { o.Updates[0].Zone = "other.example" },
				want: []string{"no primary is configured for kund.example"}, hint: "configuration"},
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
					t.Fatalf("Plan and Apply succeed, want one of the errors %q", test.want)
				}
				if !slices.ContainsFunc(test.want,
					func(want string) bool { return strings.Contains(err.Error(), want) }) {
					t.Errorf("error %q, want one of %q", err, test.want)
				}
				if !strings.Contains(fault.Hint(err), test.hint) {
					t.Errorf("hint %q of the error %q, want %q", fault.Hint(err), err, test.hint)
				}
				t.Log(err)
				for _, secret := range []dns.Secret{testKey.Secret, wrongSecret.Secret} {
					if strings.Contains(fmt.Sprintf("%v %+v %#v %s", err, p.options, p.options, fault.Hint(err)),
						string(secret)) {
						t.Error("the error, its hint or the options contain the key's secret")
					}
				}
			})
		}
	})
}

// TestZoneCuts publishes domains that are not the apex of a zone, or hold further zones.
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
				t.Errorf("zones of the plan for %s (-want +got):\n%s", name, diff)
			}
			if err := p.Apply(t.Context(), plan); err != nil {
				t.Errorf("Apply(%s): %v\n%v", name, err, plan)
				continue
			}
			n.holds(t, d)
			if again := p.plan(t, d); !again.Empty() {
				t.Errorf("plan after publishing %s: %v, want nothing to do", name, again)
			}
			p.publish(t, records.Empty(name))
			if again := p.plan(t, records.Empty(name)); !again.Empty() {
				t.Errorf("plan after removing %s: %v, want nothing to do", name, again)
			}
			if left := n.Dig(t, "_imaps._tcp."+name, "SRV"); len(left) > 0 {
				t.Errorf("SRV records after removing %s: %v, want none", name, left)
			}
		}
	})
}

// TestBesideWildcard has records that somebody else wrote at the managed names
// themselves, with the same content as those of the wildcard.
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
			t.Errorf("conflicts %q, want those at autoconfig A and autodiscover TXT", problems)
		}
		n.Update(t, "update delete autodiscover.wild.example. TXT")
		n.publisher(t, replacing).publish(t, d)
		n.holds(t, d)
	})
}

// TestDigestChange checks that the old digest stays beside the new one for a day.
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
			was    string // the digest of the previous configuration, as with -was
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
			{time.Hour, "three", "", "+0 ~1 -0", "four three two"}, // the change is reverted
			{23 * time.Hour, "three", "", "+0 ~0 -0", "four three two"},
			{2 * time.Hour, "three", "", "+0 ~2 -0", "three"},
			{0, "five", "", "+0 ~2 -0", "five three"},
			{48 * time.Hour, "three", "", "+0 ~1 -0", "five three"}, // the change is reverted late
			{time.Hour, "three", "", "+0 ~0 -0", "five three"},
			{24 * time.Hour, "three", "", "+0 ~2 -0", "three"},
			{0, "six", "three", "+0 ~2 -0", "six three"},
			{time.Hour, "six", "three", "+0 ~0 -0", "six three"},
			{0, "six", "", "+0 ~2 -0", "six"}, // the operator says that the change is over
			{0, "seven", "six", "+0 ~2 -0", "seven six"},
			{0, "eight", "", "+0 ~2 -0", "eight seven six"}, // a second change before the first is over
			{25 * time.Hour, "eight", "", "+0 ~2 -0", "eight"},
		} {
			now = now.Add(step.after)
			if step.did == "+0 ~2 -0" && step.want == "one two" {
				const note = "_ua-auto-config.kund.example keeps the digest of the replaced document until " +
					"2026-11-22 12:00 UTC; publish again after that"
				if plan := p.plan(t, with(step.digest, step.was)); !slices.Equal(plan.Notes, []string{note}) {
					t.Errorf("notes of the first change: %q, want %q", plan.Notes, note)
				}
			}
			if did := p.publish(t, with(step.digest, step.was)); did != step.did {
				t.Errorf("publishing %q: changes %s, want %s", step.digest, did, step.did)
			}
			if got := digests(); got != step.want {
				t.Errorf("publishing %q after %v: digests %q, want %q", step.digest, step.after, got, step.want)
			}
			// The marker remembers more than a hash only while there are two documents.
			marker := strings.Join(n.Dig(t, "_signpost.kund.example", "TXT"), "")
			remembers := !regexp.MustCompile(`"_ua-auto-config TXT \w+"`).MatchString(marker)
			if remembers != strings.Contains(step.want, " ") {
				t.Errorf("publishing %q: the marker is %s, while the digests are %q", step.digest, marker, step.want)
			}
		}
		p.publish(t, records.Empty("kund.example"))
		if got := digests(); got != "" {
			t.Errorf("digests after the removal: %s, want none", got)
		}
	})
}

// TestNsupdateFormat runs nsupdate twice with the printed input.
func TestNsupdateFormat(t *testing.T) {
	onEach(t, func(t *testing.T, n server) {
		d := publishedDomain("print.example")
		for range 2 {
			file := filepath.Join(t.TempDir(), "records.nsupdate")
			dnstest.Write(t, file, "server 127.0.0.1 "+n.Port+"\n"+printed(t, d))
			dnstest.Run(t, dnstest.Tool(t, "nsupdate"), "-y",
				testKey.Algorithm+":"+testKey.Name+":"+string(testKey.Secret), file)
			n.holds(t, d)
		}
	})
}

func TestCountConflicts(t *testing.T) {
	for n, want := range map[int]string{1: "1 conflict", 2: "2 conflicts"} {
		if got := countConflicts(&Plan{Conflicts: make([]Conflict, n)}); got != want {
			t.Errorf("countConflicts of %d = %q, want %q", n, got, want)
		}
	}
}

func TestProbes(t *testing.T) {
	const parent = ".kund.example"
	longest := 253 - len(records.WildcardProbe+".") // of a name with room for another below it
	for n, want := range map[int]int{20: 2, longest: 2, longest + 1: 1} {
		name := strings.Repeat("x", n-len(parent)) + parent
		if got := probes(name); len(got) != want || got[0] != records.WildcardProbe+parent {
			t.Errorf("probes of a name with %d bytes = %q, want %d", len(name), got, want)
		}
	}
}
