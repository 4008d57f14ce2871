package living

import (
	"context"
	"io"
	"strings"
	"testing"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
	"signpost/internal/importer/draft"
)

// anything answers all questions with the same bytes.
type anything struct {
	body, header string
	status       int
}

func (a anything) DNS(_ context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	record := dns.Record{Name: q.Name, TTL: 300, Type: q.Type, Data: a.header}
	return probe.DNSAnswer{Answer: dns.Answer{Records: []dns.Record{record}}}
}

func (a anything) Web(context.Context, probe.WebQuestion) probe.WebAnswer {
	return probe.WebAnswer{Status: a.status, Body: []byte(a.body), TLS: &probe.TLS{},
		Header: map[string]string{"Content-Type": a.header, "Location": a.header}}
}

func (anything) Mail(context.Context, probe.MailQuestion) probe.MailAnswer {
	return probe.MailAnswer{Failure: &probe.Failure{Kind: probe.Refused}}
}

func (anything) TLS(context.Context, probe.TLSQuestion) probe.TLSAnswer {
	return probe.TLSAnswer{Failure: &probe.Failure{Kind: probe.Refused}}
}

// FuzzAsk checks that no answers of strangers are more than can be borne: the survey ends, and no
// server that it takes has a name or a URL that could do harm in a configuration.
func FuzzAsk(f *testing.F) {
	f.Add(config(hamnIMAP, hamnSMTP), "0 1 993 imap.hamn.example.", 200)
	f.Add(pox("postmaster", "IMAP imap.hamn.example 993"), "autodiscover.outlook.com.", 200)
	f.Add(phone, `"path=/dav/"`, 200)
	f.Add(paccDocument, "10 mx1.in.hamn.example.", 200)
	f.Add("", "https://udde.example/other", 302)
	f.Add(`{"Protocol":"EWS","Url":"https://x.example/ews"}`, "application/json", 401)
	f.Fuzz(func(t *testing.T, body, header string, status int) {
		s, err := Ask(t.Context(), anything{body, header, status}, "udde.example")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.WriteText(io.Discard); err != nil {
			t.Fatal(err)
		}
		var d draft.Draft
		s.Draft(&d)
		for _, server := range d.Products[0].Provider.Servers {
			if place := placeOf(server); strings.ContainsFunc(place,
				func(r rune) bool { return r <= ' ' && r != ' ' || r == 0x7f }) {
				t.Errorf("a server at %q was taken", place)
			}
		}
	})
}
