package finding

import (
	"context"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// newCase returns a case of anna@nordlys.example with no answers and the clients a, b and c.
func newCase(t *testing.T) *Case {
	t.Helper()
	address, err := account.ParseAddress("anna@nordlys.example")
	if err != nil {
		t.Fatal(err)
	}
	return &Case{Address: address, Asker: probe.NewRecording(nil), Forecasts: map[string]client.Forecast{},
		Clients: []client.Client{{ID: "a"}, {ID: "b"}, {ID: "c"}}}
}

// fixed returns a fault whose rule finds these findings.
func fixed(id string, found ...Finding) Fault {
	return Fault{ID: id, Severity: Warning, Find: func(context.Context, *Case) []Finding { return found }}
}

// summary returns the findings in one line each: severity, ID, subject and clients.
func summary(found []Finding) string {
	var lines []string
	for _, f := range found {
		lines = append(lines, strings.Join(append([]string{string(f.Severity), f.ID, f.Subject}, f.Clients...), " "))
	}
	return strings.Join(lines, "\n")
}

func TestHits(t *testing.T) {
	seen := []Evidence{{Key: "q", Text: "seen"}}
	for _, row := range []struct {
		name     string
		verdict  client.Verdict
		forecast client.Forecast
		want     string
	}{
		{"stopped and failed", client.Stopped, client.Forecast{Outcome: client.Fails}, "error X  a"},
		{"stopped, yet set up", client.Stopped, client.Forecast{Outcome: client.SetsUp}, "warning X  a"},
		{"passed, then set up", client.Passed, client.Forecast{Outcome: client.SetsUp}, "note X "},
		{"passed, then asks", client.Passed, client.Forecast{Outcome: client.Asks}, "warning X  a"},
		{"passed, then failed", client.Passed, client.Forecast{Outcome: client.Fails}, "error X  a"},
		{"slowed", client.Slowed, client.Forecast{Outcome: client.SetsUp}, "warning X  a"},
		{"slowed, then failed by another fault", client.Slowed, client.Forecast{Outcome: client.Fails}, "warning X  a"},
		{"spoilt", client.Spoilt, client.Forecast{Outcome: client.SetsUpBut, But: "cannot send"}, "error X  a"},
		{"took", client.Took, client.Forecast{Outcome: client.Fails}, "note X "},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCase(t)
			row.forecast.Steps = []client.Step{{Key: "other", Verdict: client.Stopped},
				{Key: "q", Verdict: row.verdict}}
			c.Forecasts["a"] = row.forecast
			c.Forecasts["b"] = client.Forecast{Outcome: client.Fails}
			if got := summary(find(t.Context(), c, []Fault{fixed("X", Finding{Evidence: seen})})); got != row.want {
				t.Errorf("find = %q, want %q", got, row.want)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	got := summary(find(t.Context(), newCase(t), []Fault{
		fixed("X1", Finding{Severity: Note, Clients: []string{"c", "a"}}),
		fixed("X2", Finding{Severity: Error, Clients: []string{"c", "a"}}),
		fixed("X3", Finding{Severity: Error, Clients: []string{"a", "b", "c"}}),
		fixed("X4", Finding{Clients: []string{"b"}}),
	}))
	want := "error X3  a b c\nerror X2  a c\nwarning X4  b\nnote X1  a c"
	if got != want {
		t.Errorf("find = %q, want %q", got, want)
	}
}

func TestCauseBeforeConsequence(t *testing.T) {
	for _, row := range []struct {
		name   string
		faults []Fault
		want   string
	}{
		{"same subject", []Fault{
			fixed("H", Finding{Subject: "x", Clients: []string{"a"}, Severity: Error}),
			fixed("D", Finding{Subject: "x", Clients: []string{"b"}, Explains: []string{"H"}}),
		}, "error D x a b"},
		{"another subject", []Fault{
			fixed("D", Finding{Subject: "x", Clients: []string{"b"}, Explains: []string{"H"}}),
			fixed("H", Finding{Subject: "y", Clients: []string{"a"}}),
		}, "warning D x b\nwarning H y a"},
		{"another subject by name", []Fault{
			fixed("D", Finding{Subject: "x", Clients: []string{"b"}, Explains: []string{"H y"}}),
			fixed("H", Finding{Subject: "y", Clients: []string{"a"}}, Finding{Subject: "z", Clients: []string{"c"}}),
		}, "warning D x a b\nwarning H z c"},
		{"the whole domain", []Fault{
			fixed("D", Finding{Clients: []string{"b"}, Explains: []string{"*"}}),
			fixed("H", Finding{Subject: "y", Clients: []string{"a"}}),
		}, "warning D  a b"},
		{"a chain", []Fault{
			fixed("C", Finding{Subject: "x", Clients: []string{"c"}}),
			fixed("H", Finding{Subject: "x", Clients: []string{"a"}, Explains: []string{"C"}}),
			fixed("D", Finding{Subject: "x", Clients: []string{"b"}, Explains: []string{"H"}}),
		}, "warning D x a b c"},
		{"each explains the other", []Fault{
			fixed("C", Finding{Subject: "x", Clients: []string{"c"}, Explains: []string{"D"}}),
			fixed("D", Finding{Subject: "x", Clients: []string{"b"}, Explains: []string{"C"}}),
		}, "warning D x b c"},
		{"not itself", []Fault{
			fixed("D", Finding{Subject: "x", Clients: []string{"b"}, Explains: []string{"*"}},
				Finding{Subject: "y", Clients: []string{"a"}}),
		}, "warning D x b\nwarning D y a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := summary(find(t.Context(), newCase(t), row.faults)); got != row.want {
				t.Errorf("find = %q, want %q", got, row.want)
			}
		})
	}
}

// TestCatalogue holds that every fault has all that the document of faults shows, and a place of its own.
func TestCatalogue(t *testing.T) {
	var ids []string
	for _, f := range Catalogue {
		if f.Title == "" || f.Cause == "" || f.Cure == "" || f.Who == "" || f.Find == nil ||
			rank[f.Severity] == 0 && f.Severity != Error {
			t.Errorf("fault %s lacks a part: %+v", f.ID, f)
		}
		if slices.Contains(ids, f.ID) {
			t.Errorf("fault %s is there twice", f.ID)
		}
		ids = append(ids, f.ID)
	}
}
