package service_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
	"signpost/internal/freeport"
	"signpost/internal/service"
)

// victim is a running service, behind a proxy that uses PROXY protocol, so that each
// client has an address of its own choice.
type victim struct {
	http, https, admin string
	questions          atomic.Int64 // to the name server
	next               atomic.Int64
	asked              sync.Map // names of which the MX record was asked
	running            sync.WaitGroup
	end                time.Time
}

func startVictim(t *testing.T) *victim {
	v := &victim{
		http: "127.0.0.1:" + freeport.Choose(t), https: "127.0.0.1:" + freeport.Choose(t),
		admin: "127.0.0.1:" + freeport.Choose(t),
	}
	var domains []string
	for i := range listedDomains {
		domains = append(domains, fmt.Sprintf("listed%d.test", i))
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "signpost.yaml")
	server := dnstest.StartServer(t, v.nameServer)
	text := fmt.Sprintf(`name: setup.hoster.test
listen: %s
tls: {listen: %s, acme: {directory: "https://localhost:1/", storage: %q}}
admin: {listen: %s}
proxyProtocol: true
dns: {servers: [%s]}
providers:
  - id: hoster
    displayName: Hoster
    domains: [%s]
    mx: [mx.hoster.test]
    servers: [{type: imap, hostname: imap.hoster.test}, {type: smtp, hostname: smtp.hoster.test}]
`, v.http, v.https, filepath.Join(dir, "acme"), v.admin, server, strings.Join(domains, ", "))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- service.Run(ctx, service.Options{File: file, Log: io.Discard}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the service ends with %v", err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get("http://" + v.admin + "/readyz")
		if err == nil {
			response.Body.Close()
			return v
		}
		if time.Now().After(deadline) {
			t.Fatalf("the service does not start: %v", err)
		}
	}
}

// nameServer answers for everybody: the attacker's names are silent, absent, or
// aliases without end.
func (v *victim) nameServer(w dns.ResponseWriter, query *dns.Msg) {
	n := v.questions.Add(1)
	question := query.Question[0]
	answer := new(dns.Msg).SetReply(query)
	soa := dnstest.RR("test. 300 IN SOA ns.test. host.test. 1 3600 600 86400 300")
	if question.Qtype == dns.TypeMX {
		v.asked.Store(question.Name, true)
	}
	switch name := question.Name; {
	case strings.HasSuffix(name, "-silent.test."):
		return
	case strings.HasSuffix(name, "-chain.test."):
		answer.Answer = []dns.RR{dnstest.RR(fmt.Sprintf("%s 300 IN CNAME c%d-chain.test.", name, n))}
	case strings.HasPrefix(name, "fresh") && question.Qtype == dns.TypeMX:
		answer.Answer = []dns.RR{dnstest.RR(name + " 300 IN MX 1 mx.hoster.test.")}
	case question.Qtype == dns.TypeA && (strings.Contains(name, "listed") || strings.HasPrefix(name, "setup.")):
		answer.Answer = []dns.RR{dnstest.RR(name + " 300 IN A 192.0.2.1")}
	case strings.HasSuffix(name, "-absent.test."):
		answer.Rcode = dns.RcodeNameError
		answer.Ns = []dns.RR{soa}
	default:
		answer.Ns = []dns.RR{soa}
	}
	w.WriteMsg(answer)
}

// attack runs attackers until a few seconds are over, and counts what they ask.
func (v *victim) attack(t *testing.T, clients int, ask func(ctx context.Context, i int, n int64)) *atomic.Int64 {
	t.Helper()
	v.end = time.Now().Add(attackTime)
	ctx, cancel := context.WithDeadline(context.Background(), v.end)
	t.Cleanup(cancel)
	sent := new(atomic.Int64)
	if ask == nil {
		return sent
	}
	for i := range clients {
		v.running.Go(func() {
			// A burst would only show how fast the machine is.
			time.Sleep(time.Duration(i) * time.Second / time.Duration(clients))
			for ctx.Err() == nil {
				begun := time.Now()
				sent.Add(1)
				ask(ctx, i, v.next.Add(1))
				select {
				case <-time.After(time.Until(begun.Add(time.Second))):
				case <-ctx.Done():
				}
			}
		})
	}
	return sent
}

// dial opens a connection of a client with an address.
func dial(ctx context.Context, to, from string) (net.Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { c.Close() })
	addr := netip.MustParseAddr(from)
	family := byte(0x11)
	if addr.Is6() {
		family = 0x21
	}
	// The header of version 2 (haproxy's proxy-protocol.txt §2.2).
	header := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21"), family)
	addresses := append(addr.AsSlice(), addr.AsSlice()...)
	header = binary.BigEndian.AppendUint16(header, uint16(len(addresses)+4))
	header = append(append(header, addresses...), 1, 1, 1, 1)
	if _, err := c.Write(header); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// requests returns an attack by requests about addresses in domains.
func (v *victim) requests(from func(int) string, domain func(int64) string) func(context.Context, int, int64) {
	return func(ctx context.Context, i int, n int64) { v.request(ctx, from(i), domain(n)) }
}

// request asks as Thunderbird does, and returns the status of the answer.
func (v *victim) request(ctx context.Context, from, domain string) int {
	c, err := dial(ctx, v.http, from)
	if err != nil {
		return 0
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /mail/config-v1.1.xml?emailaddress=anna@%s HTTP/1.1\r\n"+
		"Host: autoconfig.%s\r\nConnection: close\r\n\r\n", domain, domain)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// handshakes returns an attack by handshakes with names.
func (v *victim) handshakes(from func(int) string, domain func(int64) string) func(context.Context, int, int64) {
	return func(ctx context.Context, i int, n int64) {
		c, err := dial(ctx, v.https, from(i))
		if err != nil {
			return
		}
		defer c.Close()
		tls.Client(c, &tls.Config{ServerName: "autoconfig." + domain(n), InsecureSkipVerify: true}).HandshakeContext(ctx)
	}
}

// asks returns an attack through a proxy that asks whether names may have a certificate.
func (v *victim) asks(domain func(int64) string) func(context.Context, int, int64) {
	return func(ctx context.Context, _ int, n int64) { v.askFor(ctx, "autoconfig."+domain(n)) }
}

func (v *victim) askFor(ctx context.Context, name string) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.admin+"/ask?domain="+name, http.NoBody)
	if err != nil {
		return 0
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// other returns the address of another client. Each asks little, however long the
// answers take on a busy machine.
func other(n int64) string { return fmt.Sprintf("198.51.100.%d", n%250+1) }

// fresh asks about an address of a domain that only its MX record leads here.
func (v *victim) fresh(n int64) int {
	return v.request(context.Background(), other(n), fmt.Sprintf("fresh%d.test", n))
}

// freshHandshake begins a handshake with a name of such a domain. It gets no
// certificate, because no ACME server can be reached, but DNS is asked.
func (v *victim) freshHandshake(n int64) int {
	domain := fmt.Sprintf("fresh%d.test", n)
	v.handshakes(func(int) string { return other(n) }, func(int64) string { return domain })(context.Background(), 0, 0)
	if _, asked := v.asked.Load(domain + "."); asked {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}

// listed asks for a certificate of a name that the configuration lists.
func (v *victim) listed(n int64) int {
	return v.askFor(context.Background(), fmt.Sprintf("autodiscover.listed%d.test", n%listedDomains))
}

// withoutDNS asks about an address of a domain that the configuration lists.
func (v *victim) withoutDNS(n int64) int {
	return v.request(context.Background(), other(n), fmt.Sprintf("listed%d.test", n%listedDomains))
}
