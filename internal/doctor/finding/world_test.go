package finding

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// world is a small internet. What is not in it does not exist; a web server in it answers 404.
type world struct {
	records map[probe.DNSQuestion][]string // data
	dns     map[probe.DNSQuestion]probe.DNSAnswer
	pages   map[string]probe.WebAnswer // by method and URL, with or without the query
	mail    map[probe.MailQuestion]probe.MailAnswer
	tls     map[probe.TLSQuestion]probe.TLSAnswer
}

const (
	htmlPage    = "<!doctype html><html><head><title>Welcome</title></head><body>Hello</body></html>"
	mailXML     = "text/xml"
	settingsXML = `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="hoster.example">
<domain>nordlys.example</domain><displayName>Hoster</displayName>
<incomingServer type="imap"><hostname>imap.hoster.example</hostname><port>993</port><socketType>SSL</socketType>
<authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.hoster.example</hostname><port>465</port><socketType>SSL</socketType>
<authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></outgoingServer>
</emailProvider></clientConfig>`
	outlookXML = `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account>
<AccountType>email</AccountType><Action>settings</Action>
<Protocol><Type>IMAP</Type><Server>imap.hoster.example</Server><Port>993</Port><SSL>on</SSL>
<LoginName>anna@nordlys.example</LoginName></Protocol>
<Protocol><Type>SMTP</Type><Server>smtp.hoster.example</Server><Port>465</Port><SSL>on</SSL>
<LoginName>anna@nordlys.example</LoginName></Protocol></Account></Response></Autodiscover>`
	toPhones   = "<!-- to phones, too -->"
	refusedXML = `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
<Response><Error Time="00:00:00" Id="1"><ErrorCode>601</ErrorCode><Message>Provider is not available</Message></Error>
</Response></Autodiscover>`
	paccJSON = `{"protocols": {"imap": {"host": "imap.hoster.example"}, "submit": {"host": "smtp.hoster.example"}},
"authentication": {"password": true}, "info": {"provider": {"name": "Hoster"}}}`
)

// healthy is the world with nordlys.example, whose mail is at hoster.example, and all in order.
func healthy() *world {
	w := &world{map[probe.DNSQuestion][]string{}, map[probe.DNSQuestion]probe.DNSAnswer{}, map[string]probe.WebAnswer{},
		map[probe.MailQuestion]probe.MailAnswer{}, map[probe.TLSQuestion]probe.TLSAnswer{}}
	for _, host := range []string{"nordlys.example", "autoconfig.nordlys.example", "autodiscover.nordlys.example"} {
		w.record(host, "A", "203.0.113.80")
	}
	for _, host := range []string{"imap.hoster.example", "smtp.hoster.example", "mx1.hoster.example"} {
		w.record(host, "A", "198.51.100.25")
	}
	w.record("nordlys.example", "MX", "10 mx1.hoster.example.")
	w.record("nordlys.example", "NS", "ns1.hoster.example.", "ns2.hoster.example.")
	w.record("ns1.hoster.example", "A", "198.51.100.53")
	w.record("ns2.hoster.example", "A", "198.51.100.54")
	for _, view := range []probe.View{"", "198.51.100.53", "198.51.100.54"} {
		w.records[probe.DNSQuestion{Name: "nordlys.example", Type: "SOA", View: view}] =
			[]string{"ns1.hoster.example. root.hoster.example. 7 3600 600 86400 300"}
	}
	w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.hoster.example.")
	w.record("_submissions._tcp.nordlys.example", "SRV", "0 1 465 smtp.hoster.example.")
	w.record("_submission._tcp.nordlys.example", "SRV", "0 1 587 smtp.hoster.example.")
	for _, label := range []string{"_imap", "_pop3", "_pop3s"} {
		w.record(label+"._tcp.nordlys.example", "SRV", "0 0 0 .")
	}
	for _, scheme := range []string{"https", "http"} {
		w.page("GET "+scheme+"://autoconfig.nordlys.example/mail/config-v1.1.xml", 200, mailXML, settingsXML)
		w.page("GET "+scheme+"://nordlys.example/.well-known/autoconfig/mail/config-v1.1.xml", 200,
			mailXML, settingsXML)
		for _, path := range []string{"/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"} {
			w.page("POST "+scheme+"://autodiscover.nordlys.example"+path, 200, mailXML, outlookXML)
		}
	}
	for _, q := range []probe.MailQuestion{imaps, submissions, submission} {
		w.mail[q] = recorded(q)
	}
	return w
}

