package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	miekg "github.com/miekg/dns"
	"gopkg.in/yaml.v3"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/dns"
	"signpost/internal/dns/dnstest"
	"signpost/internal/golden"
)

// steadyDigest returns the digest of the domain's name, if PACC can describe the
// domain, so that the golden files do not change with every word of the document.
func steadyDigest(s account.Settings) (string, error) {
	if _, err := autoconfig.PACC(s); err != nil {
		// The golden files hold the whole error. For strips its introduction.
		return "", fmt.Errorf("%w: %w", autoconfig.ErrNotDescribable, err)
	}
	return autoconfig.Digest([]byte(s.Address.Domain())), nil
}

// fixed returns a Generator with the same digest for all documents.
func fixed(digest string) *Generator {
	g := New(Options{Name: "setup.example.net"})
	g.digest = func(account.Settings) (string, error) { return digest, nil }
	return g
}

// withoutPACC returns the domain without the records of PACC.
func withoutPACC(d Domain) Domain {
	d.Records = slices.DeleteFunc(d.Records, func(r Record) bool { return strings.Contains(r.Name, "ua-auto-config.") })
	return d
}

// system is a set of domains with the records that they should have.
type system struct {
	name    string
	domains []Domain
}

// systems returns the example configurations, and two invented ones that together have
// every kind of record.
func systems(t testing.TB) []system {
	t.Helper()
	var all []system
	for _, name := range []string{"mamut", "own-domain", "websupport", "office365", "onecom", "small",
		"two-names", "exchange"} {
		c, err := config.Load("../../testdata/config/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		generator := New(Options{Name: c.Name})
		generator.digest = steadyDigest
		resolve := directory.New(c.Providers, c.Lists(), nil).Resolve
		s := system{name: name}
		for _, p := range c.Providers {
			for _, domain := range p.Domains {
				settings, err := resolve(t.Context(), account.Query{Address: account.AnyAt(domain)})
				if err != nil {
					t.Fatal(err)
				}
				s.domains = append(s.domains, generator.For(settings))
			}
		}
		all = append(all, s)
	}
	generator := New(Options{Name: "setup.example.net"})
	generator.digest = steadyDigest
	everything := generator.For(settingsFor("example.org", everyServer...))
	fixed("v=UAAC1; a=sha256; d=b2xk").addDigest(&everything, account.Settings{})
	addresses := New(Options{
		Name:      "setup.example.net",
		Addresses: addresses("192.0.2.1", "192.0.2.2", "2001:db8::1"),
		TTL:       300,
	})
	return append(all,
		system{"everything", []Domain{everything}},
		system{"addresses", []Domain{withoutPACC(addresses.For(settingsFor("example.org", everyServer...)))}},
	)
}

var everyServer = []account.Server{
	{Type: account.IMAP, Hostname: "mail.example.net", Port: 993, SocketType: account.SSL, Authentication: password,
		Login: wholeAddress},
	{Type: account.IMAP, Hostname: "mail.example.net", Port: 143, SocketType: account.STARTTLS, Authentication: password,
		Login: wholeAddress},
	{Type: account.POP3, Hostname: "mail.example.net", Port: 995, SocketType: account.SSL, Authentication: password,
		Login: wholeAddress},
	{Type: account.SMTP, Hostname: "mail.example.net", Port: 465, SocketType: account.SSL, Authentication: password,
		Login: wholeAddress},
	{Type: account.CalDAV, URL: "https://dav.example.net/dav/calendars/", Authentication: password, Login: wholeAddress},
	{Type: account.CardDAV, URL: "https://dav.%EMAILDOMAIN%:8443/dav/", Authentication: password, Login: wholeAddress},
	{Type: account.JMAP, URL: "https://jmap.example.net/session", Authentication: password, Login: wholeAddress},
	{Type: account.ManageSieve, Hostname: "mail.example.net", Port: 4190, SocketType: account.STARTTLS,
		Authentication: password, Login: wholeAddress},
	{Type: account.ActiveSync, URL: "https://mail.example.net/Microsoft-Server-ActiveSync", Authentication: password,
		Login: wholeAddress},
}

var (
	password     = []account.Authentication{account.PasswordCleartext}
	wholeAddress = account.Login{Username: account.EmailAddress}
)

func addresses(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func settingsFor(domain string, servers ...account.Server) account.Settings {
	address := account.AnyAt(domain)
	provider := &account.Provider{ID: "example", DisplayName: "Example", Servers: servers}
	return account.Settings{Address: address, Login: address, Provider: provider, Servers: servers}
}

func printed(t testing.TB, format string, domains ...Domain) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, format)
	for _, d := range domains {
		if err == nil {
			err = w.Write(d)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	for _, s := range systems(t) {
		for _, format := range Formats {
			golden.Check(t, "../../testdata/golden/records/"+s.name+"."+format, printed(t, format, s.domains...))
		}
	}
}

// sorted returns the records of all domains without their reasons, as a reader gets
// the reasons from JSON only.
func sorted(domains []Domain) []dns.Record {
	var records []dns.Record
	for _, d := range domains {
		records = append(records, d.records()...)
	}
	slices.SortStableFunc(records, func(a, b dns.Record) int { return strings.Compare(a.String(), b.String()) })
	return records
}

// TestSameRecords reads every format with a parser that is not ours. All formats must
// hold the same records.
func TestSameRecords(t *testing.T) {
	for _, s := range systems(t) {
		want := sorted(s.domains)
		for format, read := range map[string]func(testing.TB, []byte) []Record{
			"zone": readZone, "json": readJSON, "octodns": readOctoDNS, "nsupdate": readUpdate,
		} {
			got := sorted([]Domain{{Records: read(t, printed(t, format, s.domains...))}})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s as %s (-want +got):\n%s", s.name, format, diff)
			}
		}
	}
}

func readZone(t testing.TB, text []byte) []Record {
	var records []Record
	parser := miekg.NewZoneParser(bytes.NewReader(text), "", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, Record{Record: dns.RecordOf(rr)})
	}
	if err := parser.Err(); err != nil {
		t.Error(err)
	}
	return records
}

