package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const domainsFromFile = `
providers:
  - id: many
    displayName: Many
    domains: {file: domains.txt}
    servers: [{type: imap, hostname: mail.%EMAILDOMAIN%}, {type: smtp, hostname: mail.%EMAILDOMAIN%}]
`

// TestDomainFileRefused checks that a named pipe and a huge file are not read.
func TestDomainFileRefused(t *testing.T) {
	file := write(t, "signpost.yaml", domainsFromFile)
	domains := filepath.Join(filepath.Dir(file), "domains.txt")
	if err := syscall.Mkfifo(domains, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "it is not a regular file") {
		t.Errorf("Load() of a named pipe: error %v, want that it is not a regular file", err)
	}
	if err := os.Remove(domains); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(domains, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(domains, maxDomainFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "it is larger than 64 MiB") {
		t.Errorf("Load() of a huge file: error %v, want that it is larger than 64 MiB", err)
	}
}

// manyDomains writes a configuration with a file of n domains.
func manyDomains(t testing.TB, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "customer-%d.example\n", i)
	}
	return write(t, "signpost.yaml", domainsFromFile, "domains.txt", text.String())
}

// TestDomainFileMemory checks that the names are parts of the text that was read, so
// that a configuration needs little more than the text and a string header per name.
func TestDomainFileMemory(t *testing.T) {
	const n = 100_000
	file := manyDomains(t, n)
	before := heap()
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	kept := heap() - before
	if got := len(c.Providers[0].Domains); got != n {
		t.Fatalf("Load() returned %d domains, want %d", got, n)
	}
	if most := 6 << 20; kept > most {
		t.Errorf("%d domains need %d bytes, want at most %d", n, kept, most)
	}
	runtime.KeepAlive(c)
}

// heap returns the number of bytes of live objects.
func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func BenchmarkLoad100000Domains(b *testing.B) {
	file := manyDomains(b, 100_000)
	b.ReportAllocs()
	start := cpu(b)
	for b.Loop() {
		if _, err := Load(file); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// cpu returns the CPU time of this process, which depends less on the load of the
// machine than the time of the clock.
func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkLoadMamut(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load("../../testdata/config/mamut.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRepeatedDomains checks that domains which an export repeats within one provider
// are only a warning, however many there are.
func TestRepeatedDomains(t *testing.T) {
	file := write(t, "signpost.yaml", domainsFromFile, "domains.txt", strings.Repeat("example.com\n", 51))
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Providers[0].Domains); got != "[example.com]" {
		t.Errorf("domains = %v, want [example.com]", got)
	}
	if n := len(c.Warnings); n != maxFileFaults+1 ||
		!strings.HasSuffix(c.Warnings[n-1].Text, "and 30 more domains that are already listed") {
		t.Errorf("%d warnings, want %d and a count of the rest: %v", n, maxFileFaults+1, c.Warnings)
	}
	file = write(t, "signpost.yaml", domainsFromFile, "domains.txt", strings.Repeat("example.com\n", maxFileFaults+1))
	if c, err = Load(file); err != nil || len(c.Warnings) != maxFileFaults {
		t.Errorf("%d repeated domains: error %v, %d warnings, want one each:\n%v",
			maxFileFaults, err, len(c.Warnings), c.Warnings)
	}
}

// TestDomainFileFormats reads lists as other programs keep them.
func TestDomainFileFormats(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                "a.example\nb.example\n",
		"Postfix map":          "# virtual_mailbox_domains\na.example\tOK\nb.example   lmtp:unix:private/dovecot\n",
		"Windows":              "a.example OK\r\nb.example\r\n",
		"cPanel's userdomains": "*: nobody\na.example: alice\nb.example: bob==root\n",
	} {
		c, err := Load(write(t, "signpost.yaml", domainsFromFile, "domains.txt", text))
		if err != nil {
			t.Errorf("%s: Load() error: %v", name, err)
			continue
		}
		if got := fmt.Sprint(c.Providers[0].Domains); got != "[a.example b.example]" {
			t.Errorf("%s: domains = %s, want [a.example b.example]", name, got)
		}
	}
	for _, line := range []string{"exa mple.com", "anna@example.com ok", "PHP Warning: no database", "*",
		"<html> a.example"} {
		_, err := Load(write(t, "signpost.yaml", domainsFromFile, "domains.txt", "a.example\n"+line+"\n"))
		if err == nil || !strings.Contains(err.Error(), "domains.txt:2: ") {
			t.Errorf("Load() with the line %q: error %v, want one for domains.txt:2", line, err)
		}
	}
}

// TestListedAlias checks that a domain stays another name of a domain if a list or a file
// of the same provider holds it as well, before or after it.
func TestListedAlias(t *testing.T) {
	const alias = "{alias: example.com, of: example.se}"
	for _, domains := range []string{
		"[example.se, example.com, " + alias + "]",
		"[example.se, " + alias + ", example.com]",
		"[{file: domains.txt}, " + alias + "]",
		"[" + alias + ", {file: domains.txt}]",
	} {
		c, err := Load(write(t, "signpost.yaml", strings.Replace(domainsFromFile, "{file: domains.txt}", domains, 1),
			"domains.txt", "example.se\nexample.com\n"))
		if err != nil {
			t.Errorf("domains: %s: Load() error: %v", domains, err)
			continue
		}
		p := c.Providers[0]
		if len(p.Domains) != 2 || p.Aliases["example.com"] != "example.se" || len(c.Warnings) > 0 {
			t.Errorf("domains: %s: domains %q, aliases %q, warnings %v; want two domains, example.com for example.se, no warning",
				domains, p.Domains, p.Aliases, c.Warnings)
		}
	}
}
