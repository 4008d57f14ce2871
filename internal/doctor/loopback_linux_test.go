package doctor

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"signpost/account"
	"signpost/internal/dns/dnstest"
	"signpost/internal/doctor/probe/network"
)

// loopback serves the town on addresses of loopback, for every domain d‹number›.example in
// the place of nordlys.example.
type loopback struct {
	town     *town
	options  network.Options
	prefix   string // of its addresses
	key      *ecdsa.PrivateKey
	issuer   *x509.Certificate
	pairs    sync.Map // certificates by name
	mu       sync.Mutex
	open     map[string][]net.Conn // connections by the server's address
	most     atomic.Int32          // connections at a time at any one address
	requests atomic.Int32
}

var numbered = regexp.MustCompile(`d[0-9]+\.example`)

// startLoopback needs the ports of mail and web, so only root can run it.
func startLoopback(t testing.TB) *loopback {
	t.Helper()
	l := &loopback{town: healthyTown(t), open: map[string][]net.Conn{},
		prefix: fmt.Sprintf("127.%d.%d.", 64+os.Getpid()>>8&63, os.Getpid()&255)}
	var err error
	if l.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	l.issuer = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Town CA"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, l.issuer, l.issuer, &l.key.PublicKey, l.key)
	if err != nil {
		t.Fatal(err)
	}
	if l.issuer, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(l.issuer)
	withTLS := &tls.Config{GetCertificate: l.certificate}

	web := http.HandlerFunc(l.serveWeb)
	for _, host := range []string{"1", "3"} { // the domains and Mozilla's database
		l.listen(t, host+":80", func(n net.Listener) { http.Serve(n, web) })
		l.listen(t, host+":443", func(n net.Listener) { http.Serve(tls.NewListener(n, withTLS), web) })
	}
	for port, t2 := range map[string]struct {
		kind account.ServerType
		how  account.SocketType
	}{"993": {account.IMAP, account.SSL}, "465": {account.SMTP, account.SSL}, "587": {account.SMTP, account.STARTTLS}} {
		host := string(t2.kind) + ".hoster.example"
		withTLS := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == "" {
				hello.ServerName = host // as the only certificate of a mail server
			}
			return l.certificate(hello)
		}}
		l.listen(t, "2:"+port, func(n net.Listener) {
			for {
				c, err := n.Accept()
				if err != nil {
					return
				}
				go serveMail(c, t2.kind, t2.how, withTLS)
			}
		})
	}
	l.options = network.Options{Private: true, Roots: roots, Hello: "doctor.example", Version: "1.2.3",
		Servers: []string{dnstest.StartServer(t, l.serveDNS)}}
	return l
}

// listen serves an address, and counts how many connections it has at a time.
func (l *loopback) listen(t testing.TB, address string, serve func(net.Listener)) {
	t.Helper()
	n, err := net.Listen("tcp", l.prefix+address)
	if err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skipf("the ports of web and mail need root: %v", err)
	}
	t.Cleanup(func() { n.Close() })
	go serve(&counting{n, l})
}

// counting counts the connections of a listener that are open.
type counting struct {
	net.Listener
	l *loopback
}

func (c *counting) Accept() (net.Conn, error) {
	accepted, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l, address := c.l, accepted.LocalAddr().(*net.TCPAddr).IP.String()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[address] = append(slices.DeleteFunc(l.open[address], hasEnded), accepted)
	l.most.Store(max(l.most.Load(), int32(len(l.open[address]))))
	return accepted, nil
}

// hasEnded reports whether the client has closed the connection, or the server has. The kernel is asked, as
// a server may notice later that its client has gone.
func hasEnded(c net.Conn) bool {
	const established = 1 // enum of netinet/tcp.h
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return true
	}
	info := 0
	if raw.Control(func(fd uintptr) {
		info, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
	}) != nil || err != nil {
		return true
	}
	return info&0xff != established // the state is the first byte of struct tcp_info
}

func (l *loopback) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := hello.ServerName
	if pair, ok := l.pairs.Load(name); ok {
		return pair.(*tls.Certificate), nil
	}
	names := []string{name}
	if name == "" {
		names = []string{"imap.hoster.example", "smtp.hoster.example"} // the default of the mail server
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, l.issuer, &l.key.PublicKey, l.key)
	pair := &tls.Certificate{Certificate: [][]byte{der, l.issuer.Raw}, PrivateKey: l.key}
	l.pairs.Store(name, pair)
	return pair, err
}

func (l *loopback) serveDNS(w mdns.ResponseWriter, query *mdns.Msg) {
	question := query.Question[0]
	name := strings.ToLower(strings.TrimSuffix(question.Name, "."))
	domain := numbered.FindString(name)
	records, exists := l.town.lookup(mdns.TypeToString[question.Qtype],
		numbered.ReplaceAllString(name, "nordlys.example"))
	answer := new(mdns.Msg).SetReply(query)
	answer.RecursionAvailable = true
	if !exists {
		answer.Rcode = mdns.RcodeNameError
	}
	for _, r := range records {
		data := strings.ReplaceAll(r.Data, "nordlys.example", domain)
		if r.Type == "A" {
			data = l.prefix + map[byte]string{'2': "1", '1': "3"}[data[0]]
			if r.Data == townMail {
				data = l.prefix + "2"
			}
		}
		answer.Answer = append(answer.Answer, dnstest.RR(fmt.Sprintf("%s. 3600 IN %s %s", name, r.Type, data)))
	}
	if len(answer.Answer) == 0 {
		answer.Ns = append(answer.Ns, dnstest.RR("example. 300 IN SOA ns.example. host.example. 1 3600 600 86400 120"))
	}
	w.WriteMsg(answer)
}

