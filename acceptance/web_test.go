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

// journal is what the clients asked over HTTP, and what they were answered.
type journal struct {
	mu      sync.Mutex
	lines   []string
	refused []string // why TLS handshakes came to nothing, each cause once
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

// handshake matches how net/http tells of a TLS handshake that came to nothing.
var handshake = regexp.MustCompile(`TLS handshake error from [^ ]+: (.*)`)

// Write takes the error log of a web server.
func (j *journal) Write(line []byte) (int, error) {
	match := handshake.FindSubmatch(line)
	if match == nil {
		return len(line), nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if cause := string(match[1]); !slices.Contains(j.refused, cause) {
		j.refused = append(j.refused, cause)
	}
	return len(line), nil
}

// refusals lists why handshakes came to nothing.
func (j *journal) refusals() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.refused)
}

// site is a web server on ports 80 and 443 of an address: the operator's own,
// which ends TLS in front of the service, or another's.
type site struct {
	journal *journal
	whose   string // "" for the operator's
	handler http.Handler
}

// ServeHTTP implements http.Handler and writes the journal.
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
	if s.whose != "" {
		line += " (" + s.whose + ")"
	}
	s.journal.add(line + " → " + answer.String())
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
	errorCode   = regexp.MustCompile(`<ErrorCode>(\d+)</ErrorCode>`)
	rootElement = regexp.MustCompile(`<([A-Za-z]+)[ >]`)
)

// String is the status and what the answer is, as Autodiscover has its errors
// with status 200.
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

// serve listens on both ports of the address. The first certificate is shown to
// who asks for a name that there is none for, as web servers do.
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

// nothingHere is a web site that has no mail in mind.
var nothingHere = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, "<!DOCTYPE html><title>Not found</title>")
})

// proxy is a reverse proxy as an operator has it: it keeps the Host and says
// how the client came.
func proxy(to string) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: to})
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
}
