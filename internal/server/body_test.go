package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"signpost/autodiscover"
	"signpost/internal/conn"
	"signpost/internal/server"
)

// TestChunkedBody checks that a body without Content-Length that exceeds the limit gets
// 413 before it has been sent to its end, and that the connection is closed after it.
func TestChunkedBody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	timeouts := conn.DefaultTimeouts
	timeouts.Read = 5 * time.Minute // which a response must not wait for
	serveUntilDone(t, &server.Service{Handler: newHandler(t, io.Discard), Timeouts: timeouts, Log: discardLog},
		listener)
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	const chunk = autodiscover.MaxBody + 1
	fmt.Fprintf(c, "POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: autodiscover.domain.se\r\n"+
		"Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", chunk, strings.Repeat(" ", chunk))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no response to a body that has not ended: %v", err)
	}
	if response.StatusCode != http.StatusRequestEntityTooLarge || !response.Close {
		t.Errorf("status %d, connection closed: %t; want 413 and a closed connection",
			response.StatusCode, response.Close)
	}
}
