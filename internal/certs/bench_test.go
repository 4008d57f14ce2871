package certs

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
)

// The benchmarks compare handshakes with those of a bare crypto/tls server that has
// one certificate. Each server is a process of its own. 64 connections over
// loopback use them in alternating rounds, so that other load on the machine affects
// both alike. The benchmarks report
//
//	ratio       full handshakes per second, ours over bare, median of the rounds
//	cpu-ratio   CPU time of the server process per handshake, ours over bare
//	kB/cert     additional memory of ours, per certificate
//
// The number of handshakes per second means nothing without the other server's. With
// -short, a few rounds show that the benchmarks work, and the figures mean nothing.

const (
	connections = 64
	perRound    = 1000 // handshakes
)

// rounds returns the number of rounds.
func rounds() int { return unlessShort(16, 1) }

// loadedNames returns the number of names with a certificate.
func loadedNames() int { return unlessShort(10_000, perRound) }

// unlessShort returns the first number, or the second one with -short.
func unlessShort(many, few int) int {
	if testing.Short() {
		return few
	}
	return many
}

// These environment variables of the server process hold its kind, "bare" or
// "signpost", the storage directory and the number of names there.
const (
	benchServer = "SIGNPOST_BENCH_SERVER"
	benchDir    = "SIGNPOST_BENCH_DIR"
	benchNames  = "SIGNPOST_BENCH_NAMES"
)

// benchACME returns options for a server that does not exist.
func benchACME(dir string) *ACME {
	return &ACME{Storage: dir, Directory: "https://acme.invalid/directory"}
}

func benchName(i int) string { return fmt.Sprintf("autoconfig.customer%d.example", i) }

// serveBench serves until standard input is closed. It prints its address, and for
// each line that it reads its CPU time in nanoseconds and its resident memory in
// bytes.
func serveBench(kind string) {
	config, err := benchConfig(kind, os.Getenv(benchDir))
	if err != nil {
		panic(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if c.(*tls.Conn).Handshake() == nil {
					c.Read(make([]byte, 1))
				}
			}()
		}
	}()
	fmt.Println(l.Addr())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			panic(err)
		}
		fmt.Println(usage.Utime.Nano()+usage.Stime.Nano(), residentMemory())
	}
	os.Exit(0)
}

func benchConfig(kind, dir string) (*tls.Config, error) {
	m, err := New(Options{ACME: benchACME(dir), Policy: &Names{Domains: exampleDomains{}}})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if kind == "bare" {
		c, err := m.acme.load(ctx, benchName(0))
		m.Close()
		if err != nil {
			return nil, err
		}
		return &tls.Config{Certificates: []tls.Certificate{*c}}, nil
	}
	names, err := strconv.Atoi(os.Getenv(benchNames))
	if err != nil {
		return nil, err
	}
	for i := range names {
		if _, err := m.acme.load(ctx, benchName(i)); err != nil {
			return nil, err
		}
	}
	if got := m.Status().Count(Valid); got != names {
		return nil, fmt.Errorf("%d certificates are loaded", got)
	}
	return m.TLSConfig(), nil
}

// residentMemory returns the resident memory of this process, 0 without /proc.
func residentMemory() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	fmt.Sscan(string(statm), &size, &resident)
	return resident * int64(os.Getpagesize())
}

type benchProcess struct {
	in      io.WriteCloser
	out     *bufio.Scanner
	address string
}

func startBench(b *testing.B, kind, dir string) *benchProcess {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), benchServer+"="+kind, benchDir+"="+dir,
		benchNames+"="+strconv.Itoa(loadedNames()))
	cmd.Stderr = os.Stderr
	p := &benchProcess{}
	var err error
	if p.in, err = cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		p.in.Close()
		cmd.Wait()
	})
	p.address = p.line(b)
	return p
}

func (p *benchProcess) line(b *testing.B) string {
	b.Helper()
	if !p.out.Scan() {
		b.Fatalf("the serving process ended: %v", p.out.Err())
	}
	return p.out.Text()
}

// used returns the CPU time that the process has used so far, and its memory.
func (p *benchProcess) used(b *testing.B) (cpu time.Duration, resident int64) {
	b.Helper()
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscan(p.line(b), &cpu, &resident); err != nil {
		b.Fatal(err)
	}
	return cpu, resident
}

