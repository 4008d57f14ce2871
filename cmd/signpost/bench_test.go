package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The benchmarks compare the service, as `signpost serve` runs it, with a bare
// net/http handler that reads the same body and writes the same response, header and
// body. Each of the two is a process of its own. Requests come over loopback on 64
// connections, in alternating rounds of one run, so that other load on the machine
// affects both alike. The connections are kept open: the cost of accepting one is not
// measured.
//
// The memory layout of a process changes its speed by up to a tenth. There are five
// processes of each, but only one over TLS, where the service is expensive to start, and
// inside the benchmark's own process: those ratios are accurate to a tenth. The
// benchmarks report
//
//	ratio         requests per second, service over bare, the median of the rounds
//	cpu-ratio     CPU time of the serving process per request, service over bare
//	cpu-µs/req    CPU time of the service per request
//	req/s         requests per second of the service
//	idle-MB       resident memory of the service before the first request,
//	              of the largest process
//	loaded-MB     and after the last
//
// Requests per second of one without those of the other mean nothing. With -short, a few
// rounds show that the benchmarks work, and the figures mean nothing either.

const (
	connections = 64
	starts      = 5    // of each process
	perRound    = 1000 // requests, about a twentieth of a second
)

// rounds returns the number of rounds over all processes.
func rounds() int { return unlessShort(305, 2*starts) }

// unlessShort returns the first number, or the second one with -short.
func unlessShort(many, few int) int {
	if testing.Short() {
		return few
	}
	return many
}

// bareAnswer is the environment variable that makes a process serve the file that it
// names.
const bareAnswer = "SIGNPOST_BENCH_BARE_ANSWER"

// serveBare serves the bytes of a file until the process is killed. It prints its
// address.
func serveBare(file string) {
	listener, handler := listenBare(file, "listening")
	panic(http.Serve(listener, handler))
}

func listenBare(file, saying string) (net.Listener, http.Handler) {
	answer, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stderr, "msg=%s address=%s\n", saying, listener.Addr())
	return listener, bareHandler(answer)
}

// bareHandler returns a handler that sets its header as handlers usually do. It leaves
// Content-Length to net/http, which is cheaper.
func bareHandler(answer []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodGet {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		if len(answer) > 2048 { // what net/http does by itself for a shorter one
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		}
		w.Write(answer)
	}
}

// process is a serving process.
type process struct {
	pid     int
	address string
	started time.Duration // from start to listening
	clients []*client
}

// startProcess starts a command that logs its address to standard error, as serve does,
// and kills it at the end of the benchmark.
func startProcess(b *testing.B, cmd *exec.Cmd) *process {
	b.Helper()
	return startMatching(b, cmd, listening)
}

// startMatching starts a command whose log names its address in the first group of
// where.
func startMatching(b *testing.B, cmd *exec.Cmd, where *regexp.Regexp) *process {
	b.Helper()
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stderr = log
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	b.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		log.Close()
	})
	address := addressIn(b, log.Name(), where, ended)
	return &process{pid: cmd.Process.Pid, address: address, started: time.Since(start)}
}

// addressIn waits until the log of a service names its address.
func addressIn(b *testing.B, log string, where *regexp.Regexp, ended chan error) string {
	b.Helper()
	for {
		text, err := os.ReadFile(log)
		if err != nil {
			b.Fatal(err)
		}
		if match := where.FindSubmatch(text); match != nil {
			return string(match[1])
		}
		select {
		case err := <-ended:
			ended <- err
			b.Fatalf("the service ended: %v\n%s", err, text)
		case <-time.After(time.Millisecond):
		}
	}
}

// startEach starts several processes of a command.
func startEach(b *testing.B, command func() *exec.Cmd) []*process {
	b.Helper()
	started := make([]*process, starts)
	for i := range started {
		started[i] = startProcess(b, command())
	}
	return started
}

