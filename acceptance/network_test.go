package acceptance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// hosting is a hoster who runs Signpost, and what a customer's domain has in
// DNS of what it should have.
type hosting struct {
	config  string // what Signpost is run with
	control string // the same for others' domains: a client must find nothing
	domain  string // whose records are printed

	entered string   // which names of these are in DNS, a pattern; all where empty
	more    string   // further records
	names   []string // for which the hoster has certificates, besides the service's own
	foreign []string // for which somebody else's web site has certificates

	// direct has Signpost end TLS itself. Otherwise a proxy in front does, which
	// also keeps the journal; without it there is what Signpost's log tells.
	direct bool
}

// hoster is a configuration with the usual servers. Lines may be added to the
// provider and to the whole.
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

const (
	anna         = "anna@firma.example"
	hostsFirma   = "domains: [firma.example]"
	hostsAnother = "domains: [another.example]"
)

// The servers as a client should have them. No client can guess these names.
var (
	imap = server{"imap", "in7.hoster.example", 993, "SSL", anna}
	smtp = server{"smtp", "out7.hoster.example", 465, "SSL", anna}
)

// server is a server of an account, in the words of autoconfig.
type server struct {
	Type, Hostname string
	Port           int
	SocketType     string
	Username       string
}

func (s server) String() string {
	return fmt.Sprintf("%s %s:%d %s as %s", s.Type, s.Hostname, s.Port, s.SocketType, s.Username)
}

// as is the server with another login.
func (s server) as(login string) server {
	s.Username = login
	return s
}

// network is the closed network: DNS, mail servers, web servers, the service.
type network struct {
	t       *testing.T
	hosting hosting
	listen  string // the lines of the configuration that say where Signpost listens
	ca      *authority
	names   *nameServer
	mail    *mailServers
	service *service
	journal *journal
	mark    int // where in the journal the present part of the test begins
}

// start starts everything, with Signpost answering for others' domains.
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
		n.listen = fmt.Sprintf("\nlisten: %s:80\ntls:\n  listen: %[1]s:443\n  certificates: [{certificate: %s, key: %s}]\n", serviceIP, certificate, key)
		n.service = startService(t, h.control+n.listen)
		return n
	}
	n.listen = "\nlisten: 127.0.0.1:8080\n"
	n.service = startService(t, h.control+n.listen)
	(&site{n.journal, "", proxy(n.service.address)}).serve(t, serviceIP, n.ca.load("service", own...))
	return n
}

// serve has Signpost answer for the customer's domain, from now on.
func (n *network) serve() {
	n.t.Helper()
	n.mark = len(n.all())
	n.service.reload(n.hosting.config + n.listen)
}

// asked is what was asked and answered over HTTP in the present part, each once.
func (n *network) asked() []string {
	var once []string
	for _, line := range n.all()[n.mark:] {
		if !slices.Contains(once, line) {
			once = append(once, line)
		}
	}
	return once
}

// has waits until a line was written: a client may have its answer before.
func (n *network) has(line string) bool {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if slices.Contains(n.asked(), line) {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}

func (n *network) all() []string {
	if n.hosting.direct {
		return n.service.requests()
	}
	return n.journal.list()
}

// zone is all zone text of the network.
func (h hosting) zone(t *testing.T) string {
	t.Helper()
	entered := regexp.MustCompile(h.entered)
	var b strings.Builder
	for line := range strings.Lines(published(t, h.config, h.domain)) {
		if entered.MatchString(line) {
			b.WriteString(line)
		}
	}
	fmt.Fprintf(&b, "setup.hoster.example. 60 IN A %s\nin7.hoster.example. 60 IN A %s\nout7.hoster.example. 60 IN A %[2]s\n%s\n", serviceIP, mailIP, h.more)
	return b.String()
}

// helps is an answer from which a client could set up an account.
var helps = regexp.MustCompile(`→ 200 (clientConfig|Autodiscover|answered)$`)

// fail ends the test and says in one line what the client asked, what it was
// answered and what it ended up with.
func (n *network) fail(ended, format string, args ...any) {
	n.t.Helper()
	asked := n.asked()
	if len(asked) == 0 {
		asked = []string{"nothing over HTTP"}
	}
	line := fmt.Sprintf(format, args...) + "; it asked " + strings.Join(asked, ", ") + "; it ended with " + strings.Join(strings.Fields(ended), " ")
	if refused := n.journal.refusals(); len(refused) > 0 {
		line += "; TLS handshakes failed: " + strings.Join(refused, ", ")
	}
	n.t.Fatal(line + "; in DNS it looked for " + strings.Join(n.names.questions(), ", "))
}

// checkControl fails the test if an answer of the part could have helped.
func (n *network) checkControl(ended string) {
	n.t.Helper()
	for _, line := range n.asked() {
		if helps.MatchString(line) {
			n.fail(ended, "answered although the domain is not hosted: %s", line)
		}
	}
}
