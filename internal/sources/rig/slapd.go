package rig

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"signpost/internal/freeport"
)

// suffixes are the roots of the fixtures' directories. One slapd has them all.
var suffixes = map[string]string{
	"activedirectory":  "dc=corp,dc=test",
	"dockermailserver": "dc=dms",
	"freeipa":          "dc=ipa",
	"iredmail":         "dc=ired",
	"kopano":           "dc=kopano",
	"openldap":         "dc=people",
	"zimbra":           "dc=zimbra",
}

// LDAP lists the fixtures for Directory: the presets' names.
func LDAP() []string { return slices.Sorted(maps.Keys(suffixes)) }

// Directory is a mail system's directory with the entries of its fixture, and a user who
// may read all of them, but no password. Tests share it: what one changes it must change
// back.
type Directory struct {
	Server       *Server
	Preset       string
	Suffix       string // the root's DN
	URI          string // ldap:// without encryption, to 127.0.0.1, with Suffix
	TLS          string // like URI with ldaps://, for Server.CA
	BindDN       string
	PasswordFile string
}

var slapd struct {
	sync.Mutex
	server *Server
	tls    string // port
}

// LoadLDAP returns the directory of a fixture, on slapd.
func LoadLDAP(t testing.TB, preset string) *Directory {
	t.Helper()
	server := Slapd(t)
	suffix, ok := suffixes[preset]
	if !ok {
		t.Fatalf("there is no directory %q", preset)
	}
	return &Directory{
		Server: server, Preset: preset, Suffix: suffix,
		URI:          "ldap://" + server.Address() + "/" + suffix,
		TLS:          "ldaps://127.0.0.1:" + slapd.tls + "/" + suffix,
		BindDN:       "cn=signpost,dc=readers",
		PasswordFile: Write(t, Folder(t, "password", ""), "password", Password+"\n"),
	}
}

// Modify changes entries of the directory with the rights of its administrator, as
// ldapmodify(1) reads them. A record without changetype is added.
func (d *Directory) Modify(t testing.TB, ldif string) {
	t.Helper()
	d.Server.administer(t, d.Suffix, ldif)
}

// Configure changes the settings of slapd below cn=config, which last until its end.
func (d *Directory) Configure(t testing.TB, ldif string) {
	t.Helper()
	d.Server.administer(t, "cn=config", ldif)
}

// Revoke takes the right to read the directory, and all others of the server, from its
// user. The function that it returns gives it back.
func (d *Directory) Revoke(t testing.TB) (grant func()) {
	t.Helper()
	const replace = "dn: olcDatabase={-1}frontend,cn=config\nchangetype: modify\nreplace: olcAccess\n"
	const password = "olcAccess: to attrs=userPassword by anonymous auth by * none\n"
	d.Configure(t, replace+password+"olcAccess: to * by * none\n")
	return sync.OnceFunc(func() {
		d.Configure(t, replace+password+"olcAccess: to * by dn.exact=\""+d.BindDN+"\" read by * none\n")
	})
}

// Slapd returns the OpenLDAP server, started by the first call. It listens on the port of
// the Server for ldap://, on another one for ldaps://, and on its Unix socket.
func Slapd(t testing.TB) *Server {
	t.Helper()
	slapd.Lock()
	defer slapd.Unlock()
	if slapd.server == nil {
		slapd.server = startSlapd(t)
	}
	return slapd.server
}

func startSlapd(t testing.TB) *Server {
	t.Helper()
	const owner = "openldap"
	program, modify := Tool(t, "slapd"), Tool(t, "ldapmodify")
	folder := Folder(t, "ldap", owner)
	cert, _ := Certificate(t, folder, owner)
	settings := slapdSettings(t, folder, owner)
	for _, preset := range LDAP() {
		fill(t, owner, settings, suffixes[preset], Text(t, preset+".ldif"))
	}
	readers := strings.ReplaceAll(Text(t, "readers.ldif"), "userPassword: secret", "userPassword: "+Password)
	fill(t, owner, settings, "dc=readers", readers)
	// Whoever runs the tests reads the root certificate, and reaches the socket.
	for path, mode := range map[string]os.FileMode{folder: 0o755, cert: 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(folder, "socket")
	return attempts(t, func(port string) *Server {
		slapd.tls = freeport.Choose(t)
		s := &Server{Scheme: "ldap", Port: port, Socket: socket, CA: cert, owner: owner,
			ready: "slapd starting", quit: syscall.SIGKILL}
		uris := fmt.Sprintf("ldap://127.0.0.1:%s ldaps://127.0.0.1:%s ldapi://%s",
			port, slapd.tls, url.PathEscape(socket))
		s.command = func() *exec.Cmd { return exec.Command(program, "-d", "none", "-f", settings, "-h", uris) }
		s.administer = func(t testing.TB, suffix, ldif string) string {
			administrator := "cn=admin," + suffix
			if suffix == "cn=config" {
				administrator = suffix
			}
			return Run(t, "", ldif, modify, "-a", "-M", "-x", "-H", "ldap://127.0.0.1:"+port,
				"-D", administrator, "-w", "admin")
		}
		return s.first(t)
	})
}

// slapdSettings writes slapd's settings, with a database for each fixture.
func slapdSettings(t testing.TB, folder, owner string) (file string) {
	t.Helper()
	schema := Write(t, folder, "ldap.schema", Text(t, "ldap.schema"))
	give(t, schema, owner)
	var databases strings.Builder
	for _, suffix := range slices.Sorted(maps.Values(suffixes)) {
		fmt.Fprintf(&databases,
			"database mdb\nsuffix %q\ndirectory %q\nrootdn %q\nrootpw admin\nindex mail eq\ndbnosync\n",
			suffix, filepath.Join(folder, suffix), "cn=admin,"+suffix)
	}
	databases.WriteString("database config\nrootdn cn=config\nrootpw admin\n")
	for _, suffix := range append(LDAP(), "readers") {
		if known, ok := suffixes[suffix]; ok {
			suffix = known
		}
		path := filepath.Join(folder, suffix)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		give(t, path, owner)
	}
	text := strings.NewReplacer("@DIR@", folder, "@FIXTURES@/ldap.schema", schema, "@DATABASES@", databases.String()).
		Replace(Text(t, "slapd.conf.in"))
	file = Write(t, folder, "slapd.conf", text)
	give(t, file, owner)
	return file
}

// fill writes the entries of a fixture into a database that nobody serves yet.
func fill(t testing.TB, owner, settings, suffix, ldif string) {
	t.Helper()
	Run(t, owner, ldif, Tool(t, "slapadd"), "-q", "-f", settings, "-b", suffix)
}
