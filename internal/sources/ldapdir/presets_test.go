package ldapdir

import (
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/sources/rig"
	"signpost/internal/sources/row"
)

func TestMain(m *testing.M) { rig.Main(m) }

// presets are the options that fit the fixtures, but for servers and users.
var presets = map[string]Options{
	"iredmail": {
		Base: "o=domains,dc=ired",
		Domain: "(&(objectClass=mailDomain)(|(domainName=%s)(&(enabledService=domainalias)(domainAliasName=%s)))" +
			"(enabledService=mail)(!(domainBackupMX=yes)))",
		DomainInactive: []string{"accountStatus!=active"},
		Account: "(&(|(objectClass=mailUser)(objectClass=mailAlias))" +
			"(|(mail=%s)(&(enabledService=shadowaddress)(shadowAddress=%s))))",
		Attributes: Attributes{DisplayName: "cn", Alias: "mailForwardingAddress", AliasClass: "mailAlias"},
		Inactive:   []string{"accountStatus!=active", "domainStatus=disabled"},
	},
	"activedirectory": {
		Account: "(&(objectCategory=person)(objectClass=user)(|(mail=%s)(proxyAddresses=smtp:%s)))",
		Attributes: Attributes{Address: "mail proxyAddresses", Username: "sAMAccountName", DisplayName: "displayName",
			Provider: "extensionAttribute1"},
		Inactive: []string{"userAccountControl&2"},
	},
	"freeipa": {
		Base:       "cn=users,cn=accounts,",
		Account:    "(&(objectClass=inetOrgPerson)(mail=%s))",
		Attributes: Attributes{Username: "uid", DisplayName: "displayName cn"},
		Inactive:   []string{"nsAccountLock=TRUE"},
	},
	"zimbra": {
		Domain: "(&(objectClass=zimbraDomain)(zimbraDomainName=%s))",
		DomainAttributes: DomainAttributes{
			Alias: "zimbraMailCatchAllForwardingAddress", MailHost: "zimbraPublicServiceHostname"},
		DomainInactive: []string{"zimbraMailStatus!=enabled"},
		Account: "(|(&(objectClass=zimbraAccount)(|(zimbraMailDeliveryAddress=%s)(zimbraMailAlias=%s)))" +
			"(&(objectClass=zimbraDistributionList)(zimbraMailAlias=%s)))",
		Attributes: Attributes{Address: "zimbraMailDeliveryAddress", DisplayName: "displayName", MailHost: "zimbraMailHost",
			Alias: "zimbraMailForwardingAddress", AliasClass: "zimbraDistributionList"},
		Inactive: []string{"zimbraMailStatus!=enabled"},
	},
	"kopano": {
		Account:    "(&(objectClass=kopano-user)(|(mail=%s)(kopanoAliases=%s)))",
		Attributes: Attributes{Username: "uid", DisplayName: "cn", MailHost: "kopanoUserServer"},
		Inactive:   []string{"kopanoAccount!=1"},
	},
	"dockermailserver": {
		Domain:     "(&(objectClass=PostfixBookMailAccount)(|(mail=*@%s)(mailAlias=*@%s)))",
		Account:    "(&(objectClass=PostfixBookMailAccount)(|(mail=%s)(mailAlias=%s)))",
		Attributes: Attributes{Username: "uid", DisplayName: "cn"},
		Inactive:   []string{"mailEnabled=FALSE"},
	},
	"openldap": {
		Account: "(|(&(objectClass=inetOrgPerson)(|(mail=%s)(mailLocalAddress=%s)))(&(objectClass=nisMailAlias)(cn=%s)))",
		Attributes: Attributes{Username: "uid", DisplayName: "cn", MailHost: "mailHost",
			Alias: "rfc822MailMember", AliasClass: "nisMailAlias"},
		Inactive: []string{"employeeType=inactive"},
	},
}

