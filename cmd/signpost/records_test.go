package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"signpost/internal/freeport"
	"signpost/internal/records"
)

// startNamed starts BIND with an empty zone butiken.example, which takes updates
// with a key, and returns its address and the key's file.
func startNamed(t *testing.T) (address, keyFile string) {
	t.Helper()
	program, err := exec.LookPath("named")
	if err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	port := freeport.Choose(t)
	address = "127.0.0.1:" + port

	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := file("signpost.key",
		`key "signpost" { algorithm hmac-sha256; secret "c2lnbnBvc3QtdGVzdC1rZXktMDEyMzQ1Njc4OWFiY2Q="; };`+"\n")
	const start = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
	file("zone", start)
	// The hosts to which the records of the domain lead must exist, too.
	file("hosts", start+"setup A 192.0.2.1\nimap A 192.0.2.2\nsmtp A 192.0.2.3\n")
	conf := file("named.conf", fmt.Sprintf(`include %q;
options { directory %q; listen-on port %s { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; recursion no; dnssec-validation no; };
controls { };
zone "butiken.example" { type primary; file "zone"; allow-update { key signpost; }; };
zone "websupport.example" { type primary; file "hosts"; };
zone "websupport.se" { type primary; file "hosts"; };
`, key, folder, port))
	log := new(output)
	cmd := exec.Command(program, "-g", "-c", conf, "-n", "1")
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	for !strings.Contains(log.String(), " running\n") {
		select {
		case <-ended:
			t.Fatalf("named ended:\n%s", log.String())
		case <-time.After(time.Millisecond):
		}
	}
	// It is running even where it has the port over UDP alone.
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	conn.Close()
	return address, key
}

// recordsRunner writes a configuration and returns a function that runs signpost
// records with it. The exit status must be as given, and the output must have all
// of the texts, which are separated by line breaks.
func recordsRunner(t *testing.T, config, text string) func(status int, want string, args ...string) {
	t.Helper()
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(status int, want string, args ...string) {
		t.Helper()
		var stdout, stderr output
		args = append([]string{"records", "-config", config}, args...)
		if got := run(t.Context(), env{strings.NewReader("y\n"), &stdout, &stderr}, args); got != status {
			t.Errorf("signpost %v: exit status %d, want %d\n%s%s", args, got, status, stdout.String(), stderr.String())
		}
		for text := range strings.SplitSeq(want, "\n") {
			if !strings.Contains(stdout.String()+stderr.String(), text) {
				t.Errorf("signpost %v: no %q in\n%s%s", args, text, stdout.String(), stderr.String())
			}
		}
	}
}

// TestEachDomain checks that the work for as many domains as -at-once says goes on at a
// time, and that one that fails stops no other.
func TestEachDomain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := &recordsRun{domains: []string{"a.example", "b.example", "c.example", "d.example"}, atOnce: 2}
		r.remove = true
		if err := r.setDesired(); err != nil {
			t.Fatal(err)
		}
		var working, most atomic.Int32
		work := func(ctx context.Context, d records.Domain) (string, error) {
			most.Store(max(most.Load(), working.Add(1)))
			time.Sleep(time.Second)
			working.Add(-1)
			if d.Name == "b.example" {
				return "", errors.New("b.example fails")
			}
			return d.Name, nil
		}
		start := time.Now()
		got := slices.Collect(eachDomain(ctx, r, work))
		if want := []string{"a.example", "c.example", "d.example"}; !slices.Equal(got, want) {
			t.Errorf("results of %q, want %q", got, want)
		}
		if took := time.Since(start); most.Load() != 2 || took != 2*time.Second {
			t.Errorf("at most %d domains at a time, in %v, want 2 in 2s", most.Load(), took)
		}
		if len(r.failures) != 1 || r.failures[0].Error() != "b.example fails" {
			t.Errorf("failures %v, want that of b.example", r.failures)
		}
	})
}

// TestPublishAll goes on after domains that cannot be published and after one that
// cannot be compared, and names them all at the end.
func TestPublishAll(t *testing.T) {
	address, key := startNamed(t)
	records := recordsRunner(t, filepath.Join(t.TempDir(), "signpost.yaml"), fmt.Sprintf(`name: setup.websupport.example
dns:
  servers: [%q]
  updates: [{zone: butiken.example, primary: %q, keyFile: %q}]
providers:
  - id: websupport
    displayName: Websupport
    domains: [alpha.example, butiken.example, omega.example]
    servers:
      - {type: imap, hostname: imap.websupport.se}
      - {type: smtp, hostname: smtp.websupport.se}
`, address, address, key))
	records(1, "butiken.example: missing: \nunknown.example is not hosted here\nhint: every client",
		"-compare", "-resolver", address, "butiken.example", "unknown.example")
	const noPrimary = "no primary is configured for alpha.example\nno primary is configured for omega.example\nhint: say in the configuration"
	records(1, noPrimary+"\nbutiken.example: add ", "-publish", "-all")
	records(1, noPrimary+"\nbutiken.example: 12 added", "-publish", "-all", "-yes", "-at-once", "1")
	records(1, noPrimary, "-publish", "-all", "-yes")
	records(1, "unknown.example is not hosted here", "-publish", "-yes", "butiken.example", "unknown.example")
	records(1, "_imaps._tcp.butiken.example\nunknown.example is not hosted here", "butiken.example", "unknown.example")
}

