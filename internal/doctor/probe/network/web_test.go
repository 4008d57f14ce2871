package network

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/doctor/probe"
)

// says serves one answer, byte for byte, to a request that was read.
func says(answer string) func(net.Conn) {
	return func(c net.Conn) {
		http.ReadRequest(newReader(c))
		io.WriteString(c, answer)
	}
}

func TestWebAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, test := range []struct {
		name, sent   string
		status       int
		header, body string
		failure      probe.FailureKind
	}{
		{"an ordinary one", ok + "Content-Type: text/xml\r\nContent-Length: 3\r\n\r\n<a>", 200, "Content-Type: text/xml",
			"<a>", ""},
		{"without a length", ok + "\r\n<a>", 200, "", "<a>", ""},
		{"in chunks", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n<a\r\n1\r\n>\r\n0\r\n\r\n", 200, "", "<a>", ""},
		{"with gzip", ok + "Content-Encoding: gzip\r\n\r\n" + zipped("<a>"), 200, "", "<a>", ""},
		{"none, with gzip", "HTTP/1.1 204 None\r\nContent-Encoding: gzip\r\n\r\n", 204, "", "", ""},
		{"after 103", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx", 200, "", "x", ""},
		{"a redirect, not followed", "HTTP/1.1 302 Found\r\nLocation: https://www.nordlys.example/\r\nContent-Length: 0\r\n\r\n", 302,
			"Location: https://www.nordlys.example/", "", ""},
		{"a challenge", "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n", 401,
			`Www-Authenticate: Basic realm="x"`, "", ""},
		{"with escapes in the header", ok + "Server: a\u202eb\u0085c\r\nContent-Length: 0\r\n\r\n", 200, "Server: abc", "",
			""},
		{"an old version", "HTTP/1.0 404 Not Found\r\n\r\nno", 404, "", "no", ""},
		{"with brotli", ok + "Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc", 200, "", "", probe.BadProtocol},
		{"with deflate", ok + "Content-Encoding: deflate\r\nContent-Length: 3\r\n\r\nabc", 200, "", "", probe.BadProtocol},
		{"with gzip twice", ok + "Content-Encoding: gzip, gzip\r\nContent-Length: 3\r\n\r\nabc", 200, "", "",
			probe.BadProtocol},
		{"with broken gzip", ok + "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\nabcdefghijkl", 200, "", "",
			probe.BadProtocol},
		{"cut short", ok + "Content-Length: 10\r\n\r\n<a>", 200, "", "<a>", probe.Closed},
		{"cut within gzip", ok + "Content-Encoding: gzip\r\n\r\n" + zipped("<a>")[:4], 200, "", "", probe.Closed},
		{"none", "", 0, "", "", probe.Closed},
		{"half a header", "HTTP/1.1 200 OK\r\nConte", 0, "", "", probe.Closed},
		{"of a mail server", "* OK Dovecot ready.\r\n", 0, "", "", probe.BadProtocol},
		{"always 103", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 9), 0, "", "", probe.BadProtocol},
		{"with a long header", ok + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 20), 0, "", "", probe.BadProtocol},
		{"with a long line", ok + "Server: " + strings.Repeat("y", 20_000) + "\r\n\r\n", 0, "", "", probe.BadProtocol},
		{"with two lengths", ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 0, "", "", probe.BadProtocol},
	} {
		port := listen(t, "127.0.0.1:0", says(test.sent))
		n, _ := network(t, atHome, "www.nordlys.example. 300 IN A 127.0.0.1")
		answer := get(t, n, "http://www.nordlys.example:"+port+"/x")
		if answer.Status != test.status || string(answer.Body) != test.body {
			t.Errorf("%s: status %d, body %q, want %d, %q",
				test.name, answer.Status, answer.Body, test.status, test.body)
		}
		if name, value, _ := strings.Cut(test.header, ": "); answer.Header[name] != value {
			t.Errorf("%s: %s is %q, want %q", test.name, name, answer.Header[name], value)
		}
		if test.failure != "" {
			wantFailure(t, test.name, answer.Failure, test.failure, "")
		} else if answer.Failure != nil {
			t.Errorf("%s: failure %v", test.name, *answer.Failure)
		}
		if answer.Took == 0 || answer.Address != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("%s: took %v, from %v", test.name, answer.Took, answer.Address)
		}
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

