package publish

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/dns/dnstest"
	"signpost/internal/records"
)

// insideNamespace names the environment variable that is set for the part of TestAerc
// that runs in a network namespace of its own.
const insideNamespace = "SIGNPOST_TEST_INSIDE_NAMESPACE"

// TestAerc checks that a real mail client, aerc, can set itself up with nothing but the
// published SRV records. Its wizard gets an address, finds the hosts, which it could
// not guess, and connects. The test runs in a namespace where it controls port 53 and
// /etc/resolv.conf.
func TestAerc(t *testing.T) {
	if os.Getenv(insideNamespace) != "" {
		aercInside(t)
		return
	}
	for _, name := range []string{"unshare", "ip", "mount", "script", "stty", "aerc", "named"} {
		dnstest.Tool(t, name)
	}
	if out, err := exec.Command(dnstest.Tool(t, "unshare"), "--net", "--mount", "true").CombinedOutput(); err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatalf("unshare cannot create a namespace: %v %s", err, out)
		}
		t.Skipf("unshare cannot create a namespace: %v %s", err, out)
	}
	command := exec.Command(dnstest.Tool(t, "unshare"), "--net", "--mount", "--uts", "--ipc", "--pid", "--fork",
		"--kill-child", "--mount-proc", os.Args[0], "-test.run=^TestAerc$", "-test.v", "-test.timeout=2m")
	command.Env = append(os.Environ(), insideNamespace+"=1")
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestAerc") {
		t.Errorf("TestAerc inside the namespace: %v\n%s", err, out)
	}
}

func aercInside(t *testing.T) {
	dir := dnstest.ShortDir(t)
	dnstest.Run(t, dnstest.Tool(t, "ip"), "link", "set", "lo", "up")
	dnstest.Run(t, dnstest.Tool(t, "mount"), "--bind",
		dnstest.Write(t, filepath.Join(dir, "resolv.conf"), "nameserver 127.0.0.1\n"), "/etc/resolv.conf")
	n := server{dnstest.StartNameserverAt(t, "BIND", "53")}
	if n.Nameserver == nil {
		t.FailNow()
	}
	servers := everyServer()[:4] // IMAP with TLS and with STARTTLS, POP3, SMTP
	servers[0].Hostname = "in7.kund.example"
	servers[3].Hostname, servers[3].Port, servers[3].SocketType = "out7.kund.example", 587, account.STARTTLS
	servers = slices.Delete(servers, 1, 2)
	generator := records.New(records.Options{Name: "setup.kund.example"})
	n.publisher(t).publish(t, generator.For(settingsFor("kund.example", servers...)))

	// The control: aerc finds nothing if nothing is published.
	wizard := startAerc(t, filepath.Join(dir, "control"))
	wizard.await("Your email address?")
	wizard.send("Work\tAnna Ek\tanna@print.example\t")
	wizard.send("\r")
	wizard.awaitLog(n.Log, "query: _imaps._tcp.print.example IN SRV")
	wizard.await("Connection mode")
	if screen := wizard.screen(); strings.Contains(screen, "in7") {
		t.Errorf("aerc found a host that is not published: %s", screen)
	}

	reached := make(chan net.Conn, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:993")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			reached <- conn
		}
	}()
	home := filepath.Join(dir, "home")
	wizard = startAerc(t, home)
	wizard.await("Your email address?")
	wizard.send("Work\tAnna Ek\tanna@kund.example\t")
	wizard.send("\r")
	wizard.await("in7.kund.example:993")
	wizard.send("\themlig")
	wizard.send("\t")
	wizard.await("[OK]") // passwords are stored in plain text
	wizard.send("\r")
	wizard.send("\t\t\t\x1b[C") // past server and mode, and to the right
	wizard.send("\r")
	wizard.await("out7.kund.example:587")
	wizard.send("\t\t\t\t\t\x1b[C") // past user name, password, server, mode and copies
	wizard.send("\r")
	wizard.await("[Finish]")
	wizard.send("\t\r")
	select {
	case conn := <-reached:
		conn.Close()
	case <-time.After(20 * time.Second):
		t.Fatalf("aerc did not connect within 20 s: %s", wizard.screen())
	}
	accounts, err := os.ReadFile(filepath.Join(home, ".config/aerc/accounts.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`(?m)^source +=\s+imaps://anna%40kund\.example:[a-z]+@in7\.kund\.example:993$`,
		`(?m)^outgoing +=\s+smtp\+plain://anna%40kund\.example:[a-z]+@out7\.kund\.example:587$`,
		`(?m)^smtp-starttls += yes$`,
	} {
		if !regexp.MustCompile(line).Match(accounts) {
			t.Errorf("accounts.conf has no line %s:\n%s", line, accounts)
		}
	}
}

// wizard is a running aerc and its terminal.
type wizard struct {
	t    *testing.T
	keys io.Writer
	mu   sync.Mutex
	text strings.Builder
	seen int // await searches the screen from here on
	news chan struct{}
}

func startAerc(t *testing.T, home string) *wizard {
	t.Helper()
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(dnstest.Tool(t, "script"), "-qfc", "stty rows 60 cols 120; exec aerc", "/dev/null")
	command.Env = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home + "/.config", "TERM=xterm",
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "SHELL=/bin/sh"}
	keys, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	w := &wizard{t: t, keys: keys, news: make(chan struct{}, 1)}
	command.Stdout, command.Stderr = w, w
	if err := dnstest.StartChild(command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill() })
	return w
}

// Write adds text to the screen.
func (w *wizard) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.text.Write(b)
	w.mu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
	return len(b), nil
}

var (
	links   = regexp.MustCompile(`\x1b\]8;;.*?\x1b\\`)
	escapes = regexp.MustCompile(`(\x1b\[[0-9;? ]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>])+`)
	blanks  = regexp.MustCompile(`  +`)
)

// screen returns everything that was shown so far, without the control sequences.
func (w *wizard) screen() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return blanks.ReplaceAllString(escapes.ReplaceAllString(links.ReplaceAllString(w.text.String(), ""), "|"), " ")
}

// await waits until aerc shows a text after those that were awaited before.
func (w *wizard) await(text string) {
	w.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		screen := w.screen()
		if i := strings.Index(screen[min(w.seen, len(screen)):], text); i >= 0 {
			w.seen += i + len(text)
			return
		}
		select {
		case <-w.news:
		case <-limit:
			w.t.Fatalf("aerc does not show %q within 20 s; after\n%s\nit shows\n%s",
				text, screen[:min(w.seen, len(screen))], screen[min(w.seen, len(screen)):])
		}
	}
}

// awaitLog waits until the name server logs a text.
func (w *wizard) awaitLog(log *dnstest.Log, text string) {
	w.t.Helper()
	limit := time.After(20 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); !strings.Contains(log.String(), text); {
		select {
		case <-tick.C:
		case <-limit:
			w.t.Fatalf("the name server does not log %q within 20 s; aerc shows\n%s", text, w.screen())
		}
	}
}

// send types keys and waits until aerc has finished drawing. Aerc applies keys that
// come earlier to what is no longer on the screen.
func (w *wizard) send(keys string) {
	w.t.Helper()
	if _, err := io.WriteString(w.keys, keys); err != nil {
		w.t.Fatal(err)
	}
	limit := time.After(3 * time.Second) // once connected, aerc never stops drawing
	for {
		select {
		case <-w.news:
		case <-time.After(500 * time.Millisecond):
			return
		case <-limit:
			return
		}
	}
}
