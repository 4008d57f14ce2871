package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// cpu returns the processor time that the service has used.
func (r *running) cpu(t testing.TB) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		t.Skip("this system does not tell the processor time of another process")
	}
	// proc_pid_stat(5): utime and stime, in ticks of 10 ms, are fields 14 and 15. Field 2
	// may hold blanks and ends with a parenthesis.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// flood is what a hostile client sends over HTTP/2 without asking anything.
type flood struct {
	name  string
	begin func(*http2.Framer) // once on a connection
	again func(*http2.Framer) // as often as it can
}

var floods = []flood{
	{name: "SETTINGS", again: func(f *http2.Framer) { f.WriteSettings() }},
	{name: "PRIORITY", again: func(f *http2.Framer) { f.WritePriority(1, http2.PriorityParam{StreamDep: 3}) }},
	{name: "WINDOW_UPDATE", again: func(f *http2.Framer) { f.WriteWindowUpdate(0, 1) }},
	{name: "PING", again: func(f *http2.Framer) { f.WritePing(false, [8]byte{}) }},
	{name: "RST_STREAM", begin: beginRequest, again: func(f *http2.Framer) { f.WriteRSTStream(1, http2.ErrCodeCancel) }},
	{name: "empty DATA", begin: beginRequest, again: func(f *http2.Framer) { f.WriteData(1, false, nil) }},
	{name: "empty CONTINUATION", begin: func(f *http2.Framer) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: nil, EndStream: true})
	}, again: func(f *http2.Framer) { f.WriteContinuation(1, false, nil) }},
	{name: "unknown", again: func(f *http2.Framer) { f.WriteRawFrame(0x77, 0, 0, nil) }},
}

// beginRequest sends the header of a POST whose body does not follow.
func beginRequest(f *http2.Framer) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "autodiscover.domain.se"},
		{":path", "/autodiscover/autodiscover.xml"}} {
		encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
}

// frames returns the beginning of a connection, and a chunk to send again and again.
func (a flood) frames() (beginning, chunk []byte) {
	var first, again bytes.Buffer
	first.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&first, nil)
	framer.AllowIllegalWrites = true
	framer.WriteSettings()
	if a.begin != nil {
		a.begin(framer)
	}
	framer = http2.NewFramer(&again, nil)
	framer.AllowIllegalWrites = true
	for a.again != nil && again.Len() < 8<<10 {
		a.again(framer)
	}
	return first.Bytes(), again.Bytes()
}

func dialHTTP2(t testing.TB, address string) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, ServerName: "autoconfig.domain.se",
		NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestHTTP2Floods sends frames that ask nothing, for half a second each: on one
// connection, which may take only a small share of a processor, and on a hundred new
// ones, of which each may cost only a few times what one costs that sends nothing.
func TestHTTP2Floods(t *testing.T) {
	const lasts, share, connections, times = 500 * time.Millisecond, 0.2, 100, 8
	folder := prepare(t, withTLS+"\ntrustedProxies: none")
	putCertificate(t, folder, 1)
	r := startServe(t, folder, nil)
	address := r.says(t, listeningTLS)[1]
	cost := func(send func()) time.Duration {
		before := r.cpu(t)
		send()
		for last := before; ; time.Sleep(50 * time.Millisecond) { // until all has been read
			now := r.cpu(t)
			if now == last {
				return now - before
			}
			last = now
		}
	}
	reconnect := func(a flood) func() {
		beginning, chunk := a.frames()
		return func() {
			for range connections {
				conn := dialHTTP2(t, address)
				conn.Write(append(beginning, chunk...))
				conn.Close()
			}
		}
	}
	cost(reconnect(flood{}))
	bare := max(cost(reconnect(flood{})), 50*time.Millisecond)
	for _, a := range floods {
		var took time.Duration
		spent := cost(func() {
			begun := time.Now()
			conn := dialHTTP2(t, address)
			defer conn.Close()
			conn.SetDeadline(begun.Add(lasts))
			go io.Copy(io.Discard, conn)
			beginning, chunk := a.frames()
			_, err := conn.Write(beginning)
			for err == nil {
				_, err = conn.Write(chunk)
			}
			took = time.Since(begun)
		})
		if spent.Seconds() > share*took.Seconds() {
			t.Errorf("a flood of %s takes %v of processor time in %v, want at most a share of %v",
				a.name, spent, took, share)
		}
		again := cost(reconnect(a))
		if again > times*bare {
			t.Errorf("%d connections with a flood of %s take %v of processor time, bare ones %v, want at most %d times that",
				connections, a.name, again, bare, times)
		}
		t.Logf("%-18s %v of processor time in %v; %d connections %v, bare ones %v", a.name, spent,
			took.Round(time.Millisecond), connections, again, bare)
	}
	if got := r.metric(t, `signpost_connections_closed_total{reason="flood"}`); got == 0 {
		t.Log("no flood lasted long enough for its connection to be closed")
	}
}