// TestWebRequest looks at what is sent.
func TestWebRequest(t *testing.T) {
	requests := make(chan string, 10)
	port := listen(t, "127.0.0.1:0", func(c net.Conn) {
		r, err := http.ReadRequest(newReader(c))
		if err != nil {
			t.Error(err)
			return
		}
		body, _ := io.ReadAll(r.Body)
		requests <- fmt.Sprintf("%s %s %s %q %v", r.Method, r.Host, r.RequestURI, body, r.Header)
		io.WriteString(c, "HTTP/1.1 204 None\r\n\r\n")
	})
	o := atHome
	o.Version = "1.0"
	n, _ := network(t, o, "www.nordlys.example. 300 IN A 127.0.0.1",
		"xn--nrdlys-bya.nordlys.example. 300 IN A 127.0.0.1")
	for _, test := range []struct {
		q    probe.WebQuestion
		want string
	}{
		{probe.WebQuestion{Method: "GET", URL: "http://www.nordlys.example:PORT/a?emailaddress=anna%40nordlys.example"},
			`GET www.nordlys.example:PORT /a?emailaddress=anna%40nordlys.example "" map[Accept-Encoding:[gzip] Connection:[close] User-Agent:[Signpost-doctor/1.0]]`},
		{probe.WebQuestion{Method: "POST", URL: "http://www.nordlys.example:PORT/", Body: "<a/>", ContentType: "text/xml",
			Header: "X-Soap-Enabled: True\n"},
			`POST www.nordlys.example:PORT / "<a/>" map[Accept-Encoding:[gzip] Connection:[close] Content-Length:[4] Content-Type:[text/xml] User-Agent:[Signpost-doctor/1.0] X-Soap-Enabled:[True]]`},
		{probe.WebQuestion{Method: "HEAD", URL: "http://nørdlys.nordlys.example:PORT/"},
			`HEAD xn--nrdlys-bya.nordlys.example:PORT / "" map[Accept-Encoding:[gzip] Connection:[close] User-Agent:[Signpost-doctor/1.0]]`},
	} {
		test.q.URL = strings.ReplaceAll(test.q.URL, "PORT", port)
		if answer := n.Web(t.Context(), test.q); answer.Status != 204 {
			t.Fatalf("%v: status %d, %v", test.q, answer.Status, answer.Failure)
		}
		if got, want := <-requests, strings.ReplaceAll(test.want, "PORT", port); got != want {
			t.Errorf("the server got\n%s, want\n%s", got, want)
		}
	}
}

// TestBadCertificates reads the answers of servers whose certificates a client refuses.
func TestBadCertificates(t *testing.T) {
	now := time.Now()
	root := authority("Root")
	root.NotBefore, root.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	ca := issue(root, nil)
	certificate := func(days int, by *issued, names ...string) *issued {
		template := server(names...)
		template.NotBefore, template.NotAfter = now.AddDate(0, 0, days-10), now.AddDate(0, 0, days)
		return issue(template, by)
	}
	for _, test := range []struct {
		name string
		leaf *issued
		want string
	}{
		{"good", certificate(5, ca, "www.nordlys.example"), "[]"},
		{"of another name", certificate(5, ca, "other.example"), "[wrong-name]"},
		{"ended", certificate(-5, ca, "www.nordlys.example"), "[expired]"},
		{"ended and of another name", certificate(-5, ca, "other.example"), "[wrong-name expired]"},
		{"signed by itself", certificate(5, nil, "www.nordlys.example"), "[self-signed]"},
	} {
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{
			Certificate: [][]byte{test.leaf.Raw}, PrivateKey: test.leaf.key}}})
		if err != nil {
			t.Fatal(err)
		}
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<a>") }))
		defer l.Close()
		o := atHome
		o.Roots = pool(ca)
		n, _ := network(t, o, "www.nordlys.example. 300 IN A 127.0.0.1")
		_, port, _ := net.SplitHostPort(l.Addr().String())
		answer := get(t, n, "https://www.nordlys.example:"+port+"/")
		if answer.TLS == nil || fmt.Sprint(answer.TLS.Problems) != test.want || string(answer.Body) != "<a>" {
			t.Errorf("a certificate %s: TLS %+v, body %q, failure %v, want problems %s and the body",
				test.name, answer.TLS, answer.Body,
				answer.Failure, test.want)
		}
	}
}