// newStore opens a directory with the options of its preset.
func newStore(t testing.TB, d *rig.Directory, uri string) *Store {
	t.Helper()
	o := presets[d.Preset]
	o.Servers, o.BindDN, o.PasswordFile, o.CARoot = []string{uri}, d.BindDN, d.PasswordFile, d.Server.CA
	return open(t, o)
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

const (
	nameOfAnna = "Anna Åström"
	nameOfBo   = `Bo "Bosse" O'Neil`
	nameOfGone = "Gone Öberg"
)

// accountTests are the rows of the fixtures. An address with no row is unknown.
var accountTests = map[string]map[string][]row.Account{
	"iredmail": {
		"anna@example.com":    {{DisplayName: nameOfAnna}},
		"bo@example.com":      {{DisplayName: nameOfBo}},
		"o'hara@example.com":  {{DisplayName: "Pat O'Hara"}},
		"gone@example.com":    {{DisplayName: nameOfGone, Inactive: true}},
		"lisa@closed.example": {{DisplayName: "Lisa", Inactive: true}},
		"info@example.com":    {{Aliases: "anna@example.com"}},
		"post@example.com":    {{Aliases: "info@example.com"}},
		"sales@example.com":   {{Aliases: "anna@example.com,bo@example.com"}},
		"off@example.com":     {{Aliases: "anna@example.com", Inactive: true}},
	},
	"activedirectory": {
		"anna@example.com":   {{DisplayName: nameOfAnna, Username: "anna", Provider: "business-mail"}},
		"info@example.com":   {{Aliases: "anna@example.com"}},
		"anna@example.net":   {{Aliases: "anna@example.com"}},
		"bo@example.com":     {{DisplayName: nameOfBo, Username: "bosse"}},
		"o'hara@example.com": {{DisplayName: "Pat O'Hara", Username: "pat"}},
		"gone@example.com":   {{DisplayName: nameOfGone, Username: "gone", Inactive: true}},
		"sales@example.com":  nil,
	},
	"freeipa": {
		"anna@example.com": {{DisplayName: nameOfAnna, Username: "anna"}},
		"info@example.com": {{DisplayName: nameOfAnna, Username: "anna"}},
		"bo@example.com":   {{DisplayName: nameOfBo, Username: "bosse"}},
		"gone@example.com": {{DisplayName: nameOfGone, Username: "gone", Inactive: true}},
	},
	"zimbra": {
		"anna@example.com":  {{DisplayName: nameOfAnna, MailHost: "mbox1.hoster.example"}},
		"info@example.com":  {{Aliases: "anna@example.com"}},
		"bo@example.com":    {{DisplayName: nameOfBo}},
		"gone@example.com":  {{DisplayName: nameOfGone, Inactive: true}},
		"sales@example.com": {{Aliases: "anna@example.com,bo@example.com"}},
	},
	"kopano": {
		"anna@example.com": {{DisplayName: nameOfAnna, Username: "anna", MailHost: "node1"}},
		"info@example.com": {{Aliases: "anna@example.com"}},
		"bo@example.com":   {{DisplayName: nameOfBo, Username: "bo"}},
		"gone@example.com": {{DisplayName: nameOfGone, Username: "gone", Inactive: true}},
	},
	"dockermailserver": {
		"anna@example.com": {{DisplayName: nameOfAnna, Username: "anna"}},
		"info@example.com": {{Aliases: "anna@example.com"}},
		"bo@example.com":   {{DisplayName: nameOfBo, Username: "some.user.id"}},
		"gone@example.com": {{DisplayName: nameOfGone, Username: "gone", Inactive: true}},
	},
	"openldap": {
		"anna@example.com":   {{DisplayName: nameOfAnna, Username: "anna", MailHost: "mail1.hoster.example"}},
		"info@example.com":   {{Aliases: "anna@example.com"}},
		"bo@example.com":     {{DisplayName: nameOfBo, Username: "bo"}},
		"o'hara@example.com": {{DisplayName: "O'Hara, Pat (*)", Username: "pat"}},
		"gone@example.com":   {{DisplayName: nameOfGone, Username: "gone", Inactive: true}},
		"sales@example.com":  {{Aliases: "anna@example.com,bo@example.com"}},
		"post@example.com":   {{Aliases: "info@example.com"}},
	},
}

// unknown are addresses that no fixture has: among them the catch-all's, and those that
// mean more than themselves in a filter. Not all of them can be typed into a client.
var unknown = []string{
	"nobody@example.com", "any@all.example", "anna@elsewhere.test", "*@example.com", "%@example.com", "_nna@example.com",
	"ann*@example.com", "anna@xn--bcher-kva.example", "ånna@example.com", "😀@example.com", "anna+tag@example.com",
	`"anna "@example.com`, `" anna"@example.com`, `"a)(uid=*"@example.com`, `"x' or '1'='1"@example.com`,
	`"*)(mail=*"@example.com`, "ａnna@example.com", "ｉnfo@example.com", "ſales@example.com",
	strings.Repeat("a", 64) + "@example.com", strings.Repeat("ö", 32) + "@example.com",
	strings.Repeat("*", 64) + "@example.com", strings.Repeat("😀", 16) + "@example.com",
	`"` + strings.Repeat("(", 62) + `"@example.com`, `"a` + strings.Repeat(" ", 61) + `"@example.com`,
	strings.Repeat("'", 64) + "@example.com",
}

// testAccounts asks for every row of a fixture, and for addresses that it does not have.
func testAccounts(t *testing.T, s *Store, known map[string][]row.Account) {
	t.Helper()
	for text, want := range known {
		for i := range want {
			want[i].Address = text
		}
		for _, asked := range []string{text, strings.ToUpper(text)} {
			got, err := s.Account(t.Context(), address(t, asked))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("Account(%q) = %+v, %v, want %+v", asked, got, err, want)
			}
		}
	}
	for _, text := range unknown {
		if got, err := s.Account(t.Context(), address(t, text)); err != nil || len(got) != 0 {
			t.Errorf("Account(%q) = %+v, %v, want nothing", text, got, err)
		}
	}
}

