package main

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// brandedText configures JSON logs, templates of the operator's own, and a port
// that causes a warning.
func brandedText(folder, host string) string {
	text := configText(folder, host, "log: {format: json}\nbranding: {templates: page}")
	return strings.Replace(text, "port: 993", "port: 465", 1)
}

// putTemplates writes templates in which all texts but one are missing in Portuguese.
func putTemplates(t *testing.T, folder string) {
	t.Helper()
	for _, dir := range []string{"text", "html"} {
		if err := os.MkdirAll(filepath.Join(folder, "page", dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	put(t, folder, "page/text/pt.json", `{"language": "Português", "form.title": "Configurar o e-mail"}`)
}

// loggedFaults returns the field "fault" of the lines with the message.
func loggedFaults(t *testing.T, log, message string) []string {
	t.Helper()
	var faults []string
	for line := range strings.Lines(log) {
		if !strings.HasSuffix(line, "\n") {
			break // the rest has not been read yet
		}
		var entry struct{ Msg, Fault string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("log.format is json, but the service wrote %q", line)
		}
		if entry.Msg == message {
			faults = append(faults, entry.Fault)
		}
	}
	return faults
}

// checkWarnings checks that the log warns of the configuration and of templates.
func checkWarnings(t *testing.T, log string) {
	t.Helper()
	faults := loggedFaults(t, log, "configuration warning")
	for _, want := range []string{"signpost.yaml:", "texts are in English"} {
		if !slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, want) }) {
			t.Errorf("no configuration warning contains %q:\n%s", want, log)
		}
	}
}

// TestWarnings checks that the warnings at the start and at a reload are written to
// the log in its format, those of templates included.
func TestWarnings(t *testing.T) {
	folder := prepare(t, "")
	putTemplates(t, folder)
	put(t, folder, "signpost.yaml", brandedText(folder, "one.example"))
	r := startServeJSON(t, folder)
	checkWarnings(t, r.stderr.String())

	r.stderr.reset()
	put(t, folder, "signpost.yaml", brandedText(folder, "two.example"))
	r.signal(t, syscall.SIGHUP)
	r.says(t, regexp.MustCompile(`"msg":"reloaded"`))
	r.stop(t)
	checkWarnings(t, r.stderr.String())
}

// TestReloadOfBrokenTemplates checks that a template with a fault changes nothing,
// that the log has the file and line, and that the next good one is used.
func TestReloadOfBrokenTemplates(t *testing.T) {
	folder := prepare(t, "")
	putTemplates(t, folder)
	put(t, folder, "page/text/en.json", `{"form.title": "Our mail"}`)
	put(t, folder, "signpost.yaml", brandedText(folder, "one.example"))
	r := startServeJSON(t, folder)
	title := func() string {
		t.Helper()
		status, body := askOnce(t, r.address, "GET / HTTP/1.1\r\nHost: setup.example\r\n\r\n")
		if status != 200 {
			t.Fatalf("GET / = %d\n%s", status, body)
		}
		return regexp.MustCompile(`<h1>.*</h1>`).FindString(body)
	}
	if got, want := title(), "<h1>Our mail</h1>"; got != want {
		t.Fatalf("title before the reload = %s, want %s", got, want)
	}

	put(t, folder, "page/html/ask.html",
		"{{define \"ask\"}}\n<h1>{{.Titel}}</h1>\n{{end}}{{define \"contact\"}}{{end}}")
	put(t, folder, "signpost.yaml", brandedText(folder, "two.example"))
	r.signal(t, syscall.SIGHUP)
	r.says(t, regexp.MustCompile(`"msg":"reload failed, keeping the previous configuration"`))
	faults := loggedFaults(t, r.stderr.String(), "reload failed, keeping the previous configuration")
	if want := "page/html/ask.html:2: can't evaluate field Titel"; len(faults) == 0 ||
		!strings.HasSuffix(faults[0], want) {
		t.Errorf("faults of the reload = %q, want one that ends in %q", faults, want)
	}
	if got, want := title(), "<h1>Our mail</h1>"; got != want {
		t.Errorf("title after the failed reload = %s, want %s", got, want)
	}
	if _, body := askOnce(t, r.address, thunderbird("domain.se")); !strings.Contains(body, "imap.one.example") {
		t.Errorf("the failed reload changed the settings:\n%s", body)
	}

	r.stderr.reset()
	put(t, folder, "page/html/ask.html", "{{define \"ask\"}}<h1>Fixed</h1>{{end}}{{define \"contact\"}}{{end}}")
	r.says(t, regexp.MustCompile(`"msg":"reloaded"`))
	if got, want := title(), "<h1>Fixed</h1>"; got != want {
		t.Errorf("title after the fix = %s, want %s", got, want)
	}
}

// TestCheckUnknownAuthority checks that a certificate whose authority few devices know
// is a warning of its own: it can sign, unlike one that is missing.
func TestCheckUnknownAuthority(t *testing.T) {
	if roots, err := x509.SystemCertPool(); err != nil || roots.Equal(x509.NewCertPool()) {
		t.Skip("this machine knows no authority, so that it cannot tell")
	}
	folder := prepare(t, "profiles: {certificate: cert.pem, key: cert.pem}")
	putCertificate(t, folder, 1)
	var stdout, stderr output
	args := []string{"check", "-config", filepath.Join(folder, "signpost.yaml")}
	if status := run(t.Context(), env{strings.NewReader(""), &stdout, &stderr}, args); status != 0 {
		t.Errorf("check returned %d, want 0:\n%s", status, stderr.String())
	}
	const want = "signpost: warning: profiles are signed, but devices may not trust the signature: "
	if !strings.Contains(stderr.String(), want) {
		t.Errorf("check wrote no %q:\n%s", want, stderr.String())
	}
}