func startBare(b *testing.B, answer []byte) []*process {
	b.Helper()
	file := filepath.Join(b.TempDir(), "answer")
	if err := os.WriteFile(file, answer, 0o666); err != nil {
		b.Fatal(err)
	}
	return startEach(b, func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), bareAnswer+"="+file)
		return cmd
	})
}

func startSignpost(b *testing.B, config string) []*process {
	b.Helper()
	program := build(b)
	return startEach(b, func() *exec.Cmd { return serveCommand(program, config) })
}

// build builds the program statically, as it is released.
func build(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "signpost")
	build := exec.Command("go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func serveCommand(program, config string) *exec.Cmd {
	return exec.Command(program, "serve", "-config", config, "-listen", "127.0.0.1:0")
}

// cpu returns the CPU time that the process has used so far: the fields utime and
// stime of /proc/‹pid›/stat, in hundredths of a second (proc(5)).
func (p *process) cpu(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		b.Skip("there is no /proc: ", err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// resident returns the resident memory of the process in MB.
func (p *process) resident(b *testing.B) float64 {
	b.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		b.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return float64(pages*int64(os.Getpagesize())) / 1e6
}

// resident returns the resident memory of the largest process in MB.
func resident(b *testing.B, processes []*process) (most float64) {
	b.Helper()
	for _, p := range processes {
		most = max(most, p.resident(b))
	}
	return most
}

// client is a connection that stays open. It does as little as HTTP allows, so that the
// servers are measured and not the client.
type client struct {
	net.Conn
	in   *bufio.Reader
	body []byte // of the last answer
}

func connect(address string) ([]*client, error) {
	clients := make([]*client, connections)
	for i := range clients {
		conn, err := dial(address)
		if err != nil {
			return nil, err
		}
		clients[i] = &client{Conn: conn, in: bufio.NewReaderSize(conn, 16<<10)}
	}
	return clients, nil
}

// ask sends n requests over all connections.
func ask(clients []*client, request []byte, n int) error {
	var left atomic.Int64
	left.Store(int64(n))
	var group sync.WaitGroup
	errs := make(chan error, len(clients))
	for _, c := range clients {
		group.Go(func() { errs <- c.ask(request, &left) })
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *client) ask(request []byte, left *atomic.Int64) error {
	for left.Add(-1) >= 0 {
		if _, err := c.Write(request); err != nil {
			return err
		}
		body, err := readAnswer(c.in, c.body)
		if err != nil {
			return err
		}
		c.body = body
	}
	return nil
}

// answerOf returns the body of the response.
func answerOf(b *testing.B, address, request string) []byte {
	b.Helper()
	conn, err := dial(address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		b.Fatal(err)
	}
	body, err := readAnswer(bufio.NewReaderSize(conn, 16<<10), nil)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// mustAgree fails the benchmark unless both give the same response.
func mustAgree(b *testing.B, signpost, bare *process, request string) {
	b.Helper()
	one, other := wholeAnswer(b, signpost.address, request), wholeAnswer(b, bare.address, request)
	if one != other {
		b.Fatalf("the service responds\n%s\nand the bare server\n%s", one, other)
	}
}

// wholeAnswer returns the response with its header, except for Date.
func wholeAnswer(b *testing.B, address, request string) string {
	b.Helper()
	conn, err := dial(address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(request)); err != nil {
		b.Fatal(err)
	}
	var all bytes.Buffer
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.Fatal(err)
	}
	response.Header.Del("Date")
	if err := response.Write(&all); err != nil {
		b.Fatal(err)
	}
	return all.String()
}

// readAnswer reads a response, which must have status 200 and a Content-Length.
func readAnswer(in *bufio.Reader, body []byte) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return nil, fmt.Errorf("status line %q, want 200", line)
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
		return nil, errors.New("response without Content-Length")
	}
	if cap(body) < length {
		body = make([]byte, length)
	}
	_, err = io.ReadFull(in, body[:length])
	return body[:length], err
}

// cost adds up what requests cost one process.
type cost struct {
	wall, cpu time.Duration
	requests  int
}

func (l *cost) run(b *testing.B, p *process, request string) {
	b.Helper()
	before := p.cpu(b)
	start := time.Now()
	if err := ask(p.clients, []byte(request), perRound); err != nil {
		b.Fatal(err)
	}
	l.wall += time.Since(start)
	l.cpu += p.cpu(b) - before
	l.requests += perRound
}

// warm connects before the first round, and sends requests until no code runs for the
// first time.
func (p *process) warm(b *testing.B, request string) {
	b.Helper()
	if p.clients != nil {
		return
	}
	clients, err := connect(p.address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		for _, c := range clients {
			c.Close()
		}
	})
	p.clients = clients
	if err := ask(clients, []byte(request), 5*perRound); err != nil {
		b.Fatal(err)
	}
}

