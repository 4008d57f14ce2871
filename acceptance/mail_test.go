package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// password is the password of every mailbox.
const password = "correct horse battery"

// mailServers are dovecot, for IMAP and POP3, and postfix, which lets dovecot check
// passwords.
type mailServers struct {
	dovecot, postfix string // log files
	// fail ends the test with the state of the client and a message.
	fail func(ended, format string, args ...any)
}

const dovecotConf = `
base_dir = DIR/run
state_dir = DIR/run
log_path = DIR/dovecot.log
auth_verbose = yes
protocols = imap pop3
listen = IP
ssl = required
ssl_cert = <CERT
ssl_key = <KEY
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
  inet_listener imap {
    port = 143
  }
}
service auth {
  unix_listener DIR/auth {
    mode = 0666
  }
}
`

const postfixMain = `
compatibility_level = 3.6
maillog_file = DIR/postfix.log
maillog_file_prefixes = DIR
queue_directory = DIR/queue
data_directory = DIR/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = IP
inet_protocols = ipv4
myhostname = out7.hoster.example
mydestination =
mynetworks =
alias_maps =
alias_database =
virtual_mailbox_domains = inline:{ DOMAINS }
virtual_mailbox_maps = texthash:DIR/boxes
virtual_mailbox_base = DIR/mail
virtual_uid_maps = static:UID
virtual_minimum_uid = 1
virtual_gid_maps = static:GID
smtpd_tls_cert_file = CERT
smtpd_tls_key_file = KEY
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 0
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = unix:DIR/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
`

const postfixMaster = `
465       inet  n  -  n  -     -  smtpd -o smtpd_tls_wrappermode=yes
587       inet  n  -  n  -     -  smtpd
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
proxymap  unix  -  -  n  -     -  proxymap
error     unix  -  -  n  -     -  error
virtual   unix  -  n  n  -     -  virtual
anvil     unix  -  -  n  -     1  anvil
postlog   unix-dgram n - n  -  1  postlogd
`

// mailbox is a mailbox of the mail servers.
type mailbox struct {
	address, login string
}

