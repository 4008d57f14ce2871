// Package mailrig starts real mail servers for tests, Dovecot and Postfix, each healthy and
// with faults that operators make.
package mailrig

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"signpost/internal/freeport"
	"signpost/internal/sources/rig"
)

// Host is the name in the certificate of all servers. They listen at Address: Dovecot takes a
// connection from its own address for a safe one and would offer logins in clear text.
const (
	Host    = "mail.hoster.example"
	Address = "127.0.0.2"
)

// Servers are running servers. Each field is a port.
type Servers struct {
	Roots *x509.CertPool

	IMAPS, IMAP, POP3S, POP3, Sieve int // Dovecot as Debian's documents set it up
	IMAPWithoutTLS                  int // Dovecot with ssl = no
	IMAPCRAM                        int // Dovecot with auth_mechanisms = cram-md5; TLS at once

	SMTPS, Submission      int // Postfix with Dovecot's SASL
	SMTPSOldTLS            int // TLS 1.1 at most
	SMTPSInClear           int // without smtpd_tls_wrappermode
	SubmissionWithoutTLS   int // smtpd_tls_security_level = none
	SubmissionWithoutLogin int // smtpd_sasl_auth_enable = no
	SubmissionPostscreen   int // behind postscreen, which waits for two seconds
}

// Start starts the servers. The test is skipped if they are not installed or it does not run
// as root, which Postfix needs; it fails then if SIGNPOST_REQUIRE_TOOLS is set.
func Start(t testing.TB) *Servers {
	t.Helper()
	need(t)
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755) // Postfix's and Dovecot's users must get through
	}
	s := &Servers{}
	var running []*rig.Process
	t.Cleanup(func() { stop(t, running) })
	certificate, key := s.certificate(t, dir)
	mail, err := user.Lookup("mail")
	if err != nil {
		t.Fatal(err)
	}
	var fill replacer = strings.NewReplacer("DIR", dir, "CERT", certificate, "KEY", key, "IP", Address,
		"UID", mail.Uid, "GID", mail.Gid)
	for field, name := range map[*int]string{
		&s.IMAPS: "IMAPS", &s.IMAP: "IMAP", &s.POP3S: "POP3S", &s.POP3: "POP3", &s.Sieve: "SIEVE",
		&s.IMAPWithoutTLS: "NOTLS", &s.IMAPCRAM: "CRAM", &s.SMTPSOldTLS: "OLD",
		&s.SMTPS: "SMTPS", &s.Submission: "SUBMISSION",
		&s.SMTPSInClear: "CLEAR", &s.SubmissionWithoutTLS: "SECURITYNONE",
		&s.SubmissionWithoutLogin: "NOSASL", &s.SubmissionPostscreen: "POSTSCREEN",
	} {
		port := freeport.Choose(t)
		*field, _ = strconv.Atoi(port)
		fill = both{fill, strings.NewReplacer("PORT_"+name+"_", port)}
	}
	write(t, dir, "users", "anna@nordlys.example:{PLAIN}secret\n", fill)
	for name, conf := range dovecots {
		os.Mkdir(filepath.Join(dir, name), 0o755)
		own := both{fill, strings.NewReplacer("BASE", filepath.Join(dir, name))}
		running = append(running, start(t, "starting up",
			exec.Command("dovecot", "-F", "-c", write(t, dir, name+".conf", dovecotConf+conf, own))))
	}
	for _, name := range []string{"postfix", "queue", "data"} {
		os.Mkdir(filepath.Join(dir, name), 0o755)
	}
	give(t, filepath.Join(dir, "data"), "postfix")
	write(t, dir, "postfix/main.cf", postfixMain, fill)
	write(t, dir, "postfix/master.cf", postfixMaster, fill)
	running = append(running,
		start(t, "daemon started", exec.Command("postfix", "-c", filepath.Join(dir, "postfix"), "start-fg")))
	for _, port := range []int{s.IMAPS, s.IMAPWithoutTLS, s.IMAPCRAM, s.SMTPS} {
		await(t, port)
	}
	return s
}

type replacer interface{ Replace(string) string }

// both replaces first by one, then by the other.
type both struct{ a, b replacer }

func (r both) Replace(text string) string { return r.b.Replace(r.a.Replace(text)) }

func need(t testing.TB) {
	t.Helper()
	why := ""
	for _, program := range []string{"dovecot", "postfix"} {
		if _, err := exec.LookPath(program); err != nil {
			why = err.Error()
		}
	}
	if os.Getuid() != 0 {
		why = "Postfix must be started by root"
	}
	if why == "" {
		return
	}
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func write(t testing.TB, dir, name, text string, fill replacer) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(fill.Replace(text)), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func start(t testing.TB, ready string, command *exec.Cmd) *rig.Process {
	t.Helper()
	p := rig.Start(t, "", ready, command)
	if p == nil {
		t.Fatalf("%s did not start", command)
	}
	return p
}

// stop ends the programs together, as each Dovecot needs a second for it.
func stop(t testing.TB, running []*rig.Process) {
	var all sync.WaitGroup
	for _, p := range running {
		all.Go(func() { p.Stop(syscall.SIGTERM) })
	}
	all.Wait()
	if t.Failed() {
		for _, p := range running {
			t.Log(p.Log())
		}
	}
}

func give(t testing.TB, dir, name string) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := strconv.Atoi(u.Uid)
	if err := os.Chown(dir, id, -1); err != nil {
		t.Fatal(err)
	}
}

// await waits until a port is open.
func await(t testing.TB, port int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf(Address+":%d", port), time.Second)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing listens on port %d: %v", port, err)
		}
	}
}
