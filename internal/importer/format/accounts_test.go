package format

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/importer/draft"
)

// TestUserNames reads databases and directories in which automx and automx2 find user names.
func TestUserNames(t *testing.T) {
	const automx = "[automx]\ndomains = a.example, b.example\n[b.example]\nbackend = static\nimap = yes\nimap_server = i.b.example\nimap_port = 993\n" +
		"[a.example]\nimap = yes\nimap_server = i.a.example\nimap_port = 993\n"
	const ldap = automx + "imap_auth_identity = ${uid}\nbackend = ldap\nbase = dc=a\n"
	const sql = automx + "imap_auth_identity = ${login}\nbackend = sql\nhost = postgresql+psycopg2://r:geheim@db.a.example/mail\nquery = "
	const seed = `{"version": 2, "provider": "A", "servers": [{"type": "imap", "name": "i.a.example"}], "domains": [{"name": "a.example", "ldapserver_id": 1}, "b.example"], `
	for _, row := range []struct {
		format, text string
		want         []string
	}{
		{"automx", ldap + "host = ldap://l1.a.example/, ldaps://l2.a.example\nfilter = (&(objectClass=x)(mail=%s))\nbinddn = cn=r\nbindpw = geheim", []string{
			"server: [ldap://l1.a.example ldaps://l2.a.example]", "bindDN: cn=r", "passwordFile: /etc/signpost/ldap.password", "base: dc=a",
			"account: (&(&(objectClass=x)(mail=%s))(mail=*@a.example))", "username: uid", "hint: The connection to ldap://l1"}},
		{"automx", ldap + "filter = mail=%s", []string{"server: ldap://127.0.0.1\n", "account: (&(mail=%s)(mail=*@a.example))"}},
		{"automx", ldap + "filter = (mail=%u)", []string{`lost: 15 the search of [a.example] gives user names, and is not carried over: its filter "(mail=%u)" compares`}},
		{"automx", ldap + "filter = (mail=%s)\nscope = one", []string{"account: (&(mail=%s)(mail=*@a.example))", "lost: 16 scope = one: Signpost searches"}},
		{"automx", ldap + "filter = (mail=%s)\nbindmethod = sasl", []string{"lost: 15 the search of [a.example] gives user names, and is not carried over: bindmethod = sasl"}},
		{"automx", ldap + "filter = (mail=%s)\nsmtp = yes\nsmtp_server = s.a.example\nsmtp_port = 465", []string{"here only some have ${uid}"}},
		{"automx", strings.Replace(ldap, "${uid}", "%s", 1) + "filter = (mail=%s)", []string{`lost: 15 the search of [a.example] gives no user name, and is not carried over: "(mail=%s)"`}},
		{"automx", strings.Replace(ldap, "${uid}", "x-${uid}", 1) + "filter = (mail=%s)", []string{`gives no user name`, "lost: 12 imap_auth_identity = x-${uid}: write the source"}},
		{"automx", strings.Replace(ldap, "[b.example]\nbackend = static", "[b.example]\nbackend = static\nfollow = a.example\n[c]\n", 1) + "filter = (mail=%s)", []string{
			"account: (mail=%s)\n"}},
		{"automx", sql + "SELECT login FROM users WHERE mail = '%s' AND active = 1 LIMIT 1", []string{
			"database: postgres://r@db.a.example/mail", "passwordFile: /etc/signpost/database.password", "domains: false",
			"account: SELECT mail AS address, login AS username FROM users WHERE mail = '%s' AND active = 1 AND '%d' IN ('a.example')\n"}},
		{"automx", sql + "SELECT name, u.logn AS login\n  FROM users u WHERE u.mail = :emailaddress", []string{
			"account: SELECT u.mail AS address, u.logn AS username FROM users u WHERE u.mail = '%s' AND"}},
		{"automx", sql + "SELECT login FROM users WHERE box = '%u' AND zone = '%d'", []string{"account: SELECT box || '@' || zone AS address, login AS username"}},
		{"automx", sql + "SELECT login FROM users WHERE mail = '%s' OR alias = '%s'", []string{"lost: 15 the query of [a.example] gives user names, and is not carried over: write its query"}},
		{"automx", sql + "SELECT other FROM users WHERE mail = '%s'", []string{"write its query as that of sql"}},
		{"automx", strings.Replace(sql, "postgresql+psycopg2", "oracle", 1) + "SELECT login FROM users WHERE mail = '%s'", []string{"host: the database is neither SQLite"}},
		{"automx2-seed", seed + `"ldapservers": [{"id": 1, "name": "l.a.example", "search_base": "dc=a", "bind_user": "cn=r", "bind_password": "geheim"}]}`, []string{
			"server: ldaps://l.a.example\n", "bindDN: cn=r", "account: (&(mail=%s)(mail=*@a.example))", "username: uid"}},
		{"automx2-seed", seed + `"ldapservers": [{"id": 1, "name": "l.a.example", "port": 1636, "use_ssl": true, "search_base": "dc=a", "search_filter": "(&(a=50%)(m={0}))", "attr_uid": "x", "attr_cn": "cn"}]}`, []string{
			"server: ldaps://l.a.example:1636", "account: (&(&(a=50%%)(m=%s))(m=*@a.example))", "username: x", "displayName: cn"}},
		{"automx2-seed", seed + `"ldapservers": [{"id": 1, "name": "l.a.example", "port": 389, "use_ssl": "no", "search_base": "dc=a"}, {"id": 2, "name": "m"}]}`, []string{
			"server: ldap://l.a.example\n", "hint: The connection to ldap://l.a.example", "lost: 1 the LDAP server m is asked for no domain"}},
		{"automx2-seed", seed + `"ldapservers": [{"id": 1, "name": "l.a.example"}]}`, []string{"the LDAP server l.a.example gives user names, and is not carried over: it has no base"}},
	} {
		var d draft.Draft
		if err := byName(t, row.format).Read([]File{{Path: "file", Data: []byte(row.text)}}, &d); err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		got := told(&d)
		for _, one := range d.Accounts {
			got += flat(one)
		}
		for _, want := range row.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s\ngives\n%s\nwant %s", row.text, got, want)
			}
		}
		if strings.Contains(got, "geheim") {
			t.Errorf("%s\ngives a password:\n%s", row.text, got)
		}
	}
}

