//go:build unix

package service

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a certificate for the names, and its key.
func writeCertificate(t *testing.T, dir, name string, key crypto.Signer, mode os.FileMode, names ...string) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	in := func(block string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}))
	}
	write(t, filepath.Join(dir, name+".pem"), in("CERTIFICATE", der), 0o644)
	write(t, filepath.Join(dir, name+".key"), in("PRIVATE KEY", text), mode)
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

const oneProvider = `
providers:
  - id: a
    displayName: A
    domains: [a.example]
    servers: [{type: imap, hostname: imap.example}, {type: smtp, hostname: smtp.example}]
`

// openDirectory returns a directory that every user can read, which t.TempDir is not.
func openDirectory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "signpost")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if at := closedTo(others, dir); at != "" {
		t.Skipf("other users cannot read %s, because of %s", dir, at)
	}
	return dir
}

// TestExposed checks which private keys are reported: those that every user can read.
func TestExposed(t *testing.T) {
	dir := openDirectory(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, dir, "open", key, 0o644, "open.example")
	writeCertificate(t, dir, "closed", key, 0o640, "closed.example")
	const tsig = `key "k" { algorithm hmac-sha256; secret "c2lnbnBvc3QtdGVzdC1rZXktMDEyMzQ1Njc4OWFiY2Q="; };`
	write(t, filepath.Join(dir, "open.tsig"), tsig, 0o644)
	write(t, filepath.Join(dir, "closed.tsig"), tsig, 0o640)
	write(t, filepath.Join(dir, "storage/a/open.key"), "", 0o644)
	write(t, filepath.Join(dir, "storage/b/open.key"), "", 0o644)
	write(t, filepath.Join(dir, "closed-storage/a/closed.key"), "", 0o600)
	write(t, filepath.Join(dir, "closed-storage/b/open.key"), "", 0o644)
	if err := os.Chmod(filepath.Join(dir, "closed-storage/b"), 0o700); err != nil {
		t.Fatal(err)
	}
	const inline = "    - {zone: b.example, primary: ns1.example,\n" +
		"       key: {name: k, secret: c2lnbnBvc3Qgc2lnbnBvc3Qgc2lnbnA=}}\n"
	for _, row := range []struct {
		state, storage, more string
		mode                 os.FileMode
		want                 []string
	}{
		{"open", "storage", "", 0o644, []string{"open.key", "open.tsig", "storage/a/open.key"}},
		{"closed", "closed-storage", "", 0o644, nil},
		{"closed", "closed-storage", inline,
			0o644, []string{"signpost.yaml"}},
		{"closed", "closed-storage", inline,
			0o640, nil},
	} {
		file := filepath.Join(dir, "signpost.yaml")
		text := fmt.Sprintf(`
tls:
  certificates: [{certificate: %[1]s.pem, key: %[1]s.key}]
  acme: {storage: %[2]s}
profiles: {certificate: %[1]s.pem, key: %[1]s.key}
dns:
  updates:
    - {zone: a.example, primary: ns1.example, keyFile: %[1]s.tsig}
`, row.state, row.storage) + row.more + oneProvider
		write(t, file, text, row.mode)
		l, err := Load(file, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, warning := range l.Exposed() {
			got = append(got, strings.TrimPrefix(warning.File, dir+"/"))
			if !strings.Contains(warning.Text, "every user of this machine can read it") {
				t.Errorf("%s: the warning is %q", row.state, warning)
			}
		}
		if strings.Join(got, " ") != strings.Join(row.want, " ") {
			t.Errorf("%s, configuration %v: Exposed = %q, want %q", row.state, row.mode, got, row.want)
		}
	}
}

// TestExposedStore checks that the password and the key of a database of certificates are reported
// if every user can read them, and a file that systemd provides is not.
func TestExposedStore(t *testing.T) {
	dir := openDirectory(t)
	for name, mode := range map[string]os.FileMode{"open": 0o644, "closed": 0o640} {
		write(t, filepath.Join(dir, name+".password"), "secret\n", mode)
		write(t, filepath.Join(dir, name+".seal"), "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", mode)
	}
	for _, row := range []struct {
		password, seal string
		want           string // the files
	}{
		{"open.password", "closed.seal", "open.password"},
		{"closed.password", "open.seal", "open.seal"},
		{"open.password", "open.seal", "open.password open.seal"},
		{"closed.password", "closed.seal", ""},
		{"credential:password", "closed.seal", ""},
	} {
		file := filepath.Join(dir, "signpost.yaml")
		write(t, file, fmt.Sprintf("name: setup.example\ntls: {acme: {storage: \"postgres://u@db.example/d\", "+
			"passwordFile: %q, sealFile: %q}}\n", row.password, row.seal)+oneProvider, 0o644)
		l, err := Load(file, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, warning := range l.Exposed() {
			got = append(got, strings.TrimPrefix(warning.File, dir+"/"))
			if !strings.Contains(warning.Text, "every user of this machine can read it") {
				t.Errorf("with %s and %s the warning is %q", row.password, row.seal, warning)
			}
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("with %s and %s, Exposed = %q, want %q", row.password, row.seal, got, row.want)
		}
	}
}

// TestRSAOnly checks that a certificate with an RSA key causes a warning unless others with
// another kind of key have all of its names.
func TestRSAOnly(t *testing.T) {
	dir := t.TempDir()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, dir, "rsa", r, 0o600, "a.example", "b.example")
	writeCertificate(t, dir, "one", e, 0o600, "A.example")
	writeCertificate(t, dir, "both", e, 0o600, "b.example", "a.example")
	for _, row := range []struct {
		files []string
		want  string
	}{
		{[]string{"rsa"}, "has an RSA key, and no other certificate has a.example"},
		{[]string{"one", "rsa"}, "has an RSA key, and no other certificate has b.example"},
		{[]string{"rsa", "both"}, ""},
		{[]string{"both"}, ""},
	} {
		text := "tls:\n  certificates:\n"
		for _, name := range row.files {
			text += fmt.Sprintf("    - {certificate: %[1]s.pem, key: %[1]s.key}\n", name)
		}
		file := filepath.Join(dir, "signpost.yaml")
		write(t, file, text+oneProvider, 0o600)
		l, err := Load(file, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		warnings := l.RSAOnly()
		if (len(warnings) > 0) != (row.want != "") ||
			len(warnings) > 0 && !strings.Contains(warnings[0].String(), row.want) {
			t.Errorf("RSAOnly with %q = %v, want %q", row.files, warnings, row.want)
		}
	}
}
