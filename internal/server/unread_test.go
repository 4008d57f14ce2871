package server_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"signpost/internal/server"
)

// TestUnreadAnswers asks for the page 600 times over HTTP/2, at the same time, and takes
// none of the answers. Few wait with their document; the others are refused without a
// body, which would wait, too. Another address is answered meanwhile.
func TestUnreadAnswers(t *testing.T) {
	const connections, streams, most = 30, 20, 300
	o := newOptions(t, io.Discard)
	s := &server.Service{Handler: server.Handler(o), Timeouts: patient}
	address := startTLS(t, s)
	var answered, refused, withBody atomic.Int64
	var group sync.WaitGroup
	for range connections {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		f := http2.NewFramer(conn, conn)
		f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		io.WriteString(conn, http2.ClientPreface)
		f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		var block bytes.Buffer
		encoder := hpack.NewEncoder(&block)
		for i := range streams {
			block.Reset()
			for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "setup.mamutmail.com"},
				{":path", "/?emailaddress=info%40domain.se"}} {
				encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
			}
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: block.Bytes(),
				EndStream: true, EndHeaders: true})
		}
		group.Go(func() {
			conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			for answers := 0; answers < streams; {
				frame, err := f.ReadFrame()
				if err != nil {
					return // closed, as after 429
				}
				headers, ok := frame.(*http2.MetaHeadersFrame)
				if !ok {
					continue
				}
				answers++
				switch headers.PseudoValue("status") {
				case "200":
					answered.Add(1)
				case "429":
					refused.Add(1)
					if !headers.StreamEnded() {
						withBody.Add(1)
					}
				}
			}
		})
	}
	group.Wait()
	if answered.Load() > most || refused.Load() == 0 || withBody.Load() > 0 {
		t.Errorf("of %d answers that nobody takes, %d wait, %d were refused, %d of these with a body; "+
			"want at most %d, some, none", connections*streams, answered.Load(), refused.Load(), withBody.Load(), most)
	}
	other, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	secure := tls.Client(other, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	page := hostile{request: get("/?emailaddress=info%40domain.se", "setup.mamutmail.com")}
	if got := sendOn(t, secure, page); got.status != 200 {
		t.Errorf("another address got status %d meanwhile, want 200", got.status)
	}
}
