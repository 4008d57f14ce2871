package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// town is a small internet in memory: zones, web servers and mail servers. It answers after
// the times that real ones take, and counts what it is asked.
type town struct {
	zone  map[string][]string         // "SRV _imaps._tcp.nordlys.example": the data of records
	pages map[string]probe.WebAnswer  // "GET https://nordlys.example/", without the query, or with an address before it
	mails map[string]probe.MailAnswer // "imap imap.hoster.example:993 SSL"

	dnss, webs, mailed chan struct{} // one element for each question
}

const (
	dnsTime  = 10 * time.Millisecond
	webTime  = 50 * time.Millisecond
	mailTime = 80 * time.Millisecond
)

func newTown() *town {
	return &town{
		zone: map[string][]string{}, pages: map[string]probe.WebAnswer{}, mails: map[string]probe.MailAnswer{},
		dnss: make(chan struct{}, 1000), webs: make(chan struct{}, 1000), mailed: make(chan struct{}, 1000),
	}
}

// records adds lines "owner TYPE data" to the zones.
func (w *town) records(lines ...string) *town {
	for _, line := range lines {
		fields := strings.SplitN(line, " ", 3)
		key := fields[1] + " " + fields[0]
		w.zone[key] = append(w.zone[key], fields[2])
	}
	return w
}

// without removes all records of the names.
func (w *town) without(names ...string) *town {
	for key := range w.zone {
		for _, name := range names {
			if strings.HasSuffix(key, " "+name) {
				delete(w.zone, key)
			}
		}
	}
	return w
}

// page puts an answer at a URL, over TLS with a good certificate for https.
func (w *town) page(key string, status int, contentType, body string) *town {
	a := probe.WebAnswer{Status: status, Body: []byte(body), Header: map[string]string{"Content-Type": contentType}}
	if strings.Contains(key, " https://") {
		a.TLS = goodTLS(hostOf(key))
	}
	w.pages[key] = a
	return w
}

// inLowerCase writes the path of Autodiscover as the town has it: its web server minds no case.
var inLowerCase = strings.NewReplacer("/Autodiscover/Autodiscover.xml", "/autodiscover/autodiscover.xml")

