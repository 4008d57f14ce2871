package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"signpost/internal/conn"
	"signpost/internal/server"
)

// TestSmuggling sends requests whose length two programs could understand in two ways,
// each with a second request behind it. It says which are refused, and after which the
// connection is closed, so that the second is not read.
func TestSmuggling(t *testing.T) {
	address, _ := startService(t, io.Discard)
	const (
		get  = "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: autoconfig.example.se\r\n"
		post = "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\n"
		old  = "POST /autodiscover/autodiscover.xml HTTP/1.0\r\nHost: autodiscover.domain.se\r\nConnection: keep-alive\r\n"
		end  = "\r\n0\r\n\r\n"
	)
	for _, row := range []struct {
		name, request string
		status        int
		closed        bool
	}{
		{"length beside chunks", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + end, 200, true},
		{"chunks beside length", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + end, 200, true},
		// net/http does not tell these from the two above.
		{"chunks", post + "Transfer-Encoding: chunked\r\n" + end, 200, true},
		{"chunks with extensions", post + "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n<a\r\n0;c\r\n\r\n", 200, true},
		{"chunks with a trailer", post + "Transfer-Encoding: chunked\r\nTrailer: Host\r\n\r\n0\r\nHost: evil\r\n\r\n",
			200, true},
		{"chunks in HTTP/1.0", old + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 200, true},
		{"a kept connection of HTTP/1.0", old + "Content-Length: 0\r\n\r\n", 200, true},
		{"folded Transfer-Encoding", post + "Transfer-Encoding:\r\n chunked\r\n" + end, 200, true},

		{"a list of transfer codings", post + "Transfer-Encoding: gzip, chunked\r\n" + end, 501, true},
		{"two Transfer-Encodings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + end, 501, true},
		{"Transfer-Encoding identity", post + "Transfer-Encoding: identity\r\n\r\n", 501, true},
		{"a vertical tab", post + "Transfer-Encoding: \x0bchunked\r\n" + end, 400, true},
		{"a space before the colon", post + "Transfer-Encoding : chunked\r\n" + end, 400, true},
		{"a fold at the beginning", "POST / HTTP/1.1\r\n Host: domain.se\r\n\r\n", 400, true},
		{"a bare CR", get + "X: a\rContent-Length: 5\r\n\r\n", 400, true},
		{"two lengths that differ", post + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n", 400, true},
		{"a list of lengths", post + "Content-Length: 0, 0\r\n\r\n", 400, true},
		{"a length with a sign", post + "Content-Length: +0\r\n\r\n", 400, true},
		{"a negative length", post + "Content-Length: -1\r\n\r\n", 400, true},
		{"a hexadecimal length", post + "Content-Length: 0x0\r\n\r\n", 400, true},
		{"an empty length", post + "Content-Length: \r\n\r\n", 400, true},
		{"chunks with bare LF", post + "Transfer-Encoding: chunked\r\n\r\n0\n\r\n", 400, true},

		// One way to understand them, so the connection stays.
		{"the same length twice", post + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 200, false},
		{"a body of GET", get + "Content-Length: 5\r\n\r\nhello", 200, false},
		{"lines with bare LF", strings.ReplaceAll(get+"\r\n", "\r\n", "\n"), 200, false}, // RFC 9112 §2.2
		{"another folded line", get + "X: a\r\n b\r\n\r\n", 200, false},                  // RFC 9112 §5.2
	} {
		t.Run(row.name, func(t *testing.T) {
			if status, closed := smuggle(t, address, row.request); status != row.status || closed != row.closed {
				t.Errorf("got status %d, then the second request was answered: %v, want %d and %v",
					status, !closed, row.status, !row.closed)
			}
		})
	}
}

// TestSmugglingToAdmin checks that the admin listener closes the connection as well.
func TestSmugglingToAdmin(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	admin := server.Admin{Metrics: server.NewMetrics("", ""), Ready: func() error { return nil }}
	serveAllUntilDone(t, &server.Service{Admin: admin.Handler(), Timeouts: conn.DefaultTimeouts, Log: discardLog},
		&conn.Listeners{Admin: []net.Listener{listener}})
	const get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
	for _, row := range []struct {
		name, request string
		closed        bool
	}{
		{"length beside chunks", get + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true},
		{"HTTP/1.0", "GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", true},
		{"no body", get + "\r\n", false},
	} {
		if status, closed := smuggle(t, listener.Addr().String(), row.request); status != 200 || closed != row.closed {
			t.Errorf("%s: got status %d, then the second request was answered: %v, want 200 and %v",
				row.name, status, !closed, !row.closed)
		}
	}
}

// smuggle sends a request with a second one behind it, and returns the status of the first
// and whether the connection is closed before the second is answered.
func smuggle(t *testing.T, address, request string) (status int, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	const second = "GET /second HTTP/1.1\r\nHost: domain.se\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(c, request+second); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	_, err = http.ReadResponse(in, nil)
	return response.StatusCode, err != nil
}
