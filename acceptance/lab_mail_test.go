package acceptance

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The mail servers of the laboratory by address. IMAP on 993 and 143 is the same
// everywhere: a real dovecot. Submission is a real postfix, on 465 and 587 unless the
// comment says otherwise.
const (
	goodMail     = "127.0.1.1"
	closedSMTP   = "127.0.1.2" // nothing listens
	noSTARTTLS   = "127.0.1.3" // 587 without STARTTLS, 465 closed
	plain465     = "127.0.1.4" // 465 begins in clear text
	noAUTH       = "127.0.1.5" // 587 without AUTH, 465 closed
	greeting8    = "127.0.1.6" // the greeting takes 8 s
	slowGreeting = "127.0.1.7" // the greeting takes 13 s
	foreignMail  = "127.0.1.8" // with the certificate of mx.hoster.example, IMAP too
	only587      = "127.0.1.9" // 465 closed

	// deadIPv6 is an address of this machine where nothing listens.
	deadIPv6 = "fd00::13"
)

const labDovecot = `
base_dir = DIR/run
state_dir = DIR/run
log_path = DIR/dovecot.log
auth_verbose = yes
protocols = imap pop3
listen = ALL
ssl = required
ssl_cert = <CERT
ssl_key = <KEY
local FOREIGN {
  ssl_cert = <OTHER.pem
  ssl_key = <OTHER.key
}
disable_plaintext_auth = yes
auth_mechanisms = plain login
auth_username_format = %Lu
mail_location = maildir:DIR/mail/%u
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = scheme=PLAIN DIR/users
}
userdb {
  driver = static
  args = uid=UID gid=GID home=DIR/mail/%u
}
service imap-login {
  process_min_avail = 0
}
service pop3-login {
  inet_listener pop3 {
    port = 0
  }
  inet_listener pop3s {
    address = 127.0.1.10
  }
}
service auth {
  unix_listener DIR/auth {
    mode = 0666
  }
}
`

// labMaster has an entry for each port of an address.
const labMaster = `
127.0.1.1:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.1.1:587 inet n - n - - smtpd
127.0.1.3:587 inet n - n - - smtpd -o smtpd_tls_security_level=none -o smtpd_tls_auth_only=no
127.0.1.4:465 inet n - n - - smtpd
127.0.1.4:587 inet n - n - - smtpd
127.0.1.5:587 inet n - n - - smtpd -o smtpd_sasl_auth_enable=no
127.0.1.8:465 inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_tls_cert_file=OTHER.pem -o smtpd_tls_key_file=OTHER.key
127.0.1.8:587 inet n - n - - smtpd -o smtpd_tls_cert_file=OTHER.pem -o smtpd_tls_key_file=OTHER.key
127.0.1.9:587 inet n - n - - smtpd
127.0.1.10:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.1.10:587 inet n - n - - smtpd
`

// startLabMail starts all mail servers of the laboratory, for all subjects.
func startLabMail(t *testing.T, certs *labCertificates, all []subject) {
	t.Helper()
	dir := filepath.Join(work, "mail")
	var users strings.Builder
	names := []string{"in7.hoster.example", "in8.hoster.example", "in9.hoster.example",
		"out7.hoster.example", "out8.hoster.example", "in8.other.example", "out8.other.example",
		"pop7.hoster.example", "mx1.in.hoster.example", "mx1.in.other.example"}
	for _, s := range all {
		// Thunderbird's guess signs in with the local part, and an empty name is "true".
		fmt.Fprintf(&users, "%s:{PLAIN}%s\n", s.address(), password)
		for _, label := range []string{"in", "out", "imap", "smtp"} {
			names = append(names, label+"."+s.domain)
		}
	}
	for _, x := range examples {
		names = append(names, x.hosts...)
	}
	certificate, key := certs.ca.issue("mail", names...)
	other, err := certs.get("mx.hoster.example", "")
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, filepath.Join(work, "other"), other, certs)
	mailUser, err := user.Lookup("mail")
	if err != nil {
		t.Fatal(err)
	}
	addresses := []string{goodMail, closedSMTP, noSTARTTLS, plain465, noAUTH, greeting8, slowGreeting, foreignMail,
		only587, exampleMail}
	fill := strings.NewReplacer("DIR", dir, "ALL", strings.Join(addresses, ", "), "IP", "127.0.0.1", "CERT", certificate,
		"KEY", key, "OTHER", filepath.Join(work, "other"), "FOREIGN", foreignMail, "DOMAINS", "firma.example=ok",
		"UID", mailUser.Uid, "GID", mailUser.Gid)
	writeFile(t, "mail/users", users.String())
	writeFile(t, "mail/boxes", "")
	conf := writeFile(t, "mail/dovecot.conf", fill.Replace(labDovecot))
	writeFile(t, "mail/postfix/main.cf", fill.Replace(postfixMain)+
		"smtpd_client_connection_count_limit = 0\nsmtpd_peername_lookup = no\n")
	services := postfixMaster[strings.Index(postfixMaster, "cleanup"):]
	writeFile(t, "mail/postfix/master.cf", fill.Replace(labMaster)+services)
	for _, name := range []string{"queue", "data", "mail", "run"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chown(t, filepath.Join(dir, "mail"), "mail")
	chown(t, filepath.Join(dir, "data"), "postfix")
	run(t, exec.Command("dovecot", "-F", "-c", conf))
	run(t, exec.Command("postfix", "-c", filepath.Join(dir, "postfix"), "start-fg"))
	for _, slow := range []struct {
		address string
		delay   time.Duration
	}{{greeting8, 8 * time.Second}, {slowGreeting, 13 * time.Second}} {
		for _, port := range []string{"465", "587"} {
			relaySlowly(t, net.JoinHostPort(slow.address, port), net.JoinHostPort(goodMail, port), slow.delay)
		}
	}
	for _, port := range []string{"993", "143", "465", "587"} {
		awaitPort(t, net.JoinHostPort(goodMail, port))
	}
}

// writePair writes a certificate and its key as files.
func writePair(t *testing.T, file string, pair *tls.Certificate, certs *labCertificates) {
	t.Helper()
	writeFile(t, filepath.Base(file)+".pem",
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	certs.ca.write(file+".key", "PRIVATE KEY", marshalKey(t, certs), 0o600)
}

// relaySlowly accepts connections and hands each on to a server after a delay.
func relaySlowly(t *testing.T, from, to string, delay time.Duration) {
	t.Helper()
	listener, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				time.Sleep(delay)
				server, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer server.Close()
				go func() {
					io.Copy(server, conn)
					server.(*net.TCPConn).CloseWrite()
				}()
				io.Copy(conn, server)
			}()
		}
	}()
}

// awaitPort waits until something listens.
func awaitPort(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing listens at %s: %v\n%s\n%s", address, err, lastLines(work+"/mail/dovecot.log"),
				lastLines(work+"/mail/postfix.log"))
		}
	}
}

// mailLines returns the lines of the logs of the mail servers that match a word.
func mailLines(word string) []string {
	var found []string
	for _, name := range []string{"dovecot.log", "postfix.log"} {
		for line := range strings.Lines(logText(filepath.Join(work, "mail", name))) {
			if strings.Contains(line, word) {
				found = append(found, strings.TrimSpace(line))
			}
		}
	}
	return slices.Clip(found)
}
