package finding_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
	"signpost/internal/records"
	"signpost/internal/server"
	"signpost/internal/systems"
)

// TestSystems diagnoses the example systems as this service serves them, with the records
// that it recommends: its redirects, its 404s and its error 601 are no faults.
func TestSystems(t *testing.T) {
	for _, system := range systems.All(t) {
		w := serve(t, system)
		for _, address := range append(system.Unlisted[:1:1], system.Listed...) {
			t.Run(system.Name+"/"+address.String(), func(t *testing.T) {
				for _, f := range w.diagnose(t, address) {
					if strings.ContainsAny(f.ID[:1], "DHTM") {
						t.Errorf("%s %s: %s\n%q\nhits %v", f.Severity, f.ID, f.Sentence, f.Evidence, f.Clients)
					}
				}
			})
		}
	}
}

// served is the world of a system: the service with the names of its domains, mail servers
// that take any password over TLS, and web sites of the domains that know no other page.
type served struct {
	records map[string][]dns.Record // by name
	handler http.Handler
	service string // its host
}

func serve(t *testing.T, system systems.System) *served {
	t.Helper()
	w := &served{records: map[string][]dns.Record{}, service: "setup.signpost.example"}
	w.handler = server.Handler(server.Options{Resolve: system.Directory.Resolve, Name: w.service, Limiter: server.NewLimiter(),
		Rate: server.RateOf(1_000_000, 1_000_000), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	w.put(w.service, "A", "203.0.113.7")
	generator := records.New(records.Options{Name: w.service, Directory: system.Directory,
		Certificate: func(string) bool { return true }})
	seen := map[string]bool{}
	for _, a := range system.Addresses() {
		if seen[a.Domain()] {
			continue
		}
		seen[a.Domain()] = true
		d, err := generator.Domain(t.Context(), a.Domain())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range d.Records {
			w.records[r.Name] = append(w.records[r.Name], r.Record)
		}
		w.put(a.Domain(), "MX", "10 mx."+a.Domain()+".")
		w.put("mx."+a.Domain(), "A", "198.51.100.25")
		w.put(a.Domain(), "A", "203.0.113.80")
	}
	for _, p := range system.Config.Providers {
		for _, s := range p.Servers {
			for _, a := range system.Addresses() {
				host := account.Expand(s.Hostname, a)
				if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
					host = u.Hostname()
				}
				if host != "" && len(w.records[host]) == 0 {
					w.put(host, "A", "198.51.100.25")
				}
			}
		}
	}
	return w
}

func (w *served) put(name, recordType, data string) {
	w.records[name] = append(w.records[name], dns.Record{Name: name, TTL: 3600, Type: recordType, Data: data})
}

// diagnose forecasts all clients and returns what is found.
func (w *served) diagnose(t *testing.T, a account.Address) []finding.Finding {
	t.Helper()
	c := &finding.Case{Address: a, Asker: probe.NewRecording(w), Clients: client.All(),
		Forecasts: map[string]client.Forecast{}}
	var clients sync.WaitGroup
	var mu sync.Mutex
	for _, k := range c.Clients {
		clients.Go(func() {
			s := &client.Search{Address: a, Asker: c.Asker}
			f := k.Forecast(t.Context(), s)
			f.Steps = s.Steps()
			mu.Lock()
			defer mu.Unlock()
			c.Forecasts[k.ID] = f
		})
	}
	clients.Wait()
	return finding.Find(t.Context(), c)
}

// DNS implements probe.Asker.
func (w *served) DNS(_ context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	var answer probe.DNSAnswer
	for name := q.Name; ; {
		here := w.records[name]
		if len(here) == 0 {
			answer.Status = dns.NoName
			return answer
		}
		answer.Status = dns.NoData
		i := slices.IndexFunc(here, func(r dns.Record) bool { return r.Type == "CNAME" })
		if i < 0 || q.Type == "CNAME" {
			for _, r := range here {
				if r.Type == q.Type {
					answer.Status = dns.Found
					answer.Records = append(answer.Records, r)
				}
			}
			return answer
		}
		answer.Records = append(answer.Records, here[i])
		name = strings.TrimSuffix(here[i].Data, ".")
	}
}

// Web implements probe.Asker.
func (w *served) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	u, err := url.Parse(q.URL)
	if err != nil {
		return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.BadProtocol, Text: err.Error()}}
	}
	found := w.DNS(ctx, probe.DNSQuestion{Name: u.Hostname(), Type: "A"}).OfType("A")
	if len(found) == 0 {
		return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.NoAddress, Text: u.Hostname() + " has no address"}}
	}
	answer := probe.WebAnswer{Status: 404, Header: map[string]string{"Content-Type": "text/html"},
		Body: []byte("Not found"), Took: time.Millisecond, Address: netip.MustParseAddr(found[0].Data)}
	if u.Scheme == "https" {
		answer.TLS = &probe.TLS{Version: "TLS 1.3", Names: []string{u.Hostname()}, Chain: 2, End: time.Now().Add(24 * time.Hour * 60)}
	}
	switch found[0].Data {
	case "203.0.113.7":
		request := httptest.NewRequest(q.Method, q.URL, strings.NewReader(q.Body))
		request.Header.Set("Content-Type", q.ContentType)
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, request)
		answer.Status, answer.Body = recorder.Code, recorder.Body.Bytes()
		for name := range recorder.Header() {
			answer.Header[name] = recorder.Header().Get(name)
		}
	case "198.51.100.25":
		return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "connection refused"},
			Took: time.Millisecond}
	}
	return answer
}

// Mail implements probe.Asker.
func (w *served) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	if len(w.DNS(ctx, probe.DNSQuestion{Name: q.Host, Type: "A"}).OfType("A")) == 0 {
		return probe.MailAnswer{Failure: &probe.Failure{Kind: probe.NoAddress, Text: q.Host + " has no address"}}
	}
	if isOpen := map[int]bool{993: true, 995: true, 465: true, 143: true, 110: true, 587: true}[q.Port]; !isOpen {
		return probe.MailAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "connection refused"}}
	}
	answer := probe.MailAnswer{Address: netip.MustParseAddr("198.51.100.25"), Greeting: "ready",
		GreetedAt: time.Millisecond}
	login := map[account.ServerType][]string{account.IMAP: {"IMAP4REV1", "AUTH=PLAIN", "SASL-IR"},
		account.POP3: {"USER", "SASL PLAIN LOGIN"}, account.SMTP: {"PIPELINING", "AUTH PLAIN LOGIN"}}[q.Type]
	if q.SocketType != account.SSL {
		answer.Before = []string{map[bool]string{true: "STLS", false: "STARTTLS"}[q.Type == account.POP3]}
		if q.Type == account.IMAP {
			answer.Before = append(answer.Before, "IMAP4REV1", "LOGINDISABLED")
		}
	}
	if q.SocketType != account.Plain {
		answer.After = login
		answer.TLS = &probe.TLS{Version: "TLS 1.3", Names: []string{q.Host}, Chain: 2, End: time.Now().Add(24 * time.Hour * 60)}
	}
	return answer
}

// TLS implements probe.Asker.
func (w *served) TLS(_ context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	if q.Max != 0 && q.Max < 0x0303 {
		return probe.TLSAnswer{Failure: &probe.Failure{Kind: probe.BadTLS, Text: "protocol version not supported"}}
	}
	return probe.TLSAnswer{TLS: &probe.TLS{Version: "TLS 1.3", Names: []string{q.Host}, Chain: 2, End: time.Now().Add(24 * time.Hour * 60)}}
}
