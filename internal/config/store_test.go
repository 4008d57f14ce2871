package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"signpost/internal/fault"
	"signpost/internal/sources/ldapdir"
	"signpost/internal/sources/mapfile"
	"signpost/internal/sources/sqldb"
)

// oneProvider is a configuration that lacks its accounts.
const oneProvider = `
providers:
  - id: mail
    displayName: Mail
    servers:
      - {type: imap, hostname: mail.example.com}
      - {type: smtp, hostname: mail.example.com}
`

// readAccountsOf parses a configuration with these accounts.
func readAccountsOf(t *testing.T, accounts string) (*Config, error) {
	t.Helper()
	c, err := parse(filepath.Join(t.TempDir(), "x.yaml"), []byte(oneProvider+accounts))
	if err == nil {
		t.Cleanup(func() {
			for _, a := range c.Accounts {
				if a.Store != nil {
					a.Store.Backend.Close()
				}
			}
		})
	}
	return c, err
}

// settingsOf returns the options of the only source.
func settingsOf(t *testing.T, accounts string) any {
	t.Helper()
	c, err := readAccountsOf(t, accounts)
	if err != nil {
		t.Fatalf("%s\n%v", accounts, err)
	}
	if len(c.Accounts) != 1 || c.Accounts[0].Store == nil {
		t.Fatalf("%s\nhas the sources %+v, want one store", accounts, c.Accounts)
	}
	return c.Accounts[0].Store.Backend.Settings()
}

// operatorLines returns the lines of a source that a preset has as examples only.
func operatorLines(item string) string {
	var own []string
	for line := range strings.Lines(item) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "database", "passwordFile", "server", "bindDN", "folder":
			own = append(own, line)
		case "base":
			if !strings.HasSuffix(value, ",") {
				own = append(own, line)
			}
		}
	}
	return strings.Join(own, "")
}

// TestPresets reads each preset in two ways: by its name and the operator's lines, and as
// its own text, which stands in the general form. Both must give the same.
func TestPresets(t *testing.T) {
	presets := Presets()
	if len(presets) != 17 {
		t.Errorf("there are %d presets, want 17", len(presets))
	}
	for _, p := range presets {
		t.Run(p.Name, func(t *testing.T) {
			if p.Title == "" || p.Needs == "" || strings.Contains(p.Title+p.Needs, "#") {
				t.Errorf("title %q, needs %q", p.Title, p.Needs)
			}
			text, ok := PresetText(p.Name)
			if !ok {
				t.Fatal("it has no text")
			}
			_, list, _ := strings.Cut(text, "accounts:\n")
			for _, item := range strings.Split(list, "\n\n") {
				general := settingsOf(t, "accounts:\n"+item)
				named := settingsOf(t, fmt.Sprintf("accounts:\n  - %s:\n%s", p.Name, operatorLines(item)))
				if !reflect.DeepEqual(named, general) {
					t.Errorf("the preset by its name differs from its text:\n%s", cmp.Diff(general, named))
				}
			}
		})
	}
	if _, ok := PresetText("no/such"); ok {
		t.Error("a preset exists that does not")
	}
}

