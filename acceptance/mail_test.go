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

// password is that of every mailbox.
const password = "correct horse battery"

// mailServers are dovecot, with IMAP and POP3, and postfix, which has dovecot
// check who signs in.
type mailServers struct {
	dovecot, postfix string // log files
	// fail ends the test, with what the client ended up with and what is wrong.
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

// startMail starts both and does not wait for them: a client takes seconds to
// get there.
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
	fill := strings.NewReplacer("DIR", dir, "IP", mailIP, "CERT", certificate, "KEY", key, "UID", mailUser.Uid, "GID", mailUser.Gid, "DOMAINS", domains)
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
	own(t, filepath.Join(dir, "mail"), "mail")
	own(t, filepath.Join(dir, "data"), "postfix")
	run(t, exec.Command("dovecot", "-F", "-c", conf))
	run(t, exec.Command("postfix", "-c", filepath.Join(dir, "postfix"), "start-fg"))
	return &mailServers{dovecot: filepath.Join(dir, "dovecot.log"), postfix: filepath.Join(dir, "postfix.log"), fail: n.fail}
}

// own gives a folder to a user.
func own(t *testing.T, folder, name string) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err == nil {
		err = os.Chown(folder, uid, -1)
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

// lastLines is the end of a log, as much of it as a message can hold.
func lastLines(file string) string {
	const most = 4
	lines := slices.Collect(strings.Lines(logText(file)))
	if len(lines) == 0 {
		return "an empty " + filepath.Base(file) + " "
	}
	return filepath.Base(file) + ": " + strings.Join(lines[max(0, len(lines)-most):], "") + " "
}

// awaitLetter waits until a letter lies in the mailbox.
func (m *mailServers) awaitLetter(login string) {
	m.awaitLog(m.postfix, "a letter that was delivered", `status=sent \(delivered to maildir\)`)
	if files, err := filepath.Glob(filepath.Join(work, "mail", "mail", login, "[nc]*", "*")); err != nil || len(files) == 0 {
		m.fail(lastLines(m.postfix), "no letter came for %s", login)
	}
}

// checkIncoming looks for the login in dovecot's own log.
func (m *mailServers) checkIncoming(protocol, login string) {
	m.awaitLog(m.dovecot, protocol+" login of "+login, protocol+`-login: Info: Login: user=<`+regexp.QuoteMeta(login)+`>, method=PLAIN, .*, TLS, `)
}

// checkOutgoing looks for the login in postfix's own log, which has it of a
// client that sends.
func (m *mailServers) checkOutgoing(login string) {
	m.awaitLog(m.postfix, "smtp login of "+login, `sasl_method=PLAIN, sasl_username=`+regexp.QuoteMeta(login)+`\n`)
}

// logTimeout is how long a line may be on its way to a log.
var logTimeout = 10 * time.Second

// awaitLog waits until a log has the line that tells of something.
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

// TestLogMisses: a login that never came is told in one line, with what the
// client asked and was answered, and not as a whole log.
func TestLogMisses(t *testing.T) {
	defer func(before time.Duration) { logTimeout = before }(logTimeout)
	logTimeout = 0
	folder := t.TempDir()
	var told []string
	m := &mailServers{dovecot: filepath.Join(folder, "dovecot.log"), postfix: filepath.Join(folder, "postfix.log"), fail: func(ended, format string, args ...any) {
		told = append(told, fmt.Sprintf(format, args...)+"; "+strings.Join(strings.Fields(ended), " "))
	}}
	dovecot := strings.Repeat("imap-login: Info: Login: user=<erik@firma.example>, method=PLAIN, rip=10.0.0.2, TLS, \n", 500) + "imap-login: Info: Disconnected: Auth failed\n"
	if err := os.WriteFile(m.dovecot, []byte(dovecot), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.postfix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.checkIncoming("imap", "erik@firma.example") // it has this one
	m.checkIncoming("imap", anna)
	m.checkOutgoing(anna)
	if len(told) != 2 || !strings.HasPrefix(told[0], "dovecot.log has no imap login of "+anna+"; ") || !strings.HasSuffix(told[0], "Auth failed") || len(told[0]) > 1000 ||
		told[1] != "postfix.log has no smtp login of "+anna+"; an empty postfix.log" {
		t.Errorf("told %q", told)
	}
}
