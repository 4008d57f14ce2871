package ldapdir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/row"
)

// add adds entries to a directory and removes them when the test ends.
func add(t *testing.T, d *rig.Directory, entries ...string) {
	t.Helper()
	d.Modify(t, strings.Join(entries, "\n"))
	t.Cleanup(func() {
		var remove strings.Builder
		for _, e := range slices.Backward(entries) {
			dn, _, _ := strings.Cut(e, "\n")
			remove.WriteString(dn + "\nchangetype: delete\n\n")
		}
		d.Modify(t, remove.String())
	})
}

// person is an entry of the OpenLDAP fixture with more lines.
func person(uid, lines string) string {
	return fmt.Sprintf("dn: uid=%s,ou=people,dc=people\nobjectClass: inetOrgPerson\nobjectClass: inetLocalMailRecipient\n"+
		"objectClass: extensibleObject\nuid: %[1]s\ncn: %[1]s\nsn: %[1]s\n%s\n", uid, lines)
}

func TestAccount(t *testing.T) {
	d := rig.LoadLDAP(t, "openldap")
	add(t, d,
		person("one", "mail: twice@example.com\nmailLocalAddress: second@example.com"),
		person("two", "mail: twice@example.com\nmailLocalAddress: second@example.com"),
		person("three", "mail: thrice@example.com\nmail: three@example.com"),
		person("four", "mail: thrice@example.com\nmailLocalAddress: three@example.com"),
		person("five", "mail: thrice@example.com"),
		person("alabel", "mail: a@xn--bcher-kva.example"),
		person("ulabel", "mailLocalAddress: x\nkopanoAliases: b@bücher.example\nmail: b@xn--bcher-kva.example"),
		person("unicode", "mail: c@example.com\nkopanoAliases: strasse@example.com\nkopanoAliases: çédille@example.com"),
		person("nobody", "mailLocalAddress: nomail@example.com"),
		person("several", "mail: z@example.com\nmail: y@example.com\nmailLocalAddress: other@example.com"),
		person("ad", "proxyAddresses: smtp:low@example.com\nproxyAddresses: SMTP:high@example.com\n"+
			"proxyAddresses: sip:x@example.com"),
		person("forward", "mail: forward@example.com\nrfc822MailMember: elsewhere@example.org"),
		"dn: cn=both,ou=people,dc=people\nobjectClass: nisMailAlias\ncn: both@example.com\n"+
			"rfc822MailMember: c@example.com\n",
		person("both", "mail: both@example.com"),
		"dn: cn=empty,ou=people,dc=people\nobjectClass: nisMailAlias\ncn: empty@example.com\n",
		"dn: cn=foreign,ou=people,dc=people\nobjectClass: referral\nobjectClass: extensibleObject\ncn: foreign\n"+
			"ref: ldap://127.0.0.1:9/dc=people\n",
	)
	o := presets["openldap"]
	o.Account = "(|(mail=%s)(mailLocalAddress=%s)(kopanoAliases=%s)(proxyAddresses=smtp:%s)" +
		"(&(objectClass=nisMailAlias)(cn=%s)))"
	o.Attributes.Address = "mail proxyAddresses"
	o.Servers, o.BindDN, o.PasswordFile = []string{d.URI}, d.BindDN, d.PasswordFile
	s := open(t, o)
	tests := []struct {
		why, asked string
		want       []row.Account
	}{
		{"two mailboxes with one address", "twice@example.com", []row.Account{
			{Address: "twice@example.com", Username: "one", DisplayName: "one"},
			{Address: "twice@example.com", Username: "two", DisplayName: "two"}}},
		{"aliases of two entries", "second@example.com", []row.Account{
			{Address: "second@example.com", Aliases: "twice@example.com"},
			{Address: "second@example.com", Aliases: "twice@example.com"}}},
		{"three mailboxes with one address", "thrice@example.com", []row.Account{
			{Address: "thrice@example.com"},
			{Address: "thrice@example.com", Username: "four", DisplayName: "four"},
			{Address: "thrice@example.com", Username: "three", DisplayName: "three"}}},
		{"a mailbox and an alias", "three@example.com", []row.Account{
			{Address: "three@example.com", Username: "three", DisplayName: "three"},
			{Address: "three@example.com", Aliases: "thrice@example.com"}}},
		{"A-labels", "a@bücher.example", []row.Account{
			{Address: "a@xn--bcher-kva.example", Username: "alabel", DisplayName: "alabel"}}},
		{"both spellings", "b@xn--bcher-kva.example", []row.Account{
			{Address: "b@xn--bcher-kva.example", Username: "ulabel", DisplayName: "ulabel"}}},
		{"letters that a server takes for alike", "straße@example.com", nil},
		{"another letter that a server takes for alike", "ſtrasse@example.com", nil},
		{"letters in lower case", "ÇÉDILLE@example.com", []row.Account{
			{Address: "çédille@example.com", Aliases: "c@example.com"}}},
		{"a mailbox without an address of its own", "nomail@example.com", []row.Account{
			{Address: "nomail@example.com", Username: "nobody", DisplayName: "nobody"}}},
		{"several own addresses", "other@example.com", []row.Account{
			{Address: "other@example.com", Aliases: "y@example.com"}}},
		{"proxyAddresses, own", "high@example.com", []row.Account{
			{Address: "high@example.com", Username: "ad", DisplayName: "ad"}}},
		{"proxyAddresses, other", "low@example.com", []row.Account{
			{Address: "low@example.com", Aliases: "high@example.com"}}},
		{"another kind of address", "x@example.com", nil},
		{"a mailbox that forwards", "forward@example.com", []row.Account{
			{Address: "forward@example.com", Username: "forward", DisplayName: "forward"}}},
		{"a mailbox and an object that forwards", "both@example.com", []row.Account{
			{Address: "both@example.com", Username: "both", DisplayName: "both"},
			{Address: "both@example.com", Aliases: "c@example.com"}}},
		{"an object that forwards nowhere", "empty@example.com", nil},
	}
	for _, test := range tests {
		got, err := s.Account(t.Context(), address(t, test.asked))
		slices.SortFunc(got, func(a, b row.Account) int {
			return strings.Compare(a.Aliases+a.Username, b.Aliases+b.Username)
		})
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: Account(%q) = %+v, %v, want %+v", test.why, test.asked, got, err, test.want)
		}
	}
	// Each of these searches came with a reference elsewhere, to a port where nobody is.
	result, err := s.pool.search(t.Context(), s.request(d.Suffix, "(mail=nobody@example.com)", nil))
	if err != nil || len(result.Referrals) != 1 {
		t.Errorf("a search gives %+v, %v, want one reference", result, err)
	}
}

