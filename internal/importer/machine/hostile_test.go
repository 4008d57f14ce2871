package machine

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// TestBroken checks the sentence and the place of what cannot be read.
func TestBroken(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"half of main.cf", "myhostname = mx.skog.example\nmydest", "f:2: this is not name = value"},
		{"half of master.cf", "smtp inet n - y - - smtpd\nsubmission inet n - y", "f:2: a service has eight columns"},
		{"a brace in master.cf", "smtp inet n - y - - smtpd -o { a = b", "f:1: a service has eight columns"},
		{"an option of master.cf", "smtp inet n - y - - smtpd\n  -o =x", "f:1: an option -o of smtp is not name=value"},
		{"half of doveconf -n", "# 2.3.19 (x): f\nprotocols = imap\nservice imap-login {\n  inet_lis", "f:4: this is neither"},
		{"a section that is open", "# 2.3.19 (x): f\nservice imap-login {\n", "f:2: the section service is not closed"},
		{"a } too many", "# 2.3.19 (x): f\nprotocols = imap\n}\n", "f:3: this } closes no section"},
		{"sections in sections", "# 2.3.19 (x): f\n" + strings.Repeat("a {\n", 100_000), "f:17: sections are nested deeper"},
		{"options", "smtp/inet/a = b\nsmtp/inet/c\nsmtp/d = e", "f:3: this is not service/type/parameter = value"},
		{"another file", "hello", "f: this is no configuration of Postfix or Dovecot"},
		{"nothing", "", "f: this is no configuration of Postfix or Dovecot"},
		{"a program", "\x7fELF\x00protocols = imap", "f: this is no configuration of Postfix or Dovecot"},
	}
	for _, tt := range tests {
		var d draft.Draft
		err := Draft([]Text{{Path: "f", Data: []byte(tt.text)}}, noFiles, &d)
		list, ok := errors.AsType[fault.List](err)
		if !ok || !strings.Contains(list.Error(), tt.want) {
			t.Errorf("%s: Draft = %v, want %s", tt.name, err, tt.want)
		}
		if len(list) > 20 {
			t.Errorf("%s: Draft gives %d faults, want 20 at most", tt.name, len(list))
		}
	}
}

func noFiles(string) ([]byte, error) { return nil, errors.New("no files") }

// TestIncomplete checks what an operator reads where the files are whole and say too little.
func TestIncomplete(t *testing.T) {
	const dovecot = "# 2.3.19 (x): f\nprotocols = imap\n"
	tests := []struct{ text, want, hint string }{
		{"myhostname = mx.skog.example\n", "no port is open at which people sign in", "by postconf -M and by doveconf -n"},
		{"submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes\n", "the mail server has no host name",
			"by postconf and by doveconf -n"},
		{"# 2.3.19 (x): f\nprotocols = none\n", "no port is open at which people sign in", "-postfix"},
		{dovecot + "service imap-login {\n inet_listener imap {\n port = 0\n }\n inet_listener imaps {\n port = 0\n }\n}\n",
			"no port is open", "-postfix"},
		{dovecot + "listen = 127.0.0.1, ::1\n", "no port is open", "-postfix"},
		{dovecot, "the mail server has no host name", "postconf"},
		{dovecot + "hostname = vm.localdomain\n", "the mail server has no host name", "postconf"},
	}
	for _, tt := range tests {
		err := Draft([]Text{{Path: "f", Data: []byte(tt.text)}}, noFiles, new(draft.Draft))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(fault.Hint(err), tt.hint) {
			t.Errorf("Draft(%q) = %v, hint %q; want %s, hint with %s", tt.text, err, fault.Hint(err), tt.want, tt.hint)
		}
	}
}

// TestHostile checks that large and twisted files take little time.
func TestHostile(t *testing.T) {
	const n = 100_000
	repeat := func(text string) string { return strings.Repeat(text, n) }
	tests := map[string]string{
		"parameters in parameters": "myhostname = $a1\n" + bomb(60),
		"a parameter in itself":    "myhostname = $myhostname$myhostname\nmydestination = ${mydestination?$mydestination}\n",
		"continuation lines":       "myhostname = a" + repeat("\n b"),
		"continued sections":       "# 2.3 (x): f\nprotocols = imap\\\n" + repeat("a\\\n"),
		"services":                 repeat("587 inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes\n"),
		"tables":                   "virtual_mailbox_domains =" + repeat(" mysql:x") + "\n",
		"unions":                   "virtual_mailbox_domains = " + repeat("unionmap:{") + "\n",
		"domains":                  "virtual_mailbox_domains =" + repeat(" skog.example !x") + "\n",
		"listeners":                "# 2.3 (x): f\nservice imap-login {\n" + repeat("inet_listener a {\nport = 1\n}\n") + "}\n",
		"names of listeners":       "# 2.3 (x): f\n" + repeat("service imap-login {\ninet_listener {\n}\n}\n"),
		"mechanisms":               "# 2.3 (x): f\nauth_mechanisms =" + repeat(" x") + "\n",
		"quotation marks":          "# 2.3 (x): f\na = " + repeat(` '"#`) + "\n",
		"passdbs":                  "# 2.3 (x): f\n" + repeat("passdb {\ndriver = passwd-file\nargs = /a\n}\n"),
	}
	for name, text := range tests {
		start := time.Now()
		Draft([]Text{{Path: "f", Data: []byte("submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes\n")},
			{Path: "g", Data: []byte(text)}}, noFiles, new(draft.Draft))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: Draft takes %v for %d bytes", name, took, len(text))
		}
	}
}

