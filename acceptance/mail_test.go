package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
func startMail(t *testing.T, ca *authority, boxes ...mailbox) *mailServers {
	t.Helper()
	dir := filepath.Join(work, "mail")
	certificate, key := ca.issue("mail", "in7.hoster.example", "out7.hoster.example")
	var users, maps strings.Builder
	domains := ""
	for _, box := range boxes {
		_, domain, _ := strings.Cut(box.address, "@")
		fmt.Fprintf(&users, "%s:{PLAIN}%s\n", box.login, password)
		fmt.Fprintf(&maps, "%s %s/\n", box.address, box.login)
		domains += domain + "=ok "
	}
	fill := strings.NewReplacer("DIR", dir, "IP", mailIP, "CERT", certificate, "KEY", key, "UID", "8", "GID", "8", "DOMAINS", domains)
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
	if err := os.Chown(filepath.Join(dir, "mail"), 8, 8); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v: %s", err, out)
	}
	run := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		var out lines
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		t.Cleanup(func() {
			select {
			case err := <-done:
				if err != nil {
					t.Logf("%s ended: %v\n%s", name, err, &out)
				}
			default:
				cmd.Process.Kill()
			}
		})
	}
	run("dovecot", "-F", "-c", conf)
	run("postfix", "-c", filepath.Join(dir, "postfix"), "start-fg")
	return &mailServers{dovecot: filepath.Join(dir, "dovecot.log"), postfix: filepath.Join(dir, "postfix.log")}
}

// await waits until the ports are open.
func (m *mailServers) await(t *testing.T, ports ...int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for _, port := range ports {
		for {
			conn, err := net.DialTimeout("tcp", fmt.Sprintf("%s:%d", mailIP, port), time.Second)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("nothing listens on port %d: %v\ndovecot: %s\npostfix: %s", port, err, logText(m.dovecot), logText(m.postfix))
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

// check looks for the logins in the servers' own logs: of the incoming server
// by dovecot, and of the outgoing one by postfix.
func (m *mailServers) check(t *testing.T, incoming, login string) {
	t.Helper()
	service := map[string]string{"imap": "imap-login", "pop3": "pop3-login"}[incoming]
	if line := service + ": Info: Login: user=<" + login + ">, method=PLAIN, "; !strings.Contains(logText(m.dovecot), line) {
		t.Errorf("dovecot has no %q:\n%s", line, logText(m.dovecot))
	}
	if line := "sasl_method=PLAIN, sasl_username=" + login + "\n"; !strings.Contains(logText(m.postfix), line) {
		t.Errorf("postfix has no %q:\n%s", line, logText(m.postfix))
	}
}