// TestPublishRecords takes a domain through its life: nothing there, published,
// nothing to do, gone.
func TestPublishRecords(t *testing.T) {
	address, key := startNamed(t)
	config := filepath.Join(t.TempDir(), "signpost.yaml")
	text := fmt.Sprintf(`name: setup.websupport.example
dns:
  servers: [%q]
  updates: [{zone: butiken.example, primary: %q, keyFile: %q}]
providers:
  - id: websupport
    displayName: Websupport
    domains: [butiken.example]
    servers:
      - {type: imap, hostname: imap.websupport.se}
      - {type: smtp, hostname: smtp.websupport.se}
`, address, address, key)
	records := recordsRunner(t, config, text)
	compare := []string{"-compare", "-resolver", address, "butiken.example"}
	records(1, "missing: ", compare...)
	records(1, "-yes applies the plan above", "-publish", "butiken.example")
	records(1, "missing: ", compare...)
	records(0, "added", "-publish", "-yes", "butiken.example")
	records(0, "nothing to do", "-publish", "-all")
	records(0, "1 domain", compare...)
	records(0, `"domain":"butiken.example"`, append(compare, "-format", "json")...)
	records(0, "removed", "-remove", "-yes", "butiken.example")
	records(0, "nothing to do", "-remove", "butiken.example")
	records(1, "missing: ", compare...)
}

// TestRecordsCertificates checks that records knows for which names the service has a
// certificate: those of the files, or any where ACME or a proxy provides them.
func TestRecordsCertificates(t *testing.T) {
	folder := t.TempDir()
	putCertificate(t, folder, 1)
	const there, leftOut = " SRV 0 1 443 ", "; _autodiscover._tcp: left out, because Thunderbird would ask"
	for tls, want := range map[string]string{
		"": there,
		"tls: {certificates: [{certificate: cert.pem, key: cert.pem}]}":                        leftOut,
		"tls: {certificates: [{certificate: cert.pem, key: cert.pem}], acme: {storage: acme}}": there,
		"tls: {certificates: [{certificate: missing.pem, key: cert.pem}]}":                     there,
	} {
		text := "name: setup.example.com\n" + tls + `
providers:
  - id: example
    displayName: Example
    domains: [domain.se, customer.example]
    servers:
      - {type: imap, hostname: imap.example.com}
      - {type: smtp, hostname: smtp.example.com}
`
		records := recordsRunner(t, filepath.Join(folder, "signpost.yaml"), text)
		records(0, there, "domain.se")
		records(0, want, "customer.example")
	}
}

// domainsText returns a configuration for count domains in BIND's zone.
func domainsText(name, address, key string, count int) string {
	var domains strings.Builder
	for i := range count {
		fmt.Fprintf(&domains, "d%03d.butiken.example, ", i+1)
	}
	return fmt.Sprintf(`name: %s
dns:
  servers: [%q]
  updates: [{zone: butiken.example, primary: %q, keyFile: %q}]
providers:
  - id: websupport
    displayName: Websupport
    domains: [%s]
    servers:
      - {type: imap, hostname: imap.websupport.se}
      - {type: smtp, hostname: smtp.websupport.se}
`, name, address, address, key, domains.String())
}

// TestTerminal runs the command at a terminal, with BIND as the primary.
func TestTerminal(t *testing.T) {
	address, key := startNamed(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/terminal",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DNS", address)
			text := domainsText("setup.websupport.example", address, key, 2)
			return os.WriteFile(filepath.Join(e.WorkDir, "signpost.yaml"), []byte(text), 0o600)
		},
	})
}

// TestPublishConflicts checks that domains which another service publishes are left
// alone and counted.
func TestPublishConflicts(t *testing.T) {
	address, key := startNamed(t)
	folder := t.TempDir()
	first := recordsRunner(t, filepath.Join(folder, "first.yaml"),
		domainsText("setup.websupport.example", address, key, 2))
	first(0, "d002.butiken.example: 12 added", "-publish", "-all", "-yes")
	second := recordsRunner(t, filepath.Join(folder, "second.yaml"),
		domainsText("other.websupport.example", address, key, 2))
	const hint = "\nhint: remove the records, or overwrite them with -replace"
	second(1, "signpost: 1 domain is only partly published: it has records that Signpost did not write"+hint,
		"-publish", "-yes", "d001.butiken.example")
	second(1, "signpost: 2 domains are only partly published: they have records that Signpost did not write"+hint,
		"-publish", "-yes", "-all")
}

// TestPublishWithoutName checks that a service without a name publishes nothing: nothing
// would mark its records.
func TestPublishWithoutName(t *testing.T) {
	config := filepath.Join(t.TempDir(), "signpost.yaml")
	text := strings.TrimPrefix(domainsText("x", "127.0.0.1:1", "", 1), "name: x\n")
	text = strings.Replace(text, `keyFile: ""`,
		"key: {name: a, algorithm: hmac-sha256, secret: c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0}", 1)
	text = strings.Replace(text, "dns:\n", "dns:\n  addresses: [192.0.2.1]\n", 1)
	records := recordsRunner(t, config, text)
	records(1, "signpost.yaml gives the service no name, which marks what it published\nhint: write name:",
		"-publish", "-yes", "-all")
}
