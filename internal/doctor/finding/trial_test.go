package finding

import (
	"context"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// firstWins is a client that takes the first answer with a status of success for the document.
func firstWins(ctx context.Context, s *client.Search) client.Forecast {
	d := s.Address.Domain()
	for _, q := range []probe.WebQuestion{client.Autoconfig("https", d), client.WellKnown("https", d)} {
		h := Hop{q, s.Asker.Web(ctx, q)}
		c := &Case{Address: s.Address}
		switch {
		case !h.Answer.Failure.Known():
			return client.Forecast{Outcome: client.Unknown}
		case !h.isOK():
			s.Note(q.Key(), client.Passed, h.Says())
		case !c.hasAutoconfig(h):
			s.Note(q.Key(), client.Stopped, h.Says())
			return client.Forecast{Outcome: client.Fails, But: "nothing is found"}
		default:
			s.Note(q.Key(), client.Took, "")
			return client.Forecast{Outcome: client.SetsUp}
		}
	}
	return client.Forecast{Outcome: client.Asks, But: "the servers"}
}

// diagnose returns what Find says of a world that the client firstWins looks at.
func (w *world) diagnose(t *testing.T) []Finding {
	t.Helper()
	a, err := account.ParseAddress("anna@nordlys.example")
	if err != nil {
		t.Fatal(err)
	}
	c := &Case{Address: a, Asker: probe.NewRecording(w), Forecasts: map[string]client.Forecast{},
		Clients: []client.Client{{ID: "first", Name: "First", Version: "1", Forecast: firstWins}}}
	s := &client.Search{Address: a, Asker: c.Asker}
	f := firstWins(t.Context(), s)
	f.Steps = s.Steps()
	c.Forecasts["first"] = f
	c.Asker.Web(t.Context(), client.WellKnown("https", a.Domain())) // as a client does that asks all at once
	return Find(t.Context(), c)
}

// TestUncovers holds that the doctor says first what a cure alone would bring to light.
func TestUncovers(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(w *world)
		want   string // ID, and the ID in Uncovers
	}{
		{"a web page before a good document", func(w *world) { w.page("GET https"+autoconfigURL, 200, "text/html", htmlPage) }, "H1"},
		{"a web page before an empty answer", func(w *world) {
			w.page("GET https"+autoconfigURL, 200, "text/html", htmlPage)
			w.page("GET https"+wellKnownURL, 204, "", "")
		}, "H1 H2"},
		{"a web page before broken XML", func(w *world) {
			w.page("GET https"+autoconfigURL, 200, "text/html", htmlPage)
			w.page("GET https"+wellKnownURL, 200, mailXML, settingsXML[:300])
		}, "H1 C11"},
		{"a wildcard before nothing", func(w *world) {
			w.remove("autoconfig.nordlys.example", "autodiscover.nordlys.example")
			w.record("*.nordlys.example", "A", "203.0.113.81")
			w.any("autoconfig.nordlys.example", 200, "text/html", htmlPage)
			w.any("autodiscover.nordlys.example", 404, "text/html", "")
			w.any("nordlys.example", 404, "text/html", "")
		}, "D2 D1"},
		{"an alias that has gone before a wildcard", func(w *world) {
			w.remove("autodiscover.nordlys.example")
			w.record("autodiscover.nordlys.example", "CNAME", "autodiscover.outlook.com.")
			w.record("autodiscover.outlook.com", "A", "203.0.113.9")
			w.record("*.nordlys.example", "A", "203.0.113.81")
		}, "D3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := healthy()
			row.change(w)
			var got []string
			for _, f := range w.diagnose(t) {
				if f.ID[:1] != "D" && f.ID[:1] != "H" {
					continue
				}
				if len(got) == 0 {
					got = append(got, f.ID)
					for _, text := range f.Uncovers {
						id, _, _ := strings.Cut(text, ":")
						got = append(got, id)
					}
				}
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("the first finding and what it uncovers: %q, want %q", got, row.want)
			}
		})
	}
}

// TestWorseClient holds that a client which a cure alone would harm is named.
func TestWorseClient(t *testing.T) {
	w := healthy()
	w.page("GET https"+wellKnownURL, 200, mailXML, "<clientConfig></wrong>")
	w.each("autoconfig.nordlys.example", func(a *probe.WebAnswer) {})
	c := w.caseOf(t)
	c.Clients = []client.Client{{ID: "first", Name: "First", Version: "1", Forecast: firstWins}}
	c.Forecasts["first"] = client.Forecast{Outcome: client.SetsUp}
	f := Finding{ID: "X", Cures: []Cure{{Serve: func(q probe.WebQuestion, today probe.WebAnswer) probe.WebAnswer {
		if strings.Contains(q.URL, "autoconfig."+c.Domain()) {
			today.Status = 404
		}
		return today
	}}}}
	got := strings.Join(c.uncovers(t.Context(), f, nil), "\n")
	if !strings.Contains(got, "First 1 would then fail: nothing is found") && !strings.Contains(got, "C11") {
		t.Errorf("uncovers = %q, want that the client fails at the other place", got)
	}
}
