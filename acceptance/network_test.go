package acceptance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// hosting describes a hoster who runs Signpost, and which of the records that a
// customer's domain should have are in DNS.
type hosting struct {
	config  string // configuration of Signpost
	control string // configuration that does not host the domain: clients must find nothing
	domain  string // the domain whose records are printed

	entered string   // pattern of the names of these that are in DNS; empty for all
	more    string   // further records
	names   []string // names with a certificate of the hoster, besides the service's own name
	foreign []string // names with a certificate of another web site

	// direct makes Signpost terminate TLS. Otherwise a proxy in front does, which also
	// keeps the journal; without it only Signpost's log shows the requests.
	direct bool
}

// hoster returns a configuration with the usual servers and with more lines for the
// provider and for the whole.
func hoster(provider, rest string) string {
	return `
name: setup.hoster.example
admin: {listen: none}
providers:
  - id: mail
    displayName: Hoster Mail
    ` + provider + `
    servers:
      - {type: imap, hostname: in7.hoster.example, port: 993, socketType: SSL}
      - {type: smtp, hostname: out7.hoster.example, port: 465, socketType: SSL}
` + rest
}

// withLocalParts is the usual configuration, but people sign in with the local part.
var withLocalParts = strings.ReplaceAll(hoster(hostsFirma, ""), "SSL}", `SSL, username: "%EMAILLOCALPART%"}`)

const (
	anna         = "anna@firma.example"
	hostsFirma   = "domains: [firma.example]"
	hostsAnother = "domains: [another.example]"
)

// The servers that a client should find. No client can guess these names.
var (
	imap = server{"imap", "in7.hoster.example", 993, "SSL", anna}
	smtp = server{"smtp", "out7.hoster.example", 465, "SSL", anna}
)

// server is a server of an account, in the terms of autoconfig.
type server struct {
	Type, Hostname string
	Port           int
	SocketType     string
	Username       string
}

func (s server) String() string {
	return fmt.Sprintf("%s %s:%d %s as %s", s.Type, s.Hostname, s.Port, s.SocketType, s.Username)
}

// withLogin returns the server with another login.
func (s server) withLogin(login string) server {
	s.Username = login
	return s
}

// network is the closed network: DNS, mail servers, web servers, the service.
type network struct {
	t       *testing.T
	hosting hosting
	listen  string // lines of the configuration for the listeners
	ca      *authority
	names   *nameServer
	mail    *mailServers
	service *service
	journal *journal
	mark    int // index in the journal where the current part of the test begins
}

// start starts everything. At first Signpost does not host the customer's domain.
func (h hosting) start(t *testing.T, boxes ...mailbox) *network {
	t.Helper()
	n := &network{t: t, hosting: h, ca: newAuthority(t), journal: &journal{}}
	n.names = startDNS(t, h.zone(t))
	n.mail = startMail(t, n, boxes...)
	others := append([]string{"www.another.example"}, h.foreign...)
	(&site{n.journal, "web site", nothingHere}).serve(t, webIP, n.ca.load("web", others...))
	own := append([]string{"setup.hoster.example"}, h.names...)
	if h.direct {
		certificate, key := n.ca.issue("service", own...)
		n.listen = fmt.Sprintf("\nlisten: %s:80\ntls:\n  listen: %[1]s:443\n  certificates: [{certificate: %s, key: %s}]\n",
			serviceIP, certificate, key)
		n.service = startService(t, h.control+n.listen)
		return n
	}
	n.listen = "\nlisten: 127.0.0.1:8080\n"
	n.service = startService(t, h.control+n.listen)
	(&site{n.journal, "", proxy(n.service.address)}).serve(t, serviceIP, n.ca.load("service", own...))
	return n
}

// serve makes Signpost host the customer's domain and begins the next part of the test.
func (n *network) serve() {
	n.t.Helper()
	n.mark = len(n.all())
	n.service.reload(n.hosting.config + n.listen)
}

// requests returns the HTTP requests of the current part with their answers, each once.
func (n *network) requests() []string {
	var once []string
	for _, line := range n.all()[n.mark:] {
		if !slices.Contains(once, line) {
			once = append(once, line)
		}
	}
	return once
}

// has waits for a line of the journal, which may be written after the client has its
// answer.
func (n *network) has(line string) bool {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if slices.Contains(n.requests(), line) {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

// all returns the HTTP requests of the whole test.
func (n *network) all() []string {
	if n.hosting.direct {
		return n.service.requests()
	}
	return n.journal.list()
}

// zone returns the zone text of the whole network.
func (h hosting) zone(t *testing.T) string {
	t.Helper()
	entered := regexp.MustCompile(h.entered)
	var b strings.Builder
	for line := range strings.Lines(published(t, h.config, h.domain)) {
		if entered.MatchString(line) {
			b.WriteString(line)
		}
	}
	fmt.Fprintf(&b, "setup.hoster.example. 60 IN A %s\n", serviceIP)
	fmt.Fprintf(&b, "in7.hoster.example. 60 IN A %s\nout7.hoster.example. 60 IN A %[1]s\n", mailIP)
	fmt.Fprintln(&b, h.more)
	return b.String()
}

// withSettings matches an answer from which a client could set up an account.
var withSettings = regexp.MustCompile(`→ 200 (clientConfig|Autodiscover|answered)$`)

// fail ends the test with one line: a message, the client's requests and their answers,
// its state, failed TLS handshakes and DNS queries.
func (n *network) fail(ended, format string, args ...any) {
	n.t.Helper()
	requests := n.requests()
	if len(requests) == 0 {
		requests = []string{"none"}
	}
	line := fmt.Sprintf(format, args...) + "; HTTP requests: " + strings.Join(requests, ", ") +
		"; the client ended with " + strings.Join(strings.Fields(ended), " ")
	if failed := n.journal.handshakes(); len(failed) > 0 {
		line += "; failed TLS handshakes: " + strings.Join(failed, ", ")
	}
	n.t.Fatal(line + "; DNS queries: " + strings.Join(n.names.list(), ", "))
}

// checkControl fails the test if an answer of the current part had settings.
func (n *network) checkControl(ended string) {
	n.t.Helper()
	for _, line := range n.requests() {
		if withSettings.MatchString(line) {
			n.fail(ended, "Signpost sent settings although it does not host the domain: %s", line)
		}
	}
}
