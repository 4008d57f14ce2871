package network

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
	"signpost/internal/doctor/probe"
)

// TestHostileMemory asks everything that a diagnosis may, of servers that send as much as they can, and
// keeps all answers as a diagnosis does.
func TestHostileMemory(t *testing.T) {
	const most = 64 << 20
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	endless := func(head string, more []byte) func(net.Conn) {
		return func(c net.Conn) {
			http.ReadRequest(newReader(c))
			io.WriteString(c, head)
			for {
				if _, err := c.Write(more); err != nil {
					return
				}
			}
		}
	}
	many := func(name string) string { return name + ": " + strings.Repeat("\x80", 2000) + "\r\n" }
	header := "HTTP/1.1 200 OK\r\n" + many("Server") + many("Location") + many("Content-Type") +
		many("Www-Authenticate")
	bomb := header + "Content-Encoding: gzip\r\n\r\n" + zipped(strings.Repeat("<a>", 8<<20))
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("%d.%sexample", i, strings.Repeat("long.", 40)))
	}
	leaf := issue(server(names...), nil)
	secure := func(c net.Conn) {
		s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw},
			PrivateKey: leaf.key}}})
		endless(header+"\r\n", noise)(s)
	}
	ports := []string{
		"http://127.0.0.2:" + listen(t, "127.0.0.2:0", endless(header+"\r\n", noise)),
		"http://127.0.0.3:" + listen(t, "127.0.0.3:0", says(bomb)),
		"http://127.0.0.4:" + listen(t, "127.0.0.4:0", endless("HTTP/1.1 200 OK\r\n", []byte(many("X")))),
		"https://127.0.0.5:" + listen(t, "127.0.0.5:0", secure),
	}
	zone := func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg).SetReply(q)
		answer.Compress = true
		if answer.Truncated = w.LocalAddr().Network() == "udp"; !answer.Truncated {
			line := dnstest.RR(q.Question[0].Name + ` 1 IN TXT "` + strings.Repeat(`\200`, 250) + `"`)
			for range 235 {
				answer.Answer = append(answer.Answer, line)
			}
		}
		w.WriteMsg(answer)
	}
	n := networkAt(t, atHome, zone)
	recording := probe.NewRecording(n)

	peak, stop := watchMemory()
	var all sync.WaitGroup
	for i := range MaxWeb {
		all.Go(func() {
			recording.Web(t.Context(),
				probe.WebQuestion{Method: "GET", URL: fmt.Sprintf("%s/%d", ports[i%len(ports)], i)})
		})
	}
	for i := range MaxDNS {
		for _, view := range []probe.View{probe.Recursive, probe.Unchecked, probe.View(n.Resolver()[0])} {
			all.Go(func() {
				recording.DNS(t.Context(),
					probe.DNSQuestion{Name: fmt.Sprintf("x%d.nordlys.example", i), Type: "TXT", View: view})
			})
		}
	}
	all.Wait()
	stop()
	if counts := n.Counts(); counts.Web != MaxWeb || counts.DNS != MaxDNS || counts.Unchecked != MaxDNS ||
		counts.Direct != MaxDNS {
		t.Errorf("asked %+v, want the most of each", counts)
	}
	t.Logf("%d web answers and %d DNS answers of hostile servers took %.1f MB",
		MaxWeb, 3*MaxDNS, float64(peak())/(1<<20))
	if peak() > most {
		t.Errorf("the answers of hostile servers took %d MB, want at most %d", peak()>>20, most>>20)
	}
	runtime.KeepAlive(recording)
}

// watchMemory measures by how much the heap grows.
func watchMemory() (peak func() uint64, stop func()) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	runtime.GC()
	before, highest := heap(), uint64(0)
	end, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for {
			if now := heap(); now > before {
				highest = max(highest, now-before)
			}
			select {
			case <-end:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { return highest }, func() { close(end); <-ended }
}