func readUpdate(t testing.TB, text []byte) []Record {
	var zone bytes.Buffer
	for line := range strings.Lines(string(text)) {
		if add, ok := strings.CutPrefix(line, "update add "); ok {
			zone.WriteString(add)
		} else if !regexp.MustCompile(`^(;.*|update delete \S+ [A-Z]+|send)\n$`).MatchString(line) {
			t.Errorf("the nsupdate format has the unexpected line %q", line)
		}
	}
	return readZone(t, zone.Bytes())
}

func readJSON(t testing.TB, text []byte) []Record {
	var domains []struct{ Records []Record }
	if err := json.Unmarshal(text, &domains); err != nil {
		t.Error(err)
	}
	var records []Record
	for _, d := range domains {
		records = append(records, d.Records...)
	}
	return records
}

func readOctoDNS(t testing.TB, text []byte) []Record {
	type set struct {
		TTL    uint32
		Type   string
		Value  yaml.Node
		Values []yaml.Node
	}
	var records []Record
	zones := regexp.MustCompile(`(?m)^--- # (.*)\.yaml$`).FindAllSubmatch(text, -1)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for _, zone := range zones {
		var names yaml.Node
		if err := decoder.Decode(&names); err != nil {
			t.Error(err)
		}
		content := names.Content[0].Content
		previous := ""
		for i := 0; i < len(content); i += 2 {
			label := content[i].Value
			if label <= previous {
				t.Errorf("octoDNS needs the labels in order, but %q follows %q", label, previous)
			}
			previous = label
			var sets []set
			if content[i+1].Kind == yaml.SequenceNode {
				if err := content[i+1].Decode(&sets); err != nil {
					t.Error(err)
				}
			} else {
				sets = make([]set, 1)
				if err := content[i+1].Decode(&sets[0]); err != nil {
					t.Error(err)
				}
			}
			for _, s := range sets {
				values := s.Values
				if !s.Value.IsZero() {
					values = append(values, s.Value)
				}
				for _, value := range values {
					data := value.Value
					switch s.Type {
					case "TXT":
						data = dns.Quote(strings.ReplaceAll(data, `\;`, ";"))
					case "SRV":
						var srv struct {
							Priority, Weight, Port int
							Target                 string
						}
						if err := value.Decode(&srv); err != nil {
							t.Error(err)
						}
						data = fmt.Sprint(srv.Priority, srv.Weight, srv.Port, " ", srv.Target)
					}
					record := dns.Record{Name: label + "." + string(zone[1]), TTL: s.TTL, Type: s.Type, Data: data}
					records = append(records, Record{Record: record})
				}
			}
		}
	}
	if err := decoder.Decode(new(yaml.Node)); err != io.EOF {
		t.Errorf("after the last octoDNS zone: error %v, want the end of the text", err)
	}
	return records
}

