package server_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The benchmarks compare the service with a bare net/http handler that reads
// the same body and writes the same bytes. Each of the two is a process of its
// own, asked over loopback by 64 connections in alternating rounds of one run,
// so that what the machine does besides hits both alike. They report
//
//	ratio         requests per second, service over bare
//	cpu-ratio     CPU time of the server process per request, service over bare
//	cpu-µs/req    CPU time of the service's process per request
//
// A number of requests per second is worth nothing without the other one.

const (
	connections = 64
	rounds      = 5
	perRound    = 30000 // requests; long enough for the scheduler's moods to even out
)

// benchServer is set in the process that serves: "bare" or "signpost".
const benchServer = "SIGNPOST_BENCH_SERVER"

func TestMain(m *testing.M) {
	switch os.Getenv(benchServer) {
	case "bare":
		serveBench(bareHandler(os.Getenv("SIGNPOST_BENCH_ANSWER")))
	case "signpost":
		serveBench(benchHandler(os.Getenv("SIGNPOST_BENCH_CONFIG")))
	default:
		os.Exit(m.Run())
	}
}

// serveBench serves until standard input closes. It prints its address first,
// and its CPU time in nanoseconds and its resident memory in bytes at every
// line that it reads.
func serveBench(handler http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, handler)
	fmt.Println(listener.Addr())
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

// residentMemory is the VmRSS of this process, 0 where there is no /proc.
func residentMemory() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	fmt.Sscan(string(statm), &size, &resident)
	return resident * int64(os.Getpagesize())
}

// bareHandler reads the body and writes the bytes of the file, with the header
// that net/http cannot know.
func bareHandler(file string) http.Handler {
	answer, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.Write(answer)
	})
}

type benchProcess struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	address string
	started time.Duration // from start to listening
}

func startBench(b *testing.B, kind string, env ...string) *benchProcess {
	b.Helper()
	p := &benchProcess{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(append(os.Environ(), benchServer+"="+kind), env...)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	start := time.Now()
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		p.in.Close()
		p.cmd.Wait()
	})
	p.address = p.line(b)
	p.started = time.Since(start)
	return p
}

func (p *benchProcess) line(b *testing.B) string {
	b.Helper()
	if !p.out.Scan() {
		b.Fatalf("the serving process ended: %v", p.out.Err())
	}
	return p.out.Text()
}

// used is the CPU time that the process has used so far and its memory.
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

// ask sends the request n times over all connections and returns the last
// answer's body. The client does as little as HTTP allows, so that the servers
// are what is measured.
func ask(address string, request []byte, n int) ([]byte, error) {
	var left atomic.Int64
	left.Store(int64(n))
	var group sync.WaitGroup
	errs := make(chan error, connections)
	bodies := make(chan []byte, connections)
	for range connections {
		group.Go(func() {
			body, err := askOne(address, request, &left)
			errs <- err
			bodies <- body
		})
	}
	group.Wait()
	close(errs)
	close(bodies)
	var last []byte
	for body := range bodies {
		if body != nil {
			last = body
		}
	}
	for err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return last, nil
}

func askOne(address string, request []byte, left *atomic.Int64) ([]byte, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	var body []byte
	for left.Add(-1) >= 0 {
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if body, err = readAnswer(in, body); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// readAnswer reads an answer that must be a 200 with Content-Length.
func readAnswer(in *bufio.Reader, body []byte) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return nil, fmt.Errorf("got %q", line)
	}
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if len(line) == 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, errors.New("the answer has no Content-Length")
	}
	if cap(body) < length {
		body = make([]byte, length)
	}
	_, err = io.ReadFull(in, body[:length])
	return body[:length], err
}

// load is what a number of requests cost one process.
type load struct {
	wall, cpu time.Duration
	requests  int
}

func (l *load) run(b *testing.B, p *benchProcess, request string) {
	b.Helper()
	before, _ := p.used(b)
	start := time.Now()
	if _, err := ask(p.address, []byte(request), perRound); err != nil {
		b.Fatal(err)
	}
	l.wall += time.Since(start)
	after, _ := p.used(b)
	l.cpu += after - before
	l.requests += perRound
}

