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

// TestDomainFileRefused: a file that would never end or never begin.
func TestDomainFileRefused(t *testing.T) {
	file := write(t, "signpost.yaml", domainsFromFile)
	domains := filepath.Join(filepath.Dir(file), "domains.txt")
	if err := syscall.Mkfifo(domains, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), "it is not a regular file") {
		t.Errorf("named pipe: got %v", err)
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
		t.Errorf("huge file: got %v", err)
	}
}

func manyDomains(t testing.TB, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "customer-%d.example\n", i)
	}
	return write(t, "signpost.yaml", domainsFromFile, "domains.txt", text.String())
}

// TestDomainFileMemory: names are parts of the text that was read, so that a
// loaded configuration holds little more than the text and one string header
// for each.
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
		t.Fatalf("%d domains, want %d", got, n)
	}
	if most := 6 << 20; kept > most {
		t.Errorf("%d domains keep %d bytes, want at most %d", n, kept, most)
	}
	runtime.KeepAlive(c)
}

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

// cpu is the time that this process has used, which a busy machine does not
// lengthen as it does the clock's.
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

// TestDomainsTwice: what an export repeats within one provider is harmless,
// however much of it there is.
func TestDomainsTwice(t *testing.T) {
	file := write(t, "signpost.yaml", domainsFromFile, "domains.txt", strings.Repeat("example.com\n", 51))
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Providers[0].Domains); got != "[example.com]" {
		t.Errorf("domains %v", got)
	}
	if n := len(c.Warnings); n != maxFileFaults+1 || !strings.HasSuffix(c.Warnings[n-1].Text, "and 30 more domains that are already listed") {
		t.Errorf("%d warnings: %v", n, c.Warnings)
	}
}