// TestCheckers checks the zone text of every domain with the checkers of BIND and Knot,
// together with the SOA and NS records that every zone has.
func TestCheckers(t *testing.T) {
	checkers := map[string]func(domain, file string) []string{
		"named-checkzone": func(domain, file string) []string {
			return []string{"-i", "local", "-S", "fail", "-M", "fail", "-k", "fail", domain, file}
		},
		"kzonecheck": func(domain, file string) []string { return []string{"-o", domain, file} },
	}
	for name, arguments := range checkers {
		t.Run(name, func(t *testing.T) {
			program := dnstest.Tool(t, name)
			check := func(domain, text string) ([]byte, error) {
				file := filepath.Join(t.TempDir(), "zone")
				zone := "$TTL 300\n@ IN SOA ns host 1 3600 600 86400 300\n@ IN NS ns\nns IN A 192.0.2.1\n" +
					"mail IN A 192.0.2.2\ndav IN A 192.0.2.3\n" + text
				if err := os.WriteFile(file, []byte(zone), 0o666); err != nil {
					t.Fatal(err)
				}
				return exec.Command(program, arguments(domain, file)...).CombinedOutput()
			}
			for _, s := range systems(t) {
				for _, d := range s.domains {
					if out, err := check(d.Name, string(printed(t, "zone", d))); err != nil {
						t.Errorf("%s of %s: %v\n%s", name, d.Name, err, out)
					}
				}
			}
			// The control: a checker that accepts everything proves nothing.
			if out, err := check("example.org", "autoconfig IN CNAME x\nautoconfig IN A 192.0.2.1\n"); err == nil {
				t.Errorf("%s accepted a CNAME beside an address: %s", name, out)
			}
		})
	}
}

