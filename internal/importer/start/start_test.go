package start

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/golden"
	"signpost/internal/importer"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/town"
)

const document = `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="udde"><domain>udde.example</domain>
<displayName>Udde Mail</displayName>
<incomingServer type="imap"><hostname>%s</hostname><port>993</port><socketType>SSL</socketType>
<username>%%EMAILLOCALPART%%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>%[1]s</hostname><port>465</port><socketType>SSL</socketType>
<username>%%EMAILLOCALPART%%</username><authentication>password-cleartext</authentication></outgoingServer>
</emailProvider></clientConfig>`

// dialogues are runs with a person. An answer is a line; "" takes the default.
var dialogues = []struct {
	name    string
	zone    []string
	pages   map[string]town.Page
	mail    []int // ports that are open
	machine func(context.Context, *draft.Draft) error
	taken   bool // port 443
	flags   Answers
	answers []string
	want    error
}{
	{
		name: "healthy", mail: []int{993, 465, 587},
		zone:    []string{"autoconfig.udde.example. 300 IN A $ADDRESS", "mail.udde.example. 300 IN A $ADDRESS"},
		pages:   map[string]town.Page{"GET https://autoconfig.udde.example/mail/config-v1.1.xml": {Body: fmt.Sprintf(document, "mail.udde.example")}},
		answers: []string{"udde.example", "", "", "", ""},
	},
	{
		name: "nothing-told", mail: []int{143, 993, 995, 465, 587}, taken: true,
		zone:    []string{"udde.example. 300 IN MX 10 mail.udde.example.", "mail.udde.example. 300 IN A $ADDRESS"},
		answers: []string{"anna@udde.example", "", "1, 3", "Udde Post", "proxy"},
	},
	{
		name: "nothing-at-all", answers: []string{"not a domain", "udde", "udde.example", "", "mail", "mail.udde.example", "", "", "both", "acme"},
	},
	{
		name: "other-name", mail: []int{993, 465}, // the server's certificate is for another name
		zone: []string{"udde.example. 300 IN MX 10 bad.udde.example.", "bad.udde.example. 300 IN A $ADDRESS",
			"www.bad.udde.example. 300 IN A $ADDRESS"},
		answers: []string{"udde.example", "", "", "", ""},
	},
	{
		name: "microsoft", mail: []int{993, 587},
		zone: []string{"udde.example. 300 IN MX 0 udde-example.mail.protection.outlook.com.",
			"autodiscover.udde.example. 300 IN CNAME autodiscover.outlook.com.",
			"outlook.office365.com. 300 IN A $ADDRESS", "smtp.office365.com. 300 IN A $ADDRESS"},
		answers: []string{"udde.example", "", "", "", ""},
	},
	{
		name: "contradiction", mail: []int{993, 465},
		zone: []string{"autoconfig.udde.example. 300 IN A $ADDRESS", "mail.udde.example. 300 IN A $ADDRESS",
			"mail.gammal.example. 300 IN A 127.0.0.1", "_imaps._tcp.udde.example. 300 IN SRV 0 1 993 mail.udde.example."},
		pages:   map[string]town.Page{"GET https://autoconfig.udde.example/mail/config-v1.1.xml": {Body: fmt.Sprintf(document, "mail.gammal.example")}},
		answers: []string{"udde.example", "mail.udde.example", "", "", ""},
	},
	{
		name: "second-works", mail: []int{993, 465}, // where the servers of the first witness refuse connections
		zone: []string{"autoconfig.udde.example. 300 IN A $ADDRESS", "mail.udde.example. 300 IN A $ADDRESS",
			"mail.gammal.example. 300 IN A 127.0.0.1", "_imaps._tcp.udde.example. 300 IN SRV 0 1 993 mail.udde.example."},
		pages:   map[string]town.Page{"GET https://autoconfig.udde.example/mail/config-v1.1.xml": {Body: fmt.Sprintf(document, "mail.gammal.example")}},
		answers: []string{"udde.example", "", "", "", ""},
	},
	{
		name: "moved-from-microsoft", mail: []int{993, 465},
		zone: []string{"udde.example. 300 IN MX 0 udde-example.mail.protection.outlook.com.", "mail.udde.example. 300 IN A $ADDRESS",
			"autodiscover.udde.example. 300 IN CNAME autodiscover.outlook.com."},
		answers: []string{"udde.example", "mail.udde.example", "", "", ""},
	},
	{
		name: "machine", mail: []int{993, 465}, machine: machineDraft,
		zone:    []string{"mail.udde.example. 300 IN A $ADDRESS"},
		answers: []string{"", "", "", "", ""},
	},
	{
		name: "machine-with-database", mail: []int{993, 465}, machine: databaseDraft,
		zone:    []string{"mail.udde.example. 300 IN A $ADDRESS"},
		answers: []string{"", "", "", "", ""},
	},
	{
		name: "first-customer", mail: []int{993, 465, 587}, // as in docs/first-customer.md
		zone:    []string{"kund.example. 300 IN MX 10 mail.hoster.example.", "mail.hoster.example. 300 IN A $ADDRESS"},
		flags:   Answers{Name: "setup.hoster.example"},
		answers: []string{"kund.example", "", "", "Hoster Mail", ""},
	},
	{name: "broken-off", answers: []string{"udde.example"}, want: errInterrupted},
}

