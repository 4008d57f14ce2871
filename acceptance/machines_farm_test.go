package acceptance

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"

	"signpost/internal/sources/rig"
)

const (
	frontIP = serviceIP      // HAProxy
	sideIP  = "198.51.100.1" // what the machines reach: DNS, the database, the ACME server
)

// listeningForTLS is in the log of a service that listens.
var listeningForTLS = regexp.MustCompile(`msg="listening for TLS"`)

// farm is several machines with what they share.
type farm struct {
	domains  []string // that are hosted
	names    []string // that may have a certificate
	acme     *testACME
	database *gate
	machines []*machine
	config   string // of each machine, with its address as %s
}

// machine is one machine: a network namespace with a running service.
type machine struct {
	ip      string
	log     *lines
	process *os.Process
	ended   <-chan struct{}
}

// startFarm starts machines that share a database, and what else they share. One name is hosted
// for each number.
func startFarm(t *testing.T, machines, names int) *farm {
	t.Helper()
	f := &farm{}
	f.start(t, machines, names, f.inDatabase(t)+"    ordersPerHour: 10000\n")
	return f
}

// inDatabase starts a database and returns the keys below tls.acme that say where it is.
func (f *farm) inDatabase(t *testing.T) string {
	t.Helper()
	mustIP(t, "address add "+sideIP+"/32 dev net0")
	postgres := rig.PostgreSQL(t)
	d := postgres.Empty(t)
	d.Run(t, fmt.Sprintf("GRANT CREATE ON SCHEMA public TO %s; "+
		"ALTER ROLE %[1]s RESET ALL; ALTER ROLE %[1]s CONNECTION LIMIT -1;", d.User))
	f.database = startGate(t, sideIP+":5432", postgres.Address())
	seal := writeFile(t, "seal", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	return fmt.Sprintf(`
    storage: "postgres://%s@%s/%s?socketType=plain"
    passwordFile: %s
    sealFile: %s
`, d.User, sideIP, d.Name, d.PasswordFile, seal)
}

// start starts machines with what is below tls.acme in their configuration.
func (f *farm) start(t *testing.T, machines, names int, storage string) {
	t.Helper()
	var zone strings.Builder
	fmt.Fprintf(&zone, "setup.hoster.example. 60 IN A %s\nacme.hoster.example. 60 IN A %s\n", frontIP, sideIP)
	for i := range names {
		domain := fmt.Sprintf("d%d.example", i)
		f.domains = append(f.domains, domain)
		f.names = append(f.names, "autoconfig."+domain)
		fmt.Fprintf(&zone, "autoconfig.%s. 60 IN A %s\n", domain, frontIP)
	}
	exec.Command("ip", "address", "add", sideIP+"/32", "dev", "net0").Run() // the database may have added it
	writeFile(t, "resolv.conf", "nameserver "+sideIP+"\n")                  // is /etc/resolv.conf here
	server := startDNS(t, zone.String())
	packets, err := net.ListenPacket("udp", sideIP+":53")
	if err != nil {
		t.Fatal(err)
	}
	also := &dns.Server{PacketConn: packets, Handler: server}
	go also.ActivateAndServe()
	t.Cleanup(func() { also.Shutdown() })
	f.acme = startACME(t)

	list := writeFile(t, "domains.txt", strings.Join(f.domains, "\n")+"\n")
	f.config = fmt.Sprintf(`
name: setup.hoster.example
listen: "%%[1]s:80"
admin: {listen: "%%[1]s:9480"}
trustedProxies: [%[1]s]
proxyProtocol: true
limits: {requests: 0, stop: 25s}
dns: {servers: [%[1]s]}
tls:
  listen: "%%[1]s:443"
  acme:
    directory: https://acme.hoster.example:14000/dir
    caRoot: %[2]s%[3]sproviders:
  - id: mail
    displayName: Hoster Mail
    domains: {file: %[4]s}
    servers:
      - {type: imap, hostname: in7.hoster.example, port: 993, socketType: SSL}
      - {type: smtp, hostname: out7.hoster.example, port: 465, socketType: SSL}
`, sideIP, f.acme.rootFile, storage, list)
	f.startHAProxy(t, machines) // before the machines order the certificate of their own name
	for i := range machines {
		f.machines = append(f.machines, f.startMachine(t, i+1))
	}
	for _, m := range f.machines {
		f.awaitHealthy(t, m)
		if err := f.handshake(m.ip, "setup.hoster.example"); err != nil {
			t.Fatalf("the service's own name: %v\n%s", err, m.log)
		}
	}
	f.acme.orders.Store(0)
}

func (f *farm) domain(i int) string { return f.domains[i] }

// mustIP runs commands of ip(8).
func mustIP(t *testing.T, commands ...string) {
	t.Helper()
	ip := exec.Command("ip", "-batch", "-")
	ip.Stdin = strings.NewReader(strings.Join(commands, "\n"))
	if out, err := ip.CombinedOutput(); err != nil {
		t.Fatalf("ip: %v: %s", err, out)
	}
}

// startMachine starts a machine by its number, in a new network namespace that reaches this one.
func (f *farm) startMachine(t *testing.T, number int) *machine {
	t.Helper()
	m := &machine{ip: fmt.Sprintf("198.51.100.%d", 10+number), log: &lines{}}
	file := writeFile(t, fmt.Sprintf("machine%d.yaml", number), fmt.Sprintf(f.config, m.ip))
	// The service waits for its network: the shell goes on when its input ends.
	cmd := exec.Command("unshare", "-n", "sh", "-c", `read x; exec "$0" "$@"`,
		os.Getenv(insideVariable), "serve", "-config", file)
	cmd.Stderr = m.log
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.ended = run(t, cmd)
	m.process = cmd.Process
	ours, theirs := fmt.Sprintf("m%da", number), fmt.Sprintf("m%db", number)
	exec.Command("ip", "link", "delete", ours).Run() // that of the machine of this number before
	pid := fmt.Sprint(cmd.Process.Pid)
	waitForNamespace(t, pid)
	mustIP(t, "link add "+ours+" type veth peer name "+theirs, "link set "+theirs+" netns "+pid, "link set "+ours+" up",
		"route replace "+m.ip+"/32 dev "+ours+" src "+sideIP)
	inside := exec.Command("nsenter", "-t", pid, "-n", "ip", "-batch", "-")
	inside.Stdin = strings.NewReader("link set lo up\nlink set " + theirs + " up\n" +
		"address add " + m.ip + "/32 dev " + theirs + "\nroute add " + sideIP + "/32 dev " + theirs + "\nroute add default via " + sideIP + " dev " + theirs + "\n")
	if out, err := inside.CombinedOutput(); err != nil {
		t.Fatalf("ip in the machine's namespace: %v: %s", err, out)
	}
	io.WriteString(hold, "\n")
	hold.Close()
	if m.log.await(listeningForTLS, 10*time.Second, m.ended) == nil {
		t.Fatalf("the machine %s does not listen:\n%s", m.ip, m.log)
	}
	return m
}

// waitForNamespace waits until a process has a network namespace of its own.
func waitForNamespace(t *testing.T, pid string) {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if its, err := os.Readlink("/proc/" + pid + "/ns/net"); err == nil && its != own {
			return
		}
	}
	t.Fatalf("process %s has no network namespace of its own", pid)
}

