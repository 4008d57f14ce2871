package sqldb

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/sources/row"
)

const anyQuery = "SELECT address FROM t WHERE address = '%s'"

func TestParseURL(t *testing.T) {
	tcp := func(name, port string) host { return host{name: name, port: port} }
	tests := []struct {
		url  string
		want place
	}{
		{"postgres://signpost@db.example/mail", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{tcp("db.example", "5432")}}},
		{"postgresql://signpost@DB.example:6432/mail", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{tcp("db.example", "6432")}}},
		{"postgres://signpost@a,b:5433/mail", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{tcp("a", "5433"), tcp("b", "5433")}}},
		{"postgres://signpost@a:1,b:2/mail", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{tcp("a", "1"), tcp("b", "2")}}},
		{"postgres://signpost@[2001:db8::1]:5433/mail", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{tcp("2001:db8::1", "5433")}}},
		{"postgres://signpost@[::1]/mail", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{tcp("::1", "5432")}}},
		{"postgres://signpost@/mail", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{{socket: "/run/postgresql"}}}},
		{"postgres://signpost@/mail?socket=/tmp/pg", place{scheme: "postgres", user: "signpost", database: "mail",
			hosts: []host{{socket: "/tmp/pg"}}}},
		{"mysql://sign%40post@127.0.0.1:13306/mail%20cow", place{scheme: "mysql", user: "sign@post",
			database: "mail cow", hosts: []host{tcp("127.0.0.1", "13306")}}},
		{"mariadb://signpost@db.example/mail?caRoot=/etc/ca%20.pem", place{scheme: "mysql", user: "signpost",
			database: "mail", caRoot: "/etc/ca .pem", hosts: []host{tcp("db.example", "3306")}}},
		{"mysql://signpost@db.example/mail?socketType=plain", place{scheme: "mysql", user: "signpost",
			database: "mail", plain: true, hosts: []host{tcp("db.example", "3306")}}},
		{"mysql://signpost@/mail", place{scheme: "mysql", user: "signpost", database: "mail",
			hosts: []host{{socket: "/run/mysqld/mysqld.sock"}}}},
		{"sqlite:/var/lib/a b?.db", place{}},
		{"sqlite:/var/lib/100%.db", place{scheme: "sqlite", database: "/var/lib/100%.db",
			hosts: []host{{socket: "/var/lib/100%.db"}}}},
		{"sqlite:/var/lib/my db%20.db", place{scheme: "sqlite", database: "/var/lib/my db%20.db",
			hosts: []host{{socket: "/var/lib/my db%20.db"}}}},
		{"sqlite:///var/lib/mail.db", place{scheme: "sqlite", database: "/var/lib/mail.db",
			hosts: []host{{socket: "/var/lib/mail.db"}}}},
	}
	for _, test := range tests {
		got, err := parseURL(test.url)
		if test.want.scheme == "" {
			if err == nil {
				t.Errorf("parseURL(%s) = %+v, want an error", test.url, got)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(*got, test.want) {
			t.Errorf("parseURL(%s)\n = %+v, %v\nwant %+v", test.url, got, err, test.want)
		}
	}
}

// TestURLFaults has a password in most URLs, which no error may quote.
func TestURLFaults(t *testing.T) {
	tests := []struct{ url, want, hint string }{
		{"", "is missing", ""},
		{"hunter2", "not a URL", "write postgres://"},
		{"hunter2://a@b/c", "none of postgres", "write postgres://"},
		{"postgres:signpost@db/mail", "not followed by //", "write postgres://"},
		{"postgres://signpost:hunter2@db/mail", "holds a password", "passwordFile"},
		{"postgres://signpost:hunter2?x@db/mail", "holds a password", "passwordFile"},
		{"postgres://signpost:hunter2/x@db/mail", "holds a password", "passwordFile"},
		{"postgres://signpost:hunter2@x@db/mail", "holds a password", "passwordFile"},
		{"postgres://signpost:hunter2%zz@db/mail", "holds a password", "passwordFile"},
		{"mysql://signpost@db/mail?password=hunter2", "holds a password", "passwordFile"},
		{"mysql://signpost@db/mail?passwd=hunter2%zz", "parameter", ""},
		{"mysql://signpost@db/mail?hunter2=1", "none of caRoot, socket and socketType", ""},
		{"mysql://signpost@db/mail?sslmode=disable", "sslmode is no parameter", "always verified"},
		{"mysql://signpost@db/mail?tls=hunter2", "tls is no parameter", "always verified"},
		{"mysql://signpost@db/mail?socketType=SSL", "can only be plain", ""},
		{"mysql://signpost@db/mail?socket=run", "does not begin with /", ""},
		{"mysql://signpost@db/mail?socket=/run/x", "both a host and a socket", ""},
		{"mysql://signpost@db/mail?caRoot=ca.pem", "does not begin with /", ""},
		{"mysql://db/mail", "names no user", "user@host"},
		{"mysql://@db/mail", "names no user", "user@host"},
		{"mysql://signpost@db", "name of one database", "user@host"},
		{"mysql://signpost@db/", "name of one database", "user@host"},
		{"mysql://signpost@db/mail/hunter2", "name of one database", "user@host"},
		{"mysql://signpost@db/mail%zz", "hexadecimal", ""},
		{"mysql://signpost@db:hunter2/mail", "port", ""},
		{"mysql://signpost@db:0/mail", "port", ""},
		{"mysql://signpost@db:65536/mail", "port", ""},
		{"mysql://signpost@db:/mail", "without a port", ""},
		{"mysql://signpost@::1/mail", "without brackets", ""},
		{"mysql://signpost@[hunter2]/mail", "no IPv6 address", ""},
		{"mysql://signpost@[::1]x/mail", "no IPv6 address", ""},
		{"mysql://signpost@db,/mail", "a host that is not a name", ""},
		{"mysql://signpost@%2Frun/mail", "a host that is not a name", ""},
		{"sqlite:mail.db", "does not begin with /", "sqlite:/path"},
		{"sqlite://mail.db", "does not begin with /", "sqlite:/path"},
		{"sqlite:/mail.db?mode=rw", "has a ?", ""},
	}
	for _, test := range tests {
		_, err := New(Options{Database: test.url, Account: anyQuery})
		option, ok := errors.AsType[*OptionError](err)
		if !ok || option.Option != "database" || !strings.Contains(err.Error(), test.want) ||
			!strings.Contains(fault.Hint(err), test.hint) {
			t.Errorf("New(%s) = %v, hint %q, want an error of database with %q, hint %q", test.url, err,
				fault.Hint(err), test.want, test.hint)
		}
		if text := fmt.Sprint(err) + fault.Hint(err); strings.Contains(text, "hunter2") {
			t.Errorf("New(%s) quotes the password: %s", test.url, text)
		}
	}
}

func TestOptionFaults(t *testing.T) {
	const url = "mysql://signpost@127.0.0.1/mail"
	tests := []struct {
		options            Options
		option, want, hint string
	}{
		{Options{Database: url}, "account", "no query", "at least one"},
		{Options{Database: url, Account: "DROP TABLE t"}, "account", "SELECT", ""},
		{Options{Database: url, Domain: "SELECT '%u'"}, "domain", "%u", "%s"},
		{Options{Database: url, Domains: "SELECT '%s'"}, "domains", "%s", ""},
		{Options{Database: url, Account: anyQuery, PasswordFile: "password"}, "passwordFile", "begin with /", ""},
		{Options{Database: "sqlite:/a.db", Account: anyQuery, PasswordFile: "/password"}, "passwordFile",
			"no passwords", ""},
		{Options{Database: "sqlite:/a.db", Account: anyQuery, CARoot: "/ca.pem"}, "caRoot", "no certificate", ""},
		{Options{Database: url + "?caRoot=/a.pem", Account: anyQuery, CARoot: "/b.pem"}, "caRoot", "twice", ""},
		{Options{Database: url + "?socketType=plain", Account: anyQuery, CARoot: "/b.pem"}, "database", "plain", ""},
	}
	for _, test := range tests {
		_, err := New(test.options)
		option, ok := errors.AsType[*OptionError](err)
		if !ok || option.Option != test.option || !strings.Contains(err.Error(), test.want) ||
			!strings.Contains(fault.Hint(err), test.hint) {
			t.Errorf("New(%+v) = %v, hint %q, want an error of %s with %q, hint %q",
				test.options, err, fault.Hint(err), test.option, test.want, test.hint)
		}
	}
}

func TestEncrypted(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://a@db.example/m":                               true,
		"postgres://a@10.0.0.1/m":                                 true,
		"postgres://a@db.example/m?socketType=plain":              false,
		"postgres://a@127.0.0.1/m":                                false,
		"postgres://a@127.1.2.3/m":                                false,
		"postgres://a@[::1]/m":                                    false,
		"postgres://a@localhost/m":                                false,
		"postgres://a@LOCALHOST/m":                                false,
		"postgres://a@localhost.example/m":                        true,
		"postgres://a@127.0.0.1.example/m":                        true,
		"postgres://a@[::ffff:127.0.0.1]/m":                       false,
		"postgres://a@localhost/m?caRoot=/etc/ca.pem":             true,
		"postgres://a@/m":                                         false,
		"mysql://a@/m?socket=/run/s&caRoot=/etc/ca.pem":           false,
		"mysql://a@db.example/m":                                  true,
		"mysql://a@db.example/m?socketType=plain":                 false,
		"mysql://a@db.example:3307/m?caRoot=/etc/ca.pem&":         true,
		"postgres://a@127.0.0.1:1,127.0.0.1:2/m":                  false,
		"postgres://a@db1.example,db2.example/m?caRoot=/etc/c.pe": true,
	} {
		p, err := parseURL(url)
		if err != nil {
			t.Fatalf("parseURL(%s) = %v", url, err)
		}
		for _, h := range p.hosts {
			if got := p.encrypted(h); got != want {
				t.Errorf("%s: encrypted = %t, want %t", url, got, want)
			}
		}
	}
}

