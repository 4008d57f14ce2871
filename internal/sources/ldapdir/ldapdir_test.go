package ldapdir

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"signpost/internal/sources/row"
)

// simple returns options that New takes.
func simple() Options {
	return Options{
		Servers: []string{"ldap://127.0.0.1"},
		Base:    "dc=example,dc=com",
		Account: "(mail=%s)",
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, problem string
		change        func(*Options)
	}{
		{"no server", "no server", func(o *Options) { o.Servers = nil }},
		{"another scheme", "must begin with ldaps://",
			func(o *Options) { o.Servers = []string{"https://ldap.example.com"} }},
		{"a host only", "must begin with ldaps://", func(o *Options) { o.Servers = []string{"ldap.example.com"} }},
		{"a password in the URI", "passwordFile",
			func(o *Options) { o.Servers = []string{"ldaps://cn=x:hunter2@ldap.example.com"} }},
		{"attributes in the URI", "has a key of its own",
			func(o *Options) { o.Servers = []string{"ldaps://ldap.example.com/dc=x?mail?sub"} }},
		{"no host", "no proper host", func(o *Options) { o.Servers = []string{"ldaps:///dc=example,dc=com"} }},
		{"a port that is none", "port", func(o *Options) { o.Servers = []string{"ldaps://ldap.example.com:ldap2"} }},
		{"a relative socket", "path of a socket", func(o *Options) { o.Servers = []string{"ldapi://slapd/"} }},
		{"two bases", "another base",
			func(o *Options) { o.Servers = []string{"ldaps://a.example/dc=a", "ldaps://b.example/dc=b"} }},
		{"no password", "without a password file", func(o *Options) { o.BindDN = "cn=signpost" }},
		{"no bind DN", "without a bind DN", func(o *Options) { o.PasswordFile = "/etc/signpost/password" }},
		{"a relative password file", "does not begin with /",
			func(o *Options) { o.BindDN, o.PasswordFile = "cn=signpost", "password" }},
		{"no such roots", "no such file", func(o *Options) { o.CARoot = "/nowhere/root.pem" }},
		{"no filter", "account: no filter", func(o *Options) { o.Account = "" }},
		{"a filter without an address", "no attribute with %s",
			func(o *Options) { o.Account = "(objectClass=person)" }},
		{"a negated address", "no attribute with %s", func(o *Options) { o.Account = "(!(mail=%s))" }},
		{"an open bracket", "account: ", func(o *Options) { o.Account = "(&(objectClass=person)(mail=%s)" }},
		{"text after the filter", "account: ", func(o *Options) { o.Account = "(mail=%s))" }},
		{"an unknown placeholder", `"%n" is no placeholder`, func(o *Options) { o.Account = "(mail=%n)" }},
		{"a placeholder as the attribute", "is no", func(o *Options) { o.Account = "(%s=mail)" }},
		{"part of an address", "another way", func(o *Options) { o.Account = "(mail=*%s*)" }},
		{"like an address", "another way", func(o *Options) { o.Account = "(mail~=%s)" }},
		{"a blank in an attribute", `" mail" is not the name`, func(o *Options) { o.Account = "( mail=%s)" }},
		{"two asterisks", "one asterisk", func(o *Options) { o.Account = "(&(cn=**)(mail=%s))" }},
		{"a base that is no DN", "base: it is not a DN", func(o *Options) { o.Base = "example.com" }},
		{"a base with an address", "base: ", func(o *Options) { o.Base = "mail=%s,dc=example,dc=com" }},
		{"a base without an end", "base: nothing", func(o *Options) { o.Base = "domainName=%d" }},
		{"a base that goes on nowhere", "ends with a comma", func(o *Options) { o.Base = "ou=people," }},
		{"two attributes in one", "username: ", func(o *Options) { o.Attributes.Username = "uid,mail" }},
		{"a class of nothing", "aliasClass", func(o *Options) { o.Attributes.AliasClass = "mailAlias" }},
		{"a condition without a value", "has no value",
			func(o *Options) { o.Inactive = []string{"accountStatus!="} }},
		{"a condition that is none", "none of", func(o *Options) { o.Inactive = []string{"accountStatus"} }},
		{"bits that are none", "number of bits",
			func(o *Options) { o.Inactive = []string{"userAccountControl&two"} }},
		{"a ! alone", "without a =", func(o *Options) { o.Inactive = []string{"accountStatus!active"} }},
		{"a list without a domain", "no filter domain", func(o *Options) { o.Domains = "(objectClass=mailDomain)" }},
		{"a domain filter with a local part", "is no placeholder", func(o *Options) { o.Domain = "(mail=%u@%d)" }},
		{"a list with a name", "is no placeholder", func(o *Options) { o.Domain, o.Domains = "(cn=%s)", "(cn=%s)" }},
		{"a negative time", "negative", func(o *Options) { o.Timeout = -1 }},
	}
	for _, test := range tests {
		o := simple()
		test.change(&o)
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: New = %v, want an error with %q", test.name, err, test.problem)
		} else if strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: New: the error holds a password: %v", test.name, err)
		}
	}
}