// stop stops the service in good order.
func (m *machine) stop() {
	m.process.Signal(syscall.SIGTERM)
	<-m.ended
}

func (m *machine) kill() {
	m.process.Kill()
	<-m.ended
}

// startHAProxy starts HAProxy in front of the machines: it passes connections on, tells the
// clients' addresses by PROXY protocol, and asks the admin listener which machine is ready.
func (f *farm) startHAProxy(t *testing.T, machines int) {
	t.Helper()
	example, err := os.ReadFile("../packaging/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	// The example with our addresses, and with a line for each machine.
	first := regexp.MustCompile(`(?m)^  server m1 192\.0\.2\.11:.*$`)
	text := first.ReplaceAllStringFunc(string(example), func(line string) string {
		var all []string
		for i := range machines {
			all = append(all, strings.NewReplacer("m1", fmt.Sprintf("m%d", i+1),
				"192.0.2.11", fmt.Sprintf("198.51.100.%d", 11+i), "inter 1s", "inter 200ms").Replace(line))
		}
		return strings.Join(all, "\n")
	})
	text = regexp.MustCompile(`(?m)^  server m2 192\.0\.2\.12.*$`).ReplaceAllString(text, "")
	file := writeFile(t, "haproxy.cfg", strings.ReplaceAll(text, "bind :::", "bind "+frontIP+":"))
	out := &lines{}
	cmd := exec.Command("haproxy", "-db", "-f", file)
	cmd.Stdout, cmd.Stderr = out, out
	ended := run(t, cmd)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", frontIP+":443")
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("haproxy has ended:\n%s", out)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("haproxy does not listen:\n%s", out)
		}
	}
}