func (l *cost) perSecond() float64 { return float64(l.requests) / l.wall.Seconds() }
func (l *cost) cpuEach() float64   { return float64(l.cpu.Nanoseconds()) / 1000 / float64(l.requests) }

// alternate runs rounds against both processes of each pair in turn, pair after pair.
// ratio, of the requests per second of the second over those of the first, is the median
// of the rounds: a disturbance spoils one round, not the ratio.
func alternate(b *testing.B, first, second []*process, request string) (one, other cost, ratio float64) {
	b.Helper()
	ratios := make([]float64, rounds())
	for i := range ratios {
		first, second := first[i*len(first)/len(ratios)], second[i*len(second)/len(ratios)]
		first.warm(b, request)
		second.warm(b, request)
		before, after := one.wall, other.wall
		if i%2 == 0 {
			one.run(b, first, request)
			other.run(b, second, request)
		} else {
			other.run(b, second, request)
			one.run(b, first, request)
		}
		ratios[i] = float64(one.wall-before) / float64(other.wall-after)
	}
	slices.Sort(ratios)
	return one, other, ratios[len(ratios)/2]
}

// compare measures the service with the example systems against the bare handler.
func compare(b *testing.B, request string) {
	signpost := startSignpost(b, allSystems(b))
	bare := startBare(b, answerOf(b, signpost[0].address, request))
	mustAgree(b, signpost[0], bare[0], request)
	measure(b, signpost, bare, request)
}

func measure(b *testing.B, signpost, bare []*process, request string) {
	b.Helper()
	idle := resident(b, signpost)
	theirs, ours, ratio := alternate(b, bare, signpost, request)

	b.ReportMetric(0, "ns/op") // means nothing here: a run is one comparison
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(ours.cpuEach()/theirs.cpuEach(), "cpu-ratio")
	b.ReportMetric(ours.cpuEach(), "cpu-µs/req")
	b.ReportMetric(ours.perSecond(), "req/s")
	b.ReportMetric(idle, "idle-MB")
	b.ReportMetric(resident(b, signpost), "loaded-MB")
}

// allSystems writes one configuration of all example systems.
func allSystems(b *testing.B) string {
	b.Helper()
	providers, accounts := "providers:\n", "accounts:\n"
	files, err := filepath.Glob("../../testdata/config/*.yaml")
	if err != nil || len(files) == 0 {
		b.Fatalf("no example systems: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "\nproviders:\n")
		before, after, _ := strings.Cut(rest, "\naccounts:")
		_, list, _ := strings.Cut(after, "\n")
		providers += before + "\n"
		accounts += list
	}
	return writeConfig(b, "listen: 127.0.0.1:0\nname: setup.mamutmail.com\n"+providers+accounts)
}

func writeConfig(b *testing.B, text string) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "signpost.yaml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		b.Fatal(err)
	}
	return file
}