func TestColumns(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want row.Columns
	}{
		{"addresses only", Options{Account: "(mail=%s)"}, row.Columns{}},
		{"aliases of a mailbox", Options{Account: "(|(mail=%s)(mailAlias=%s))"}, row.Columns{Alias: true}},
		{"aliases as objects", Options{Account: "(mail=%s)", Attributes: Attributes{Alias: "member"}},
			row.Columns{Alias: true}},
		{"everything", Options{Account: "(mail=%s)", Domain: "(cn=%s)",
			Attributes: Attributes{Username: "uid", Provider: "ou", MailHost: "mailHost"}},
			row.Columns{Username: true, Provider: true, MailHost: true, Domains: true, OneDomain: true}},
		{"domains of addresses", Options{Account: "(mail=%s)", Domain: "(mail=*@%s)"}, row.Columns{OneDomain: true}},
		{"a list of its own", Options{Account: "(mail=%s)", Domain: "(mail=*@%s)", Domains: "(objectClass=domain)"},
			row.Columns{OneDomain: true, Domains: true}},
	}
	for _, test := range tests {
		test.o.Servers, test.o.Base = simple().Servers, simple().Base
		s, err := New(test.o)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := s.Columns(); got != test.want {
			t.Errorf("%s: Columns = %+v, want %+v", test.name, got, test.want)
		}
		if !reflect.DeepEqual(s.Settings(), test.o) {
			t.Errorf("%s: Settings = %+v, want the options", test.name, s.Settings())
		}
		s.Close()
	}
}

func TestParseServer(t *testing.T) {
	tests := []struct{ uri, want, base string }{
		{"ldaps://ldap.example.com", "tcp ldap.example.com:636 TLS ldap.example.com", ""},
		{"ldaps://ldap.example.com:3269/", "tcp ldap.example.com:3269 TLS ldap.example.com", ""},
		{"LDAPS://[2001:db8::1]/dc=a", "tcp [2001:db8::1]:636 TLS 2001:db8::1", "dc=a"},
		{"ldap://ldap.example.com/ou=a%20b,dc=c", "tcp ldap.example.com:389 StartTLS ldap.example.com", "ou=a b,dc=c"},
		{"ldap://127.0.0.1/dc=example,dc=com", "tcp 127.0.0.1:389 plain 127.0.0.1", "dc=example,dc=com"},
		{"ldap://[::1]:1389", "tcp [::1]:1389 plain ::1", ""},
		{"ldap://localhost", "tcp localhost:389 plain localhost", ""},
		{"ldap://127.0.0.1.example.com", "tcp 127.0.0.1.example.com:389 StartTLS 127.0.0.1.example.com", ""},
		{"ldapi:///", "unix /run/slapd/ldapi plain ", ""},
		{"ldapi:///dc=example", "unix /run/slapd/ldapi plain ", "dc=example"},
		{"ldapi://%2Ftmp%2Fs/dc=example", "unix /tmp/s plain ", "dc=example"},
	}
	for _, test := range tests {
		s, base, err := parseServer(test.uri, false)
		if err != nil {
			t.Errorf("parseServer(%q): %v", test.uri, err)
			continue
		}
		got := strings.Join([]string{s.network, s.address, []string{"plain", "StartTLS", "TLS"}[s.secure], s.host}, " ")
		if got != test.want || base != test.base {
			t.Errorf("parseServer(%q) = %q, %q, want %q, %q", test.uri, got, base, test.want, test.base)
		}
	}
	if s, _, err := parseServer("ldap://ldap.example.com", true); err != nil || s.secure != plain {
		t.Errorf("with plain text everywhere, ldap:// is %v, %v, want plain", s.secure, err)
	}
}

