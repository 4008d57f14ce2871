package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// selfSigned returns a configuration with a self-signed certificate.
func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"domain.se"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		NextProtos: []string{"h2", "http/1.1"}}
}

// startTLS runs s on loopback, with HTTPS, until the test ends.
func startTLS(t testing.TB, s *server.Service) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.TLS = selfSigned(t)
	if s.Log == nil {
		s.Log = discardLog
	}
	if s.Timeouts == (conn.Timeouts{}) {
		s.Timeouts = conn.DefaultTimeouts
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, &conn.Listeners{HTTPS: []net.Listener{listener}}) }()
	t.Cleanup(sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}))
	return listener.Addr().String()
}

// overTLS returns a TLS connection over conn.
func overTLS(t testing.TB, conn kept) kept {
	t.Helper()
	secure := tls.Client(conn.Conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	return kept{secure, bufio.NewReader(secure)}
}

// TestHostileRequestsOverTLS sends the hostile requests over TLS.
func TestHostileRequestsOverTLS(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.HTTPS = true
	address := startTLS(t, &server.Service{Handler: server.Handler(o)})
	for _, h := range hostileRequests() {
		t.Run(h.name, func(t *testing.T) {
			conn, err := tls.Dial("tcp", address,
				&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
			if err != nil {
				t.Fatal(err)
			}
			checkHostile(t, h, sendOn(t, conn, h))
		})
	}
	// These requests are not TLS at all.
	for _, h := range []hostile{
		{name: "HTTP", request: get("/mail/config-v1.1.xml", "autoconfig.domain.se"), want: []int{400}},
		{name: "rubbish", request: strings.Repeat("\x00", 100), want: []int{0}},
	} {
		t.Run(h.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			checkHostile(t, h, sendOn(t, conn, h))
		})
	}
}

// TestHTTP2 sends many requests at a time on a connection, as browsers and newer clients
// do.
func TestHTTP2(t *testing.T) {
	o := newOptions(t, io.Discard)
	address := startTLS(t, &server.Service{Handler: server.Handler(o)})
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			request, err := http.NewRequest("POST", "https://"+address+"/autodiscover/autodiscover.xml",
				strings.NewReader(outlookBody))
			if err != nil {
				t.Error(err)
				return
			}
			request.Host = "autodiscover.domain.se"
			response, err := client.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.ProtoMajor != 2 || response.StatusCode != 200 ||
				!bytes.Contains(body, []byte("<Server>mamutmail.com</Server>")) {
				t.Errorf("got %s %s (%v), want HTTP/2 with status 200 and the settings\n%s",
					response.Proto, response.Status, err, body)
			}
		})
	}
	group.Wait()
}