// awaitHealthy waits until a machine says that it is ready, and HAProxy has asked.
func (f *farm) awaitHealthy(t *testing.T, m *machine) {
	t.Helper()
	f.awaitReadiness(t, m, http.StatusOK)
	time.Sleep(500 * time.Millisecond)
}

// awaitReadiness waits until a machine answers a status when it is asked whether it is ready.
func (f *farm) awaitReadiness(t *testing.T, m *machine, status int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + m.ip + ":9480/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == status {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz of %s does not answer %d: %v\n%s", m.ip, status, err, m.log)
		}
	}
}

// clientConfig is the TLS configuration of a client that trusts the ACME server's certificates.
func (f *farm) clientConfig(name string) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: f.acme.roots}
}

// dial connects to a machine, with the header that HAProxy would send, or to HAProxy.
func dialMachine(ctx context.Context, ip string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: 25 * time.Second}).DialContext(ctx, "tcp", ip+":443")
	if err != nil || ip == frontIP {
		return conn, err
	}
	conn.SetDeadline(time.Now().Add(25 * time.Second))
	_, err = conn.Write(proxyHeader("192.0.2.200", ip))
	return conn, err
}

// proxyHeader is a header of PROXY protocol version 2 for TCP over IPv4 (§2.2).
func proxyHeader(from, to string) []byte {
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11"), 0, 12)
	for _, ip := range []string{from, to} {
		a := netip.MustParseAddr(ip).As4()
		b = append(b, a[:]...)
	}
	b = binary.BigEndian.AppendUint16(b, 40000)
	return binary.BigEndian.AppendUint16(b, 443)
}

// handshake connects to a machine, or to HAProxy, under a name.
func (f *farm) handshake(ip, name string) error {
	conn, err := dialMachine(context.Background(), ip)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(25 * time.Second))
	if err := tls.Client(conn, f.clientConfig(name)).Handshake(); err != nil {
		return fmt.Errorf("handshake with %s: %w", ip, err)
	}
	return nil
}

// get asks a machine for settings and returns how the connection was.
func (f *farm) get(ip string, config *tls.Config) (tls.ConnectionState, error) {
	conn, err := dialMachine(context.Background(), ip)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	secure := tls.Client(conn, config)
	fmt.Fprintf(secure, "GET /mail/config-v1.1.xml HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", config.ServerName)
	resp, err := http.ReadResponse(bufio.NewReader(secure), nil)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return tls.ConnectionState{}, fmt.Errorf("status %d from %s", resp.StatusCode, ip)
	}
	return secure.ConnectionState(), nil
}

// client is an HTTP client that reaches one machine under all names.
func (f *farm) client(ip string) *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: f.acme.roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialMachine(ctx, ip)
		},
	}}
}

// load is clients that ask HAProxy without a pause, each on connections that it keeps.
type load struct {
	answered, failed atomic.Int64
	mu               sync.Mutex
	problem          error
	ended            chan struct{}
	group            sync.WaitGroup
}