// machineDraft is what a machine with Postfix and Dovecot has.
func machineDraft(_ context.Context, d *draft.Draft) error {
	login := account.Login{Username: account.EmailAddress}
	password := []account.Authentication{account.PasswordCleartext}
	d.Products = []draft.Product{{Domains: []string{"udde.example", "vik.example"}, Provider: account.Provider{Servers: []account.Server{
		{Type: account.IMAP, Hostname: "mail.udde.example", Port: 993, SocketType: account.SSL, Login: login, Authentication: password},
		{Type: account.SMTP, Hostname: "mail.udde.example", Port: 465, SocketType: account.SSL, Login: login, Authentication: password},
	}}}}
	d.Lose(draft.Place{File: "postconf"}, "virtual_mailbox_maps is not read")
	return nil
}

// databaseDraft is what a machine has whose domains are in a database.
func databaseDraft(ctx context.Context, d *draft.Draft) error {
	if err := machineDraft(ctx, d); err != nil {
		return err
	}
	d.Products[0].Domains = nil
	d.Accounts = []draft.Map{{{Key: "ispmail",
		Value: draft.Map{{Key: "database", Value: "mysql://mailserver@127.0.0.1/mailserver"},
			{Key: "passwordFile", Value: "/etc/signpost/mailserver.password"}}}}}
	return nil
}

// TestDialogues compares what a person sees and types, and what comes of it, with golden files.
func TestDialogues(t *testing.T) {
	for _, row := range dialogues {
		t.Run(row.name, func(t *testing.T) {
			internet := town.Start(t, row.pages, row.zone...)
			for _, port := range row.mail {
				mechanisms := "PLAIN LOGIN"
				if row.name == "microsoft" {
					mechanisms = "XOAUTH2"
				}
				internet.Mail(t, port, mechanisms)
			}
			var screen strings.Builder
			o := Options{Answers: row.flags, Asker: internet.Network(t), Machine: row.machine, Out: &screen,
				PortTaken: func(int) bool { return row.taken }}
			o.Person = &Person{In: &typist{row.answers, &screen}, Out: &screen}
			r, err := Run(t.Context(), o)
			if !errors.Is(err, row.want) {
				t.Fatalf("Run = %v, want %v", err, row.want)
			}
			if err != nil {
				return
			}
			screen.WriteString("\n----\n" + written(r))
			golden.Check(t, "testdata/"+row.name+".golden", []byte(screen.String()))
			if row.name == "first-customer" {
				golden.Check(t, "testdata/first-customer.yaml", importer.Write(&r.Draft))
			}
			for line := range strings.Lines(screen.String()) {
				if strings.Contains(line, "----") {
					break
				}
				if len([]rune(line)) > 81 && !strings.Contains(line, "https://") {
					t.Errorf("a line has %d characters, more than a terminal: %q", len([]rune(line)), line)
				}
			}
		})
	}
}

// typist types answers, which the terminal echoes.
type typist struct {
	answers []string
	screen  io.Writer
}

func (p *typist) Read(b []byte) (int, error) {
	if len(p.answers) == 0 {
		return 0, io.EOF
	}
	text := p.answers[0] + "\n"
	p.answers = p.answers[1:]
	io.WriteString(p.screen, text)
	return copy(b, text), nil
}

func written(r *Result) string {
	var b strings.Builder
	for _, e := range r.Draft.Keys {
		fmt.Fprintf(&b, "%s: %v\n", e.Key, e.Value)
	}
	for _, p := range r.Draft.Products {
		fmt.Fprintf(&b, "%q for %v\n", p.Provider.DisplayName, p.Domains)
		for _, s := range p.Provider.Servers {
			fmt.Fprintf(&b, "  %s, user name %s, %v\n", describe(s), s.Login.Username, s.Authentication)
		}
		if r := p.Provider.AutodiscoverRedirect; r != nil {
			fmt.Fprintf(&b, "  autodiscover at %s\n", r.Hostname)
		}
	}
	for _, a := range r.Draft.Accounts {
		fmt.Fprintf(&b, "accounts: %v\n", a)
	}
	for _, l := range r.Draft.Lost {
		fmt.Fprintf(&b, "lost: %s: %s\n", l.Place, l.Text)
	}
	for _, text := range r.Unknown {
		fmt.Fprintf(&b, "not known: %s\n", text)
	}
	if r.Contradicted {
		b.WriteString("contradicted\n")
	}
	return b.String()
}

