package records

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

// nameserver is a real name server on loopback that takes updates.
type nameserver struct {
	address string
	port    string
	log     *serverLog
}

// The keys of the test: the one that may update, one that the servers know but
// that may not, one that they do not know, and one with another secret.
var (
	testKey     = Key{"signpost", "hmac-sha256", "c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA="}
	powerless   = Key{"reader", "hmac-sha512", "cmVhZGVyIHJlYWRlciByZWFkZXIgcmVhZGVyIHJlYWQ="}
	unknownKey  = Key{"nobody", "hmac-sha256", testKey.Secret}
	wrongSecret = Key{"signpost", "hmac-sha256", "d3JvbmcgIHdyb25nICB3cm9uZyAgd3JvbmcgIHdyb25nIA=="}
)

// testZones are the zones that every server has: an empty one, one with a
// wildcard, one whose _tcp is a zone of its own, one that hands _tcp to others,
// and one more that the customers share.
var testZones = map[string]string{
	"kund.example":     "ns A 127.0.0.1\nin7 A 127.0.0.1\nout7 A 127.0.0.1\n@ MX 10 mail\nmail A 192.0.2.1\nsetup A 192.0.2.2\n",
	"wild.example":     "mail A 192.0.2.1\nsetup A 192.0.2.2\n* A 192.0.2.80\n* TXT \"v=spf1 -all\"\n",
	"cut.example":      "mail A 192.0.2.1\nsetup A 192.0.2.2\n_tcp NS ns.kund.example.\n",
	"_tcp.cut.example": "",
	"handed.example":   "_tcp NS ns.elsewhere.test.\n",
	"print.example":    "mail A 192.0.2.1\nsetup A 192.0.2.2\n",
}

func zoneFile(text string) string {
	return "$TTL 300\n@ SOA ns.kund.example. host.kund.example. 1 3600 600 86400 300\n@ NS ns.kund.example.\n" + text
}

// nameservers start the servers of the test.
var nameservers = map[string]func(t *testing.T, folder, port string) (*exec.Cmd, string){
	"BIND": func(t *testing.T, folder, port string) (*exec.Cmd, string) {
		program := tool(t, "named")
		c := "controls { };\n" + bindKeyText(testKey) + bindKeyText(powerless) +
			fmt.Sprintf("options { directory %q; listen-on port %s { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none; recursion no; querylog yes; notify no; dnssec-validation no; };\n", folder, port)
		for zone, text := range testZones {
			c += fmt.Sprintf("zone %q { type primary; file %q; allow-update { key signpost; }; };\n", zone, zone+".zone")
			write(t, filepath.Join(folder, zone+".zone"), zoneFile(text))
		}
		return exec.Command(program, "-g", "-c", write(t, filepath.Join(folder, "named.conf"), c)), " running$"
	},
	"Knot": func(t *testing.T, folder, port string) (*exec.Cmd, string) {
		program := tool(t, "knotd")
		c := fmt.Sprintf("server:\n    rundir: %q\n    listen: 127.0.0.1@%s\nlog:\n  - target: stderr\n    any: info\ndatabase:\n    storage: %q\nkey:\n", folder, port, folder)
		for _, key := range []Key{testKey, powerless} {
			c += fmt.Sprintf("  - id: %s\n    algorithm: %s\n    secret: %s\n", key.Name, key.Algorithm, string(key.Secret))
		}
		c += fmt.Sprintf("acl:\n  - id: update\n    key: signpost\n    action: update\ntemplate:\n  - id: default\n    storage: %q\n    file: \"%%s.zone\"\n    acl: update\nzone:\n", folder)
		for zone, text := range testZones {
			c += "  - domain: " + zone + "\n"
			write(t, filepath.Join(folder, zone+".zone"), zoneFile(text))
		}
		return exec.Command(program, "-c", write(t, filepath.Join(folder, "knot.conf"), c)), "server started"
	},
	"PowerDNS": func(t *testing.T, folder, port string) (*exec.Cmd, string) {
		program := tool(t, "pdns_server")
		database := filepath.Join(folder, "pdns.sqlite3")
		write(t, filepath.Join(folder, "pdns.conf"), fmt.Sprintf("launch=gsqlite3\ngsqlite3-database=%s\ngsqlite3-pragma-synchronous=0\nlocal-address=127.0.0.1\nlocal-port=%s\ndnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\nsocket-dir=%s\nloglevel=4\ncache-ttl=0\nnegquery-cache-ttl=0\nquery-cache-ttl=0\nzone-cache-refresh-interval=0\n", database, port, folder))
		run(t, tool(t, "sqlite3"), database, ".read /usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql")
		util := func(arguments ...string) {
			run(t, tool(t, "pdnsutil"), append([]string{"--config-dir=" + folder}, arguments...)...)
		}
		for _, key := range []Key{testKey, powerless} {
			util("import-tsig-key", key.Name, key.Algorithm, string(key.Secret))
		}
		for zone, text := range testZones {
			util("load-zone", zone, write(t, filepath.Join(folder, zone+".zone"), zoneFile(text)))
			util("set-meta", zone, "TSIG-ALLOW-DNSUPDATE", testKey.Name)
		}
		return exec.Command(program, "--config-dir="+folder, "--daemon=no", "--guardian=no"), "ready to distribute questions"
	},
}