func TestWriteNothing(t *testing.T) {
	for format, want := range map[string]string{"zone": "", "json": "[]\n", "nsupdate": "", "octodns": ""} {
		if got := string(printed(t, format)); got != want {
			t.Errorf("%s of no domains: %q, want %q", format, got, want)
		}
	}
	empty := Domain{Name: "a.test", Notes: []string{"why"}}
	for format, want := range map[string]string{
		"octodns":  "--- # a.test.yaml\n# why\n{}\n",
		"nsupdate": "; a.test\n; why\n",
	} {
		if got := string(printed(t, format, empty)); got != want {
			t.Errorf("%s of a domain without records: %q, want %q", format, got, want)
		}
	}
	const want = `unknown format "bind": it is one of zone, json, nsupdate, octodns`
	if _, err := NewWriter(io.Discard, "bind"); err == nil || err.Error() != want {
		t.Errorf("NewWriter(bind): error %v, want %s", err, want)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteFails(t *testing.T) {
	for _, format := range Formats {
		w, _ := NewWriter(fullDisk{}, format)
		err := w.Write(systems(t)[0].domains[0])
		if err == nil {
			err = w.Close()
		}
		if err == nil {
			t.Errorf("%s: no error of Write or Close on a full disk", format)
		}
	}
}

// TestFor covers what the golden files do not show.
func TestFor(t *testing.T) {
	imapAt := func(host string, port int, socket account.SocketType) account.Server {
		return account.Server{Type: account.IMAP, Hostname: host, Port: port, SocketType: socket, Login: wholeAddress}
	}
	pop := account.Server{Type: account.POP3, Hostname: "mail.example.net", Port: 110, SocketType: account.STARTTLS,
		Login: wholeAddress}
	dav := func(url string) account.Server { return account.Server{Type: account.CalDAV, URL: url} }
	long := strings.Repeat("a.", 120) + "example"
	for _, test := range []struct {
		name    string
		options Options
		digest  func(account.Settings) (string, error)
		domain  string
		login   account.Address // the settings' address if zero
		servers []account.Server
		change  func(*account.Provider)
		want    []string // lines, without TTL and class
		absent  []string // names without any record
		notes   []string
	}{
		{name: "POP3 only", servers: []account.Server{pop,
			{Type: account.SMTP, Hostname: "mail.example.net", Port: 587, SocketType: account.STARTTLS, Login: wholeAddress}},
			want: []string{"_pop3._tcp SRV 0 1 110 mail.example.net.", "_pop3s._tcp SRV 0 0 0 .", "_imaps._tcp SRV 0 0 0 .",
				"_imap._tcp SRV 0 0 0 .", "_submission._tcp SRV 0 1 587 mail.example.net."}},
		{name: "POP3 preferred to IMAP", servers: []account.Server{pop, imapAt("mail.example.net", 993, account.SSL)},
			want: []string{"_pop3._tcp SRV 0 1 110 mail.example.net.", "_imaps._tcp SRV 10 1 993 mail.example.net."}},
		{name: "IMAP preferred, with TLS and STARTTLS",
			servers: []account.Server{imapAt("a.example.net", 993, account.SSL), pop,
				imapAt("b.example.net", 143, account.STARTTLS)},
			want: []string{"_imaps._tcp SRV 0 1 993 a.example.net.", "_imap._tcp SRV 0 1 143 b.example.net.",
				"_pop3._tcp SRV 10 1 110 mail.example.net."}},
		{name: "the first of two IMAP servers",
			servers: []account.Server{imapAt("A.example.net", 993, account.SSL), imapAt("b.example.net", 993, account.SSL)},
			want:    []string{"_imaps._tcp SRV 0 1 993 a.example.net."}},
		{name: "an unusual port", servers: []account.Server{imapAt("a.example.net", 9930, account.SSL)},
			want: []string{"_imaps._tcp SRV 0 1 9930 a.example.net."}},
		{name: "a host of its own for every mailbox",
			servers: []account.Server{imapAt("%EMAILLOCALPART%.example.net", 993, account.SSL)},
			absent:  []string{"_imaps._tcp"},
			notes:   []string{"_imaps._tcp: left out, because its host differs from mailbox to mailbox"}},
		{name: "an IP address", servers: []account.Server{imapAt("192.0.2.1", 993, account.SSL)},
			absent: []string{"_imaps._tcp"}, notes: []string{"_imaps._tcp: left out, because a SRV record needs a host name"}},
		{name: "a host in Unicode", servers: []account.Server{dav("https://kalender.åkeriet.example/c/")},
			want: []string{"_caldavs._tcp SRV 0 1 443 kalender.xn--keriet-hua.example."}},
		{name: "a host that would end the zone file's line",
			servers: []account.Server{imapAt("a.example. ; x", 993, account.SSL)},
			absent:  []string{"_imaps._tcp"}},
		{name: "the domain's own host", servers: []account.Server{imapAt("mail.%EMAILDOMAIN%", 993, account.SSL)},
			want: []string{"_imaps._tcp SRV 0 1 993 mail.example.org."}},
		{name: "calendar at the root", servers: []account.Server{dav("https://dav.example.net")},
			want:   []string{"_caldavs._tcp SRV 0 1 443 dav.example.net.", `_caldavs._tcp TXT "path=/"`},
			absent: []string{"_caldav._tcp", "_carddavs._tcp"}},
		{name: "calendar without TLS", servers: []account.Server{dav("http://dav.example.net/c")},
			absent: []string{"_caldavs._tcp", "_caldav._tcp"},
			notes:  []string{"_caldav._tcp: left out, because it is not encrypted (RFC 8314)"}},
		{name: "mail without TLS", servers: []account.Server{imapAt("a.example.net", 143, account.Plain)},
			want:   []string{"_imaps._tcp SRV 0 0 0 ."},
			absent: []string{"_imap._tcp"},
			notes:  []string{"_imap._tcp: left out, because it is not encrypted (RFC 8314)"}},
		{name: "mail without TLS and with STARTTLS on another host",
			servers: []account.Server{imapAt("a.example.net", 143, account.Plain), imapAt("b.example.net", 143, account.STARTTLS)},
			want:    []string{"_imap._tcp SRV 0 1 143 b.example.net."}},
		{name: "another user name than the address",
			servers: []account.Server{
				{Type: account.IMAP, Hostname: "a.example.net", Port: 993, SocketType: account.SSL,
					Login: account.Login{Username: account.EmailLocalPart}},
				{Type: account.SMTP, Hostname: "a.example.net", Port: 465, SocketType: account.SSL,
					Login: account.Login{Username: account.EmailAddress, DomainName: "hosting01"}},
				{Type: account.JMAP, URL: "https://jmap.example.net/", Login: account.Login{Username: "u1"}},
				{Type: account.CalDAV, URL: "https://dav.example.net/", Login: account.Login{Username: "u1"}},
			},
			want:   []string{"_caldavs._tcp SRV 0 1 443 dav.example.net.", "_imap._tcp SRV 0 0 0 ."},
			absent: []string{"_imaps._tcp", "_submissions._tcp", "_jmap._tcp"},
			notes: []string{"_imaps._tcp, _submissions._tcp, _jmap._tcp: left out, " +
				"because the user name is not the mail address, and clients that look there sign in with the address"}},
		{name: "nothing without an address",
			servers: []account.Server{imapAt("mail.example.net", 993, account.SSL), dav("https://dav.example.net/")},
			change:  func(p *account.Provider) { p.NothingWithoutAddress = true },
			want:    []string{"autoconfig CNAME setup.example.net.", "_imap._tcp SRV 0 0 0 ."},
			absent:  []string{"_imaps._tcp", "_caldavs._tcp", "ua-auto-config", "_ua-auto-config"},
			notes: []string{"ua-auto-config, _ua-auto-config, _imaps._tcp, _caldavs._tcp: left out, " +
				"because withoutAddress: nothing keeps the settings from clients that name no address"}},
		{name: "the user name is the address of another domain", servers: []account.Server{
			imapAt("mail.%EMAILDOMAIN%", 993, account.SSL)},
			login:  account.AnyAt("example.org").At("example.com"),
			absent: []string{"_imaps._tcp"},
			notes: []string{"_imaps._tcp: left out, because people sign in with their address at example.com, " +
				"and clients that find a server in DNS sign in with the address that was typed"}},
		{name: "a calendar URL of its own for every mailbox",
			servers: []account.Server{dav("https://dav.example.net/%EMAILADDRESS%/")},
			want:    []string{"_caldavs._tcp SRV 0 1 443 dav.example.net."}},
		{name: "a calendar host of its own for every mailbox",
			servers: []account.Server{dav("https://%EMAILLOCALPART%.example.net/")},
			absent:  []string{"_caldavs._tcp"},
			notes:   []string{"_caldavs._tcp: left out, because its host differs from mailbox to mailbox"}},
		{name: "Autodiscover handed over to a host", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "mail.partner.example"}
		},
			servers: []account.Server{imapAt("mail.partner.example", 993, account.SSL)},
			want:    []string{"autodiscover CNAME setup.example.net.", "autoconfig CNAME setup.example.net."},
			absent:  []string{"_autodiscover._tcp"}},
		{name: "handed over to a host, and the service has no certificates", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "mail.partner.example"}
		},
			options: Options{Name: "setup.example.net", Certificate: func(string) bool { return false }},
			want:    []string{"autodiscover CNAME mail.partner.example."},
			absent:  []string{"_autodiscover._tcp"}},
		{name: "handed over to a host, and the service has a certificate", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "mail.partner.example"}
		},
			options: Options{Name: "setup.example.net",
				Certificate: func(host string) bool { return host == "autodiscover.example.org" }},
			want:   []string{"autodiscover CNAME setup.example.net."},
			absent: []string{"_autodiscover._tcp"}},
		{name: "handed over by an answer that no client follows", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "mail.partner.example", AsXML: true}
		},
			want: []string{"autodiscover CNAME mail.partner.example."}},
		{name: "handed over to Microsoft", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "outlook.office365.com"}
		},
			want: []string{"autodiscover CNAME autodiscover.outlook.com."}},
		{name: "handed over to itself", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "autodiscover.example.org"}
		},
			absent: []string{"autodiscover", "_autodiscover._tcp"},
			notes: []string{"autodiscover, _autodiscover._tcp: left out, " +
				"because autodiscover.example.org is the host of the other service, which you point at it"}},
		{name: "handed over in a circle", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "autodiscover.example.com",
				Circle: []string{"example.com", "example.org"}}
		},
			options: Options{Name: "setup.example.net", Certificate: func(string) bool { return false }},
			want:    []string{"autodiscover CNAME setup.example.net."}},
		{name: "handed over without servers", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Hostname: "outlook.office365.com"}
		},
			absent: []string{"autoconfig", "ua-auto-config", "_imaps._tcp", "_imap._tcp", "_pop3s._tcp", "_pop3._tcp",
				"_submissions._tcp", "_submission._tcp"},
			notes: []string{"autoconfig, ua-auto-config, _ua-auto-config, _imaps._tcp, _imap._tcp, _pop3s._tcp, _pop3._tcp, " +
				"_submissions._tcp, _submission._tcp: left out, " +
				"because the configuration lists no servers of the service that Autodiscover is handed over to"}},
		{name: "no certificates", options: Options{Name: "setup.example.net", Certificate: func(string) bool { return false }},
			want: []string{"autodiscover CNAME setup.example.net."}, absent: []string{"_autodiscover._tcp"},
			notes: []string{"_autodiscover._tcp: left out, because Thunderbird would ask whether the password may go to " +
				"setup.example.net: without a certificate for autodiscover.example.org it follows this record"}},
		{name: "no certificates, and the service in the domain",
			options: Options{Name: "setup.example.org", Certificate: func(string) bool { return false }},
			want:    []string{"_autodiscover._tcp SRV 0 1 443 setup.example.org."}},
		{name: "one of the names of PACC too long for DNS", domain: strings.Repeat("a.", 115) + "example1",
			digest: func(account.Settings) (string, error) { return "d=new", nil },
			want:   []string{"autodiscover CNAME setup.example.net."},
			absent: []string{"ua-auto-config", "_ua-auto-config"},
			notes: []string{"_autodiscover._tcp, ua-auto-config, _ua-auto-config, _submissions._tcp, _submission._tcp: left out, " +
				"because with the domain, the name would be longer than DNS allows"}},
		{name: "Autodiscover redirected to another address by the service", change: func(p *account.Provider) {
			p.AutodiscoverRedirect = &account.AutodiscoverRedirect{Address: "%EMAILLOCALPART%@other.example"}
		},
			want: []string{"autodiscover CNAME setup.example.net.", "_autodiscover._tcp SRV 0 1 443 setup.example.net."}},
		{name: "addresses without a name", options: Options{Addresses: addresses("192.0.2.1")},
			want: []string{"autoconfig A 192.0.2.1", "_autodiscover._tcp SRV 0 1 443 autodiscover.example.org."}},
		{name: "the service's name is one of the domain's names", options: Options{Name: "autoconfig.example.org"},
			want: []string{"autodiscover CNAME autoconfig.example.org."}, absent: []string{"autoconfig"},
			notes: []string{"autoconfig: left out, " +
				"because autoconfig.example.org is the service's own name, which you point at it"}},
		{name: "no name for the service", options: Options{TTL: 60},
			absent: []string{"autoconfig", "autodiscover", "_autodiscover._tcp", "ua-auto-config", "_ua-auto-config"},
			notes: []string{"autoconfig, autodiscover, ua-auto-config: left out, " +
				"because the configuration has no name for the service, to which they could point"}},
		{name: "names too long for DNS", domain: long, absent: []string{"autodiscover", "_submissions._tcp"},
			notes: []string{"autoconfig, autodiscover, _autodiscover._tcp, ua-auto-config, _ua-auto-config, " +
				"_imaps._tcp, _imap._tcp, _pop3s._tcp, _pop3._tcp, _submissions._tcp, _submission._tcp: left out, " +
				"because with the domain, the name would be longer than DNS allows"}},
		{name: "PACC", digest: func(account.Settings) (string, error) { return "d=new", nil },
			want: []string{"ua-auto-config CNAME setup.example.net.", `_ua-auto-config TXT "d=new"`}},
		{name: "PACC cannot describe the domain, for a reason of two lines",
			digest: func(account.Settings) (string, error) { return "", errors.New("a\nb") },
			notes:  []string{"ua-auto-config: left out, because PACC has no way to describe the domain: a b"}},
		{name: "PACC cannot describe the domain", servers: []account.Server{pop},
			absent: []string{"ua-auto-config", "_ua-auto-config"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.options.Name == "" && test.options.Addresses == nil && test.options.TTL == 0 {
				test.options.Name = "setup.example.net"
			}
			if test.domain == "" {
				test.domain = "example.org"
			}
			settings := settingsFor(test.domain, test.servers...)
			if test.change != nil {
				test.change(settings.Provider)
			}
			if !test.login.IsZero() {
				settings.Login = test.login
			}
			g := New(test.options)
			if test.digest != nil {
				g.digest = test.digest
			}
			d := g.For(settings)
			var lines []string
			have := map[string]int{}
			for _, r := range d.Records {
				label := strings.TrimSuffix(r.Name, "."+test.domain)
				lines = append(lines, label+" "+r.Type+" "+r.Data)
				have[label+" "+r.Type]++
				have[label]++
				if r.Reason == "" {
					t.Errorf("record %v has no reason", r)
				}
				if !slices.Contains(TypesAt(label), r.Type) {
					t.Errorf("record %v: TypesAt(%s) = %v does not contain its type", r, label, TypesAt(label))
				}
			}
			for _, line := range test.want {
				if !slices.Contains(lines, line) {
					t.Errorf("record %s is missing from\n%s", line, strings.Join(lines, "\n"))
				}
			}
			for _, label := range test.absent {
				if have[label] > 0 {
					t.Errorf("%s has records, want none:\n%s", label, strings.Join(lines, "\n"))
				}
			}
			for _, service := range services {
				if n := have[service.label+" SRV"]; n > 1 {
					t.Errorf("%d records at %s, want at most one, as clients choose oddly", n, service.label)
				}
			}
			for _, note := range test.notes {
				if !slices.Contains(d.Notes, note) {
					t.Errorf("note %q is missing from %q", note, d.Notes)
				}
			}
		})
	}
}
