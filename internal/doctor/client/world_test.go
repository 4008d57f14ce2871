package client

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// world is a small internet for tests: what is not in it does not exist.
type world struct {
	records map[probe.DNSQuestion][]string // data of records
	pages   map[string]probe.WebAnswer     // by "GET https://host/path", with or without the query
	mail    map[probe.MailQuestion]probe.MailAnswer
	hosts   map[string]bool // with an address
	t       *testing.T
}

func newWorld(t *testing.T) *world {
	return &world{map[probe.DNSQuestion][]string{}, map[string]probe.WebAnswer{},
		map[probe.MailQuestion]probe.MailAnswer{}, map[string]bool{}, t}
}

// page puts an answer at a URL, which is a GET unless it begins with "POST ".
func (w *world) page(url string, status int, contentType, body string, changes ...func(*probe.WebAnswer)) *world {
	if !strings.HasPrefix(url, "POST ") {
		url = "GET " + url
	}
	answer := probe.WebAnswer{Status: status, Body: []byte(body), Header: map[string]string{}, Took: 50 * time.Millisecond}
	if contentType != "" {
		answer.Header["Content-Type"] = contentType
	}
	if strings.Contains(url, "https://") {
		answer.TLS = &probe.TLS{Version: "TLS 1.3"}
	}
	for _, change := range changes {
		change(&answer)
	}
	w.pages[url] = answer
	host, _, _ := strings.Cut(url[strings.Index(url, "://")+3:], "/")
	w.hosts[host] = true
	return w
}

// to makes an answer a redirect.
func to(location string) func(*probe.WebAnswer) {
	return func(a *probe.WebAnswer) { a.Header["Location"] = location }
}

// badTLS makes the certificate of an answer bad.
func badTLS(problems ...probe.Problem) func(*probe.WebAnswer) {
	return func(a *probe.WebAnswer) { a.TLS.Problems = problems }
}

// silent makes a web server accept and say nothing.
func silent(a *probe.WebAnswer) {
	*a = probe.WebAnswer{Failure: &probe.Failure{Kind: probe.TimedOut, Text: "no answer in 10s"}, Took: probe.ByteLimit}
}

// record puts a record into DNS.
func (w *world) record(recordType, name, data string) *world {
	q := DNS(recordType, name)
	w.records[q] = append(w.records[q], data)
	return w
}

// server puts a mail server with capabilities that a usual one has, for "imap://host:993",
// "imap+starttls://host:143", "imap+plain://host:143".
func (w *world) server(url string, changes ...func(*probe.MailAnswer)) *world {
	w.t.Helper()
	q := mailQuestion(w.t, url)
	a := probe.MailAnswer{Greeting: "ready", GreetedAt: 20 * time.Millisecond, Took: 100 * time.Millisecond}
	login := map[account.ServerType][]string{account.IMAP: {"IMAP4REV1", "AUTH=PLAIN"}, account.POP3: {"USER", "SASL PLAIN"},
		account.SMTP: {"PIPELINING", "AUTH PLAIN LOGIN"}}[q.Type]
	switch q.SocketType {
	case account.SSL:
		a.After = login
	case account.STARTTLS:
		a.Before = []string{map[account.ServerType]string{account.POP3: "STLS"}[q.Type]}
		if a.Before[0] == "" {
			a.Before[0] = "STARTTLS"
		}
		a.After = login
	case account.Plain:
		a.Before = login
	}
	if q.SocketType != account.Plain {
		a.TLS = &probe.TLS{Version: "TLS 1.3", Names: []string{q.Host}}
	}
	for _, change := range changes {
		change(&a)
	}
	w.mail[q] = a
	w.hosts[q.Host] = true
	return w
}

func mailQuestion(t *testing.T, url string) probe.MailQuestion {
	t.Helper()
	scheme, rest, _ := strings.Cut(url, "://")
	q := probe.MailQuestion{SocketType: account.SSL}
	if _, err := fmt.Sscanf(strings.Replace(rest, ":", " ", 1), "%s %d", &q.Host, &q.Port); err != nil {
		t.Fatalf("mail server %q: %v", url, err)
	}
	protocol, how, _ := strings.Cut(scheme, "+")
	q.Type = account.ServerType(protocol)
	switch how {
	case "starttls":
		q.SocketType = account.STARTTLS
	case "plain":
		q.SocketType = account.Plain
	}
	return q
}

func (w *world) DNS(_ context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	data := slices.Clip(w.records[q])
	if w.hosts[q.Name] && q.Type == "A" {
		data = append(data, "192.0.2.1")
	}
	a := probe.DNSAnswer{Took: 10 * time.Millisecond}
	if len(data) == 0 {
		a.Status = dns.NoName
	}
	for _, d := range data {
		a.Records = append(a.Records, dns.Record{Name: q.Name, TTL: 3600, Type: q.Type, Data: d})
	}
	return a
}

