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
	"sync"
	"testing"
)

// journal records the clients' HTTP requests and their answers.
type journal struct {
	mu     sync.Mutex
	lines  []string
	failed []string // why TLS handshakes failed, each cause once
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) list() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// handshake matches net/http's message about a failed TLS handshake.
var handshake = regexp.MustCompile(`TLS handshake error from [^ ]+: (.*)`)

// Write reads a line of a web server's error log.
func (j *journal) Write(line []byte) (int, error) {
	match := handshake.FindSubmatch(line)
	if match == nil {
		return len(line), nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if cause := string(match[1]); !slices.Contains(j.failed, cause) {
		j.failed = append(j.failed, cause)
	}
	return len(line), nil
}

// handshakes lists the causes of failed handshakes.
func (j *journal) handshakes() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.failed)
}

// site is a web server on ports 80 and 443 of an address: the operator's proxy, which
// terminates TLS in front of the service, or another web site.
type site struct {
	journal *journal
	name    string // in the journal; empty for the operator's proxy
	handler http.Handler
}

// ServeHTTP implements http.Handler. It records each request in the journal.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	answer := &recorder{ResponseWriter: w, status: http.StatusOK}
	s.handler.ServeHTTP(answer, r)
	line := r.Method + " " + scheme + "://" + r.Host + r.URL.RequestURI()
	if r.Header.Get("Authorization") != "" {
		line += " with a password"
	}
	if s.name != "" {
		line += " (" + s.name + ")"
	}
	s.journal.add(line + " → " + answer.String())
}

// recorder keeps the beginning of an answer that it passes on.
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
	errorCode   = regexp.MustCompile(`<ErrorCode>(\d+)</ErrorCode>`)
	rootElement = regexp.MustCompile(`<([A-Za-z]+)[ >]`)
)

// String returns the status and the kind of the answer, because Autodiscover sends
// errors with status 200.
func (r *recorder) String() string {
	text := fmt.Sprint(r.status)
	if location := r.Header().Get("Location"); location != "" {
		return text + " " + location
	}
	if match := errorCode.FindSubmatch(r.body.Bytes()); match != nil {
		return text + " error " + string(match[1])
	}
	if match := rootElement.FindSubmatch(r.body.Bytes()); match != nil && r.status == http.StatusOK {
		return text + " " + string(match[1])
	}
	return text
}

// serve listens on both ports of the address. As web servers do, it presents the first
// certificate if it has none for the requested name.
func (s *site) serve(t *testing.T, ip string, certificates ...tls.Certificate) {
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

// nothingHere is a web site that has nothing to do with mail.
var nothingHere = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, "<!DOCTYPE html><title>Not found</title>")
})

// proxy returns a reverse proxy as operators run it: it keeps the Host header and sets
// X-Forwarded-*.
func proxy(to string) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: to})
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
}
