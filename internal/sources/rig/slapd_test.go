package rig

import (
	"os/exec"
	"strings"
	"testing"
)

// searchAsUser returns what ldapsearch(1) finds with the directory's own user.
func searchAsUser(t *testing.T, d *Directory, uri, filter string) (string, error) {
	t.Helper()
	command := exec.Command(Tool(t, "ldapsearch"), "-LLL", "-x", "-H", uri, "-D", d.BindDN, "-w", Password,
		"-b", d.Suffix, filter, "userPassword", "mail", "objectClass")
	command.Env = append(command.Environ(), "LDAPTLS_CACERT="+d.Server.CA)
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestLDAP(t *testing.T) {
	for _, preset := range LDAP() {
		d := LoadLDAP(t, preset)
		secure, _, _ := strings.Cut(d.TLS, "/dc=")
		plain, _, _ := strings.Cut(d.URI, "/dc=")
		for _, uri := range []string{plain, secure} {
			out, err := searchAsUser(t, d, uri, "(objectClass=*)")
			if err != nil || strings.Count(out, "dn:") < 4 {
				t.Errorf("%s at %s: %v: %s, want its entries", preset, uri, err, out)
			}
			if strings.Contains(out, "userPassword:") {
				t.Errorf("%s: the user may read a password", preset)
			}
		}
	}
}

func TestRevokeLDAP(t *testing.T) {
	d := LoadLDAP(t, "openldap")
	uri := "ldap://" + d.Server.Address()
	grant := d.Revoke(t)
	if out, err := searchAsUser(t, d, uri, "(objectClass=*)"); err == nil {
		t.Errorf("a user without rights reads %s", out)
	}
	grant()
	if out, err := searchAsUser(t, d, uri, "(objectClass=*)"); err != nil {
		t.Errorf("a user who has his rights again: %v: %s", err, out)
	}
	d.Modify(t, "dn: cn=new,dc=people\nobjectClass: organizationalRole\ncn: new\n")
	if out, _ := searchAsUser(t, d, uri, "(cn=new)"); !strings.Contains(out, "dn: cn=new") {
		t.Errorf("an entry that was added is not found: %s", out)
	}
	d.Modify(t, "dn: cn=new,dc=people\nchangetype: delete\n")
}