func (w *world) Web(_ context.Context, q probe.WebQuestion) probe.WebAnswer {
	key := q.Method + " " + q.URL
	if a, ok := w.pages[key]; ok {
		return a
	}
	if a, ok := w.pages[withoutQueryIn(key)]; ok {
		return a
	}
	host, _, _ := strings.Cut(q.URL[strings.Index(q.URL, "://")+3:], "/")
	if !w.hosts[host] {
		return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.NoAddress, Text: host + " has no address"}, Took: 10 * time.Millisecond}
	}
	return probe.WebAnswer{Status: 404, Header: map[string]string{"Content-Type": "text/html"}, Took: 50 * time.Millisecond}
}

func withoutQueryIn(key string) string { text, _, _ := strings.Cut(key, "?"); return text }

func (w *world) Mail(_ context.Context, q probe.MailQuestion) probe.MailAnswer {
	if a, ok := w.mail[q]; ok {
		return a
	}
	// The other ways to begin TLS at a port that is open.
	for other, a := range w.mail {
		if other.Host != q.Host || other.Port != q.Port {
			continue
		}
		switch {
		case other.SocketType == account.SSL || q.SocketType == account.SSL:
			return probe.MailAnswer{Failure: &probe.Failure{Kind: probe.BadTLS, Text: "no TLS"}, Took: 50 * time.Millisecond}
		case q.SocketType == account.STARTTLS:
			a.TLS, a.After = nil, nil
			return a
		default:
			a.TLS, a.After = nil, nil
			return a
		}
	}
	return probe.MailAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "connection refused"}, Took: 10 * time.Millisecond}
}

func (w *world) TLS(_ context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	return probe.TLSAnswer{TLS: &probe.TLS{}, Address: netip.MustParseAddr("192.0.2.1")}
}

// forecast runs a client in the world.
func (w *world) forecast(id, address string) Forecast {
	w.t.Helper()
	i := slices.IndexFunc(all, func(c Client) bool { return c.ID == id })
	if i < 0 {
		w.t.Fatalf("there is no client %q", id)
	}
	a, err := account.ParseAddress(address)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &Search{Address: a, Asker: probe.NewRecording(w)}
	f := all[i].Forecast(w.t.Context(), s)
	f.Steps = s.Steps()
	return f
}

// brief writes what counts of a forecast in one line.
func brief(f Forecast) string {
	text := string(f.Outcome)
	if f.But != "" {
		text += " (" + f.But + ")"
	}
	if f.Source != "" {
		text += " from " + f.Source
	}
	for _, s := range f.Servers {
		text += "; " + briefServer(s)
	}
	return text
}

func briefServer(s Server) string {
	text := fmt.Sprintf("%s %s:%d %s", s.Type, s.Hostname, s.Port, s.SocketType)
	if s.URL != "" {
		text = fmt.Sprintf("%s %s", s.Type, s.URL)
	}
	if s.Username != "" {
		text += " " + s.Username
	}
	return text
}

// briefSteps writes the steps, one per line.
func briefSteps(f Forecast) string {
	var b strings.Builder
	for _, s := range f.Steps {
		fmt.Fprintf(&b, "%s %s: %s\n", s.Verdict, s.Key, s.Why)
	}
	return b.String()
}

// config returns an autoconfig document of an example, with what is in the servers.
func config(servers ...string) string {
	return `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="nordlys.example">` +
		`<domain>nordlys.example</domain><displayName>Nordlys</displayName>` + strings.Join(servers, "") +
		`</emailProvider></clientConfig>`
}

// section returns a server section: imap, pop3 or smtp with host name, port, security.
func section(t, host string, port int, socketType string) string {
	name := "incomingServer"
	if t == "smtp" {
		name = "outgoingServer"
	}
	return fmt.Sprintf(`<%s type="%s"><hostname>%s</hostname><port>%d</port><socketType>%s</socketType>`+
		`<username>%%EMAILADDRESS%%</username><authentication>password-cleartext</authentication></%s>`,
		name, t, host, port, socketType, name)
}

// good is a document whose servers goodServers puts into a world.
var good = config(section("imap", "in7.nordlys.example", 993, "SSL"), section("smtp", "out7.nordlys.example", 465, "SSL"))

const goodServers = "; imap in7.nordlys.example:993 SSL anna@nordlys.example; smtp out7.nordlys.example:465 SSL anna@nordlys.example"

// healthyMail puts the servers of the good document into the world.
func (w *world) healthyMail() *world {
	return w.server("imap://in7.nordlys.example:993").server("smtp://out7.nordlys.example:465").
		server("smtp+starttls://out7.nordlys.example:587")
}

const (
	nordlysAutoconfig = "https://autoconfig.nordlys.example/mail/config-v1.1.xml"
	nordlysWellKnown  = "https://nordlys.example/.well-known/autoconfig/mail/config-v1.1.xml"
	anna              = "anna@nordlys.example"
)

// address parses an address.
func address(t *testing.T, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
