package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestThunderbirdMoved lets Thunderbird set up an account with configurations that nobody
// wrote: Signpost made them from those of the running Postfix and Dovecot, which have one
// certificate. It has Postfix's own name, so that clients are told this one for both.
func TestThunderbirdMoved(t *testing.T) {
	need(t, append([]string{"postconf", "doveconf"}, thunderbirdNeeds...)...)
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"import", []string{"import", "-postfix", "-dovecot"}},
		{"init", []string{"init", "-private", "-tls", "proxy", "-product", "Firma Mail", "-name", "setup.hoster.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := wayNamed(t, "https")
			w.configure = tt.args
			w.incoming.Hostname = smtp.Hostname
			closed(t, w.test)
		})
	}
}

// configuredBy returns the configuration that a command of Signpost makes from those of the
// mail servers. What it asks the network is no request of the client.
func (n *network) configuredBy(args []string) string {
	n.t.Helper()
	n.mail.await(993, 465)
	file := filepath.Join(work, "made.yaml")
	cmd := exec.Command(os.Getenv(insideVariable), append(args, "-o", file)...)
	// The first two name the configurations of Postfix and Dovecot.
	cmd.Env = append(os.Environ(), "MAIL_CONFIG="+filepath.Join(work, "mail/postfix"),
		"CONFIG_FILE="+filepath.Join(work, "mail/dovecot.conf"), "SSL_CERT_FILE="+n.ca.file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		n.t.Fatalf("signpost %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Logf("%s\n%s", out, text)
	n.mark = len(n.all())
	// The test adds where to listen.
	return strings.Replace(string(text), "\nlisten: ", "\n# listen: ", 1)
}