func hostOf(key string) string {
	_, rest, _ := strings.Cut(key, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func goodTLS(names ...string) *probe.TLS {
	return &probe.TLS{Version: "TLS 1.3", Names: names, Issuer: "Town CA", Chain: 2,
		Start: time.Date(1999, 11, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)}
}

// at returns the addresses of a host of one type.
func (w *town) lookup(recordType, name string) (found []dns.Record, exists bool) {
	for range 8 {
		if data := w.zone["CNAME "+name]; len(data) > 0 && recordType != "CNAME" {
			found = append(found, dns.Record{Name: name, TTL: 3600, Type: "CNAME", Data: data[0]})
			name = strings.TrimSuffix(data[0], ".")
			continue
		}
		break
	}
	data := w.zone[recordType+" "+name]
	exists = len(data) > 0
	for key := range w.zone {
		_, owner, _ := strings.Cut(key, " ")
		exists = exists || owner == name || strings.HasSuffix(owner, "."+name)
	}
	if !exists {
		_, parent, _ := strings.Cut(name, ".")
		data = w.zone[recordType+" *."+parent]
		for key := range w.zone {
			exists = exists || strings.HasSuffix(key, " *."+parent)
		}
	}
	for _, d := range data {
		found = append(found, dns.Record{Name: name, TTL: 3600, Type: recordType, Data: d})
	}
	return found, exists
}

func (w *town) DNS(ctx context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	w.dnss <- struct{}{}
	time.Sleep(dnsTime)
	a := probe.DNSAnswer{Took: dnsTime}
	if q.Name == "" {
		a.Failure = &probe.Failure{Kind: probe.NotAsked, Text: "not a valid DNS name"}
		return a
	}
	var exists bool
	if a.Records, exists = w.lookup(q.Type, q.Name); len(a.Records) == 0 || a.Records[len(a.Records)-1].Type != q.Type {
		a.Status = dns.NoName
		if exists {
			a.Status = dns.NoData
		}
	}
	return a
}

// address returns where a host is.
func (w *town) address(host string) (netip.Addr, *probe.Failure) {
	records, _ := w.lookup("A", host)
	for _, r := range records {
		if r.Type == "A" {
			return netip.MustParseAddr(r.Data), nil
		}
	}
	return netip.Addr{}, &probe.Failure{Kind: probe.NoAddress, Text: host + " has no address"}
}

func (w *town) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	w.webs <- struct{}{}
	u, err := url.Parse(q.URL)
	if err != nil {
		panic(err)
	}
	at, failure := w.address(u.Hostname())
	if q.Address.IsValid() {
		at, failure = q.Address, nil
	}
	if failure != nil {
		time.Sleep(dnsTime)
		return probe.WebAnswer{Failure: failure, Took: dnsTime}
	}
	time.Sleep(webTime)
	key, _, _ := strings.Cut(q.Method+" "+strings.ToLower(q.URL), "?") // paths mind no case
	key = inLowerCase.Replace(key)
	if strings.Contains(q.Body, "mobilesync/requestschema") {
		if a, ok := w.pages[key+" for phones"]; ok {
			a.Address, a.Took = at, webTime
			return a
		}
	}
	for _, k := range []string{at.String() + " " + key, key, "* " + u.Scheme + "://" + u.Host,
		"* " + u.Scheme + "://" + at.String()} {
		if a, ok := w.pages[k]; ok {
			a.Address, a.Took = at, webTime
			if isOfPhone(q.Body) && a.Status == 200 {
				a.Body = []byte(notForPhones)
			}
			return a
		}
	}
	a := probe.WebAnswer{Status: 404, Header: map[string]string{"Content-Type": "text/plain"},
		Address: at, Took: webTime}
	if u.Scheme == "https" {
		a.TLS = goodTLS(u.Hostname())
	}
	return a
}

// isOfPhone reports whether the body of a request asks Autodiscover for ActiveSync.
func isOfPhone(body string) bool { return strings.Contains(body, "mobilesync/requestschema") }

// notForPhones is Autodiscover's answer where there is no ActiveSync.
const notForPhones = `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
	`<Response><Error Time="00:00:00" Id="1"><ErrorCode>601</ErrorCode></Error></Response></Autodiscover>`

func (w *town) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	w.mailed <- struct{}{}
	at, failure := w.address(q.Host)
	if failure != nil {
		time.Sleep(dnsTime)
		return probe.MailAnswer{Failure: failure, Took: dnsTime}
	}
	time.Sleep(mailTime)
	a, ok := w.mails[fmt.Sprintf("%s %s:%d %s", q.Type, q.Host, q.Port, q.SocketType)]
	if !ok {
		return probe.MailAnswer{Address: at, Took: webTime,
			Failure: &probe.Failure{Kind: probe.Refused, Text: fmt.Sprintf("%s:%d refuses the connection", at, q.Port)}}
	}
	a.Address, a.Took, a.Connected, a.GreetedAt = at, mailTime, 10*time.Millisecond, 30*time.Millisecond
	return a
}

func (w *town) TLS(ctx context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	time.Sleep(webTime)
	at, failure := w.address(q.Host)
	return probe.TLSAnswer{TLS: goodTLS(q.Host), Address: at, Failure: failure, Took: webTime}
}

// mail puts a mail server at a host and port, which offers a login.
func (w *town) mail(t account.ServerType, host string, port int, s account.SocketType) *town {
	login := map[account.ServerType][]string{
		account.IMAP: {"IMAP4REV1", "SASL-IR", "LITERAL+", "ID", "IDLE", "AUTH=PLAIN", "AUTH=LOGIN"},
		account.POP3: {"CAPA", "TOP", "UIDL", "USER", "SASL PLAIN LOGIN"},
		account.SMTP: {"PIPELINING", "SIZE 50000000", "AUTH PLAIN LOGIN", "8BITMIME", "SMTPUTF8"},
	}[t]
	a := probe.MailAnswer{Greeting: "ready", TLS: goodTLS(host), After: login}
	if s == account.STARTTLS {
		a.Before = append([]string{map[account.ServerType]string{account.POP3: "STLS"}[t]}, login[0])
		if t != account.POP3 {
			a.Before[0] = "STARTTLS"
		}
	}
	w.mails[fmt.Sprintf("%s %s:%d %s", t, host, port, s)] = a
	return w
}

// noPhones is how Autodiscover says that it knows no server for phones (MS-ASCMD 2.2.1.1).
const noPhones = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response><Error Time="12:00:00.0000000" Id="1"><ErrorCode>601</ErrorCode>
    <Message>The provider is not available</Message><DebugData/></Error></Response>
</Autodiscover>
`

const (
	townWeb  = "203.0.113.80"
	townMail = "198.51.100.25"
)

// healthyTown has nordlys.example, whose mail is at hoster.example, with everything right.
func healthyTown(t testing.TB) *town {
	w := newTown().records(
		"nordlys.example NS ns1.hoster.example.",
		"nordlys.example SOA ns1.hoster.example. hostmaster.hoster.example. 1 7200 3600 1209600 3600",
		"nordlys.example MX 10 mx1.hoster.example.",
		"nordlys.example A "+townWeb,
		"autoconfig.nordlys.example A 203.0.113.7",
		"autodiscover.nordlys.example A 203.0.113.7",
		"_imaps._tcp.nordlys.example SRV 0 1 993 imap.hoster.example.",
		"_submissions._tcp.nordlys.example SRV 0 1 465 smtp.hoster.example.",
		"_submission._tcp.nordlys.example SRV 0 1 587 smtp.hoster.example.",
		"_imap._tcp.nordlys.example SRV 0 0 0 .",
		"_pop3._tcp.nordlys.example SRV 0 0 0 .",
		"_pop3s._tcp.nordlys.example SRV 0 0 0 .",
		"hoster.example A 203.0.113.81",
		"ns1.hoster.example A 203.0.113.53",
		"mx1.hoster.example A "+townMail,
		"imap.hoster.example A "+townMail,
		"smtp.hoster.example A "+townMail,
		"live.thunderbird.net A 192.0.2.21",
		"autoconfig.thunderbird.net A 192.0.2.21",
		"v1.ispdb.net A 192.0.2.21",
	)
	own := ownService("")
	provider := *mustResolve(t, own).Provider
	provider.ID = "nordlys.example"
	provider.Servers = []account.Server{
		townServer(account.IMAP, "imap.hoster.example", 993, account.SSL),
		townServer(account.SMTP, "smtp.hoster.example", 465, account.SSL),
		townServer(account.SMTP, "smtp.hoster.example", 587, account.STARTTLS),
	}
	resolve := own.Resolve
	own.Resolve = func(ctx context.Context, q account.Query) (account.Settings, error) {
		s, err := resolve(ctx, q)
		s.Provider, s.Servers = &provider, provider.Servers
		return s, err
	}
	a := account.AnyAt("nordlys.example")
	document := string(own.document(t, "thunderbird", a))
	for _, scheme := range []string{"http", "https"} {
		w.page("GET "+scheme+"://autoconfig.nordlys.example/mail/config-v1.1.xml", 200, "text/xml", document)
		w.page("GET "+scheme+"://nordlys.example/.well-known/autoconfig/mail/config-v1.1.xml", 200,
			"text/xml", document)
		w.page("GET "+scheme+"://nordlys.example/", 200, "text/html", "<html><body>Welcome</body></html>")
	}
	pox := string(own.document(t, "outlook", address(t, "anna@nordlys.example")))
	w.page("POST https://autodiscover.nordlys.example/autodiscover/autodiscover.xml", 200, "text/xml", pox)
	w.page("GET https://autodiscover.nordlys.example/autodiscover/autodiscover.xml", 200, "text/xml", pox)
	w.page("POST https://autodiscover.nordlys.example/autodiscover/autodiscover.xml for phones", 200,
		"text/xml", noPhones)
	return w.mail(account.IMAP, "imap.hoster.example", 993, account.SSL).
		mail(account.SMTP, "smtp.hoster.example", 465, account.SSL).
		mail(account.SMTP, "smtp.hoster.example", 587, account.STARTTLS)
}

func mustResolve(t testing.TB, o *Own) account.Settings {
	t.Helper()
	s, err := o.Resolve(t.Context(), account.Query{Address: account.AnyAt("nordlys.example")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func townServer(t account.ServerType, host string, port int, s account.SocketType) account.Server {
	return account.Server{Type: t, Hostname: host, Port: port, SocketType: s,
		Authentication: []account.Authentication{account.PasswordCleartext}, Login: account.Login{Username: account.EmailAddress}}
}
