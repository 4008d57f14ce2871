package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
)

// fakeNetwork is an asker for tests. A question without a function is answered with nothing.
type fakeNetwork struct {
	dns func(context.Context, probe.DNSQuestion) probe.DNSAnswer
	web func(context.Context, probe.WebQuestion) probe.WebAnswer

	mu    sync.Mutex
	asked []probe.WebQuestion
	mails atomic.Int32
}

func (n *fakeNetwork) DNS(ctx context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	if n.dns == nil {
		return probe.DNSAnswer{Answer: dns.Answer{Status: dns.NoName}}
	}
	return n.dns(ctx, q)
}

func (n *fakeNetwork) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	n.mu.Lock()
	n.asked = append(n.asked, q)
	n.mu.Unlock()
	if n.web == nil {
		return probe.WebAnswer{Status: 404}
	}
	return n.web(ctx, q)
}

func (n *fakeNetwork) Mail(context.Context, probe.MailQuestion) probe.MailAnswer {
	n.mails.Add(1)
	return probe.MailAnswer{Greeting: "* OK"}
}

func (n *fakeNetwork) TLS(context.Context, probe.TLSQuestion) probe.TLSAnswer {
	return probe.TLSAnswer{Failure: &probe.Failure{Kind: probe.Refused, Text: "refused"}}
}

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// asking returns a client that asks a question and sets itself up.
func asking(id string, question any) client.Client {
	return client.Client{ID: id, Name: id, Certainty: client.ByCode,
		Forecast: func(ctx context.Context, s *client.Search) client.Forecast {
			switch q := question.(type) {
			case probe.DNSQuestion:
				s.Asker.DNS(ctx, q)
			case probe.WebQuestion:
				s.Asker.Web(ctx, q)
			case probe.MailQuestion:
				s.Asker.Mail(ctx, q)
			}
			return client.Forecast{Outcome: client.SetsUp}
		}}
}

func none(context.Context, *finding.Case) []finding.Finding { return nil }

// TestAllAtOnce has clients that wait for one another: they would not end if they did not
// search at the same time, and each question is put to the network once.
func TestAllAtOnce(t *testing.T) {
	const clients = 20
	var waiting sync.WaitGroup
	waiting.Add(clients)
	var all []client.Client
	for range clients {
		all = append(all, client.Client{Forecast: func(ctx context.Context, s *client.Search) client.Forecast {
			s.Asker.Web(ctx, client.Get("https://nordlys.example/"))
			waiting.Done()
			waiting.Wait()
			return client.Forecast{Outcome: client.SetsUp}
		}})
	}
	n := &fakeNetwork{}
	if _, err := examine(t.Context(), Options{Address: address(t, "anna@nordlys.example"), Asker: n}, all, none); err != nil {
		t.Fatal(err)
	}
	if len(n.asked) != 1 {
		t.Errorf("%d clients put a shared question to the network %d times, want once", clients, len(n.asked))
	}
}

// TestHardStop has servers that never answer and an asker that does not even obey its context.
func TestHardStop(t *testing.T) {
	for _, obeys := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			n := &fakeNetwork{web: func(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
				if !obeys {
					<-release
				}
				<-ctx.Done()
				return probe.WebAnswer{Failure: &probe.Failure{Kind: probe.NotAsked, Text: "the diagnosis has ended"}}
			}}
			clients := []client.Client{
				asking("slow", client.Get("https://nordlys.example/")),
				asking("quick", client.DNS("MX", "nordlys.example")),
			}
			rule := func(ctx context.Context, c *finding.Case) []finding.Finding {
				c.Asker.Web(ctx, client.Get("https://other.example/"))
				return nil
			}
			begun := time.Now()
			r, err := examine(t.Context(), Options{Address: address(t, "anna@nordlys.example"), Asker: n}, clients,
				rule)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took > Limit+time.Second {
				t.Errorf("obeys %v: the diagnosis took %v, want at most %v", obeys, took, Limit+time.Second)
			}
			if r.Complete || len(r.NotAsked) == 0 || !r.Fails(finding.Error) {
				t.Errorf("obeys %v: complete %v, not asked %v, fails %v, want an incomplete report that fails",
					obeys, r.Complete, r.NotAsked, r.Fails(finding.Error))
			}
			if !slices.ContainsFunc(r.Clients,
				func(c Client) bool { return c.Client == "quick" && c.Outcome == "sets-up" }) {
				t.Errorf("obeys %v: the client that had ended is missing: %v", obeys, r.Clients)
			}
		})
	}
}