var (
	imaps = probe.MailQuestion{Type: account.IMAP, Host: "imap.hoster.example", Port: 993,
		SocketType: account.SSL}
	submissions = probe.MailQuestion{Type: account.SMTP, Host: "smtp.hoster.example", Port: 465,
		SocketType: account.SSL}
	submission = probe.MailQuestion{Type: account.SMTP, Host: "smtp.hoster.example", Port: 587,
		SocketType: account.STARTTLS}
)

// record sets the records of a type at a name; none removes them.
func (w *world) record(name, recordType string, data ...string) {
	w.records[probe.DNSQuestion{Name: name, Type: recordType}] = data
}

// remove removes all records at names.
func (w *world) remove(names ...string) {
	for q := range w.records {
		if slices.Contains(names, q.Name) {
			delete(w.records, q)
		}
	}
}

// page sets the answer of a web server at a URL, with "GET " or "POST " before it.
func (w *world) page(url string, status int, contentType, body string) {
	a := probe.WebAnswer{Status: status, Body: []byte(body), Header: map[string]string{}, Took: 50 * time.Millisecond,
		Address: netip.MustParseAddr("203.0.113.80")}
	if contentType != "" {
		a.Header["Content-Type"] = contentType
	}
	if strings.Contains(url, "https://") {
		a.TLS = &probe.TLS{Version: "TLS 1.3", Issuer: "Let's Encrypt"}
	}
	w.pages[url] = a
}

// redirect sets a redirect at a URL.
func (w *world) redirect(url string, status int, location string) {
	w.page(url, status, "", "")
	w.pages[url].Header["Location"] = location
}

// each changes the answers of the web server at a host. Without a page it changes the answer of any path.
func (w *world) each(host string, change func(a *probe.WebAnswer)) {
	for url, a := range w.pages {
		if strings.Contains(url, "://"+host+"/") {
			change(&a)
			w.pages[url] = a
		}
	}
}

// any sets the answer of a web server for all paths that it has no page for.
func (w *world) any(host string, status int, contentType, body string) {
	for url := range w.pages {
		if strings.Contains(url, "://"+host+"/") {
			delete(w.pages, url)
		}
	}
	for _, scheme := range []string{"http", "https"} {
		w.page("GET "+scheme+"://"+host, status, contentType, body)
		w.page("POST "+scheme+"://"+host, status, contentType, body)
	}
}

// DNS implements probe.Asker.
func (w *world) DNS(_ context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	if a, ok := w.dns[q]; ok {
		return a
	}
	a := probe.DNSAnswer{Took: time.Millisecond}
	name := q.Name
	for range 5 {
		at := q
		at.Name = name
		data := w.records[at]
		if len(data) == 0 && q.View != probe.Recursive && q.Type != "SOA" {
			at.View = probe.Recursive // name servers have what the resolver has
			data = w.records[at]
		}
		for _, d := range data {
			a.Records = append(a.Records, dns.Record{Name: name, TTL: 3600, Type: q.Type, Data: d})
		}
		alias := w.records[probe.DNSQuestion{Name: name, Type: "CNAME"}]
		if len(data) > 0 || len(alias) == 0 {
			break
		}
		a.Records = append(a.Records, dns.Record{Name: name, TTL: 3600, Type: "CNAME", Data: alias[0]})
		name = strings.TrimSuffix(alias[0], ".")
	}
	if len(a.OfType(q.Type)) == 0 {
		a.Status = dns.NoName
		for at := range w.records {
			if at.Name == name && len(w.records[at]) > 0 || strings.HasSuffix(at.Name, "."+name) {
				a.Status = dns.NoData
			}
		}
	}
	_, parent, _ := strings.Cut(q.Name, ".")
	if wild := w.records[probe.DNSQuestion{Name: "*." + parent, Type: q.Type}]; a.Status == dns.NoName &&
		len(a.Records) == 0 && len(wild) > 0 {
		return probe.DNSAnswer{Answer: dns.Answer{Records: []dns.Record{{Name: q.Name, TTL: 3600, Type: q.Type,
			Data: wild[0]}}}}
	}
	return a
}