func TestLists(t *testing.T) {
	tests := []struct {
		filter string
		want   []list
	}{
		{"(&(objectClass=zimbraDomain)(zimbraDomainName=%s))",
			[]list{{"(&(objectClass=zimbraDomain)(zimbraDomainName=*))", "zimbraDomainName"}}},
		{"domainName=%s", []list{{"(domainName=*)", "domainName"}}},
		{"(&(objectClass=mailDomain)(|(domainName=%s)(&(enabledService=domainalias)(domainAliasName=%d)))" +
			"(!(domainBackupMX=yes)))",
			[]list{
				{"(&(objectClass=mailDomain)(domainName=*)(!(domainBackupMX=yes)))", "domainName"},
				{"(&(objectClass=mailDomain)(&(enabledService=domainalias)(domainAliasName=*))(!(domainBackupMX=yes)))",
					"domainAliasName"},
			}},
		{"(&(cn=%s)(!(other=%s)))", []list{{"(cn=*)", "cn"}}},
		{"(&(cn=%s)(other=%s))", nil}, // each alone never holds
		{"(mail=*@%s)", nil},
		{"(|(cn=%s)(mail=*@%s))", nil},
		{"(mail=postmaster@%s)", nil},
	}
	for _, test := range tests {
		f, err := parseFilter(test.filter, "sd")
		if err != nil {
			t.Fatalf("%s: %v", test.filter, err)
		}
		if got := f.lists(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("lists of %s = %q, want %q", test.filter, got, test.want)
		}
	}
}

func TestExpand(t *testing.T) {
	k := []key{{"a)(uid=*@example.com", "a)(uid=*", "example.com"}}
	two := []key{{"a@xn--bcher-kva.example", "a", "xn--bcher-kva.example"}, {"a@bücher.example", "a", "bücher.example"}}
	tests := []struct {
		filter string
		keys   []key
		want   string
	}{
		{"(mail=%s)", k, `(mail=a\29\28uid=\2a@example.com)`},
		{"mail=%s", k, `(mail=a\29\28uid=\2a@example.com)`},
		{"(&(uid=%u)(proxyAddresses=smtp:%u@%d))", k,
			`(&(uid=a\29\28uid=\2a)(proxyAddresses=smtp:a\29\28uid=\2a@example.com))`},
		{"(&(cn=100%%)(cn=\\25s)(mail=%s))", k, `(&(cn=100%)(cn=%s)(mail=a\29\28uid=\2a@example.com))`},
		{"(|(mail=%s)(uid=x))", two, `(|(|(mail=a@xn--bcher-kva.example)(mail=a@b\c3\bccher.example))(uid=x))`},
		{"(memberOf:1.2.840.113556.1.4.1941:=CN=%d)", k, `(memberOf:1.2.840.113556.1.4.1941:=CN=example.com)`},
	}
	for _, test := range tests {
		f, err := parseFilter(test.filter, "sud")
		if err != nil {
			t.Errorf("parseFilter(%q): %v", test.filter, err)
			continue
		}
		if got := f.expand(test.keys); got != test.want {
			t.Errorf("%s with %q is %s, want %s", test.filter, test.keys, got, test.want)
		}
	}
}

func TestBase(t *testing.T) {
	tests := []struct{ text, ofURI, want, fixed string }{
		{"", "dc=example", "dc=example", ""},
		{"", "", "", ""}, // of Zimbra
		{"ou=people,dc=a", "dc=b", "ou=people,dc=a", ""},
		{"cn=users,cn=accounts,", "dc=example,dc=com", "cn=users,cn=accounts,dc=example,dc=com", ""},
		{"domainName=%d,o=domains,dc=a", "", `domainName=x\,o\=y,o=domains,dc=a`, "o=domains,dc=a"},
		{`ou=%d\, Ltd,ou=Mail,dc=a`, "", `ou=x\,o\=y\, Ltd,ou=Mail,dc=a`, "ou=Mail,dc=a"},
	}
	for _, test := range tests {
		b, err := parseBase(test.text, test.ofURI, "d")
		if err != nil {
			t.Errorf("parseBase(%q): %v", test.text, err)
			continue
		}
		got := strings.ReplaceAll(b.expand(key{domain: "x,o=y"}), `o=y`, `o\=y`)
		if got != test.want || b.fixed != test.fixed {
			t.Errorf("base %q of %q is %q, %q, want %q, %q", test.text, test.ofURI, got, b.fixed, test.want, test.fixed)
		}
	}
}

// TestNewConnectsNowhere takes a server that nobody can reach.
func TestNewConnectsNowhere(t *testing.T) {
	o := simple()
	o.Servers = []string{"ldapi://" + strings.ReplaceAll(filepath.Join(t.TempDir(), "socket"), "/", "%2F")}
	began := time.Now()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, err = s.Domains(t.Context())
	if err != nil || time.Since(began) > time.Second {
		t.Errorf("Domains without a filter = %v after %v, want nothing at once", err, time.Since(began))
	}
}
