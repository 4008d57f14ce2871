package dnstest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"signpost/internal/freeport"
)

// Nameserver is a real name server on loopback that accepts updates.
type Nameserver struct {
	Address string // host:port
	Port    string
	Log     *Log
}

// Key is a TSIG key.
type Key struct{ Name, Algorithm, Secret string }

// The keys of the tests: TestKey may update all zones. The servers know Powerless,
// which may not, but not UnknownKey; WrongSecret is TestKey with another secret.
var (
	TestKey     = Key{"signpost", "hmac-sha256", "c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA="}
	Powerless   = Key{"reader", "hmac-sha512", "cmVhZGVyIHJlYWRlciByZWFkZXIgcmVhZGVyIHJlYWQ="}
	UnknownKey  = Key{"nobody", "hmac-sha256", TestKey.Secret}
	WrongSecret = Key{"signpost", "hmac-sha256", "d3JvbmcgIHdyb25nICB3cm9uZyAgd3JvbmcgIHdyb25nIA=="}
)

// testZones holds the zones of every server: a nearly empty one, one with a wildcard,
// one whose _tcp is a zone of its own, one that delegates _tcp to other servers, and
// one to which the printed input for nsupdate is applied.
var testZones = map[string]string{
	"kund.example": "ns A 127.0.0.1\nin7 A 127.0.0.1\nout7 A 127.0.0.1\n@ MX 10 mail\nmail A 192.0.2.1\n" +
		"setup A 192.0.2.2\n",
	"wild.example":     "mail A 192.0.2.1\nsetup A 192.0.2.2\n* A 192.0.2.80\n* TXT \"v=spf1 -all\"\n",
	"cut.example":      "mail A 192.0.2.1\nsetup A 192.0.2.2\n_tcp NS ns.kund.example.\n",
	"_tcp.cut.example": "",
	"handed.example":   "_tcp NS ns.elsewhere.test.\n",
	"print.example":    "mail A 192.0.2.1\nsetup A 192.0.2.2\n",
}

func zoneFile(text string) string {
	return "$TTL 300\n@ SOA ns.kund.example. host.kund.example. 1 3600 600 86400 300\n@ NS ns.kund.example.\n" + text
}

// nameservers maps the name of a server to a function that returns the command to start
// it, and a regular expression for the line with which it logs that it is ready.
var nameservers = map[string]func(t *testing.T, dir, port string) (*exec.Cmd, string){
	"BIND": func(t *testing.T, dir, port string) (*exec.Cmd, string) {
		program := Tool(t, "named")
		c := "controls { };\n" + BINDKey(TestKey) + BINDKey(Powerless) +
			fmt.Sprintf("options { directory %q; listen-on port %s { 127.0.0.1; }; listen-on-v6 { none; }; "+
				"pid-file none; session-keyfile none; recursion no; querylog yes; notify no; "+
				"dnssec-validation no; };\n", dir, port)
		for zone, text := range testZones {
			c += fmt.Sprintf("zone %q { type primary; file %q; allow-update { key signpost; }; };\n",
				zone, zone+".zone")
			Write(t, filepath.Join(dir, zone+".zone"), zoneFile(text))
		}
		return exec.Command(program, "-g", "-c", Write(t, filepath.Join(dir, "named.conf"), c)), " running$"
	},
	"Knot": func(t *testing.T, dir, port string) (*exec.Cmd, string) {
		program := Tool(t, "knotd")
		c := fmt.Sprintf("server:\n    rundir: %q\n    listen: 127.0.0.1@%s\nlog:\n  - target: stderr\n    any: info\n"+
			"database:\n    storage: %q\nkey:\n", dir, port, dir)
		for _, key := range []Key{TestKey, Powerless} {
			c += fmt.Sprintf("  - id: %s\n    algorithm: %s\n    secret: %s\n", key.Name, key.Algorithm, key.Secret)
		}
		c += fmt.Sprintf("acl:\n  - id: update\n    key: signpost\n    action: update\ntemplate:\n  - id: default\n"+
			"    storage: %q\n    file: \"%%s.zone\"\n    acl: update\nzone:\n", dir)
		for zone, text := range testZones {
			c += "  - domain: " + zone + "\n"
			Write(t, filepath.Join(dir, zone+".zone"), zoneFile(text))
		}
		return exec.Command(program, "-c", Write(t, filepath.Join(dir, "knot.conf"), c)), "server started"
	},
	"PowerDNS": func(t *testing.T, dir, port string) (*exec.Cmd, string) {
		program := Tool(t, "pdns_server")
		database := filepath.Join(dir, "pdns.sqlite3")
		Write(t, filepath.Join(dir, "pdns.conf"), fmt.Sprintf("launch=gsqlite3\ngsqlite3-database=%s\n"+
			"gsqlite3-pragma-synchronous=0\nlocal-address=127.0.0.1\nlocal-port=%s\ndnsupdate=yes\n"+
			"allow-dnsupdate-from=127.0.0.0/8\nsocket-dir=%s\nloglevel=4\ncache-ttl=0\nnegquery-cache-ttl=0\n"+
			"query-cache-ttl=0\nzone-cache-refresh-interval=0\n", database, port, dir))
		Run(t, Tool(t, "sqlite3"), database, ".read /usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql")
		util := func(arguments ...string) {
			Run(t, Tool(t, "pdnsutil"), append([]string{"--config-dir=" + dir}, arguments...)...)
		}
		for _, key := range []Key{TestKey, Powerless} {
			util("import-tsig-key", key.Name, key.Algorithm, key.Secret)
		}
		for zone, text := range testZones {
			util("load-zone", zone, Write(t, filepath.Join(dir, zone+".zone"), zoneFile(text)))
			util("set-meta", zone, "TSIG-ALLOW-DNSUPDATE", TestKey.Name)
		}
		return exec.Command(program, "--config-dir="+dir, "--daemon=no", "--guardian=no"),
			"ready to distribute questions"
	},
}

