package doctor

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"signpost/internal/doctor/finding"
	"signpost/internal/golden"
	"signpost/internal/show"
)

// example is a report about a domain with three faults.
func example() *Report {
	found := func(id string, s finding.Severity, sentence string, clients ...string) Finding {
		return Finding{ID: id, Severity: s, Sentence: sentence, Clients: clients}
	}
	m4 := found("M4", "error", "587 of smtp.hoster.example offers no login, not even after STARTTLS: nobody can send.",
		"thunderbird", "thunderbird-android", "deltachat", "evolution", "outlook")
	m4.Evidence = []Evidence{{"smtp", "smtp.hoster.example:587 STARTTLS", "198.51.100.25",
		"after TLS 1.3: PIPELINING, SIZE, 8BITMIME, no AUTH", 31}}
	m4.Cures = []Cure{{Who: "mail provider", Text: "switch SASL on for submission (Postfix: smtpd_sasl_auth_enable=yes " +
		"at its entry in master.cf)"}}
	d3 := found("D3", "error", "autodiscover.nordlys.example still points to Microsoft, where this mail no longer is.",
		"thunderbird", "outlook")
	d3.Evidence = []Evidence{
		{Probe: "dns", Target: "CNAME autodiscover.nordlys.example", Result: "autodiscover.outlook.com."},
		{"GET", "http://autodiscover.nordlys.example/autodiscover/autodiscover.xml", "203.0.113.9",
			"302 to https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml, which answers 401", 80},
	}
	d3.Cures = []Cure{{Who: "your DNS", Text: "the name leads nowhere (forgotten within 1 h)",
		Remove: []string{"autodiscover.nordlys.example. 3600 IN CNAME autodiscover.outlook.com."},
		Put:    []string{`autodiscover.nordlys.example. 3600 IN TXT "no autodiscover service"`}}}
	d3.Uncovers = []string{"autodiscover.nordlys.example would be the web server by *.nordlys.example"}
	d2 := found("D2", "warning",
		"autoconfig.nordlys.example exists only through *.nordlys.example and shows the web site.", "deltachat")
	server := show.Server{Type: "imap", Hostname: "imap.hoster.example", Port: 993, SocketType: "SSL",
		Username: "anna@nordlys.example"}
	smtp := show.Server{Type: "smtp", Hostname: "smtp.hoster.example", Port: 587, SocketType: "STARTTLS",
		Username: "anna@nordlys.example"}
	both := []show.Server{server, smtp}
	return &Report{
		Version: "1.2.3", Address: "anna@nordlys.example", Domain: "nordlys.example", Seconds: 14.2, Complete: false,
		Resolver: "192.0.2.53", Provider: &Provider{"hoster.example", "MX mx1.hoster.example"},
		Own:      &OwnView{},
		Findings: []Finding{m4, d3, d2},
		Clients: []Client{
			{Client: "thunderbird", Name: "Thunderbird", Version: "153", Certainty: "=", Outcome: "asks",
				But: "a Microsoft sign-in; cancelled, it sets itself up, but cannot send", Source: "MX: autoconfig.hoster.example",
				Servers: both, Findings: []string{"M4", "D3"}},
			{Client: "thunderbird-android", Name: "Thunderbird for Android", Certainty: "=", Outcome: "fails",
				But: "“Missing server capability: AUTH PLAIN”", Source: "MX; the person must trust it", Findings: []string{"M4"}},
			{Client: "deltachat", Name: "Delta Chat", Certainty: "=", Outcome: "fails",
				But: "guesses imap.nordlys.example (web server)", Findings: []string{"M4", "D2"}},
			{Client: "evolution", Name: "Evolution", Certainty: "=", Outcome: "sets-up-but", But: "cannot send", Source: "DNS SRV",
				Servers: both, Findings: []string{"M4"}},
			{Client: "outlook", Name: "Outlook classic", Certainty: "~", Outcome: "elsewhere", But: "Microsoft 365",
				Source: "http autodiscover", Findings: []string{"M4", "D3"}},
			{Client: "iphone", Name: "iPhone, Mac", Certainty: "~", Outcome: "asks", But: "the servers", Findings: []string{}},
			{Client: "outlook-new", Name: "new Outlook", Certainty: "?", Outcome: "elsewhere",
				But: "told by Microsoft’s cloud", Findings: []string{}},
		},
		Type:     &Entry{"DNS SRV", both},
		Hosts:    []Host{},
		NotAsked: []NotAsked{{"Microsoft’s list of tenants", "-ask-microsoft"}},
	}
}

// TestText holds the layout of reports to golden files, for a wide and a narrow terminal.
func TestText(t *testing.T) {
	for width, name := range map[int]string{100: "text-100.golden", 80: "text-80.golden"} {
		var b bytes.Buffer
		if err := example().WriteText(&b, Layout{Width: width, Exit: 1}); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, filepath.Join("testdata", name), b.Bytes())
		for line := range strings.Lines(b.String()) {
			isRecord := strings.Contains(line, " IN ") // is to be pasted, so it is not broken
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && !isRecord {
				t.Errorf("the line has %d columns, want at most %d: %s", n, width, line)
			}
		}
	}
}