// TestBaseOfDomain searches below the entry of the address's domain.
func TestBaseOfDomain(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	o := presets["iredmail"]
	o.Base, o.DomainBase = "domainName=%d,o=domains,", "o=domains,"
	o.Servers, o.BindDN, o.PasswordFile = []string{d.URI}, d.BindDN, d.PasswordFile
	s := open(t, o)
	testAccounts(t, s, accountTests["iredmail"])
	if got, err := s.Domain(t.Context(), "example.com"); err != nil || len(got) != 1 {
		t.Errorf("Domain = %+v, %v, want one", got, err)
	}
	defer d.Revoke(t)()
	for _, asked := range []string{"anna@example.com", "anna@elsewhere.test"} {
		if got, err := s.Account(t.Context(), address(t, asked)); err == nil {
			t.Errorf("without rights, Account(%q) = %+v, want a failure", asked, got)
		}
	}
}

// TestPages lists more domains than fit in a page, and than a server gives to strangers.
func TestPages(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	s := newStore(t, d, d.URI)
	var all []string
	for i := range 2 * pageSize {
		all = append(all, fmt.Sprintf("dn: domainName=d%d.example,o=domains,dc=ired\nobjectClass: mailDomain\n"+
			"domainName: d%[1]d.example\naccountStatus: active\nenabledService: mail\n", i))
	}
	add(t, d, all...)
	if got, err := s.Domains(t.Context()); err == nil {
		t.Errorf("a server that gives 500 entries: Domains = %d rows, want a failure", len(got))
	}
	const frontend = "dn: olcDatabase={-1}frontend,cn=config\nchangetype: modify\nreplace: olcSizeLimit\nolcSizeLimit: "
	d.Configure(t, frontend+"size.soft=500 size.hard=unlimited size.prtotal=unlimited\n")
	t.Cleanup(func() { d.Configure(t, frontend+"500\n") })
	got, err := s.Domains(t.Context())
	if want := 2*pageSize + 4; err != nil || len(got) != want {
		t.Errorf("Domains = %d rows, %v, want %d", len(got), err, want)
	}
}