// flat returns an entry of accounts, a key a line.
func flat(m draft.Map) string {
	var b strings.Builder
	for _, e := range m {
		if inner, ok := e.Value.(draft.Map); ok {
			b.WriteString(flat(inner))
			continue
		}
		fmt.Fprintf(&b, "%s: %v\n", e.Key, e.Value)
	}
	return b.String()
}

// TestAutomxFile reads the document that a section with the backend file names, beside the
// configuration.
func TestAutomxFile(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const server = `<incomingServer type="imap"><hostname>imap.%s</hostname><port>993</port><socketType>SSL</socketType></incomingServer>`
	write("a.xml", "<clientConfig><emailProvider id='x'><domain>%EMAILDOMAIN%</domain>\n"+
		`<documentation url="http://a.example/help"/>`+fmt.Sprintf(server, "a.example")+"</emailProvider></clientConfig>")
	write("broken.xml", "<clientConfig>\n<emailProvider>")
	conf := "[automx]\ndomains = a.example, b.example, c.example, d.example\n" +
		"[a.example]\nbackend = file\nautoconfig = /etc/automx/a.xml\n" +
		"[b.example]\nbackend = file\nautoconfig = broken.xml\n" +
		"[c.example]\nbackend = file\nautoconfig = missing.xml\n" +
		"[d.example]\nbackend = file\nautoconfig = /srv/%d.xml\n"
	var d draft.Draft
	if err := byName(t, "automx").Read([]File{{Path: filepath.Join(folder, "automx.conf"), Data: []byte(conf)}}, &d); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(told(&d), folder, "…")
	want := `a.example: imap.a.example:993 SSL as %EMAILADDRESS%
guessed: the name that people read, for want of one
lost: 8 b.example is told what the file broken.xml says: …/broken.xml:2: the document ends inside <emailProvider>
lost: 11 c.example is told what the file missing.xml says: it is neither there nor beside the configuration; import it, too
lost: 14 d.example is told what the file /srv/%d.xml says: import the document, too
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if pages := d.Products[0].Provider.Documentation; len(pages) != 1 || pages[0].URL != "http://a.example/help" {
		t.Errorf("the help pages are %v, want http://a.example/help", pages)
	}
}
