package doctor

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
	"signpost/internal/doctor/probe/network"
)

// hostile is a domain whose servers do all that they can against who asks: every name exists, every
// answer is as long as can be, leads elsewhere, or does not end.
type hostile struct {
	prefix   string // of its addresses
	bomb     []byte
	accepted atomic.Int64 // connections
	asked    atomic.Int64 // DNS questions
}

// startHostile needs the ports of mail and web, so only root can run it.
func startHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{prefix: fmt.Sprintf("127.%d.%d.", 128+os.Getpid()>>8&63, os.Getpid()&255)}
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	w.Write(bytes.Repeat([]byte("<clientConfig>"), 1<<20))
	w.Close()
	h.bomb = bomb.Bytes()
	for host := range 4 {
		for port, serve := range map[int]func(net.Conn){80: h.web, 443: h.drip, 993: h.drip, 143: h.talk, 465: h.talk,
			587: h.talk,
			995: h.talk, 110: h.drip} {
			l, err := net.Listen("tcp", fmt.Sprintf("%s%d:%d", h.prefix, host+1, port))
			if err != nil {
				if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
					t.Fatal(err)
				}
				t.Skipf("the ports of web and mail need root: %v", err)
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					h.accepted.Add(1)
					go func() {
						defer c.Close()
						c.SetDeadline(time.Now().Add(time.Minute))
						serve(c)
					}()
				}
			}()
		}
	}
	return h
}

// drip sends a byte now and then.
func (h *hostile) drip(c net.Conn) {
	for {
		if _, err := c.Write([]byte("2")); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// talk sends lines as fast as it can.
func (h *hostile) talk(c net.Conn) {
	line := []byte("220-" + strings.Repeat("\x1b[31m\xe2\x80\xae", 200) + "\r\n")
	for {
		if _, err := c.Write(line); err != nil {
			return
		}
	}
}

// web answers each request with another evil, chosen by its path.
func (h *hostile) web(c net.Conn) {
	buffer := make([]byte, 8<<10)
	n, _ := c.Read(buffer)
	sum := fnv.New32()
	sum.Write(buffer[:n])
	number := sum.Sum32()
	switch number % 6 {
	case 0, 1: // redirects without end, each to a name and path of its own
		fmt.Fprintf(c, "HTTP/1.1 302 Found\r\nLocation: http://h%d.evil%d.example/%d\r\nContent-Length: 0\r\n\r\n",
			number, number%7, number)
	case 2:
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Encoding: gzip\r\n\r\n")
		c.Write(h.bomb)
	case 3:
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
		for {
			if _, err := io.WriteString(c, strings.Repeat("<a>", 10_000)); err != nil {
				return
			}
		}
	case 4:
		io.WriteString(c, "HTTP/1.1 200 OK\r\nServer: ")
		h.drip(c)
	case 5:
		servers := strings.Repeat(`<incomingServer type="imap"><hostname>%EMAILDOMAIN%</hostname><port>143</port><socketType>plain</socketType>`+
			`<username>`+strings.Repeat("x",
			500)+`</username><authentication>password-cleartext</authentication></incomingServer>`, 80)
		document := `<clientConfig version="1.1"><emailProvider id="x.example">` + servers +
			`</emailProvider></clientConfig>`
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s",
			len(document), document)
	}
}

// serveDNS answers every question with as much as there is room for.
func (h *hostile) serveDNS(w mdns.ResponseWriter, query *mdns.Msg) {
	number := h.asked.Add(1)
	question := query.Question[0]
	answer := new(mdns.Msg).SetReply(query)
	answer.Compress = true
	if w.LocalAddr().Network() == "udp" && question.Qtype != mdns.TypeA {
		answer.Truncated = true
		w.WriteMsg(answer)
		return
	}
	data, count := "", 200
	switch question.Qtype {
	case mdns.TypeA:
		data, count = fmt.Sprintf("%s%d", h.prefix, 1+len(question.Name)%4), 1
	case mdns.TypeMX:
		data = "%d mx%[1]d.evil.example."
	case mdns.TypeSRV:
		data = "%d 0 143 srv%[1]d.evil.example."
	case mdns.TypeTXT:
		data = `"%d ` + strings.Repeat(`\200`, 240) + `"`
	case mdns.TypeNS:
		data = "ns%d.evil.example."
	case mdns.TypeCNAME:
		data, count = fmt.Sprintf("c%d.evil.example.", number), 1
	}
	for i := range count {
		text := data
		if strings.Contains(data, "%") {
			text = fmt.Sprintf(data, i)
		}
		if rr, err := mdns.NewRR(question.Name + " 1 IN " + mdns.TypeToString[question.Qtype] + " " + text); err == nil &&
			rr != nil && data != "" {
			answer.Answer = append(answer.Answer, rr)
		}
	}
	w.WriteMsg(answer)
}

// TestHostileDomain diagnoses a hostile domain. It ends in time, and takes little memory.
func TestHostileDomain(t *testing.T) {
	h := startHostile(t)
	n, err := network.New(network.Options{Private: true, Servers: []string{dnstest.StartServer(t, h.serveDNS)}})
	if err != nil {
		t.Fatal(err)
	}
	peak := watchMemory(t)
	const limit = 5 * time.Second
	began := time.Now()
	r, err := Examine(t.Context(), Options{Address: address(t, "anna@evil.example"), Asker: n, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	counts := n.Counts()
	var text bytes.Buffer
	r.WriteText(&text, Layout{Verbose: true})
	t.Logf("%v, %+v, %d connections, %d MB of heap, %d findings, a report of %d KB", took.Round(time.Second/10), counts,
		h.accepted.Load(), peak()>>20, len(r.Findings), text.Len()>>10)
	if took > limit+2*time.Second {
		t.Errorf("took %v, want at most %v", took, limit)
	}
	if peak()>>20 > 64 {
		t.Errorf("the heap grew to %d MB, want at most 64", peak()>>20)
	}
	if r.Complete {
		t.Error("the report says that everything could be asked")
	}
	if counts.Web > network.MaxWeb || counts.DNS > network.MaxDNS || counts.Direct > network.MaxDNS ||
		counts.Mail > network.MaxMail {
		t.Errorf("asked %+v, which is more than the most", counts)
	}
	if strings.ContainsAny(text.String(), "\x1b\u202e\u0080") {
		t.Error("the report holds characters that turn or colour a terminal's text")
	}
}

// TestInside diagnoses a domain that leads to addresses inside. Nothing there is connected to.
func TestInside(t *testing.T) {
	h := startHostile(t)
	n, err := network.New(network.Options{Servers: []string{dnstest.StartServer(t, h.serveDNS)}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Examine(t.Context(), Options{Address: address(t, "anna@evil.example"), Asker: n, Limit: 8 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if h.accepted.Load() > 0 {
		t.Errorf("%d connections to addresses of loopback", h.accepted.Load())
	}
	if r.Complete {
		t.Error("the report says that everything could be asked")
	}
}
