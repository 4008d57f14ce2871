package ldapdir

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/row"
)

// hasFinding reports whether one of the findings has the text, and is a warning or not.
func hasFinding(found []row.Finding, text string, warning bool) bool {
	for _, f := range found {
		if strings.Contains(f.Text, text) && f.Warning == warning {
			return true
		}
	}
	return false
}

func TestCheckPresets(t *testing.T) {
	for _, preset := range rig.LDAP() {
		d := rig.LoadLDAP(t, preset)
		for _, f := range newStore(t, d, d.URI).Check(t.Context(), "example.com") {
			if !f.Note && !strings.Contains(f.Text, "part of its value") {
				t.Errorf("%s: %+v", preset, f)
			}
		}
	}
	d := rig.LoadLDAP(t, "iredmail")
	want := row.Finding{Text: "4 domains, 1 of them inactive", Warning: true, Note: true}
	if found := newStore(t, d, d.URI).Check(t.Context(), ""); !slices.Equal(found, []row.Finding{want}) {
		t.Errorf("Check = %+v, want %+v", found, want)
	}
}

// TestCheckSees has a fault for everything that a check looks for.
func TestCheckSees(t *testing.T) {
	d := rig.LoadLDAP(t, "openldap")
	add(t, d, person("secretive", "mail: secretive@example.com\nuserPassword: hunter2"))
	good := presets["openldap"]
	good.Servers, good.BindDN, good.PasswordFile = []string{d.URI}, d.BindDN, d.PasswordFile
	wrong := rig.Write(t, t.TempDir(), "password", "hunter2\n")
	admin := rig.Write(t, t.TempDir(), "password", "admin\n")
	const down = "ldap://127.0.0.1:9/dc=people"
	tests := []struct {
		name, text, cure string
		warning          bool
		change           func(*Options)
	}{
		{"the server is down", "connection refused", "", false, func(o *Options) { o.Servers = []string{down} }},
		{"one server is down", "the other servers are asked", "", true,
			func(o *Options) { o.Servers = []string{down, d.URI} }},
		{"a wrong password", "Invalid Credentials (49)", "bindDN or the password", false,
			func(o *Options) { o.PasswordFile = wrong }},
		{"no password", "no such file", "", false, func(o *Options) { o.PasswordFile = "/nowhere/password" }},
		{"no root", "unknown authority", "caRoot", false, func(o *Options) { o.Servers = []string{d.TLS} }},
		{"no such base", "No Such Object (32)", `to dn.subtree="ou=persons,dc=people" attrs=entry,objectClass,mail`, false,
			func(o *Options) { o.Base = "ou=persons,dc=people" }},
		{"no base", "there is no base", "set base", false,
			func(o *Options) { o.Servers = []string{"ldap://" + d.Server.Address()} }},
		{"anonymous", "No Such Object (32)", "bindDN", false, func(o *Options) { o.BindDN, o.PasswordFile = "", "" }},
		{"what misc.schema has", "schema has no attribute mial, no object class mialAlias", "", true,
			func(o *Options) { o.Account = "(|(mail=%s)(&(objectClass=mialAlias)(mial=%s)))" }},
		{"unknown attributes", "cannot compare mial", "", false, func(o *Options) { o.Account = "(mial=%s)" }},
		{"an unknown attribute", "no attribute mial", "", true,
			func(o *Options) { o.Account = "(|(mail=%s)(mial=%s))" }},
		{"an unknown name", "no attribute userid2", "", true, func(o *Options) { o.Attributes.Username = "userid2" }},
		{"an attribute without rules", "cannot compare jpegPhoto", "", false,
			func(o *Options) { o.Account = "(jpegPhoto=%s)" }},
		{"an unknown class", "no object class inetOrgPreson", "", true,
			func(o *Options) { o.Account = "(|(mail=%s)(objectClass=inetOrgPreson))" }},
		{"nobody", "no mailbox at all", "olcAccess", false,
			func(o *Options) { o.Account = "(&(objectClass=domain)(mail=%s))" }},
		{"nobody's name", "readable telephoneNumber", "olcAccess", true,
			func(o *Options) { o.Attributes.Username = "telephoneNumber" }},
		{"nobody's address", "readable kopanoAliases", "olcAccess", false,
			func(o *Options) { o.Attributes.Address = "kopanoAliases" }},
		{"no domains", "domains: the filter finds none", "olcAccess", false,
			func(o *Options) { o.Domain = "(domainName=%s)" }},
		{"parts of addresses", "compared with a part", "olcDbIndex: mail eq,sub", true,
			func(o *Options) { o.Domain = "(mail=*@%s)" }},
		{"an administrator", "looks like the name of an administrator", "", true,
			func(o *Options) { o.BindDN, o.PasswordFile = "cn=admin,dc=people", admin }},
		{"a reader of passwords", "may read passwords: userPassword", "to attrs=userPassword by self write", true,
			func(o *Options) { o.BindDN, o.PasswordFile = "cn=admin,dc=people", admin }},
	}
	for _, test := range tests {
		o := good
		test.change(&o)
		found := open(t, o).Check(t.Context(), "example.com")
		if !hasFinding(found, test.text, test.warning) || !strings.Contains(cureOf(found, test.text), test.cure) {
			t.Errorf("%s: Check = %+v, want %q with the cure %q, a warning: %v",
				test.name, found, test.text, test.cure, test.warning)
		}
		for _, f := range found {
			for _, secret := range []string{"hunter2", rig.Password, "cn=signpost", "cn=admin", "example.com", "@"} {
				if strings.Contains(f.Text+f.Cure, secret) {
					t.Errorf("%s: the finding %+v holds %q", test.name, f, secret)
				}
			}
		}
	}
}

