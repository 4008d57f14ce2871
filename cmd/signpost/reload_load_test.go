package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestReloadUnderLoad reloads every 100 ms, alternating between good and broken files,
// while 64 clients send requests without a pause over HTTP, TLS and HTTP/2. Then it
// stops the service. No client may see a failure or a mixture of configurations.
func TestReloadUnderLoad(t *testing.T) {
	folder := prepare(t, withTLS)
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	secure := r.says(t, listeningTLS)[1]
	_, first := askOnce(t, r.address, thunderbird("domain.se"))
	second := strings.ReplaceAll(first, "one.example", "two.example")
	if !strings.Contains(first, "imap.one.example") {
		t.Fatalf("the first answer does not contain imap.one.example:\n%s", first)
	}
	var answers [2]atomic.Int64
	check := func(status, body string) error {
		switch {
		case strings.HasPrefix(status, "200") && body == first:
			answers[0].Add(1)
		case strings.HasPrefix(status, "200") && body == second:
			answers[1].Add(1)
		default:
			return fmt.Errorf("an answer is %s, want 200 with one of the two configurations:\n%s", status, body)
		}
		return nil
	}
	var stopping atomic.Bool
	clients := []func() error{
		func() error { return requestUntilStopped(r.address, false, &stopping, check) },
		func() error { return requestUntilStopped(secure, true, &stopping, check) },
		func() error { return requestOverHTTP2(secure, &stopping, check) },
		func() error { return requestUntilStopped(r.address, false, &stopping, check) },
	}
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			if err := clients[i%len(clients)](); err != nil {
				t.Error(err)
			}
		})
	}
	texts := []string{
		configText(folder, "two.example", withTLS),
		strings.Replace(configText(folder, "two.example", withTLS), "hostname: imap", "hots: imap", 1),
		configText(folder, "one.example", withTLS),
		configText(folder, "three.example", withTLS)[:150],
	}
	const reloads = 32
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range reloads {
		// Every other text is good. A late line about the previous text, which the
		// watcher may cause, is of the other kind.
		line := []*regexp.Regexp{reloaded, notReloaded}[i%2]
		lines := func() int { return len(line.FindAllString(r.stderr.String(), -1)) }
		before := lines()
		put(t, folder, "signpost.yaml", texts[i%len(texts)])
		r.signal(t, syscall.SIGHUP)
		<-tick.C
		for lines() == before {
			<-tick.C // a busy machine needs longer
		}
	}
	applied := r.metric(t, `signpost_reloads_total{result="applied"}`)
	refused := r.metric(t, `signpost_reloads_total{result="refused"}`)
	if applied < reloads/2 || refused < reloads/2 {
		t.Errorf("the metrics count %v applied and %v refused reloads, want at least %d of each",
			applied, refused, reloads/2)
	}
	stopping.Store(true)
	r.stop(t)
	group.Wait()
	for i := range answers {
		if n := answers[i].Load(); n < 1000 {
			t.Errorf("configuration %d gave %d answers, want at least 1000", i+1, n)
		}
	}
	t.Logf("%d and %d answers, %v reloads applied, %v refused",
		answers[0].Load(), answers[1].Load(), applied, refused)
}

// checkAnswer returns an error if an answer is wrong.
type checkAnswer func(status, body string) error

// requestUntilStopped sends requests over kept connections until the service has
// stopped.
func requestUntilStopped(address string, secure bool, stopping *atomic.Bool, check checkAnswer) error {
	for {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return unlessStopped(stopping, err)
		}
		if err := requestOn(conn, secure, stopping, check); err != nil {
			return err
		}
	}
}

// requestOn sends requests over a connection until the service closes it.
func requestOn(conn net.Conn, secure bool, stopping *atomic.Bool, check checkAnswer) error {
	defer conn.Close()
	extendDeadline := func() { conn.SetDeadline(time.Now().Add(time.Minute)) }
	extendDeadline()
	if secure {
		client := tls.Client(conn, &tls.Config{
			ServerName: "autoconfig.domain.se", InsecureSkipVerify: true, NextProtos: []string{"http/1.1"},
		})
		if err := client.Handshake(); err != nil {
			return unlessStopped(stopping, err)
		}
		conn = client
	}
	in := bufio.NewReader(conn)
	for requests := 0; ; requests++ {
		extendDeadline()
		_, err := io.WriteString(conn, thunderbird("domain.se"))
		if err == nil {
			var response *http.Response
			if response, err = http.ReadResponse(in, nil); err == nil {
				body, err := io.ReadAll(response.Body)
				if err != nil {
					return fmt.Errorf("reading an answer: %w", err)
				}
				if err := check(response.Status, string(body)); err != nil || response.Close {
					return err
				}
				continue
			}
		}
		if requests == 0 {
			return unlessStopped(stopping, err)
		}
		return fmt.Errorf("a request got no answer: %w", err)
	}
}

// requestOverHTTP2 sends requests over HTTP/2 until the service has stopped.
func requestOverHTTP2(address string, stopping *atomic.Bool, check checkAnswer) error {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{ServerName: "autoconfig.domain.se", InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	for {
		request, err := http.NewRequest("GET", "https://"+address+"/mail/config-v1.1.xml", nil)
		if err != nil {
			return err
		}
		request.Host = "autoconfig.domain.se"
		response, err := client.Do(request)
		if err != nil {
			return unlessStopped(stopping, err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return fmt.Errorf("reading an answer: %w", err)
		}
		if response.ProtoMajor != 2 {
			return fmt.Errorf("the answer is %s, want HTTP/2", response.Proto)
		}
		if err := check(response.Status, string(body)); err != nil {
			return err
		}
	}
}

// unlessStopped returns nil if err is what a client sees of a service that stops:
// nobody listens any more, or a connection that was not accepted yet is reset.
func unlessStopped(stopping *atomic.Bool, err error) error {
	closed := errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
	if stopping.Load() && closed {
		return nil
	}
	return fmt.Errorf("a connection failed: %w", err)
}
