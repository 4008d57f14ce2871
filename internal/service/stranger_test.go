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
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/miekg/dns"

	"signpost/internal/dns/dnstest"
	"signpost/internal/freeport"
	"signpost/internal/service"
)

// The load of TestStranger: each attack lasts a few seconds, in which each of its
// clients asks about once a second, so its cost is limited by time and by number. There
// are fewer handshakes, as each of them costs the attacker's time, too.
const (
	attackTime    = 3 * time.Second
	askers        = 600
	shakers       = 150
	victimPause   = 50 * time.Millisecond
	listedDomains = 2000
)

// victims are the questions of other clients, each about a domain that nobody has
// asked for before, and the time within which the answer has to come. The last one
// needs no DNS: it shows how busy the machine is.
var victims = []struct {
	what   string
	ask    func(v *victim, n int64) int
	within time.Duration
}{
	{"request, MX", (*victim).fresh, 500 * time.Millisecond},
	{"handshake, MX", (*victim).freshHandshake, 500 * time.Millisecond},
	{"/ask, listed", (*victim).listed, 100 * time.Millisecond},
	{"request, listed", (*victim).withoutDNS, 0},
}

// TestStranger has one stranger do its worst to the look-ups in DNS: from one IPv4
// address and from one IPv6 /48, by requests and by handshakes, for names whose servers
// are silent and for names that are not there, and through a proxy that asks for
// certificates. The others' first questions about domains found by their MX records are
// answered all the same, and so are the proxy's about names that are listed.
func TestStranger(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	w := startVictim(t)
	v4 := func(int) string { return "203.0.113.66" }
	wide := func(i int) string { return fmt.Sprintf("2001:db8:66:%x::1", i+1) }
	silent := func(i int64) string { return fmt.Sprintf("n%d-silent.test", i) }
	absent := func(i int64) string { return fmt.Sprintf("n%d-absent.test", i) }
	chain := func(i int64) string { return fmt.Sprintf("n%d-chain.test", i) }
	attacks := []struct {
		name    string
		clients int
		ask     func(ctx context.Context, i int, n int64)
	}{
		{"nobody", 0, nil},
		{"requests, one address, silent", askers, w.requests(v4, silent)},
		{"requests, /48, silent", askers, w.requests(wide, silent)},
		{"handshakes, one address, silent", shakers, w.handshakes(v4, silent)},
		{"handshakes, /48, silent", shakers, w.handshakes(wide, silent)},
		{"handshakes, one address, aliases", shakers, w.handshakes(v4, chain)},
		{"/ask, silent", askers, w.asks(silent)},
		{"/ask, absent", askers, w.asks(absent)},
	}
	goroutines := runtime.NumGoroutine()
	all := make([]times, len(victims))
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "attack\tvictim's first question\tstatus\tmedian\t99th percentile\tattacker's\tto DNS")
	for _, attack := range attacks {
		questions := w.questions.Load()
		sent := w.attack(t, attack.clients, attack.ask)
		got := make([]*times, len(victims))
		for i := range victims {
			got[i] = w.askAsVictim(i)
		}
		w.running.Wait()
		questions = w.questions.Load() - questions
		for i, g := range got {
			fmt.Fprintf(table, "%s\t%s\t%s\t%v\t%v\t%d\t%d\n", attack.name, victims[i].what, g.statuses(),
				g.at(0.5), g.at(0.99), sent.Load(), questions)
			if attack.ask != nil {
				all[i].add(g)
			}
		}
	}
	table.Flush()
	t.Logf("\n%s", &text)
	busy := all[len(victims)-1].at(0.99)
	for i, question := range victims {
		if statuses := all[i].statuses(); statuses != "200" {
			t.Errorf("%s: the answers have the statuses %s, want only 200", question.what, statuses)
		}
		if got := all[i].at(0.99); question.within > 0 && got > question.within+2*busy {
			t.Errorf("%s: the 99th percentile is %v, and %v without DNS; want less than %v",
				question.what, got, busy, question.within)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > goroutines+50 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines+50 {
		t.Errorf("%d goroutines run after the attacks, and %d before", n, goroutines)
	}
}

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
`, v.http, v.https, filepath.Join(dir, "acme"), v.admin, dnstest.StartServer(t, v.nameServer), strings.Join(domains, ", "))
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
			time.Sleep(time.Duration(i) * time.Second / time.Duration(clients)) // a burst would only show how fast the machine is
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
	fmt.Fprintf(c, "GET /mail/config-v1.1.xml?emailaddress=anna@%s HTTP/1.1\r\nHost: autoconfig.%s\r\nConnection: close\r\n\r\n",
		domain, domain)
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

// times are the answers to the questions of a victim.
type times struct {
	mu     sync.Mutex
	took   []time.Duration
	status map[int]int
}

// askAsVictim asks one of the victims' questions at regular times while the attack
// lasts, whether or not the questions before have been answered.
func (v *victim) askAsVictim(i int) *times {
	result := &times{status: map[int]int{}}
	v.running.Go(func() {
		for ; time.Now().Before(v.end); time.Sleep(victimPause) {
			v.running.Go(func() {
				begun := time.Now()
				status := victims[i].ask(v, v.next.Add(1))
				result.mu.Lock()
				defer result.mu.Unlock()
				result.took = append(result.took, time.Since(begun))
				result.status[status]++
			})
		}
	})
	return result
}

func (r *times) add(more *times) {
	r.took = append(r.took, more.took...)
	if r.status == nil {
		r.status = map[int]int{}
	}
	for status, n := range more.status {
		r.status[status] += n
	}
}

// at returns the time within which a part of the answers came.
func (r *times) at(part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.took))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)].Round(100 * time.Microsecond)
}

// statuses returns the statuses of the answers, and how many had each if there is more
// than one.
func (r *times) statuses() string {
	var all []string
	for status, n := range r.status {
		if len(r.status) == 1 {
			return fmt.Sprint(status)
		}
		all = append(all, fmt.Sprintf("%d: %d", status, n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