// bomb returns parameters of which each holds the next one twice.
func bomb(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.NewReplacer("A", strings.Repeat("1", i+1), "B", strings.Repeat("1", i+2)).Replace(
			"aA = $aB$aB smtpd_\n"))
	}
	return b.String()
}

func FuzzDraft(f *testing.F) {
	for _, name := range examples {
		texts, _ := readExample(f, name)
		var main, master, dovecot, table []byte
		for _, text := range texts {
			switch kindOf(text.Data) {
			case mainCF:
				main = text.Data
			case masterCF:
				master = text.Data
			case dovecotConf:
				dovecot = text.Data
			default:
				table = text.Data
			}
		}
		f.Add(main, master, dovecot, table)
	}
	f.Fuzz(func(t *testing.T, main, master, dovecot, table []byte) {
		var faults fault.List
		parseMain(Text{Data: main}, &faults)
		parseMaster(Text{Data: master}, &faults)
		parseDovecot(Text{Data: dovecot}, &faults)
		files := func(string) ([]byte, error) { return table, nil }
		var first, second draft.Draft
		texts := []Text{{Path: "a", Data: main}, {Path: "b", Data: master}, {Path: "c", Data: dovecot},
			{Path: "d", Data: table}}
		err := Draft(texts, files, &first)
		again := Draft(texts, files, &second)
		if (err == nil) != (again == nil) || write(&first) != write(&second) {
			t.Errorf("twice the same files give\n%s%v\nand\n%s%v", write(&first), err, write(&second), again)
		}
		for _, p := range first.Products {
			for _, s := range p.Provider.Servers {
				if s.Port <= 0 || s.Port > 65535 || s.Hostname == "" || len(s.Authentication) == 0 {
					t.Errorf("a server is incomplete: %+v", s)
				}
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("SELECT 1 FROM virtual_domains WHERE name='%s'")
	f.Add("SELECT goto FROM alias WHERE address = '%s' AND active = '1' LIMIT 1;")
	f.Add("select CONCAT(a,'@',b) as x from c where '%u' = d and e='%d'")
	f.Fuzz(func(t *testing.T, query string) {
		s, ok := parseSimple(query)
		tablesOf(query)
		if ok && strings.Contains(s.where(false), "%") {
			t.Errorf("parseSimple(%q) leaves a placeholder in %q", query, s.where(false))
		}
	})
}

// TestOdd reads configurations that say strange things, and none that nobody wrote.
func TestOdd(t *testing.T) {
	const postfix = "virtual_mailbox_domains = %s\nsmtpd_sasl_auth_enable = yes\nmyhostname = %s\n"
	const services = "submissions inet n - y - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes\n"
	const dovecot = "# 2.3.19 (x): f\nprotocols = imap\nssl_cert = </etc/missing.pem\n"
	for _, row := range []struct{ domains, host, name, guess, lost string }{
		{"skog.example", "mx.$myhostname", "skog.example", "the host name mail.skog.example: this machine has no name", ""},
		{"skog.example", "localhost.localdomain", "skog.example", "the host name mail.skog.example: this machine has no name", ""},
		{"skog.example", "mx.skog.example", "skog.example", "the host name mx.skog.example: the certificate /etc/missing.pem cannot be read", ""},
		{"xn--ker-tla.example", "mx.skog.example", "åker.example", "the name åker.example", ""},
		{"skog.example *.skog.example *.skog.example", "mx.skog.example", "skog.example", "", "main.cf:1: virtual_mailbox_domains: \"*.skog.example\" is not"},
	} {
		var d draft.Draft
		err := Draft([]Text{{Path: "main.cf", Data: fmt.Appendf(nil, postfix, row.domains, row.host)},
			{Path: "master.cf", Data: []byte(services)}, {Path: "dovecot.conf", Data: []byte(dovecot)}}, noFiles, &d)
		if err != nil || len(d.Products) != 1 {
			t.Errorf("%s, %s: %d products, %v, want one", row.domains, row.host, len(d.Products), err)
			continue
		}
		p := d.Products[0]
		if p.Provider.DisplayName != row.name {
			t.Errorf("%s: the name is %q, want %q", row.domains, p.Provider.DisplayName, row.name)
		}
		if guesses := strings.Join(p.Guesses, "\n"); !strings.Contains(guesses, row.guess) ||
			strings.Contains(guesses, "name :") {
			t.Errorf("%s, %s: guessed is\n%s\nwant %s", row.domains, row.host, guesses, row.guess)
		}
		seen := map[string]int{}
		for _, r := range d.Lost {
			seen[r.Place.String()+": "+r.Text]++
			if r.Place.File == "" || seen[r.Place.String()+": "+r.Text] > 1 {
				t.Errorf("%s, %s: the remark %q has no place, or comes again", row.domains, row.host, r.Text)
			}
		}
		found := row.lost == ""
		for text := range seen {
			found = found || strings.HasPrefix(text, row.lost)
		}
		if !found {
			t.Errorf("%s: lost is %v, want %s", row.domains, seen, row.lost)
		}
	}
}