// TestNobody checks that a run without a person takes the defaults, and says which flag is missing
// where there is none.
func TestNobody(t *testing.T) {
	internet := town.Start(t, nil, "mail.udde.example. 300 IN A $ADDRESS")
	internet.Mail(t, 993, "PLAIN")
	internet.Mail(t, 465, "PLAIN")
	run := func(a Answers) (*Result, error) {
		return Run(t.Context(), Options{Answers: a, Asker: internet.Network(t), Out: io.Discard,
			PortTaken: func(int) bool { return false }})
	}
	if _, err := run(Answers{}); !errors.Is(err, ErrNoDomain) {
		t.Errorf("Run without a domain = %v, want %v", err, ErrNoDomain)
	}
	if _, err := run(Answers{Domains: []string{"tom.example"}}); !errors.Is(err, ErrNoMailHost) {
		t.Errorf("Run for a domain without a mail server = %v, want %v", err, ErrNoMailHost)
	}
	r, err := run(Answers{Domains: []string{"udde.example"}})
	if err != nil {
		t.Fatal(err)
	}
	got := describe(r.Draft.Products[0].Provider.Servers[0])
	if want := "imap mail.udde.example:993 SSL"; got != want {
		t.Errorf("the first server is %s, want %s", got, want)
	}
	r, err = run(Answers{Domains: []string{"udde.example"}, MailHost: "imap.hamn.example", Product: "Hamn", TLS: Proxy,
		Name: "mail.hamn.example"})
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Draft.Products[0].Provider; p.DisplayName != "Hamn" ||
		describe(p.Servers[0]) != "imap imap.hamn.example:993 SSL" || r.Name != "mail.hamn.example" {
		t.Errorf("with flags, the product is %q at %s, by %s; want what the flags say",
			p.DisplayName, describe(p.Servers[0]), r.Name)
	}
}

func TestParseServer(t *testing.T) {
	for _, row := range []struct{ text, want, problem string }{
		{text: "imap mail.udde.example:993 SSL", want: "imap mail.udde.example:993 SSL"},
		{text: "IMAP mail.udde.example", want: "imap mail.udde.example:993 SSL"},
		{text: "smtp mail.udde.example starttls", want: "smtp mail.udde.example:587 STARTTLS"},
		{text: "smtp mail.udde.example:587", want: "smtp mail.udde.example:587 STARTTLS"},
		{text: "imap åkeri.example:9993 ssl", want: "imap xn--keri-poa.example:9993 SSL"},
		{text: "imap mail.udde.example:9993", problem: "say SSL or STARTTLS"},
		{text: "imap", problem: "not written like"},
		{text: "jmap mail.udde.example", problem: "neither imap"},
		{text: "imap mail:993", problem: "whole host name"},
		{text: "imap mail.udde.example:0 SSL", problem: "not a port"},
		{text: "imap mail.udde.example:993 plain", problem: "neither SSL"},
	} {
		server, err := ParseServer(row.text)
		switch {
		case row.problem == "" && (err != nil || describe(server) != row.want):
			t.Errorf("ParseServer(%q) = %q, %v, want %q", row.text, describe(server), err, row.want)
		case row.problem != "" && (err == nil || !strings.Contains(err.Error(), row.problem)):
			t.Errorf("ParseServer(%q) = %v, want an error with %q", row.text, err, row.problem)
		}
	}
}

// TestInterrupted checks that a question does not outlive its context, though nobody types.
func TestInterrupted(t *testing.T) {
	in, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	var out strings.Builder
	p := &Person{In: bufio.NewReader(in), Out: &out}
	cancel()
	if _, err := p.ask(ctx, "Who", "", func(string) error { return nil }); !errors.Is(err, errInterrupted) {
		t.Errorf("ask = %v, want %v", err, errInterrupted)
	}
}

// TestParseProduct parses names of services.
func TestParseProduct(t *testing.T) {
	for text, want := range map[string]string{
		"  Tom & Co: \"Post\" ": "Tom & Co: \"Post\"",
		"åäö":                   "åäö",
		strings.Repeat("å", 60): strings.Repeat("å", 60),
		strings.Repeat("a", 61): "a name has at most 60 characters",
		" ":                     "a name has at least one character",
		"a\nb":                  `"a\nb" has an invisible character`,
		"a\x1b[31m":             `"a\x1b[31m" has an invisible character`,
		"a\u202eb":              `"a\u202eb" has an invisible character`,
		"a\xff":                 "the name is not in UTF-8",
	} {
		got, err := ParseProduct(text)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("ParseProduct(%q) = %q, want %q", text, got, want)
		}
	}
}