// TestEndless asks servers whose answers never end or are much longer than they look.
func TestEndless(t *testing.T) {
	var sent atomic.Int64
	forever := func(head string, more []byte) func(net.Conn) {
		return func(c net.Conn) {
			http.ReadRequest(newReader(c))
			io.WriteString(c, head)
			for {
				k, err := c.Write(more)
				if sent.Add(int64(k)); err != nil {
					return
				}
			}
		}
	}
	filler := bytes.Repeat([]byte("x"), 16<<10)
	for _, test := range []struct {
		name  string
		serve func(net.Conn)
		kind  probe.FailureKind // empty for a body that is cut
	}{
		{"an endless body", forever("HTTP/1.1 200 OK\r\n\r\n", filler), ""},
		{"endless chunks", forever("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", append([]byte("4000\r\n"),
			append(filler, "\r\n"...)...)), ""},
		{"endless tiny chunks", forever("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			bytes.Repeat([]byte("1;"+strings.Repeat("e", 100)+"\r\nx\r\n"), 100)), probe.BadProtocol},
		{"an endless header", forever("HTTP/1.1 200 OK\r\n", []byte("X: y\r\n")), probe.BadProtocol},
		{"an endless line", forever("HTTP/1.1 200 OK\r\nX: ", filler), probe.BadProtocol},
		{"an endless first line", forever("", filler), probe.BadProtocol},
		{"endless interim answers", forever("", []byte("HTTP/1.1 102 Wait\r\n\r\n")), probe.BadProtocol},
		{"a bomb", says("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped(strings.Repeat("\x00", 10<<20))), ""},
		{"a bomb in a bomb", says("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped(zipped(strings.Repeat("\x00",
			10<<20)))), ""},
		{"a gzip header without end", forever("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03", filler), probe.BadProtocol},
		{"endless empty gzip members", forever("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
			bytes.Repeat([]byte(zipped("")), 100)), probe.BadProtocol},
	} {
		sent.Store(0)
		port := listen(t, "127.0.0.1:0", test.serve)
		n, _ := network(t, atHome, "www.nordlys.example. 300 IN A 127.0.0.1")
		began := time.Now()
		answer := get(t, n, "http://www.nordlys.example:"+port+"/")
		if len(answer.Body) > maxBody {
			t.Errorf("%s: kept %d bytes", test.name, len(answer.Body))
		}
		if took := time.Since(began); took > 12*time.Second {
			t.Errorf("%s: took %v", test.name, took)
		}
		if test.kind != "" {
			wantFailure(t, test.name, answer.Failure, test.kind, "")
		} else if test.name != "a bomb in a bomb" && (!answer.Truncated || len(answer.Body) != maxBody ||
			answer.Failure != nil) {
			t.Errorf("%s: %d bytes, truncated %v, failure %v, want %d, cut",
				test.name, len(answer.Body), answer.Truncated, answer.Failure, maxBody)
		}
		if read := sent.Load(); read > 8<<20 { // what the kernel buffers of loopback
			t.Errorf("%s: the server could send %d bytes", test.name, read)
		}
	}
}

// TestEndOfDiagnosis ends a diagnosis while a server is silent, and while a question waits for its turn.
func TestEndOfDiagnosis(t *testing.T) {
	port := listen(t, "127.0.0.1:0", silent)
	n, _ := network(t, atHome, "www.nordlys.example. 300 IN A 127.0.0.1")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	results := make(chan probe.WebAnswer)
	for i := range 6 {
		go func() {
			results <- n.Web(ctx,
				probe.WebQuestion{Method: "GET", URL: fmt.Sprintf("http://www.nordlys.example:%s/%d", port, i)})
		}()
	}
	began := time.Now()
	for range 6 {
		wantFailure(t, "a silent server", (<-results).Failure, probe.NotAsked, "ended")
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the questions ended after %v, want 0.3 s", took)
	}
}