const (
	thunderbirdGET = "GET /mail/config-v1.1.xml?emailaddress=info%40domain.se HTTP/1.1\r\n" +
		"Host: autoconfig.domain.se\r\nUser-Agent: Thunderbird\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n\r\n"
	pageGET = "GET /?emailaddress=info%40domain.se HTTP/1.1\r\nHost: setup.mamutmail.com\r\n" +
		"User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)\r\nAccept: text/html\r\n\r\n"
	outlookBody = `<?xml version="1.0" encoding="utf-8"?>` +
		`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>` +
		`<EMailAddress>info@domain.se</EMailAddress>` +
		`<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>` +
		`</Request></Autodiscover>`
	soapBody = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" ` +
		`xmlns:a="http://schemas.microsoft.com/exchange/2010/Autodiscover"><soap:Body><a:GetUserSettingsRequestMessage>` +
		`<a:Request><a:Users><a:User><a:Mailbox>info@berg.example</a:Mailbox></a:User></a:Users><a:RequestedSettings>` +
		`<a:Setting>InternalEwsUrl</a:Setting><a:Setting>ExternalEwsUrl</a:Setting></a:RequestedSettings></a:Request>` +
		`</a:GetUserSettingsRequestMessage></soap:Body></soap:Envelope>`
)

func outlookPOST() string {
	return "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\n" +
		"User-Agent: Microsoft Office/16.0\r\nContent-Type: text/xml; charset=utf-8\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(outlookBody), outlookBody)
}

// soapPOST is a request of ews-javascript-api.
func soapPOST() string {
	return "POST /autodiscover/autodiscover.svc HTTP/1.1\r\nHost: autodiscover.berg.example\r\n" +
		"Content-Type: text/xml\r\n" + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(soapBody), soapBody)
}

func BenchmarkGET(b *testing.B)  { compare(b, thunderbirdGET) }
func BenchmarkPOST(b *testing.B) { compare(b, outlookPOST()) }
func BenchmarkSOAP(b *testing.B) { compare(b, soapPOST()) }

// BenchmarkPage is the set-up page of a person with an iPhone. It takes up to 1 ms of CPU.
// The bare handler sends the same body, with the header of the others.
func BenchmarkPage(b *testing.B) {
	if testing.Short() {
		b.Skip("a page takes 20 times what a document does: a minute in all")
	}
	signpost := startSignpost(b, allSystems(b))
	measure(b, signpost, startBare(b, answerOf(b, signpost[0].address, pageGET)), pageGET)
}

// BenchmarkManyDomains compares 100,000 domains from a file with one.
func BenchmarkManyDomains(b *testing.B) {
	one := startSignpost(b, manyDomains(b, 1))
	many := startSignpost(b, manyDomains(b, unlessShort(100_000, 1000)))
	idle := resident(b, many)
	few, lots, ratio := alternate(b, one, many, strings.ReplaceAll(thunderbirdGET, "domain.se", "customer0.example"))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(lots.cpuEach()/few.cpuEach(), "cpu-ratio")
	b.ReportMetric(ratio, "ratio")
	slowest := slices.MaxFunc(many, func(p, q *process) int { return cmp.Compare(p.started, q.started) })
	b.ReportMetric(float64(slowest.started.Milliseconds()), "start-ms")
	b.ReportMetric(idle, "idle-MB")
	b.ReportMetric(resident(b, many), "loaded-MB")
}

// manyDomains writes a configuration with n domains in a file of their own.
func manyDomains(b *testing.B, n int) string {
	b.Helper()
	var domains strings.Builder
	for i := range n {
		fmt.Fprintf(&domains, "customer%d.example\n", i)
	}
	file := writeConfig(b, `listen: 127.0.0.1:0
providers:
  - id: hoster
    displayName: Hoster
    domains: [{file: domains.txt}]
    servers:
      - {type: imap, hostname: imap.hoster.example, port: 993, socketType: SSL}
      - {type: smtp, hostname: smtp.hoster.example, port: 465, socketType: SSL}
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "domains.txt"), []byte(domains.String()), 0o666); err != nil {
		b.Fatal(err)
	}
	return file
}