func TestColumns(t *testing.T) {
	tests := []struct {
		account string
		want    row.Columns
	}{
		{"SELECT username AS address, NULL AS alias, name AS displayName FROM mailbox WHERE username = %s",
			row.Columns{Alias: true}},
		{`SELECT email, login as "USERNAME" FROM t`, row.Columns{Username: true}},
		{"SELECT t.address, t.provider FROM t", row.Columns{Provider: true}},
		{"SELECT address FROM alias WHERE provider = username", row.Columns{}},
		{"SELECT address, (SELECT s.mailHost AS provider FROM s) AS host FROM t", row.Columns{}},
		{"SELECT address, (SELECT s.mailHost FROM s) FROM t", row.Columns{MailHost: true}},
		{"SELECT DISTINCT alias FROM t", row.Columns{Alias: true}},
		{"SELECT CAST(alias AS text) FROM t", row.Columns{Alias: true}},
		{"SELECT goto alias FROM t", row.Columns{Alias: true}},
		{"SELECT goto AS 'alias' FROM t", row.Columns{Alias: true}},
		{"SELECT * FROM t", row.Columns{Alias: true, Provider: true, Username: true, MailHost: true}},
		{"SELECT t.*, 1 FROM t", row.Columns{Alias: true, Provider: true, Username: true, MailHost: true}},
		{"SELECT count(*) AS n FROM t", row.Columns{}},
		{"WITH t AS (SELECT alias FROM a) SELECT username FROM t", row.Columns{Username: true}},
		{"SELECT address AS a FROM t UNION SELECT alias FROM t", row.Columns{}},
		{"SELECT address, -- alias\n 'username' AS x FROM t", row.Columns{}},
		{"SELECT `mailHost` FROM t", row.Columns{MailHost: true}},
	}
	for _, test := range tests {
		s := openStore(t, Options{Database: "mysql://a@127.0.0.1/b", Account: test.account})
		if got := s.Columns(); got != test.want {
			t.Errorf("Columns of %s = %+v, want %+v", test.account, got, test.want)
		}
	}
	s := openStore(t, Options{Database: "sqlite:/a", Domains: "SELECT domain, provider FROM t",
		Domain: "SELECT domain FROM t WHERE domain = %s"})
	if got, want := s.Columns(), (row.Columns{Domains: true, OneDomain: true}); got != want {
		t.Errorf("Columns without an account = %+v, want %+v", got, want)
	}
	if _, ok := s.Settings().(Options); !ok {
		t.Errorf("Settings() = %T, want Options", s.Settings())
	}
}