func (f *farm) load(t *testing.T, clients int) *load {
	l := &load{ended: make(chan struct{})}
	for range clients {
		client := f.client(frontIP)
		l.group.Go(func() {
			for {
				select {
				case <-l.ended:
					return
				case <-time.After(20 * time.Millisecond):
				}
				resp, err := client.Get("https://" + f.names[0] + "/mail/config-v1.1.xml")
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if err == nil && resp.StatusCode != http.StatusOK {
						err = fmt.Errorf("status %d", resp.StatusCode)
					}
				}
				if err != nil {
					l.failed.Add(1)
					l.mu.Lock()
					if l.problem == nil {
						l.problem = err
					}
					l.mu.Unlock()
					continue
				}
				l.answered.Add(1)
			}
		})
	}
	t.Cleanup(func() { l.stop() })
	return l
}

func (l *load) counts() (answered, failed int64) { return l.answered.Load(), l.failed.Load() }

func (l *load) first() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problem
}

func (l *load) stop() (answered, failed int64) {
	select {
	case <-l.ended:
	default:
		close(l.ended)
	}
	l.group.Wait()
	return l.counts()
}

// testACME is Pebble, which counts orders.
type testACME struct {
	orders  atomic.Int64
	waiting atomic.Int64 // requests that are delayed now
	// How long it takes, in nanoseconds, to accept an order, and to issue a certificate when
	// the name has been validated.
	orderDelay, issueDelay atomic.Int64
	roots                  *x509.CertPool
	rootFile               string
}

func startACME(t *testing.T) *testACME {
	t.Helper()
	for name, value := range map[string]string{
		"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0",
	} {
		os.Setenv(name, value)
	}
	a := &testACME{roots: x509.NewCertPool()}
	own := newAuthority(t)
	a.rootFile = own.file
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 86400}})
	if !a.roots.AppendCertsFromPEM(authority.GetRootCert(0).PEM()) {
		t.Fatal("Pebble has no root")
	}
	validation := va.New(quiet, 80, 443, false, dnsIP+":53", store)
	front := wfe.New(quiet, store, validation, authority, []string{"pebble.letsencrypt.org"}, false, false, 0, 0)
	handler := front.Handler()
	listener, err := tls.Listen("tcp", sideIP+":14000", &tls.Config{
		Certificates: []tls.Certificate{own.load("acme", "acme.hoster.example")}})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		delay := time.Duration(0)
		switch {
		case r.URL.Path == "/order-plz":
			a.orders.Add(1)
			delay = time.Duration(a.orderDelay.Load())
		case strings.HasPrefix(r.URL.Path, "/finalize-order/"):
			delay = time.Duration(a.issueDelay.Load())
		}
		if delay > 0 {
			a.waiting.Add(1)
			time.Sleep(delay)
			a.waiting.Add(-1)
		}
		handler.ServeHTTP(w, r)
	})}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return a
}

// gate passes connections on to an address, and can be shut.
type gate struct {
	address, to string
	mu          sync.Mutex
	listener    net.Listener
	open        map[net.Conn]bool
}

func startGate(t *testing.T, address, to string) *gate {
	t.Helper()
	g := &gate{address: address, to: to, open: map[net.Conn]bool{}}
	g.away(false)
	t.Cleanup(func() { g.away(true) })
	return g
}

// away shuts the gate, which ends all connections, or opens it.
func (g *gate) away(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !shut {
		listener, err := net.Listen("tcp", g.address)
		if err != nil {
			panic(err)
		}
		g.listener = listener
		go g.accept(listener)
		return
	}
	g.listener.Close()
	for conn := range g.open {
		conn.Close()
	}
	clear(g.open)
}

func (g *gate) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", g.to)
		if err != nil {
			client.Close()
			continue
		}
		g.mu.Lock()
		g.open[client], g.open[server] = true, true
		g.mu.Unlock()
		for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
			go func() {
				io.Copy(way[0], way[1])
				way[0].Close()
				way[1].Close()
			}()
		}
	}
}

// tail returns the last lines of a text.
func tail(text string, n int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-n):], "\n")
}