func (l *load) perSecond() float64 { return float64(l.requests) / l.wall.Seconds() }
func (l *load) cpuEach() float64   { return float64(l.cpu.Nanoseconds()) / 1000 / float64(l.requests) }

// alternate runs rounds against both processes in turn, after one of each to
// warm up.
func alternate(b *testing.B, first, second *benchProcess, request string) (one, other load) {
	b.Helper()
	new(load).run(b, first, request)
	new(load).run(b, second, request)
	for range rounds {
		one.run(b, first, request)
		other.run(b, second, request)
	}
	return one, other
}

// compare measures the service against the bare handler.
func compare(b *testing.B, request string) {
	signpost := startBench(b, "signpost")
	answer, err := ask(signpost.address, []byte(request), connections)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "answer")
	if err := os.WriteFile(file, answer, 0o666); err != nil {
		b.Fatal(err)
	}
	bare := startBench(b, "bare", "SIGNPOST_BENCH_ANSWER="+file)
	theirs, ours := alternate(b, bare, signpost, request)
	_, resident := signpost.used(b)

	b.ReportMetric(0, "ns/op") // means nothing here: a run is one comparison
	b.ReportMetric(ours.perSecond()/theirs.perSecond(), "ratio")
	b.ReportMetric(ours.cpuEach()/theirs.cpuEach(), "cpu-ratio")
	b.ReportMetric(ours.cpuEach(), "cpu-µs/req")
	b.ReportMetric(theirs.cpuEach(), "bare-cpu-µs/req")
	b.ReportMetric(ours.perSecond(), "req/s")
	b.ReportMetric(float64(resident)/1e6, "resident-MB")
}

const (
	thunderbirdGET = "GET /mail/config-v1.1.xml?emailaddress=info%40domain.se HTTP/1.1\r\n" +
		"Host: autoconfig.domain.se\r\nUser-Agent: Thunderbird\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n\r\n"
	outlookBody = `<?xml version="1.0" encoding="utf-8"?>` +
		`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>` +
		`<EMailAddress>info@domain.se</EMailAddress>` +
		`<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>` +
		`</Request></Autodiscover>`
)

func outlookPOST() string {
	return "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\n" +
		"User-Agent: Microsoft Office/16.0\r\nContent-Type: text/xml; charset=utf-8\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(outlookBody), outlookBody)
}

func BenchmarkGET(b *testing.B)  { compare(b, thunderbirdGET) }
func BenchmarkPOST(b *testing.B) { compare(b, outlookPOST()) }

// BenchmarkManyDomains compares 100,000 domains from a file with one.
func BenchmarkManyDomains(b *testing.B) {
	one := startBench(b, "signpost", "SIGNPOST_BENCH_CONFIG="+manyDomains(b, 1))
	many := startBench(b, "signpost", "SIGNPOST_BENCH_CONFIG="+manyDomains(b, 100_000))
	request := strings.ReplaceAll(thunderbirdGET, "domain.se", "customer0.example")
	few, lots := alternate(b, one, many, request)
	_, resident := many.used(b)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(lots.cpuEach()/few.cpuEach(), "cpu-ratio")
	b.ReportMetric(few.perSecond()/lots.perSecond(), "time-ratio")
	b.ReportMetric(float64(many.started.Milliseconds()), "start-ms")
	b.ReportMetric(float64(resident)/1e6, "resident-MB")
}

// manyDomains writes a configuration with n domains in a file of their own.
func manyDomains(b *testing.B, n int) string {
	dir := b.TempDir()
	var domains strings.Builder
	for i := range n {
		fmt.Fprintf(&domains, "customer%d.example\n", i)
	}
	const yaml = `listen: 127.0.0.1:0
providers:
  - id: hoster
    displayName: Hoster
    domains: [{file: domains.txt}]
    servers:
      - {type: imap, hostname: imap.hoster.example, port: 993, socketType: SSL}
      - {type: smtp, hostname: smtp.hoster.example, port: 465, socketType: SSL}
`
	file := filepath.Join(dir, "signpost.yaml")
	for name, text := range map[string]string{file: yaml, filepath.Join(dir, "domains.txt"): domains.String()} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return file
}
