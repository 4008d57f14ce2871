package acceptance

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// exchange is one request as it came from a client, and its answer.
type exchange struct {
	where  string // "" for the service, or whose web server it reached
	method string
	url    string // as the client meant it: scheme, host, path and query
	status int
	says   string // what the answer is, in a word or two
}

func (x exchange) String() string {
	line := x.method + " " + x.url
	if x.where != "" {
		line += " (" + x.where + ")"
	}
	line += fmt.Sprintf(" → %d", x.status)
	if x.says != "" {
		line += " " + x.says
	}
	return line
}

// journal is what the clients asked over HTTP.
type journal struct {
	mu        sync.Mutex
	exchanges []exchange
	refused   []string // TLS handshakes that clients broke off
}

func (j *journal) add(x exchange) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.exchanges = append(j.exchanges, x)
}

// Write takes the error log of a server.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refused = append(j.refused, strings.TrimSpace(string(line)))
	return len(line), nil
}

func (j *journal) list() []exchange {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]exchange(nil), j.exchanges...)
}

// refusals lists the connections that came to nothing, each cause once.
func (j *journal) refusals() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var causes []string
	for _, line := range j.refused {
		_, cause, _ := strings.Cut(line, "error from ")
		if _, cause, _ = strings.Cut(cause, ": "); !slices.Contains(causes, cause) {
			causes = append(causes, cause)
		}
	}
	return causes
}

// mark is a point in the journal.
func (j *journal) mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.exchanges)
}

// since lists the exchanges after a mark, repeated ones once.
func (j *journal) since(mark int) []string {
	var lines []string
	seen := map[string]bool{}
	for _, x := range j.list()[mark:] {
		if line := x.String(); !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	return lines
}

// site is a web server of the closed network on ports 80 and 443 of an address:
// the operator's own, which ends TLS before the service, or another's.
type site struct {
	journal *journal
	where   string
	handler http.Handler
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	recorder := &recorder{ResponseWriter: w, status: http.StatusOK}
	s.handler.ServeHTTP(recorder, r)
	s.journal.add(exchange{
		where:  s.where,
		method: r.Method,
		url:    scheme + "://" + r.Host + r.URL.RequestURI(),
		status: recorder.status,
		says:   recorder.says(),
	})
}

// recorder keeps the beginning of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.body.Len() < 16<<10 {
		r.body.Write(b)
	}
	return r.ResponseWriter.Write(b)
}

var (
	errorCode = regexp.MustCompile(`<ErrorCode>(\d+)</ErrorCode>`)
	rootName  = regexp.MustCompile(`<([A-Za-z]+)[ >]`)
)

// says tells what kind of answer it is: Autodiscover's errors are 200 as well.
func (r *recorder) says() string {
	body := r.body.Bytes()
	if location := r.Header().Get("Location"); location != "" {
		return location
	}
	if match := errorCode.FindSubmatch(body); match != nil {
		return "error " + string(match[1])
	}
	if r.status == http.StatusOK {
		if match := rootName.FindSubmatch(body); match != nil {
			return string(match[1])
		}
	}
	return ""
}

// serveSite listens on both ports of the address. The first certificate is
// shown to who asks for a name that none is for, as servers do.
func serveSite(t *testing.T, s *site, ip string, certificates ...tls.Certificate) {
	t.Helper()
	for _, port := range []string{":80", ":443"} {
		listener, err := net.Listen("tcp", ip+port)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: s, ErrorLog: log.New(s.journal, "", 0)}
		if port == ":443" {
			server.TLSConfig = &tls.Config{Certificates: certificates}
			go server.ServeTLS(listener, "", "")
		} else {
			go server.Serve(listener)
		}
		t.Cleanup(func() { server.Close() })
	}
}

// backend is where the proxy leads: a service on a port of loopback.
type backend struct {
	mu  sync.Mutex
	url *url.URL
}

func (b *backend) set(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.url = &url.URL{Scheme: "http", Host: address}
}

// proxy is a reverse proxy as an operator has it, keeping the Host.
func (b *backend) proxy() http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			b.mu.Lock()
			defer b.mu.Unlock()
			r.SetURL(b.url)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		ErrorLog:      log.New(io.Discard, "", 0),
		FlushInterval: 0,
		Transport:     &http.Transport{IdleConnTimeout: time.Second},
	}
}