func TestPresets(t *testing.T) {
	for _, preset := range rig.LDAP() {
		t.Run(preset, func(t *testing.T) {
			d := rig.LoadLDAP(t, preset)
			for _, uri := range []string{d.URI, d.TLS} {
				testAccounts(t, newStore(t, d, uri), accountTests[preset])
			}
		})
	}
}

func TestPresetsDomains(t *testing.T) {
	tests := map[string][]row.Domain{
		"iredmail": {
			{Domain: "example.com"}, {Domain: "example.net", Alias: "example.com"}, {Domain: "all.example"},
			{Domain: "closed.example", Inactive: true},
		},
		"zimbra": {
			{Domain: "example.com", MailHost: "mail.example.com"}, {Domain: "example.net", Alias: "example.com"},
			{Domain: "closed.example", Inactive: true},
		},
		"dockermailserver": {{Domain: "example.com"}},
	}
	for preset, want := range tests {
		d := rig.LoadLDAP(t, preset)
		s := newStore(t, d, d.URI)
		for _, r := range want {
			got, err := s.Domain(t.Context(), r.Domain)
			if err != nil || !slices.Equal(got, []row.Domain{r}) {
				t.Errorf("%s: Domain(%q) = %+v, %v, want %+v", preset, r.Domain, got, err, r)
			}
		}
		for _, name := range []string{"example.org", "backup.example", "com", "xn--bcher-kva.example"} {
			if got, err := s.Domain(t.Context(), name); err != nil || len(got) != 0 {
				t.Errorf("%s: Domain(%q) = %+v, %v, want nothing", preset, name, got, err)
			}
		}
		if !s.Columns().Domains {
			want = nil
		}
		got, err := s.Domains(t.Context())
		byName := func(a, b row.Domain) int { return strings.Compare(a.Domain, b.Domain) }
		slices.SortFunc(got, byName)
		slices.SortFunc(want, byName)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: Domains = %+v, %v, want %+v", preset, got, err, want)
		}
	}
}
