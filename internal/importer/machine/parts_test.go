package machine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

func TestOnlyLocalPart(t *testing.T) {
	for format, want := range map[string]bool{
		"%n": true, "%Ln": true, "%{user | username | lower}": true, "%{user|username}": true, "%{username}": true,
		"%{user | username}@skog.example": true,
		"":                                false, "%u": false, "%Lu": false, "%{user | lower}": false, "%n@%d": false, "%Ln@%Ld": false,
		"%{user | username}.%{user | domain}": false, "static": false, "%": false, "%{user": false, "100%%": false,
	} {
		if got := onlyLocalPart(format); got != want {
			t.Errorf("onlyLocalPart(%q) = %v, want %v", format, got, want)
		}
	}
}

// TestExpand has what postconf -x prints for the same values, and asks it, if it is there.
func TestExpand(t *testing.T) {
	main := "compatibility_level = 3.6\nmyhostname = mx.skog.example\nmail_name = 1\nsyslog_name =\n"
	tests := []struct{ name, value, want string }{ // names that take any text
		{"milter_connect_macros", "${mail_name}2$mail_name", "121"},
		{"milter_helo_macros", "$(mail_name)3", "13"},
		{"milter_mail_macros", "${mail_name?yes}", "yes"},
		{"milter_rcpt_macros", "${syslog_name?yes}", ""},
		{"milter_data_macros", "${syslog_name:no}", "no"},
		{"milter_end_of_header_macros", "${mail_name:no}", ""},
		{"milter_end_of_data_macros", "${mail_name?{yes}:{no}}", "yes"},
		{"milter_unknown_command_macros", "${syslog_name?{yes}:{$mail_name no}}", "1 no"},
		{"milter_macro_v", "$mydomain", "skog.example"},
		{"smtpd_banner", "$mail_name.x", "1.x"},
		{"mydestination", "localhost.$mydomain, $mail_name, $myhostname", "localhost.skog.example, 1, mx.skog.example"},
	}
	names := []string{"-c", t.TempDir(), "-x"}
	for _, tt := range tests {
		main += tt.name + " = " + tt.value + "\n"
		names = append(names, tt.name)
	}
	expanded := &postfix{main: parseMain(Text{Data: []byte(main)}, new(fault.List))}
	for _, tt := range tests {
		if got := expanded.get(tt.name, nil).value; got != tt.want {
			t.Errorf("%s is expanded to %q, want %q", tt.value, got, tt.want)
		}
	}
	if postconf, err := find("postconf"); err == nil {
		for name, content := range map[string]string{"main.cf": main, "master.cf": ""} {
			if err := os.WriteFile(filepath.Join(names[1], name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(postconf, names...).Output()
		if err != nil {
			t.Fatal(err)
		}
		theirs := parseMain(Text{Data: out}, new(fault.List))
		for _, tt := range tests {
			if got, ok := theirs[tt.name]; !ok || got.value != tt.want {
				t.Errorf("postconf expands %s to %q, want %q", tt.value, got.value, tt.want)
			}
		}
	}
	// What compares is not understood, and stays.
	p := &postfix{main: map[string]setting{"a": {value: "${{$b} == {1} ? {x} : {y}}"}}}
	if got := p.get("a", nil).value; got != "${{$b} == {1} ? {x} : {y}}" {
		t.Errorf("a comparison is expanded to %q, want it as it is", got)
	}
}

func TestParseSimple(t *testing.T) {
	tests := []struct{ query, every string }{
		{"SELECT 1 FROM virtual_domains WHERE name='%s'", "virtual_domains|"},
		{"select domain from domain where domain='%s' and backupmx = '0' and active = '1' limit 1;",
			"domain| WHERE backupmx = '0' AND active = '1'"},
		{"SELECT d.name FROM d JOIN c ON c.id = d.cid WHERE c.on = 1 AND '%s' = d.name", "d JOIN c ON c.id = d.cid| WHERE c.on = 1"},
		{"SELECT 1 FROM a WHERE x = '%s' OR y = '%s'", ""},
		{"SELECT 1 FROM a WHERE x LIKE '%s'", ""},
		{"SELECT 1 FROM a WHERE lower(x) = '%s'", ""},
		{"SELECT 1 FROM a WHERE x = '%s' UNION SELECT 1 FROM b", ""},
		{"SELECT (SELECT 1) FROM a WHERE x = '%s'", ""},
		{"SELECT 1 FROM a WHERE x = '%s' GROUP BY y", ""},
		{"SELECT 1 FROM a WHERE x = '%s' AND (y = 1 AND z = 2)", ""},
		{"SELECT '%s' FROM a WHERE x = '%s'", ""},
		{"SELECT 1 FROM a WHERE x = '%d'", ""},
		{"SELECT 1 FROM a", ""},
		{"CALL lookup('%s')", ""},
		{"SELECT", ""},
	}
	for _, tt := range tests {
		s, ok := parseSimple(tt.query)
		got := ""
		if ok {
			got = s.from + "|" + s.where(false)
		}
		if got != tt.every {
			t.Errorf("parseSimple(%q) = %q, want %q", tt.query, got, tt.every)
		}
	}
}

// TestDovecot checks what decides whose names people sign in with, and which ports are open.
func TestDovecot(t *testing.T) {
	const master = "submission inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt\n"
	const new = "dovecot_config_version = 2.4.1\nprotocols { imap = yes }\n"
	const old = "# 2.3.19 (x): f\nprotocols = imap\n"
	tests := []struct{ dovecot, want string }{
		{old, "imap:993 %EMAILADDRESS% smtp:587"},
		{old + "passdb {\ndriver = pam\n}\n", "imap:993 %EMAILADDRESS% smtp:587"},
		{old + "passdb {\ndriver = passwd-file\nargs = username_format=%n /u\n}\n", "imap:993 %EMAILLOCALPART% smtp:587"},
		{old + "passdb {\ndriver = passwd-file\nmaster = yes\nargs = username_format=%n /u\n}\npassdb {\ndriver = sql\n}\n",
			"imap:993 %EMAILADDRESS% smtp:587"},
		{"# 2.3.19 (x): f\nauth_mechanisms = plain\n", "imap:993 %EMAILADDRESS% pop3:995 smtp:587"},
		{"# 2.3.19 (x): f\nprotocols = imap submission\n", "imap:993 %EMAILADDRESS% smtp:587"},
		{new, "imap:993 %EMAILADDRESS% smtp:587"},
		{"dovecot_config_version = 2.4.1\n", "smtp:587"},
		{new + "protocols { submission = yes }\n", "imap:993 %EMAILADDRESS% smtp:465"},
		{new + "passdb default { driver = passwd-file\npasswd_file_path = /u\nauth_username_format = %{user | username}\n}\n",
			"imap:993 %EMAILLOCALPART% smtp:587"},
		{new + "passdb deny { driver = passwd-file\ndeny = yes\nauth_username_format = %{user | username}\n}\npassdb ldap {\n}\n",
			"imap:993 %EMAILADDRESS% smtp:587"},
		{new + "service imap-login {\ninet_listener imaps {\ninet_listener_port = 0\n}\n}\n",
			"imap:143 %EMAILADDRESS% smtp:587"},
		{new + "mailbox Junk { special_use = \\Junk ; auto = create }\n", "imap:993 %EMAILADDRESS% smtp:587"},
	}
	for _, tt := range tests {
		var d draft.Draft
		err := Draft([]Text{{Path: "main.cf", Data: []byte("myhostname = mx.skog.example\nsmtpd_sasl_type = dovecot\n" +
			"virtual_mailbox_domains = skog.example\n")}, {Path: "master.cf", Data: []byte(master)},
			{Path: "dovecot.conf", Data: []byte(tt.dovecot)}}, noFiles, &d)
		if err != nil || len(d.Products) != 1 {
			t.Errorf("%s: Draft = %v, %d products", tt.dovecot, err, len(d.Products))
			continue
		}
		var got []string
		for _, s := range d.Products[0].Provider.Servers {
			got = append(got, fmt.Sprintf("%s:%d", s.Type, s.Port))
			if s.Type == account.IMAP {
				got = append(got, s.Login.Username)
			}
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%s\ngives %s, want %s", tt.dovecot, text, tt.want)
		}
	}
}

// TestIs checks that files of other tools are not taken for ours.
func TestIs(t *testing.T) {
	for _, name := range examples {
		texts, _ := readExample(t, name)
		for _, text := range texts {
			if !Is(text.Data) {
				t.Errorf("%s/%s is not recognised", name, text.Path)
			}
		}
	}
	for name, text := range map[string]string{
		"automx.conf":    "[automx]\nprovider = skog.example\n[global]\nbackend = static\nsmtp = yes\nsmtp_server = mail.skog.example\n",
		"an environment": "IMAP_HOST=mail.skog.example\nSMTP_HOST=mail.skog.example\nDOMAIN=skog.example\n",
		"YAML":           "providers:\n  - id: skog\n    displayName: Skog\n",
		"JSON":           `{"provider": "Skog", "domains": ["skog.example"]}`,
		"XML":            "<?xml version=\"1.0\"?>\n<clientConfig version=\"1.1\">\n",
		"SQL":            "CREATE TABLE domain (name TEXT);\nINSERT INTO domain VALUES ('skog.example');\n",
		"PHP":            "<?php\n$autodiscover_config = array(\n  'imap' => array('server' => $mailcow_hostname),\n);\n",
		"sconf":          "Hostname: mail.skog.example\nListeners:\n\tpublic:\n\t\tIPs:\n",
	} {
		if Is([]byte(text)) {
			t.Errorf("%s is taken for a configuration of Postfix or Dovecot", name)
		}
	}
}

// TestHost checks which host name clients are told.
func TestHost(t *testing.T) {
	tests := []struct {
		names []string // of the certificate; nil for none
		want  string
		guess string
	}{
		{[]string{"mail.skog.example"}, "mail.skog.example", "the host name mail.skog.example: this machine calls itself " +
			"mx.skog.example, which the certificate lacks"},
		{[]string{"a.skog.example", "mx.skog.example"}, "mx.skog.example", ""},
		{[]string{"*.skog.example"}, "mx.skog.example", ""},
		{[]string{"*.hoster.example"}, "mx.skog.example", ""},
		{[]string{"www.skog.example", "imap.skog.example"}, "imap.skog.example", "certificate lacks"},
		{[]string{"vm", "localhost"}, "mx.skog.example", ""},
		{nil, "mx.skog.example", "the certificate /etc/ssl/mail.pem is not here"},
	}
	for _, tt := range tests {
		chain := certificate(t, tt.names)
		files := func(path string) ([]byte, error) {
			if path != "/etc/ssl/mail.pem" || tt.names == nil {
				return nil, fs.ErrNotExist
			}
			return chain, nil
		}
		var d draft.Draft
		err := Draft([]Text{
			{Path: "main.cf", Data: []byte("myhostname = mx.skog.example\nmydestination =\n" +
				"smtpd_tls_chain_files = /etc/ssl/mail.pem\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n" +
				"virtual_mailbox_domains = skog.example\n")},
			{Path: "master.cf", Data: []byte("submissions inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\n")},
			{Path: "dovecot.conf", Data: []byte("# 2.3 (x): f\nprotocols = imap\nssl_cert = </etc/ssl/mail.pem\n")},
		}, files, &d)
		if err != nil || len(d.Products) != 1 {
			t.Fatalf("Draft = %v, %d products", err, len(d.Products))
		}
		for _, s := range d.Products[0].Provider.Servers {
			if s.Hostname != tt.want {
				t.Errorf("certificate of %v: %s is told as %s, want %s", tt.names, s.Type, s.Hostname, tt.want)
			}
		}
		guesses := d.Products[0].Guesses
		guessed := slices.ContainsFunc(guesses, func(g string) bool { return strings.Contains(g, "the host name") })
		if guessed != (tt.guess != "") || !strings.Contains(strings.Join(guesses, "\n"), tt.guess) {
			t.Errorf("certificate of %v: guesses %q, want %q", tt.names, guesses, tt.guess)
		}
		if strings.Contains(write(&d), "PRIVATE") {
			t.Error("the draft holds a private key")
		}
	}
}

// certificate returns a file as smtpd_tls_chain_files has it: the key comes first.
func certificate(t *testing.T, names []string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestDatabaseURL has the forms of mysql_table(5), pgsql_table(5).
func TestDatabaseURL(t *testing.T) {
	tests := []struct{ kind, hosts, user, name, want string }{
		{"mysql", "", "postfix", "mail", "mysql://postfix@/mail"},
		{"mysql", "localhost", "postfix", "mail", "mysql://postfix@/mail"},
		{"mysql", "127.0.0.1", "postfix", "mail", "mysql://postfix@127.0.0.1/mail"},
		{"mysql", "inet:db.skog.example:3307", "postfix", "mail", "mysql://postfix@db.skog.example:3307/mail"},
		{"mysql", "unix:/run/mysqld/mysqld.sock", "postfix", "mail", "mysql://postfix@/mail?socket=/run/mysqld/mysqld.sock"},
		{"pgsql", "localhost", "p@x", "mail", "postgres://p%40x@localhost/mail"},
		{"pgsql", "db1, db2:5433", "postfix", "mail", "postgres://postfix@db1,db2:5433/mail"},
		{"mysql", "db", "", "mail", ""},
		{"mysql", "db", "postfix", "", ""},
	}
	for _, tt := range tests {
		if got, _ := databaseURL(tt.kind, tt.hosts, tt.user, tt.name); got != tt.want {
			t.Errorf("databaseURL(%q, %q, %q, %q) = %q, want %q", tt.kind, tt.hosts, tt.user, tt.name, got, tt.want)
		}
	}
	got, user, ok := fromURI("postgresql://postfix:hemligt@db.skog.example:5433/mail?sslmode=require")
	if want := "postgres://postfix@db.skog.example:5433/mail"; got != want || user != "postfix" || !ok {
		t.Errorf("fromURI = %q, %q, %v; want %q", got, user, ok, want)
	}
}