// BINDKey returns the key in BIND's format.
func BINDKey(k Key) string {
	return fmt.Sprintf("key %q {\n\talgorithm %s;\n\tsecret %q;\n};\n", k.Name, k.Algorithm, k.Secret)
}

// Write writes a file and returns its path.
func Write(t testing.TB, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Run runs a program and returns its output. The test fails if the program does.
func Run(t testing.TB, program string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(program), arguments, err, out)
	}
	return string(out)
}

// StartNameserver starts BIND, Knot or PowerDNS, and waits until it is ready.
func StartNameserver(t *testing.T, name string) *Nameserver {
	t.Helper()
	for range 3 { // another process may take the port in between
		if n := StartNameserverAt(t, name, freeport.Choose(t)); n != nil {
			return n
		}
	}
	t.Fatalf("%s does not start after 3 attempts", name)
	return nil
}

// StartNameserverAt starts a server at a port. It returns nil if the server does not
// start.
func StartNameserverAt(t *testing.T, name, port string) *Nameserver {
	t.Helper()
	command, ready := nameservers[name](t, ShortDir(t), port)
	pipe, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := StartChild(command); err != nil {
		t.Fatal(err)
	}
	n := &Nameserver{Address: "127.0.0.1:" + port, Port: port, Log: newLog(pipe, ready)}
	if !n.serves() {
		command.Process.Kill()
		<-n.Log.ended
		t.Logf("%s did not start:\n%s", name, n.Log)
		return nil
	}
	t.Cleanup(func() {
		command.Process.Kill()
		<-n.Log.ended
		if t.Failed() {
			t.Logf("%s logged:\n%s", name, n.Log)
		}
	})
	return n
}

// serves waits until the server logs that it is ready, and reports whether it answers
// over TCP. BIND also logs that it is ready if it could open the port for UDP only.
func (n *Nameserver) serves() bool {
	select {
	case <-n.Log.ready:
	case <-n.Log.ended:
		return false
	case <-time.After(20 * time.Second):
		return false
	}
	question := new(dns.Msg).SetQuestion("kund.example.", dns.TypeSOA)
	answer, _, err := (&dns.Client{Net: "tcp", Timeout: 20 * time.Second}).Exchange(question, n.Address)
	return err == nil && answer.Rcode == dns.RcodeSuccess
}

// StartChild starts a process that the kernel kills when the test dies, even if
// the test is killed. The kernel watches the thread that started the process, so
// that thread has to stay alive.
func StartChild(command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			command.Process.Wait()
		}
	}()
	return <-started
}

// ShortDir creates a directory whose path is short, as the path of a socket in it may
// not be long.
func ShortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "ns")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Log collects the lines that a server logs.
type Log struct {
	mu           sync.Mutex
	text         bytes.Buffer
	ready, ended chan struct{}
}

func newLog(from io.Reader, ready string) *Log {
	l := &Log{ready: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		lines := bufio.NewScanner(from)
		isReady, pattern := false, regexp.MustCompile(ready)
		for lines.Scan() {
			l.mu.Lock()
			l.text.WriteString(lines.Text() + "\n")
			l.mu.Unlock()
			if !isReady && pattern.MatchString(lines.Text()) {
				isReady = true
				close(l.ready)
			}
		}
	}()
	return l
}

// String returns everything that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Dig queries names and types, given in turn, with BIND's dig, and returns the sorted
// lines of the answers.
func (n *Nameserver) Dig(t testing.TB, questions ...string) []string {
	t.Helper()
	arguments := []string{"@127.0.0.1", "-p", n.Port, "+tcp", "+time=5", "+noall", "+answer"}
	for i := 0; i < len(questions); i += 2 {
		arguments = append(arguments, "-q", questions[i], "-t", questions[i+1])
	}
	var lines []string
	for line := range strings.Lines(Run(t, Tool(t, "dig"), arguments...)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, ";") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	slices.Sort(lines)
	return lines
}

// Update changes a zone with BIND's nsupdate, as another program would.
func (n *Nameserver) Update(t testing.TB, lines ...string) {
	t.Helper()
	file := Write(t, filepath.Join(t.TempDir(), "update"),
		"server 127.0.0.1 "+n.Port+"\n"+strings.Join(lines, "\n")+"\nsend\n")
	Run(t, Tool(t, "nsupdate"), "-y", TestKey.Algorithm+":"+TestKey.Name+":"+TestKey.Secret, file)
}

// Serial returns the serial number of a zone.
func (n *Nameserver) Serial(t testing.TB, zone string) string {
	t.Helper()
	soa := n.Dig(t, zone, "SOA")
	if len(soa) != 1 {
		t.Fatalf("dig returns %q as the SOA of %s, want one line", soa, zone)
	}
	return strings.Fields(soa[0])[6]
}