// TestCannotRead takes the right to read the addresses, but not to search for them.
func TestCannotRead(t *testing.T) {
	d := rig.LoadLDAP(t, "kopano")
	s := newStore(t, d, d.URI)
	grant := d.Revoke(t)
	defer grant()
	d.Configure(t, "dn: olcDatabase={-1}frontend,cn=config\nchangetype: modify\nreplace: olcAccess\n"+
		"olcAccess: to attrs=mail,kopanoAliases by dn.exact=\""+d.BindDN+"\" search by * none\n"+
		"olcAccess: to attrs=userPassword by anonymous auth by * none\n"+
		"olcAccess: to * by dn.exact=\""+d.BindDN+"\" read by * none\n")
	got, err := s.Account(t.Context(), address(t, "anna@example.com"))
	if err == nil || !strings.Contains(err.Error(), "may not be read") {
		t.Errorf("Account = %+v, %v, want a failure: who may not compare knows nothing", got, err)
	}
	if got, err := s.Account(t.Context(), address(t, "nobody@example.com")); err != nil || len(got) != 0 {
		t.Errorf("Account of nobody = %+v, %v, want nothing", got, err)
	}
}

// TestBlind takes the right to search for addresses, and no other: the server then finds
// nothing, and says no word.
func TestBlind(t *testing.T) {
	d := rig.LoadLDAP(t, "kopano")
	o := presets["kopano"]
	o.Domain = "(|(mail=*@%s)(kopanoAliases=*@%s))" // the directory lists no domains
	o.Servers, o.BindDN, o.PasswordFile = []string{d.URI}, d.BindDN, d.PasswordFile
	s := open(t, o)
	if got, err := s.Account(t.Context(), address(t, "nobody@example.com")); err != nil || len(got) != 0 {
		t.Errorf("Account of nobody = %+v, %v, want nothing", got, err)
	}
	grant := d.Revoke(t)
	defer grant()
	d.Configure(t, "dn: olcDatabase={-1}frontend,cn=config\nchangetype: modify\nreplace: olcAccess\n"+
		"olcAccess: to attrs=mail,kopanoAliases by * none\n"+
		"olcAccess: to attrs=userPassword by anonymous auth by * none\n"+
		"olcAccess: to * by dn.exact=\""+d.BindDN+"\" read by * none\n")
	s.sight.seen.Store(0) // as if ten seconds had gone by
	if got, err := s.Domain(t.Context(), "example.com"); err != errBlind {
		t.Errorf("Domain = %+v, %v, want %v", got, err, errBlind)
	}
	for _, asked := range []string{"anna@example.com", "nobody@example.com", "anna@example.com"} {
		if got, err := s.Account(t.Context(), address(t, asked)); err != errBlind {
			t.Errorf("Account(%q) = %+v, %v, want %v", asked, got, err, errBlind)
		}
	}
	grant()
	if _, err := ask(t, s, 2*time.Second); err != nil {
		t.Errorf("Account with the right again = %v, want Anna", err)
	}
	if got, err := s.Account(t.Context(), address(t, "nobody@example.com")); err != nil || len(got) != 0 {
		t.Errorf("Account of nobody with the right again = %+v, %v, want nothing", got, err)
	}
}

// TestReferral asks for a part of the directory that another server has.
func TestReferral(t *testing.T) {
	d := rig.LoadLDAP(t, "openldap")
	d.Configure(t, "dn: cn=config\nchangetype: modify\nreplace: olcReferral\nolcReferral: ldap://127.0.0.1:9\n")
	t.Cleanup(func() { d.Configure(t, "dn: cn=config\nchangetype: modify\ndelete: olcReferral\n") })
	o := presets["openldap"]
	o.Servers, o.BindDN, o.PasswordFile = []string{d.URI}, d.BindDN, d.PasswordFile
	o.Base = "dc=elsewhere"
	s := open(t, o)
	_, err := s.Account(t.Context(), address(t, "anna@example.com"))
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != 10 {
		t.Errorf("Account = %v, want result 10", err)
	}
	found := s.Check(t.Context(), "example.com")
	if !strings.Contains(cureOf(found, "Referral (10)"), "another server") {
		t.Errorf("Check = %+v, want the cure to ask another server", found)
	}
}
