package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
)

// hosted is the provider of stores that know no domains: the file lists them.
var hosted = withDomains("example.com, example.net, all.example")

// directories are the people of each directory, and what they sign in with.
var directories = map[string]map[string]string{
	"openldap": table(`
		anna anna, bo bo, o'hara pat, gone gone, nobody =
		info anna, post anna, anna+news anna, sales =
		any@all.example =, anna@elsewhere.example -`),
	"activedirectory": table(`
		anna anna, bo bosse, o'hara pat, gone gone, nobody =
		info anna, INFO@EXAMPLE.COM anna, anna@example.net anna, sales =, anna@elsewhere.example -`),
	"freeipa":          table(`anna anna, info anna, bo bosse, gone gone, nobody =, anna@elsewhere.example -`),
	"kopano":           table(`anna anna, info anna, bo bo, gone gone, nobody =, anna@elsewhere.example -`),
	"dockermailserver": table(`anna anna, info anna, bo some.user.id, gone gone, sales =, nobody =`),
	"iredmail": table(`
		anna =, bo =, o'hara =, gone =, nobody =, sales =, off =
		info anna@example.com, post anna@example.com
		anna@example.net anna@example.com, info@example.net anna@example.com
		any@all.example =, lisa@closed.example -, anna@backup.example -, anna@elsewhere.example -`),
	"zimbra": table(`
		anna =, bo =, gone =, nobody =, sales =, info anna@example.com, anna@example.net anna@example.com
		lisa@closed.example -, anna@elsewhere.example -`),
}

// noDomains are the directories that do not say which domains are hosted.
var noDomains = map[string]bool{"openldap": true, "activedirectory": true, "freeipa": true, "kopano": true,
	"dockermailserver": true}

// directorySource is the YAML of a preset that reads a directory.
func directorySource(d *rig.Directory) string {
	return "accounts:\n  - " + d.Preset + ":\n      server: " + d.URI + "\n      bindDN: " + d.BindDN +
		"\n      passwordFile: " + d.PasswordFile + "\n"
}

// TestDirectories asks about everybody of each directory in every dialect.
func TestDirectories(t *testing.T) {
	for _, preset := range rig.LDAP() {
		t.Run(preset, func(t *testing.T) { askDirectory(t, rig.LoadLDAP(t, preset)) })
	}
}

// TestDomainController asks a real Active Directory domain controller, Samba's.
func TestDomainController(t *testing.T) {
	askDirectory(t, rig.Samba(t))
}

func askDirectory(t *testing.T, d *rig.Directory) {
	t.Helper()
	config, someone := provider, ways[1]
	if noDomains[d.Preset] {
		config = hosted
	}
	s := serve(t, config+directorySource(d))
	if noDomains[d.Preset] {
		s.otherName = "" // example.net is a domain like any other
	}
	eventually(t, "a domain is there", func() bool { return s.ask(t, someone, "anyone@example.com") == served })
	s.askAll(t, directories[d.Preset])
	reference := referenceService(t)
	for _, local := range hostile {
		if strings.Trim(local, "\" \t\r\n\u00a0\u200b\u202e") == "anna" {
			continue // read as anna, who is somebody
		}
		s.same(t, reference, local+"@example.com", "example.com")
	}
	s.quiet(t)
}

// files are the sources that are files: the YAML that reads them, and their people.
var files = map[string]struct {
	source string
	people map[string]string
}{
	"postfix": {`
  - postfix:
      domains: FOLDER/postfix.vhosts
      mailboxes: FOLDER/postfix.vmailbox
      aliases: FOLDER/postfix.virtual
`, table(`
		anna =, bo =, o'hara =, upper =, nobody =, sales =, loop1 =, ext =, unix =
		info anna@example.com, post anna@example.com, info@example.net anna@example.com
		any@all.example =, anna@xn--rksmrgs-5wao1o.example =, anna@elsewhere.example -`)},
	"passwd": {`
  - passwd:
      file: FOLDER/dovecot.passwd
      aliases: FOLDER/postfix.virtual
`, table(`
		anna =, bo =, o'hara =, closed =, nobody =, sales =, loop1 =
		info anna@example.com, post anna@example.com, anna@elsewhere.example -`)},
	"dockermailserver": {`
  - dockermailserver:
      folder: FOLDER
`, table(`
		anna =, bo =, o'hara =, nobody =, sales =, loop1 =, ext =
		info anna@example.com, post anna@example.com, info@example.net anna@example.com
		anna@elsewhere.example -`)},
}

// TestFiles asks about everybody of Postfix's, Dovecot's and docker-mailserver's files.
func TestFiles(t *testing.T) {
	folder := t.TempDir()
	for _, file := range []string{"postfix.vhosts", "postfix.vmailbox", "postfix.virtual", "dovecot.passwd",
		"postfix-accounts.cf", "postfix-virtual.cf"} {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(rig.Text(t, file)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, f := range files {
		t.Run(name, func(t *testing.T) {
			s := serve(t, provider+"accounts:"+strings.ReplaceAll(f.source, "FOLDER", folder))
			s.otherName = "" // here it is a domain with an alias
			s.loaded(t)
			s.askAll(t, f.people)
			s.quiet(t)
		})
	}
}
