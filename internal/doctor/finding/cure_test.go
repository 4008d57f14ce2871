package finding

import (
	"slices"
	"testing"

	"signpost/internal/dns"
)

// TestCures holds cures to what can be pasted into a zone, or published.
func TestCures(t *testing.T) {
	provider := func(w *world) {
		w.record("autoconfig.hoster.example", "A", "203.0.113.80")
		w.record("autodiscover.hoster.example", "A", "203.0.113.80")
	}
	for _, row := range []struct {
		name        string
		change      func(w *world)
		remove, put []string // of the first cure of the first finding
	}{
		{"D1", func(w *world) { withoutDocuments(w); provider(w) }, nil, []string{
			"autoconfig.nordlys.example. 3600 IN CNAME autoconfig.hoster.example.",
			"autodiscover.nordlys.example. 3600 IN CNAME autodiscover.hoster.example."}},
		{"D3", func(w *world) {
			provider(w)
			w.remove("autodiscover.nordlys.example")
			w.record("autodiscover.nordlys.example", "CNAME", "autodiscover.outlook.com.")
		}, []string{"autodiscover.nordlys.example. 3600 IN CNAME autodiscover.outlook.com."},
			[]string{"autodiscover.nordlys.example. 3600 IN CNAME autodiscover.hoster.example."}},
		{"D3 below a wildcard", func(w *world) {
			w.remove("autodiscover.nordlys.example")
			w.record("autodiscover.nordlys.example", "CNAME", "autodiscover.outlook.com.")
			w.record("*.nordlys.example", "A", "203.0.113.81")
		}, []string{"autodiscover.nordlys.example. 3600 IN CNAME autodiscover.outlook.com."},
			[]string{`autodiscover.nordlys.example. 3600 IN TXT "no autodiscover service"`}},
		{"D7", func(w *world) {
			w.record("_imaps._tcp.nordlys.example", "SRV", "0 1 993 imap.hoster.example.nordlys.example.")
		}, []string{"_imaps._tcp.nordlys.example. 3600 IN SRV 0 1 993 imap.hoster.example.nordlys.example."},
			[]string{"_imaps._tcp.nordlys.example. 3600 IN SRV 0 1 993 imap.hoster.example."}},
		{"D10", func(w *world) { w.remove("_submission._tcp.nordlys.example") }, nil,
			[]string{"_submission._tcp.nordlys.example. 3600 IN SRV 0 1 587 smtp.hoster.example."}},
		{"D10 without 587", func(w *world) {
			w.remove("_submission._tcp.nordlys.example")
			delete(w.mail, submission)
		}, nil, []string{"_submission._tcp.nordlys.example. 3600 IN SRV 0 0 0 ."}},
		{"D19", func(w *world) {
			w.record("ua-auto-config.nordlys.example", "A", "203.0.113.80")
			w.page("GET https://ua-auto-config.nordlys.example/.well-known/user-agent-configuration.json", 200,
				"application/json", paccJSON)
		}, nil, []string{"_ua-auto-config.nordlys.example. 3600 IN TXT " + dns.Quote(digest(paccJSON))}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := healthy()
			row.change(w)
			found := find(t.Context(), w.caseOf(t), dnsFaults)
			if len(found) == 0 {
				t.Fatal("nothing is found")
			}
			cure := found[0].Cures[0]
			if got := lines(cure.Remove); !slices.Equal(got, row.remove) {
				t.Errorf("%s: remove %q, want %q", found[0].ID, got, row.remove)
			}
			if got := lines(cure.Put); !slices.Equal(got, row.put) {
				t.Errorf("%s: put %q, want %q", found[0].ID, got, row.put)
			}
		})
	}
}

func lines(found []dns.Record) []string {
	var texts []string
	for _, r := range found {
		texts = append(texts, r.String())
	}
	return texts
}
