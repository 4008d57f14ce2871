package ldapdir

import (
	"strings"
	"testing"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/row"
)

// TestSamba asks a real domain controller, which has its own ideas of limits, of references
// and of which letters are alike.
func TestSamba(t *testing.T) {
	d := rig.Samba(t)
	o := presets["activedirectory"]
	o.Attributes.Provider = "" // Exchange's attributes are not in Samba's schema
	o.Servers, o.BindDN, o.PasswordFile = []string{d.URI}, d.BindDN, d.PasswordFile
	s := open(t, o)
	testAccounts(t, s, map[string][]row.Account{
		"anna@example.com":   {{DisplayName: nameOfAnna, Username: "anna"}},
		"info@example.com":   {{Aliases: "anna@example.com"}},
		"anna@example.net":   {{Aliases: "anna@example.com"}},
		"bo@example.com":     {{DisplayName: nameOfBo, Username: "bosse"}},
		"o'hara@example.com": {{DisplayName: "Pat O'Hara", Username: "pat"}},
		"gone@example.com":   {{DisplayName: nameOfGone, Username: "gone", Inactive: true}},
	})
	t.Run("many entries with one address", func(t *testing.T) {
		for _, name := range []string{"x1", "x2", "x3", "x4", "x5"} {
			d.Modify(t, "dn: CN="+name+",OU=Staff,DC=corp,DC=test\nobjectClass: user\nsAMAccountName: "+name+
				"\nmail: team@example.com\nuserAccountControl: 544\n")
		}
		got, err := s.Account(t.Context(), address(t, "team@example.com"))
		if err != nil || len(got) != 3 || got[2] != (row.Account{Address: "team@example.com"}) {
			t.Errorf("Account of five entries = %+v, %v, want two of them, and one without a name", got, err)
		}
	})
	t.Run("check", func(t *testing.T) {
		if found := s.Check(t.Context(), "example.com"); len(found) != 0 {
			t.Errorf("Check of an ordinary user = %+v, want nothing", found)
		}
		wrong := rig.Write(t, t.TempDir(), "password", "hunter2\n")
		tests := []struct {
			name, text, cure string
			warning          bool
			change           func(*Options)
		}{
			{"anonymous", "Operations Error (1)", "bindDN", false,
				func(o *Options) { o.BindDN, o.PasswordFile = "", "" }},
			{"a wrong password", "Invalid Credentials (49)", "the name or the password is wrong", false,
				func(o *Options) { o.PasswordFile = wrong }},
			{"no base", "only below DC=corp,DC=test", "set base", false,
				func(o *Options) { o.Servers = []string{"ldap://" + d.Server.Address()} }},
			{"no such base", "No Such Object (32)", "dsacls", false,
				func(o *Options) { o.Base = "ou=nowhere,dc=corp,dc=test" }},
			{"an administrator", "may change", "an ordinary user", true,
				func(o *Options) { o.BindDN = "administrator@CORP.TEST" }},
			{"an attribute of Exchange", "no attribute extensionAttribute1", "", true,
				func(o *Options) { o.Attributes.Provider = "extensionAttribute1" }},
		}
		for _, test := range tests {
			o := o
			test.change(&o)
			found := open(t, o).Check(t.Context(), "example.com")
			if !hasFinding(found, test.text, test.warning) || !strings.Contains(cureOf(found, test.text), test.cure) {
				t.Errorf("%s: Check = %+v, want %q with the cure %q", test.name, found, test.text, test.cure)
			}
		}
	})
}