// TestPackagedAccounts loads the packaged example with each of its sources in turn.
func TestPackagedAccounts(t *testing.T) {
	data, err := os.ReadFile("../../packaging/accounts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	whole, first, _ := strings.Cut(string(data), "accounts:\n")
	items := strings.Split(first, "\n\n")
	if len(items) < 8 {
		t.Errorf("the example has %d sources, want at least 8", len(items))
	}
	for _, item := range items {
		text := whole + "accounts:\n" + strings.ReplaceAll("\n"+item, "\n#", "\n")
		c, err := parse("x.yaml", []byte(text))
		if err != nil || len(c.Accounts) != 1 || c.Accounts[0].Store == nil {
			t.Errorf("%s\n%v, want one source", text, err)
			continue
		}
		c.Accounts[0].Store.Backend.Close()
	}
}

// TestOverPreset checks that the operator's keys have priority over the preset's.
func TestOverPreset(t *testing.T) {
	sql := settingsOf(t, `
accounts:
  - postfixadmin:
      database: postgres://signpost@db1.example,db2.example/postfix
      passwordFile: credential:db
      account: |
        SELECT username AS address FROM pa_mailbox -- with a prefix
        WHERE username = '%s'
      timeout: 1s
      connections: 7
`).(sqldb.Options)
	if sql.PasswordFile != "credential:db" || sql.Timeout != time.Second || sql.Connections != 7 ||
		sql.Account != "SELECT username AS address FROM pa_mailbox -- with a prefix\nWHERE username = '%s'" ||
		!strings.Contains(sql.Domain, "alias_domain") {
		t.Errorf("the operator's lines over the preset give %+v", sql)
	}
	ldap := settingsOf(t, `
accounts:
  - activedirectory:
      server: [ldaps://dc1.corp.example, ldaps://dc2.corp.example]
      base: dc=corp,dc=example
      bindDN: signpost@corp.example
      passwordFile: /etc/signpost/ad.password
      attributes: {username: userPrincipalName, displayName: none}
`).(ldapdir.Options)
	if want := (ldapdir.Attributes{Address: "mail proxyAddresses", Username: "userPrincipalName"}); ldap.Attributes != want {
		t.Errorf("attributes over the preset's = %+v, want %+v", ldap.Attributes, want)
	}
}

// TestStores checks what the keys of sources become.
func TestStores(t *testing.T) {
	file := write(t, "signpost.yaml", oneProvider+`
accounts:
  - list: {anna@elsewhere.example: {}}
  - mailcow: {database: "mysql://signpost@127.0.0.1:13306/mailcow", passwordFile: db.password, provider: mail,
      providers: {premium: mail}, refresh: 10s, keep: 1h}
  - postfix: {mailboxes: [hash:vmailbox, /etc/postfix/more], aliases: virtual, domains: vhosts, unixUsers: true}
  - passwd: {file: users, domain: Example.COM, domains: false}
  - dockermailserver: {folder: config}
`, "db.password", "x", "vmailbox", "", "virtual", "", "vhosts", "", "users", "")
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(file)
	at := func(name string) string { return filepath.Join(dir, name) }
	mailcow := c.Accounts[1].Store
	if mailcow.Name != "2-mailcow" || mailcow.Provider != "mail" || mailcow.Providers["premium"] != "mail" ||
		mailcow.NoDomains || mailcow.Refresh != 10*time.Second || mailcow.Keep != time.Hour {
		t.Errorf("mailcow = %+v", mailcow)
	}
	if got := mailcow.Backend.Settings().(sqldb.Options).PasswordFile; got != at("db.password") {
		t.Errorf("passwordFile = %s, want the path beside the configuration", got)
	}
	want := mapfile.Options{Domains: []mapfile.File{{Path: at("vhosts")}},
		Mailboxes: []mapfile.File{{Path: at("vmailbox"), Table: true}, {Path: "/etc/postfix/more"}},
		Aliases:   []mapfile.File{{Path: at("virtual")}}, UnixUsers: true}
	if diff := cmp.Diff(want, c.Accounts[2].Store.Backend.Settings()); diff != "" {
		t.Errorf("postfix (-want +got):\n%s", diff)
	}
	passwd := c.Accounts[3].Store
	if got := passwd.Backend.Settings().(mapfile.Options); !passwd.NoDomains || got.Domain != "example.com" {
		t.Errorf("passwd = %+v with %+v", passwd, got)
	}
	if got := c.Accounts[4].Store.Backend.Settings().(mapfile.Options).Folder; got != at("config") {
		t.Errorf("folder = %s, want the path beside the configuration", got)
	}
	wantFiles := []string{at("db.password"), at("vmailbox"), "/etc/postfix/more", at("virtual"),
		at("vhosts"), at("users"), at("config/postfix-accounts.cf"), at("config/postfix-virtual.cf")}
	if diff := cmp.Diff(wantFiles, c.StoreFiles); diff != "" {
		t.Errorf("StoreFiles (-want +got):\n%s", diff)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Text, `cannot read "/etc/postfix/more"`) {
		t.Errorf("warnings = %v, want only that of the file that is not there", c.Warnings)
	}
	if got := c.Accounts[2].Store.Providers; len(got) != 1 || got["mail"] != "mail" {
		t.Errorf("without providers the words are %v, want the ids", got)
	}
	if c.Sample("mail").IsZero() {
		t.Error("there is no sample address for a provider whose domains a store has")
	}
}

// TestNoDomains checks that a directory that has no domains needs no provider.
func TestNoDomains(t *testing.T) {
	c, err := readAccountsOf(t, "  - {id: other, displayName: Other, domains: [example.com], servers: {of: mail}}\n"+
		"accounts: [freeipa: {server: ldaps://ipa.example.com/dc=example, bindDN: uid=x, passwordFile: credential:x}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Accounts[0].Store; !s.NoDomains || s.Provider != "" {
		t.Errorf("freeipa = %+v, want a source without domains", s)
	}
}

// TestFilter checks that a filter may have several lines.
func TestFilter(t *testing.T) {
	for text, want := range map[string]string{
		"(mail=%s)":                           "(mail=%s)",
		"( & (a=b c)\n  (| (mail=%s) (x=y)))": "(&(a=b c)(|(mail=%s)(x=y)))",
		"(&(cn=AT& T)(mail=%s) )":             "(&(cn=AT& T)(mail=%s))",
		"(! (a=b))":                           "(!(a=b))",
	} {
		v := &value{node: &node{kind: scalar, text: text}, l: &loader{}}
		if got := v.filter(); got != want {
			t.Errorf("filter(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestOptionFaults checks that what a backend refuses is said at the key that is to blame,
// and never quotes a password.
func TestOptionFaults(t *testing.T) {
	for _, row := range []struct{ accounts, want string }{
		{`accounts: [sql: {database: "mysql://signpost:s3cret@127.0.0.1/x", account: SELECT 1}]`, "accounts[0].sql.database: "},
		{`accounts: [sql: {database: "mysql://s@127.0.0.1/x", account: DELETE FROM x}]`, "accounts[0].sql.account: "},
		{`accounts: [ldap: {server: "ldap://u:s3cret@ldap.example", account: (mail=%s)}]`, "accounts[0].ldap: a server holds a user or a password"},
		{`accounts: [ldap: {server: "ldap://ldap.example", account: (mail=%s}]`, "accounts[0].ldap.account: "},
		{`accounts: [ldap: {server: "ldap://ldap.example", account: (mail=%s), bindDN: cn=x}]`, "accounts[0].ldap"},
		{`accounts: [passwd: {file: pcre:x}]`, `accounts[0].passwd.file: "pcre:x": `},
		{`accounts: [postfix: {}]`, "accounts[0].postfix: no file is named"},
		{`accounts: [mailcow: {database: "postgres://s@127.0.0.1/mailcow"}]`, "accounts[0].mailcow: database: mailcow is kept"},
	} {
		_, err := readAccountsOf(t, row.accounts)
		faults, ok := err.(fault.List)
		if !ok || len(faults) != 1 || !strings.HasPrefix(faults[0].Text, row.want) || faults[0].Line != 8 {
			t.Errorf("%s\n%v\nwant one fault on line 8 that begins with %q", row.accounts, err, row.want)
		}
		if strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("a message quotes a password: %v", err)
		}
	}
}

// TestForeignWords checks that no word of another program hides a key of ours.
func TestForeignWords(t *testing.T) {
	for name, kind := range storeKinds {
		if len(kind.foreign) < 10 {
			t.Errorf("%s answers %d words of other programs, want at least 10", name, len(kind.foreign))
		}
		for word, answer := range kind.foreign {
			if kind.keys[word] != nil || storeKeys[word] != nil {
				t.Errorf("%s: %q is a key, but is answered as a word of another program", name, word)
			}
			if answer == "" || strings.HasSuffix(answer, ".") {
				t.Errorf("%s: the answer to %q is %q", name, word, answer)
			}
		}
	}
}