// startMail starts both servers. It does not wait until they listen, because clients
// take seconds before they connect.
func startMail(t *testing.T, n *network, boxes ...mailbox) *mailServers {
	t.Helper()
	dir := filepath.Join(work, "mail")
	certificate, key := n.ca.issue("mail", "in7.hoster.example", "out7.hoster.example")
	var users, maps strings.Builder
	domains := ""
	for _, box := range boxes {
		_, domain, _ := strings.Cut(box.address, "@")
		fmt.Fprintf(&users, "%s:{PLAIN}%s\n", box.login, password)
		fmt.Fprintf(&maps, "%s %s/\n", box.address, box.login)
		domains += domain + "=ok "
	}
	mailUser, err := user.Lookup("mail")
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("DIR", dir, "IP", mailIP, "CERT", certificate, "KEY", key,
		"UID", mailUser.Uid, "GID", mailUser.Gid, "DOMAINS", domains)
	writeFile(t, "mail/users", users.String())
	writeFile(t, "mail/boxes", maps.String())
	conf := writeFile(t, "mail/dovecot.conf", fill.Replace(dovecotConf))
	writeFile(t, "mail/postfix/main.cf", fill.Replace(postfixMain))
	writeFile(t, "mail/postfix/master.cf", postfixMaster)
	for _, name := range []string{"queue", "data", "mail", "run"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chown(t, filepath.Join(dir, "mail"), "mail")
	chown(t, filepath.Join(dir, "data"), "postfix")
	run(t, exec.Command("dovecot", "-F", "-c", conf))
	run(t, exec.Command("postfix", "-c", filepath.Join(dir, "postfix"), "start-fg"))
	return &mailServers{
		dovecot: filepath.Join(dir, "dovecot.log"),
		postfix: filepath.Join(dir, "postfix.log"),
		fail:    n.fail,
	}
}

// chown makes a user the owner of a directory.
func chown(t *testing.T, dir, name string) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err == nil {
		err = os.Chown(dir, uid, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// await waits until the ports are open.
func (m *mailServers) await(ports ...int) {
	deadline := time.Now().Add(20 * time.Second)
	for _, port := range ports {
		for {
			conn, err := net.DialTimeout("tcp", fmt.Sprintf("%s:%d", mailIP, port), time.Second)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(deadline) {
				m.fail(lastLines(m.dovecot)+lastLines(m.postfix), "nothing listens on port %d: %v", port, err)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func logText(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// lastLines returns the last lines of a log, as many as fit into a message.
func lastLines(file string) string {
	const most = 4
	lines := slices.Collect(strings.Lines(logText(file)))
	if len(lines) == 0 {
		return "an empty " + filepath.Base(file) + " "
	}
	return filepath.Base(file) + ": " + strings.Join(lines[max(0, len(lines)-most):], "") + " "
}

// awaitLetter waits until a letter is in the mailbox.
func (m *mailServers) awaitLetter(login string) {
	m.awaitLog(m.postfix, "a letter that was delivered", `status=sent \(delivered to maildir\)`)
	if files, err := filepath.Glob(filepath.Join(work, "mail", "mail", login, "[nc]*", "*")); err != nil ||
		len(files) == 0 {
		m.fail(lastLines(m.postfix), "the mailbox %s is empty, want a letter", login)
	}
}

// checkIncoming checks that dovecot logged the login.
func (m *mailServers) checkIncoming(protocol, login string) {
	m.awaitLog(m.dovecot, protocol+" login of "+login,
		protocol+`-login: Info: Login: user=<`+regexp.QuoteMeta(login)+`>, method=PLAIN, .*, TLS, `)
}

// checkOutgoing checks that postfix logged the login. It does so for clients that send
// a letter.
func (m *mailServers) checkOutgoing(login string) {
	m.awaitLog(m.postfix, "smtp login of "+login, `sasl_method=PLAIN, sasl_username=`+regexp.QuoteMeta(login)+`\n`)
}

// logTimeout is how long to wait for a line in a log.
var logTimeout = 10 * time.Second

// awaitLog waits until a line of the log matches. what describes it.
func (m *mailServers) awaitLog(file, what, line string) {
	want := regexp.MustCompile(line)
	for deadline := time.Now().Add(logTimeout); ; time.Sleep(20 * time.Millisecond) {
		if want.MatchString(logText(file)) {
			return
		}
		if time.Now().After(deadline) {
			m.fail(lastLines(file), "%s has no %s", filepath.Base(file), what)
			return
		}
	}
}

// TestMissingLogin checks that a missing login is reported with the last lines of the
// log and not with all of it.
func TestMissingLogin(t *testing.T) {
	defer func(before time.Duration) { logTimeout = before }(logTimeout)
	logTimeout = 0
	dir := t.TempDir()
	var failures []string
	m := &mailServers{
		dovecot: filepath.Join(dir, "dovecot.log"),
		postfix: filepath.Join(dir, "postfix.log"),
		fail: func(ended, format string, args ...any) {
			failures = append(failures, fmt.Sprintf(format, args...)+"; "+strings.Join(strings.Fields(ended), " "))
		},
	}
	const login = "imap-login: Info: Login: user=<erik@firma.example>, method=PLAIN, rip=10.0.0.2, TLS, \n"
	dovecot := strings.Repeat(login, 500) + "imap-login: Info: Disconnected: Auth failed\n"
	if err := os.WriteFile(m.dovecot, []byte(dovecot), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.postfix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.checkIncoming("imap", "erik@firma.example") // the log has this one
	m.checkIncoming("imap", anna)
	m.checkOutgoing(anna)
	if len(failures) != 2 {
		t.Fatalf("failures = %q, want one for dovecot and one for postfix", failures)
	}
	first := failures[0]
	if !strings.HasPrefix(first, "dovecot.log has no imap login of "+anna+"; ") ||
		!strings.HasSuffix(first, "Auth failed") || len(first) > 1000 {
		t.Errorf("the failure of dovecot is %q, want the end of its log", first)
	}
	if want := "postfix.log has no smtp login of " + anna + "; an empty postfix.log"; failures[1] != want {
		t.Errorf("the failure of postfix is %q, want %q", failures[1], want)
	}
}