// shake performs n full handshakes, for a number of names in turn.
func shake(address string, n, names int) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, connections)
	for i := range connections {
		group.Go(func() {
			for errs[i] == nil {
				at := next.Add(1)
				if at > int64(n) {
					return
				}
				errs[i] = shakeOne(address, benchName(int(at)%names))
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func shakeOne(address, name string) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	// The client does as little as possible, because the servers are measured.
	t := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, SessionTicketsDisabled: true})
	return t.Handshake()
}

// cost is what a number of handshakes cost a process.
type cost struct {
	wall, cpu time.Duration
	n         int
}

func (c *cost) run(b *testing.B, p *benchProcess, names int) {
	b.Helper()
	before, _ := p.used(b)
	start := time.Now()
	if err := shake(p.address, perRound, names); err != nil {
		b.Fatal(err)
	}
	c.wall += time.Since(start)
	after, _ := p.used(b)
	c.cpu += after - before
	c.n += perRound
}

func (c *cost) perSecond() float64 { return float64(c.n) / c.wall.Seconds() }
func (c *cost) cpuEach() float64   { return float64(c.cpu.Microseconds()) / float64(c.n) }

// BenchmarkHandshake requests the same certificate from both servers.
func BenchmarkHandshake(b *testing.B) { compare(b, 1) }

// BenchmarkHandshakeSpread requests a thousand certificates in turn from ours. The
// additional cost is that of crypto/ecdsa, which signs with one key in two thirds of
// the time that it takes with many keys.
func BenchmarkHandshakeSpread(b *testing.B) { compare(b, perRound) }

func compare(b *testing.B, names int) {
	dir := b.TempDir()
	fillStorage(b, dir, loadedNames())
	bare, ours := startBench(b, "bare", dir), startBench(b, "signpost", dir)
	new(cost).run(b, bare, names)
	new(cost).run(b, ours, names)
	var theirs, mine cost
	var ratios []float64
	for range rounds() {
		before, after := theirs.wall, mine.wall
		theirs.run(b, bare, names)
		mine.run(b, ours, names)
		ratios = append(ratios, float64(theirs.wall-before)/float64(mine.wall-after))
	}
	slices.Sort(ratios)
	_, little := bare.used(b)
	_, resident := ours.used(b)

	b.ReportMetric(0, "ns/op") // meaningless here: a run is one comparison
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(mine.cpuEach()/theirs.cpuEach(), "cpu-ratio")
	b.ReportMetric(mine.perSecond(), "handshakes/s")
	b.ReportMetric(mine.cpuEach(), "cpu-µs/handshake")
	b.ReportMetric(theirs.cpuEach(), "bare-cpu-µs/handshake")
	b.ReportMetric(float64(resident)/1e6, "resident-MB")
	b.ReportMetric(float64(resident-little)/1e3/float64(loadedNames()), "kB/cert")
}

// BenchmarkCertificate measures our part of a handshake alone.
func BenchmarkCertificate(b *testing.B) {
	dir := b.TempDir()
	const few = 1000
	fillStorage(b, dir, few)
	m, err := New(Options{ACME: benchACME(dir), Policy: &Names{Domains: exampleDomains{}}})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	for i := range few {
		if _, err := m.acme.load(b.Context(), benchName(i)); err != nil {
			b.Fatal(err)
		}
	}
	hello := &tls.ClientHelloInfo{ServerName: benchName(few / 2)}
	b.ReportAllocs()
	for b.Loop() {
		if c, err := m.certificate(hello); c == nil || err != nil {
			b.Fatal(err)
		}
	}
}

// fillStorage stores certificates as certmagic does.
func fillStorage(b testing.TB, dir string, n int) {
	b.Helper()
	m, err := New(Options{ACME: benchACME(dir)})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	issuer := m.acme.config.Issuers[0].IssuerKey()
	ca := newTestCA(b)
	intermediate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.root.Raw})
	for i := range n {
		name := benchName(i)
		chain, key := ca.issue(b, request{names: []string{name}})
		for file, text := range map[string][]byte{
			certmagic.StorageKeys.SiteCert(issuer, name):       append(chain, intermediate...),
			certmagic.StorageKeys.SitePrivateKey(issuer, name): key,
			certmagic.StorageKeys.SiteMeta(issuer, name):       []byte("{}"),
		} {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
}
