package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
)

// FuzzAnswers gives every client and rule the same answers, whatever they ask: none may panic, and
// nothing may take long where the network takes no time.
func FuzzAnswers(f *testing.F) {
	files, err := filepath.Glob("../../testdata/golden/auto*/mamut-*.xml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no documents: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body), 200, "0 1 993 in7.nordlys.example.", "10 mx.hoster.example.", "* OK ready", "AUTH=PLAIN")
	}
	f.Add("<Autodiscover><Response><Account><RedirectUrl>https://nordlys.example/</RedirectUrl></Account></Response></Autodiscover>",
		200, "0 0 0 .", "0 .", "220 ready", "AUTH PLAIN")
	f.Add("", 302, "https://nordlys.example/", "", "", "")
	f.Fuzz(func(t *testing.T, body string, status int, service, exchanger, greeting, capability string) {
		n := &alike{body, status, service, exchanger, greeting, capability}
		begun := time.Now()
		report, err := Examine(t.Context(),
			Options{Address: address(t, "anna@nordlys.example"), Asker: n, Limit: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for _, missed := range report.NotAsked {
			if strings.Contains(missed.Why, "a fault of this program") {
				t.Errorf("%s: %s", missed.What, missed.Why)
			}
		}
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("the diagnosis took %v, want hardly any time", took)
		}
	})
}

// alike is a network whose servers all answer alike.
type alike struct {
	body                                     string
	status                                   int
	service, exchanger, greeting, capability string
}

func (n *alike) DNS(_ context.Context, q probe.DNSQuestion) (a probe.DNSAnswer) {
	data := map[string]string{"A": "192.0.2.1", "SRV": n.service, "MX": n.exchanger, "TXT": n.greeting}[q.Type]
	if data != "" {
		a.Records = []dns.Record{{Name: q.Name, TTL: 60, Type: q.Type, Data: data}}
	}
	return a
}

func (n *alike) Web(context.Context, probe.WebQuestion) probe.WebAnswer {
	return probe.WebAnswer{Status: n.status, Body: []byte(n.body),
		Header: map[string]string{"Content-Type": "text/xml", "Location": n.service}}
}

func (n *alike) Mail(context.Context, probe.MailQuestion) probe.MailAnswer {
	return probe.MailAnswer{Connected: 1, Greeting: n.greeting, GreetedAt: 1,
		Before: []string{n.capability, "STARTTLS"}, After: []string{n.capability}}
}

func (n *alike) TLS(context.Context, probe.TLSQuestion) probe.TLSAnswer {
	return probe.TLSAnswer{TLS: &probe.TLS{Version: "TLS 1.3"}}
}
