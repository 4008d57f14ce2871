package ldapdir

import (
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
		if err != nil || len(got) != 1 || got[0] != (row.Account{Address: "team@example.com"}) {
			t.Errorf("Account of five entries = %+v, %v, want an address and no more", got, err)
		}
	})
	t.Run("anonymous", func(t *testing.T) {
		o := o
		o.BindDN, o.PasswordFile = "", ""
		_, err := open(t, o).Account(t.Context(), address(t, "anna@example.com"))
		if e, ok := err.(*Error); !ok || e.Code == 0 {
			t.Errorf("Account without a bind = %v, want the server's refusal", err)
		} else {
			t.Log(err, e.details)
		}
	})
	for _, f := range s.Check(t.Context(), "example.com") {
		t.Logf("%+v", f)
	}
}
