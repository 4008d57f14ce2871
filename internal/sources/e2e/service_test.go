package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
	"signpost/internal/freeport"
	"signpost/internal/service"
	"signpost/internal/sources/rig"
)

// running is a service that runs inside the test binary.
type running struct {
	address, admin string // where it is asked, and where it tells its metrics
	log            *logBuffer
	client         *http.Client
	otherName      string // the domain that is another name of one
}

// ownName is the service's own name in all these tests.
const ownName = "setup.hoster.test"

// provider is what every mailbox has. Logins are the address, so that an answer shows
// whether an alias was followed.
const provider = `
providers:
  - id: mail
    displayName: Example Mail
    aliasLogin: mailbox
    servers:
      - {type: imap, hostname: imap.hoster.test}
      - {type: smtp, hostname: smtp.hoster.test}
      - {type: activesync, url: "https://sync.hoster.test/Microsoft-Server-ActiveSync"}
`

// withDomains returns provider with domains that the configuration lists.
func withDomains(domains string) string {
	return strings.Replace(provider, "    servers:", "    domains: ["+domains+"]\n    servers:", 1)
}

// serve runs the service with the rest of a configuration, until the test ends.
func serve(t testing.TB, rest string) *running {
	t.Helper()
	s := &running{
		address: "127.0.0.1:" + freeport.Choose(t), admin: "127.0.0.1:" + freeport.Choose(t),
		log: new(logBuffer), otherName: "example.net",
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}, Timeout: 30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	file := rig.Write(t, t.TempDir(), "signpost.yaml", s.settings()+"dns: {servers: ["+everywhereHere(t)+"]}\n"+rest)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx, service.Options{File: file, Log: s.log}) }()
	t.Cleanup(func() {
		cancel()
		s.client.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the service logged:\n%s", s.log)
		}
	})
	for range 500 {
		if response, err := s.client.Get("http://" + s.admin + "/healthz"); err == nil {
			response.Body.Close()
			return s
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the service did not start: %v\n%s", err, s.log)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("the service does not answer")
	return nil
}

// everywhereHere runs a DNS server in which every name has the same address, so that every
// name leads to the service, and returns its address.
func everywhereHere(t testing.TB) string {
	return dnstest.StartServer(t, func(w dns.ResponseWriter, request *dns.Msg) {
		reply := new(dns.Msg).SetReply(request)
		if question := request.Question[0]; question.Qtype == dns.TypeA {
			record, err := dns.NewRR(question.Name + " 300 IN A 192.0.2.1")
			if err != nil {
				t.Error(err)
			}
			reply.Answer = append(reply.Answer, record)
		}
		w.WriteMsg(reply)
	})
}

// settings returns the beginning of the configuration. Go's client keeps connections that it
// opened and had no use for, and takes it for a failure if such a one is closed for its age.
func (s *running) settings() string {
	return fmt.Sprintf("listen: %s\nadmin: {listen: %s}\nname: %s\nlimits: {requests: 0, header: 1m}\nlog: {requests: 0}\n",
		s.address, s.admin, ownName)
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request, made for any address, to the service. An error is one of the
// connection.
func (s *running) do(r *http.Request) (answer, error) {
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", s.address, ""
	response, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, body}, err
}

// metric returns the sum of a metric's values whose labels contain all the words.
func (s *running) metric(t testing.TB, name string, words ...string) float64 {
	t.Helper()
	response, err := s.client.Get("http://" + s.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
lines:
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, name+"{") && !strings.HasPrefix(line, name+" ") {
			continue
		}
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(strings.TrimSpace(line), ' ')+1:len(line)-1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += value
	}
	return sum
}

// eventually waits until f reports true, and fails the test if it does not within ten
// seconds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Errorf("not within 10 seconds: %s", what)
}

// logBuffer collects the log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// noMailboxLogged requires that no log line names a mailbox of the fixtures.
func (s *running) noMailboxLogged(t *testing.T) {
	t.Helper()
	for _, word := range []string{"anna", "hara", "lisa", "info@", rig.Password} {
		if text := s.log.String(); strings.Contains(strings.ToLower(text), word) {
			t.Errorf("the log has %q:\n%s", word, text)
		}
	}
}