func bindKeyText(k Key) string {
	return fmt.Sprintf("key %q {\n\talgorithm %s;\n\tsecret %q;\n};\n", k.Name, k.Algorithm, string(k.Secret))
}

func write(t testing.TB, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func run(t testing.TB, program string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(program), arguments, err, out)
	}
	return string(out)
}

// startNameserver starts a real server and waits until it says that it serves.
func startNameserver(t *testing.T, name string) *nameserver {
	t.Helper()
	for range 3 { // another process may take the port in between
		if n := startNameserverAt(t, name, freeport.Choose(t)); n != nil {
			return n
		}
	}
	t.Fatalf("%s does not start", name)
	return nil
}

// startNameserverAt is nil where the server does not start.
func startNameserverAt(t *testing.T, name, port string) *nameserver {
	t.Helper()
	command, ready := nameservers[name](t, shortFolder(t), port)
	pipe, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := startWithUs(command); err != nil {
		t.Fatal(err)
	}
	n := &nameserver{address: "127.0.0.1:" + port, port: port, log: newServerLog(pipe, ready)}
	if !n.serves() {
		command.Process.Kill()
		<-n.log.ended
		t.Logf("%s did not start:\n%s", name, n.log)
		return nil
	}
	t.Cleanup(func() {
		command.Process.Kill()
		<-n.log.ended
		if t.Failed() {
			t.Logf("%s said:\n%s", name, n.log)
		}
	})
	return n
}

// serves waits until the server says that it serves, and asks it over TCP: BIND
// says so too where it has the port over UDP alone.
func (n *nameserver) serves() bool {
	select {
	case <-n.log.ready:
	case <-n.log.ended:
		return false
	case <-time.After(20 * time.Second):
		return false
	}
	question := new(dns.Msg).SetQuestion("kund.example.", dns.TypeSOA)
	answer, _, err := (&dns.Client{Net: "tcp", Timeout: 20 * time.Second}).Exchange(question, n.address)
	return err == nil && answer.Rcode == dns.RcodeSuccess
}

// startWithUs starts a process that the kernel kills when we die, even if we are
// killed ourselves. That is a matter of the thread that starts it, which
// therefore has to live on.
func startWithUs(command *exec.Cmd) error {
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

// shortFolder is a folder whose name leaves room for the name of a socket.
func shortFolder(t *testing.T) string {
	folder, err := os.MkdirTemp("", "ns")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// serverLog keeps what a server says.
type serverLog struct {
	mu           sync.Mutex
	text         bytes.Buffer
	ready, ended chan struct{}
}

func newServerLog(from io.Reader, ready string) *serverLog {
	l := &serverLog{ready: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		lines := bufio.NewScanner(from)
		said, pattern := false, regexp.MustCompile(ready)
		for lines.Scan() {
			l.mu.Lock()
			l.text.WriteString(lines.Text() + "\n")
			l.mu.Unlock()
			if !said && pattern.MatchString(lines.Text()) {
				said = true
				close(l.ready)
			}
		}
	}()
	return l
}

func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// dig asks with BIND's own program, any number of names and types, and returns
// the answers as lines.
func (n *nameserver) dig(t testing.TB, questions ...string) []string {
	t.Helper()
	arguments := []string{"@127.0.0.1", "-p", n.port, "+tcp", "+time=5", "+noall", "+answer"}
	for i := 0; i < len(questions); i += 2 {
		arguments = append(arguments, "-q", questions[i], "-t", questions[i+1])
	}
	var lines []string
	for line := range strings.Lines(run(t, tool(t, "dig"), arguments...)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, ";") {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
	}
	slices.Sort(lines)
	return lines
}

// nsupdate changes a zone as somebody else would.
func (n *nameserver) nsupdate(t testing.TB, lines ...string) {
	t.Helper()
	file := write(t, filepath.Join(t.TempDir(), "update"), "server 127.0.0.1 "+n.port+"\n"+strings.Join(lines, "\n")+"\nsend\n")
	run(t, tool(t, "nsupdate"), "-y", testKey.Algorithm+":"+testKey.Name+":"+string(testKey.Secret), file)
}

// serial is the serial number of a zone.
func (n *nameserver) serial(t testing.TB, zone string) string {
	t.Helper()
	soa := n.dig(t, zone, "SOA")
	if len(soa) != 1 {
		t.Fatalf("SOA of %s: %v", zone, soa)
	}
	return strings.Fields(soa[0])[6]
}