// TestDeadResolver: silence of the resolver is not taken for "there is nothing".
func TestDeadResolver(t *testing.T) {
	n := &fakeNetwork{dns: func(context.Context, probe.DNSQuestion) probe.DNSAnswer {
		return probe.DNSAnswer{Failure: &probe.Failure{Kind: probe.NoAnswer, Text: "no answer in 5 s"}}
	}}
	r, err := examine(t.Context(),
		Options{Address: address(t, "anna@nordlys.example"), Asker: n, Resolver: "192.0.2.53"},
		[]client.Client{asking("a", client.DNS("MX", "nordlys.example"))}, none)
	if err != nil {
		t.Fatal(err)
	}
	if want := (NotAsked{"DNS", "192.0.2.53 answers no question"}); r.Complete || !slices.Contains(r.NotAsked, want) {
		t.Errorf("complete %v, not asked %v, want %v", r.Complete, r.NotAsked, want)
	}
}

// TestStrangers: only servers of the address's own domain learn of the mailbox, and clients
// see answers as if all had been told.
func TestStrangers(t *testing.T) {
	n := &fakeNetwork{web: func(_ context.Context, q probe.WebQuestion) probe.WebAnswer {
		return probe.WebAnswer{Status: 302, Body: []byte(q.Body), Header: map[string]string{"Location": q.URL}}
	}}
	anna := address(t, "Anna+x&ö@nordlys.example")
	questions := []probe.WebQuestion{
		client.AutoconfigFor("https", "nordlys.example", anna),
		client.AutoconfigFor("https", "hoster.example", anna),
		client.Autodiscover("https://autodiscover-s.outlook.com/autodiscover/autodiscover.xml", anna),
		client.MobileSync("https://notnordlys.example/autodiscover/autodiscover.xml", anna),
		client.AutodiscoverJSON("mail.hoster.example", anna, "EWS"),
		client.Get("https://hoster.example/anna%2Bx&%C3%b6@nordlys.example/?Anna%2Bx%26ö@nordlys.example"),
	}
	for _, real := range []bool{false, true} {
		n.asked = nil
		w := newWatch(Options{Address: anna, Asker: n, Real: real})
		for _, q := range questions {
			a := w.Web(t.Context(), q)
			if got := string(a.Body); strings.Contains(q.Body, "<") && got != q.Body || strings.Contains(got, standIn) {
				t.Errorf("the client sees %s, want what it asked for: %s", got, q.Body)
			}
			if got := a.Header["Location"]; strings.Contains(got, standIn) ||
				!strings.Contains(strings.ToLower(got+q.Body), "anna") {
				t.Errorf("the client sees Location %s, want what it asked for: %s", got, q.URL)
			}
		}
		for i, q := range n.asked {
			told := strings.Contains(strings.ToLower(q.URL+q.Body), "anna")
			if want := i == 0 || real; told != want {
				t.Errorf("real %v: the server of %s is told of the mailbox: %v, want %v", real, q.URL, told, want)
			}
		}
	}
}

// TestLedToStrangers puts questions that the domain's own server composed: addresses within
// addresses, bare local parts, and another mailbox.
func TestLedToStrangers(t *testing.T) {
	n := &fakeNetwork{web: func(context.Context, probe.WebQuestion) probe.WebAnswer {
		return probe.WebAnswer{Status: 404}
	}}
	anna := address(t, "anna.berg@nordlys.example")
	w := newWatch(Options{Address: anna, Asker: n})
	for _, q := range []probe.WebQuestion{
		client.Get("https://login.hoster.example/?return=https%3A%2F%2Fx%2F%3Femailaddress%3Danna.berg%2540nordlys.example"),
		client.Get("https://hoster.example/?e=anna%252Eberg%252540nordlys.example"),
		client.Get("https://hoster.example/?u=anna.berg&d=nordlys.example"),
		client.Get("https://hoster.example/?d=nordlys.example&u=Anna.Berg"),
		client.Autodiscover("https://hoster.example/autodiscover/autodiscover.xml", address(t, "anna.bergsson@hoster.example")),
	} {
		before := len(n.asked)
		w.Web(t.Context(), q)
		if len(n.asked) == before {
			t.Errorf("%s %s is not asked, want it asked about the stand-in", q.Method, q.URL)
			continue
		}
		put := n.asked[len(n.asked)-1]
		if sent := strings.ToLower(put.URL + put.Body); strings.Contains(sent, "anna") {
			t.Errorf("%s %s sends %s, want nothing of the mailbox", q.Method, q.URL, sent)
		}
	}
	asked := len(n.asked)
	for _, rawURL := range []string{
		"https://hoster.example/box/anna.berg/config.xml",
		"https://hoster.example/box/anna%2eberg",
		"https://anna.berg.hoster.example/",
		"https://hoster.example/?to=https%3A%2F%2Fx.example%2Fanna%252Eberg%2F",
	} {
		if a := w.Web(t.Context(), client.Get(rawURL)); a.Failure.Known() || len(n.asked) != asked {
			t.Errorf("GET %s is asked, want it left out", rawURL)
		}
	}
	mail := newWatch(Options{Address: address(t, "mail@nordlys.example"), Asker: n})
	if a := mail.Web(t.Context(), client.Get("https://autoconfig.hoster.example/mail/config-v1.1.xml")); a.Failure != nil {
		t.Errorf("mail@: the path of autoconfig is not asked: %s", a.Failure.Text)
	}
}

