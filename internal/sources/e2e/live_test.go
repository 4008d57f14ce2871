package e2e

import (
	"net/http"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
)

// TestNewCustomer adds a domain with a mailbox and an alias while the service runs: it is
// answered at once, in every dialect. The rest follows when the list has been read again.
func TestNewCustomer(t *testing.T) {
	for _, fixture := range []string{"postfixadmin.pgsql", "mailcow", "mailinabox.sqlite"} {
		t.Run(fixture, func(t *testing.T) {
			t.Parallel()
			d := rig.Load(t, fixture)
			s := serve(t, provider+source(d)+"      refresh: 5s\n")
			s.loaded(t)
			if status := s.allowed(t, "autoconfig.other.example"); status == http.StatusOK {
				t.Error("/ask allows a certificate for a domain that is not hosted")
			}
			script := "INSERT INTO domain (domain) VALUES ('new.example');\n" +
				"INSERT INTO mailbox (username, name, local_part, domain) VALUES " +
				"('eva@new.example', 'Eva', 'eva', 'new.example');\n" +
				"INSERT INTO alias (address, goto, domain) VALUES ('post@new.example', 'eva@new.example', 'new.example');\n"
			if d.Preset == "mailinabox" {
				script = "INSERT INTO users (email) VALUES ('eva@new.example');\n" +
					"INSERT INTO aliases (source, destination) VALUES ('post@new.example', 'eva@new.example');\n"
			}
			d.Run(t, script)
			s.askAll(t, map[string]string{
				"eva@new.example": "eva@new.example", "nobody@new.example": "nobody@new.example",
				"eva@newer.example": notHosted,
			})
			eventually(t, "the alias is followed, and a certificate allowed", func() bool {
				return s.ask(t, ways[0], "post@new.example") == "login eva@new.example" &&
					s.allowed(t, "autoconfig.new.example") == http.StatusOK
			})
			s.quiet(t)
		})
	}
}

// TestTyped asks about a domain and mailboxes that stand in the database in Unicode, as
// PostfixAdmin stores what was typed.
func TestTyped(t *testing.T) {
	for _, fixture := range []string{"postfixadmin.pgsql", "postfixadmin.mysql", "postfixadmin.sqlite"} {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			d.Run(t, "INSERT INTO domain (domain) VALUES ('bücher.example');\n"+
				"INSERT INTO mailbox (username, name, local_part, domain) VALUES "+
				"('eva@bücher.example', 'Eva', 'eva', 'bücher.example');\n"+
				"INSERT INTO alias (address, goto, domain) VALUES "+
				"('post@bücher.example', 'eva@bücher.example', 'bücher.example');\n")
			s := serve(t, provider+source(d))
			s.loaded(t)
			s.askAll(t, map[string]string{
				"eva@bücher.example": "eva@xn--bcher-kva.example", "eva@xn--bcher-kva.example": "eva@xn--bcher-kva.example",
				"post@bücher.example": "eva@xn--bcher-kva.example", "post@xn--bcher-kva.example": "eva@xn--bcher-kva.example",
				"nobody@bücher.example": "nobody@xn--bcher-kva.example", "eva@bucher.example": notHosted,
			})
			s.quiet(t)
		})
	}
}

// TestMailHost has the mail host of the domain or of the account in the answer.
func TestMailHost(t *testing.T) {
	config := strings.ReplaceAll(provider, "hostname: imap.hoster.test", `hostname: "%MAILHOST%"`)
	config = strings.Replace(config, "    servers:", "    mailHost: imap.hoster.test\n    servers:", 1)
	for fixture, hosts := range map[string]map[string]string{
		"ispconfig": {"anna@example.com": "mail1.hoster.example", "any@all.example": "mail2.hoster.example",
			"nobody@example.com": "mail1.hoster.example", "info@example.com": "mail1.hoster.example"},
		"gromox": {"anna@example.com": "gx1.hoster.example", "bo@example.com": "gx2.hoster.example",
			"bosse@example.com": "gx2.hoster.example", "nobody@example.com": "gx1.hoster.example",
			"x@xn--rksmrgs-5wao1o.example": "gx2.hoster.example"},
	} {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			s := serve(t, config+source(d))
			s.loaded(t)
			for address, host := range hosts {
				_, domain, _ := strings.Cut(address, "@")
				a, err := s.do(ways[0].request(address, domain))
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(a.body), "<hostname>"+host+"</hostname>") {
					t.Errorf("autoconfig of %s does not name %s: status %d\n%s", address, host, a.status, a.body)
				}
			}
		})
	}
}

// TestProduct has the product of a mailbox in a column, and the other mailboxes have that
// of the domain.
func TestProduct(t *testing.T) {
	d := rig.Load(t, "mailcow")
	d.Run(t, "GRANT SELECT ON "+d.Name+".tags_mailbox TO "+d.User+"@'127.0.0.1'")
	s := serve(t, provider+`
  - id: business-mail
    displayName: Business
    servers:
      - {type: imap, hostname: business.hoster.test, username: "%EMAILLOCALPART%"}
      - {type: smtp, hostname: business.hoster.test, username: "%EMAILLOCALPART%"}
accounts:
  - sql:
      database: `+d.URL+`
      passwordFile: `+d.PasswordFile+`
      provider: mail
      providers: {business: business-mail}
      domains: SELECT domain FROM domain WHERE backupmx = 0
      account: |
        SELECT username AS address, NULL AS alias, active <> 1 AS inactive,
          (SELECT tag_name FROM tags_mailbox t WHERE t.username = m.username LIMIT 1) AS provider
        FROM mailbox m WHERE username = '%s'
        UNION ALL SELECT address, goto, active = 0, NULL FROM alias WHERE address = '%s'
`)
	s.loaded(t)
	for address, login := range map[string]string{"anna@example.com": "login anna@example.com",
		"o'hara@example.com": "login o'hara", "info@example.com": "login anna@example.com"} {
		if got := s.ask(t, ways[0], address); got != login {
			t.Errorf("autoconfig about %s: %s, want %s", address, got, login)
		}
	}
	s.quiet(t)
}
