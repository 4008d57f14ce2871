package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// storeOld writes a certificate that is valid until this time from now into a directory, as
// certmagic does.
func storeOld(t *testing.T, dir, name string, until time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(until)}
	chain, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for end, text := range map[string][]byte{
		".crt":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain}),
		".key":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		".json": []byte(`{"sans": ["` + name + `"]}`),
	} {
		file := filepath.Join(dir, "certificates/authority", name, name+end)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificates copies certificates into a database twice, one of them after it is repaired.
func TestCertificates(t *testing.T) {
	d := rig.PostgreSQL(t).Empty(t)
	d.Run(t, fmt.Sprintf("GRANT CREATE ON SCHEMA public TO %s; ALTER ROLE %[1]s RESET ALL; "+
		"ALTER ROLE %[1]s CONNECTION LIMIT -1;", d.User))
	config := rig.Write(t, t.TempDir(), "signpost.yaml", fmt.Sprintf(`name: setup.example.com
tls: {acme: {storage: "%s", passwordFile: %s}}
providers:
  - id: mail
    displayName: Example Mail
    domains: [example.com]
    servers:
      - {type: imap, hostname: mail.example.com}
      - {type: smtp, hostname: mail.example.com}
`, d.URL, d.PasswordFile))
	dir := t.TempDir()
	storeOld(t, dir, "a.example", time.Hour)
	storeOld(t, dir, "b.example", -time.Hour)
	storeOld(t, dir, "c.example", time.Hour)
	damaged := filepath.Join(dir, "certificates/authority/c.example/c.example.json")
	if err := os.WriteFile(damaged, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		status         int
		stdout, stderr string
	}{
		{1, `certificates copied   1
accounts copied       0
left: expired         1
left: cannot be used  1
`, "signpost: " + damaged + ": it is damaged\n"},
		{0, `certificates copied            1
accounts copied                0
left: expired                  1
left: in the database already  1
`, ""},
	} {
		var stdout, stderr output
		status := run(t.Context(), env{strings.NewReader(""), &stdout, &stderr},
			[]string{"certificates", "-config", config, "-from", dir})
		if status != want.status || stdout.String() != want.stdout || stderr.String() != want.stderr {
			t.Errorf("signpost certificates = %d,\n%s%s\nwant %d,\n%s%s",
				status, stdout.String(), stderr.String(), want.status, want.stdout, want.stderr)
		}
		storeOld(t, dir, "c.example", time.Hour)
	}
	var stderr output
	empty := t.TempDir()
	status := run(t.Context(), env{strings.NewReader(""), &stderr, &stderr},
		[]string{"certificates", "-config", config, "-from", empty})
	if want := "signpost: " + empty + " holds no certificates\nhint: "; status != 1 || !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("signpost certificates of an empty directory = %d,\n%swant 1 and %q", status, stderr.String(), want)
	}
}