func (l *loopback) serveWeb(w http.ResponseWriter, r *http.Request) {
	l.requests.Add(1)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	domain := numbered.FindString(r.Host)
	key := r.Method + " " + scheme + "://" + strings.Replace(r.Host, domain, "nordlys.example", 1) +
		strings.ToLower(r.URL.Path)
	if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), "mobilesync/requestschema") {
		key += " for phones"
	}
	a, ok := l.town.pages[key]
	if !ok || domain == "" {
		http.NotFound(w, r)
		return
	}
	if question, _ := io.ReadAll(io.LimitReader(r.Body, 8<<10)); isOfPhone(string(question)) {
		a.Body = []byte(notForPhones)
	}
	w.Header().Set("Content-Type", a.Header["Content-Type"])
	w.Write([]byte(strings.ReplaceAll(string(a.Body), "nordlys.example", domain)))
}

// serveMail is as much of an IMAP or SMTP server as somebody needs who does not sign in.
func serveMail(c net.Conn, kind account.ServerType, how account.SocketType, config *tls.Config) {
	defer func() { c.Close() }()
	c.SetDeadline(time.Now().Add(time.Minute))
	if how == account.SSL {
		c = tls.Server(c, config)
	}
	greeting := "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"
	if kind == account.SMTP {
		greeting = "220 smtp.hoster.example ESMTP\r\n"
	}
	fmt.Fprint(c, greeting)
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 1 {
			return
		}
		command := strings.ToUpper(words[0])
		switch {
		case kind == account.IMAP && len(words) > 1 && strings.EqualFold(words[1], "CAPABILITY"):
			fmt.Fprintf(c, "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN\r\n%s OK done\r\n", words[0])
		case kind == account.IMAP && len(words) > 1 && strings.EqualFold(words[1], "LOGOUT"):
			fmt.Fprintf(c, "* BYE\r\n%s OK done\r\n", words[0])
			return
		case command == "EHLO":
			if how == account.STARTTLS {
				fmt.Fprint(c, "250-smtp.hoster.example\r\n250 STARTTLS\r\n")
				continue
			}
			fmt.Fprint(c, "250-smtp.hoster.example\r\n250 AUTH PLAIN LOGIN\r\n")
		case command == "STARTTLS":
			fmt.Fprint(c, "220 go on\r\n")
			c, how = tls.Server(c, config), account.SSL
			lines = bufio.NewScanner(c)
		case command == "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			fmt.Fprint(c, "500 what?\r\n")
		}
	}
}

// TestLoopback diagnoses domains of real servers in one run: each is healthy, no server has
// more than two connections at a time, and memory stays bounded. SIGNPOST_DOMAINS is the number of
// domains, to measure 1,000 of them.
func TestLoopback(t *testing.T) {
	domains := 8
	if n, err := strconv.Atoi(os.Getenv("SIGNPOST_DOMAINS")); err == nil {
		domains = n
	}
	l := startLoopback(t)
	peak := watchMemory(t)
	many := Many{AtOnce: 8, NewAsker: l.newAsker}
	begun := time.Now()
	var slowest float64
	for result := range many.Examine(t.Context(), numberedDomains(domains)) {
		r := result.Report
		if result.Err != nil || len(r.Findings) > 0 || !r.Complete {
			t.Errorf("%s: %d findings, complete %v, %v, %v, want a healthy domain",
				result.Address.Domain(), len(r.Findings), r.Complete, r.NotAsked, result.Err)
		}
		slowest = max(slowest, r.Seconds)
	}
	took := time.Since(begun)
	t.Logf("%d domains in %v, the slowest %.1f s, %d web requests, at most %d connections at an address, %d MB of heap",
		domains, took.Round(time.Second/10), slowest, l.requests.Load(), l.most.Load(), peak()>>20)
	if most := l.most.Load(); most > 2 {
		t.Errorf("an address had %d connections at a time, want at most 2", most)
	}
	if limit := time.Duration(domains) * 900 * time.Millisecond; took > limit+20*time.Second {
		t.Errorf("%d domains took %v, want less than %v: 1,000 in 15 minutes, and a pause",
			domains, took, limit+20*time.Second)
	}
	if peak()>>20 > 64 {
		t.Errorf("the heap grew to %d MB, want at most 64", peak()>>20)
	}
}

// TestLoopbackOne: one healthy domain takes less than 3 s, at the best of three times as the
// machine may have other work.
func TestLoopbackOne(t *testing.T) {
	l := startLoopback(t)
	best := 1000.0
	for range 3 {
		n, err := network.New(l.options)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Examine(t.Context(), Options{Address: address(t, "anna@d1.example"), Asker: n})
		if err != nil {
			t.Fatal(err)
		}
		counts := n.Counts()
		t.Logf("%.1f s, %+v", r.Seconds, counts)
		if len(r.Findings) > 0 || !r.Complete {
			t.Fatalf("findings %v, not asked %v, want a healthy domain", r.Findings, r.NotAsked)
		}
		if counts.Web > 40 || counts.DNS > 60 || counts.Mail > 12 {
			t.Errorf("%+v questions, want at most 40 web requests, 60 DNS questions and 12 mail connections", counts)
		}
		if best = min(best, r.Seconds); best < 3 {
			return
		}
	}
	t.Errorf("the diagnosis took %.1f s at best, want less than 3 s", best)
}