// TestRedacted looks for the person in a report that went through redaction.
func TestRedacted(t *testing.T) {
	report := example()
	report.Clients[0].Servers[0].Username = "u67578"
	report.Clients[1].But = "the server wants u67578, the client tries anna, not annabelle"
	report.Findings[0].Evidence[0].Target = "https://autoconfig.nordlys.example/mail/config-v1.1.xml?emailaddress=Anna%40nordlys.example"
	report.Requests = []Request{{Key: "GET https://x.example/?e=anna%40nordlys.example"}}
	redacted := report.Redacted()
	text, err := json.Marshal(redacted)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := redacted.WriteText(&b, Layout{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{string(text), b.String()} {
		shown = strings.ReplaceAll(shown, "annabelle", "")
		for _, secret := range []string{"anna", "67578"} {
			if i := strings.Index(strings.ToLower(shown), secret); i >= 0 {
				t.Errorf("the redacted report tells %q: …%s…", secret, shown[max(i-40, 0):min(i+40, len(shown))])
			}
		}
		if !strings.Contains(shown, "…@nordlys.example") {
			t.Errorf("the redacted report does not even tell the domain of the address")
		}
	}
	if report.Address != "anna@nordlys.example" {
		t.Errorf("redaction changed the report itself: %q", report.Address)
	}
}

// TestTerminal: texts of strangers move no cursor, neither in text nor in JSON.
func TestTerminal(t *testing.T) {
	evil := "\x1b[2J\u009b31m\u202e\x07\r\nx\u2066"
	r := example()
	r.Findings[0].Sentence, r.Clients[0].Source, r.Clients[0].But, r.NotAsked[0].Why = evil, evil, evil, evil
	r.Findings[1].Cures[0].Put = []string{evil}
	var text bytes.Buffer
	if err := r.WriteText(&text, Layout{Width: 80, Verbose: true}); err != nil {
		t.Fatal(err)
	}
	inJSON, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{text.String(), string(inJSON), r.Line(true)} {
		if i := strings.IndexAny(shown, "\x1b\u009b\u202e\x07\r\u2066"); i >= 0 {
			t.Errorf("%q is printed", shown[i:min(i+10, len(shown))])
		}
	}
	back := new(Report)
	if err := json.Unmarshal(inJSON, back); err != nil || back.Findings[0].Sentence != evil {
		t.Errorf("the JSON is read back as %q, %v, want the text that went in", back.Findings[0].Sentence, err)
	}
}

// TestMany: diagnoses keep the order of their addresses, and a mail server that all share is
// asked once.
func TestMany(t *testing.T) {
	n := &fakeNetwork{}
	var want []string
	var addresses []account.Address
	for _, domain := range strings.Fields("a.example b.example c.example d.example e.example") {
		a, err := AtDomain(domain)
		if err != nil {
			t.Fatal(err)
		}
		addresses, want = append(addresses, a), append(want, domain)
	}
	m := Many{AtOnce: 3, NewAsker: func() (probe.Asker, error) { return n, nil }}
	clients := []client.Client{asking("a", probe.MailQuestion{Type: "imap", Host: "imap.hoster.example", Port: 993})}
	m.examine = func(ctx context.Context, o Options) (*Report, error) { return examine(ctx, o, clients, none) }
	var got []string
	for result := range m.Examine(t.Context(), slices.Values(addresses)) {
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		got = append(got, result.Report.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the results are of %v, want %v", got, want)
	}
	if asked := n.mails.Load(); asked != 1 {
		t.Errorf("the mail server was asked %d times, want once", asked)
	}
}
