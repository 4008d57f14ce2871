package acceptance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAerc lets aerc find the servers by the SRV records of RFC 6186 that Signpost
// prints for the domain, sign in and send. aerc 0.14 looks up _imaps and _submission
// only, hence port 587.
func TestAerc(t *testing.T) {
	need(t, "aerc", "tmux", "dovecot", "postfix")
	published := hosting{
		control: hoster(hostsAnother, ""),
		config: `
name: setup.hoster.example
admin: {listen: none}
providers:
  - id: mail
    displayName: Hoster Mail
    domains: [firma.example]
    servers:
      - {type: imap, hostname: in7.hoster.example, port: 993, socketType: SSL}
      - {type: smtp, hostname: out7.hoster.example, port: 587, socketType: STARTTLS}
`, domain: "firma.example", entered: `^_(imap|submission)s?\._tcp\.`,
	}
	t.Run("SRV", func(t *testing.T) {
		t.Parallel()
		closed(t, published.setUpAerc)
	})
	t.Run("no SRV", func(t *testing.T) {
		t.Parallel()
		closed(t, func(t *testing.T) {
			nothing := published
			nothing.entered = `^$`
			n := nothing.start(t)
			term := n.startAerc(t)
			// aerc has to guess, and it cannot guess the hoster's names.
			term.until("> firma.example")
			if screen := term.screen(); strings.Contains(screen, "hoster.example") {
				n.fail(screen, "aerc found servers without SRV records, want none")
			}
		})
	})
}

// TestAercLogin checks that aerc, which takes the address for the login of what SRV records
// announce, finds nothing where the login is the local part: it must ask.
func TestAercLogin(t *testing.T) {
	need(t, "aerc", "tmux", "dovecot", "postfix")
	closed(t, func(t *testing.T) {
		n := hosting{
			config: withLocalParts, control: hoster(hostsAnother, ""), domain: "firma.example",
			entered: `^_(imap|submission)s?\._tcp\.`,
		}.start(t)
		term := n.startAerc(t)
		term.until("> firma.example")
		if screen := term.screen(); strings.Contains(screen, "hoster.example") {
			n.fail(screen, "aerc found servers that it would sign in to with the address, want none")
		}
	})
}

// startAerc starts aerc and goes through its wizard up to the incoming server.
func (n *network) startAerc(t *testing.T) *terminal {
	t.Helper()
	os.Setenv("SSL_CERT_FILE", n.ca.file)
	os.Setenv("XDG_CONFIG_HOME", filepath.Join(work, "config"))
	os.Setenv("EDITOR", "true")
	term := startTerminal(t, n.fail, "aerc")
	term.until("Your email address?")
	term.write("Work")
	term.key("Tab")
	term.write("Anna Svensson")
	term.key("Tab")
	term.write(anna)
	term.press("[Next]")
	term.until("Configure incoming mail")
	return term
}

// setUpAerc sets up an account in aerc, sends a letter and checks the logins.
func (h hosting) setUpAerc(t *testing.T) {
	n := h.start(t, mailbox{anna, anna})
	term := n.startAerc(t)
	term.until("> in7.hoster.example:993")
	term.key("Tab")
	// The first letter causes a warning that takes the keyboard focus, at some moment
	// during the input.
	term.write(password[:1])
	term.keyUntil("End", "store your passwords in plaintext")
	term.key("Enter")
	term.write(password[1:])
	term.until(strings.Repeat("*", len(password)) + "@in7.hoster.example")
	term.press("[Next]")
	term.until("Configure outgoing mail")
	term.until("> out7.hoster.example:587")
	term.press("[Next]")
	term.until("Configuration complete!")
	n.mail.await(993, 587)
	term.key("Tab")
	term.key("Right") // from "Finish & open tutorial"
	term.press("[Finish]")
	term.until("Connected")
	accounts, err := os.ReadFile(filepath.Join(work, "config", "aerc", "accounts.conf"))
	if err != nil {
		n.fail(term.screen(), "%v", err)
	}
	login := "anna%40firma.example:correct%20horse%20battery@"
	for _, line := range []string{
		"source        = imaps://" + login + "in7.hoster.example:993",
		"outgoing      = smtp+plain://" + login + "out7.hoster.example:587",
		"smtp-starttls = yes",
	} {
		if !slices.Contains(strings.Split(string(accounts), "\n"), line) {
			n.fail(string(accounts), "accounts.conf has no line %q", line)
		}
	}
	term.write(`:compose -H "To: ` + anna + `" -H "Subject: it works" "It works."`)
	term.key("Enter")
	term.until("Send this email?")
	term.write("y")
	n.mail.awaitLetter(anna)
	term.picture("aerc")
	n.mail.checkIncoming("imap", anna)
	n.mail.checkOutgoing(anna)
}