// Web implements probe.Asker.
func (w *world) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	bare, _, _ := strings.Cut(q.Method+" "+q.URL, "?")
	host := Hop{Question: q}.host()
	site := q.Method + " " + q.URL[:strings.Index(q.URL, "://")] + "://" + host
	for _, key := range []string{q.Method + " " + q.URL, bare, site} {
		if a, ok := w.pages[key]; ok {
			if strings.Contains(q.Body, "mobilesync") && strings.Contains(string(a.Body), "outlook/responseschema") &&
				!strings.Contains(string(a.Body), toPhones) {
				a.Body = []byte(refusedXML)
			}
			return a
		}
	}
	for _, recordType := range []string{"A", "AAAA"} {
		if len(w.DNS(ctx, probe.DNSQuestion{Name: host, Type: recordType}).OfType(recordType)) > 0 {
			w := healthy()
			w.page("404", 404, "text/html", "Not found")
			return w.pages["404"]
		}
	}
	return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.NoAddress, Text: host + " has no address"}}
}

// Mail implements probe.Asker.
func (w *world) Mail(_ context.Context, q probe.MailQuestion) probe.MailAnswer {
	if a, ok := w.mail[q]; ok {
		return a
	}
	return probe.MailAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "connection refused"}}
}

// TLS implements probe.Asker.
func (w *world) TLS(_ context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	if a, ok := w.tls[q]; ok {
		return a
	}
	return probe.TLSAnswer{Failure: notAsked}
}

var notAsked = &probe.Failure{Kind: probe.NotAsked, Text: "not asked"}

// caseOf asks all that clients ask about anna@nordlys.example, and follows redirects.
func (w *world) caseOf(t *testing.T) *Case {
	t.Helper()
	a, err := account.ParseAddress("anna@nordlys.example")
	if err != nil {
		t.Fatal(err)
	}
	c := caseFor(t, w, a)
	for q := range w.mail { // as clients that guess
		if strings.HasSuffix(q.Host, "."+a.Domain()) {
			c.Asker.Mail(t.Context(), q)
		}
	}
	return c
}

// caseFor asks all that clients ask about an address.
func caseFor(t *testing.T, w probe.Asker, a account.Address) *Case {
	t.Helper()
	d := a.Domain()
	c := &Case{Address: a, Asker: probe.NewRecording(w), Forecasts: map[string]client.Forecast{}}
	provider := c.Provider(t.Context())
	questions := []probe.WebQuestion{
		client.PACC(d), client.MailV1(d, a), client.ISPDB(client.ISPDBThunderbird, d),
		client.Autoconfig("https", cmp.Or(provider, "none.example")),
		client.AutodiscoverGET(client.AutodiscoverURL("http", "autodiscover."+d)),
	}
	for _, scheme := range []string{"https", "http"} {
		questions = append(questions, client.Autoconfig(scheme, d), client.AutoconfigFor(scheme, d, a),
			client.WellKnown(scheme, d), client.WellKnownFor(scheme, d, a))
	}
	hosts := []string{"https://" + d, "https://autodiscover." + d, "http://autodiscover." + d}
	if found, _ := c.SRV(t.Context(), "_autodiscover._tcp"); len(found) > 0 && found[0].Target != "" {
		hosts = append(hosts, "https://"+found[0].Target)
	}
	for _, host := range hosts {
		for _, path := range []string{"/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"} {
			questions = append(questions, client.Autodiscover(host+path, a), client.MobileSync(host+path, a))
		}
	}
	s := &client.Search{Address: a, Asker: c.Asker}
	for _, q := range questions {
		s.Fetch(t.Context(), q, client.Fetching{Hops: 10})
		s.Fetch(t.Context(), q, client.Fetching{Hops: 10, KeepsPOST: true})
	}
	for _, n := range c.Servers(t.Context()) {
		c.Asker.Mail(t.Context(), n.Question())
	}
	return c
}