// cureOf returns the cure of the finding with the text.
func cureOf(found []row.Finding, text string) string {
	for _, f := range found {
		if strings.Contains(f.Text, text) {
			return f.Cure
		}
	}
	return ""
}

// TestCures takes rights away and gives them back as the findings say.
func TestCures(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	s := newStore(t, d, d.URI)
	database := databaseOf(t, d)
	cures := func(t *testing.T, text, attribute string) {
		t.Helper()
		cure := cureOf(s.Check(t.Context(), "example.com"), text)
		_, line, ok := strings.Cut(cure, "in cn=config: ")
		if !ok {
			t.Fatalf("%q has the cure %q, want a line for cn=config", text, cure)
		}
		line = strings.ReplaceAll(line, "‹the bindDN of this source›", d.BindDN)
		d.Configure(t, "dn: "+database+"\nchangetype: modify\nadd: "+attribute+"\n"+line+"\n")
		t.Cleanup(func() { d.Configure(t, "dn: "+database+"\nchangetype: modify\ndelete: "+attribute+"\n") })
		for _, f := range s.Check(t.Context(), "example.com") {
			if !f.Note {
				t.Errorf("with %s, Check finds %+v", line, f)
			}
		}
	}
	t.Run("rights", func(t *testing.T) {
		t.Cleanup(d.Revoke(t))
		const first = "base may be mistyped"
		if cure := cureOf(s.Check(t.Context(), "example.com"), "cannot be read"); !strings.Contains(cure, first) {
			t.Errorf("the cure of a base that cannot be read is %q, want %q in it", cure, first)
		}
		cures(t, "cannot be read", "olcAccess")
		testAccounts(t, s, accountTests["iredmail"])
	})
	t.Run("limits", func(t *testing.T) {
		const frontend = "dn: olcDatabase={-1}frontend,cn=config\nchangetype: modify\nreplace: olcSizeLimit\nolcSizeLimit: "
		d.Configure(t, frontend+"2\n")
		t.Cleanup(func() { d.Configure(t, frontend+"500\n") })
		cures(t, "does not give the whole list", "olcLimits")
	})
}

// databaseOf returns the entry in cn=config of the directory's database.
func databaseOf(t *testing.T, d *rig.Directory) string {
	t.Helper()
	o := simple()
	o.Servers, o.Base, o.Account = []string{"ldap://" + d.Server.Address()}, "cn=config", "(olcSuffix=%s)"
	o.BindDN, o.PasswordFile = "cn=config", rig.Write(t, t.TempDir(), "password", "admin\n")
	s := open(t, o)
	result, err := s.pool.search(t.Context(), s.request("cn=config", "(olcSuffix="+d.Suffix+")", []string{"1.1"}))
	if err != nil || len(result.Entries) != 1 {
		t.Fatalf("the database of %s: %v", d.Suffix, err)
	}
	return result.Entries[0].DN
}

func TestMayWrite(t *testing.T) {
	tests := map[string]bool{
		// Red Hat's Administration Guide, "Get Effective Rights".
		"v|cn:rsc, mail:rsc, userPassword:none": false,
		"vadn|cn:rsc":                           true,
		"v|cn:rsc, mail:rscwo":                  true,
		"v|cn:rscWO":                            false, // the own values only
		// 389 Directory Server 2.3.1.
		"none|mail:rsc, cn:rsc":   false,
		"none|mail:rscwo, cn:rsc": true,
		"vadn|mail:rscwo":         true,
		"none|*:none, aci:none":   false,
		"12|*:12":                 false,
		"|":                       false,
	}
	for text, want := range tests {
		entry, attribute, _ := strings.Cut(text, "|")
		if got := mayWrite(entryOf("entryLevelRights", entry, "attributeLevelRights", attribute)); got != want {
			t.Errorf("mayWrite(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestDefinitions(t *testing.T) {
	all := definitions([]string{
		"( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
		"( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'RFC4519: common name (s)' SUP name )",
		"( 0.9.2342.19200300.100.1.60 NAME 'jpegPhoto' SYNTAX 1.3.6.1.4.1.1466.115.121.1.28 )",
	})
	for name, want := range map[string]bool{
		"cn": true, "commonname": true, "2.5.4.3": true, "name": true, "jpegphoto": false, "x": false,
	} {
		if got := compares(all, name); got != want {
			t.Errorf("compares(%q) = %v, want %v", name, got, want)
		}
	}
}

func entryOf(pairs ...string) *ldap.Entry {
	e := new(ldap.Entry)
	for i := 0; i < len(pairs); i += 2 {
		e.Attributes = append(e.Attributes, ldap.NewEntryAttribute(pairs[i], []string{pairs[i+1]}))
	}
	return e
}
