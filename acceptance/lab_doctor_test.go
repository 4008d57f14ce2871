package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// diagnosis is what the tests read of a report of "signpost doctor -json".
type diagnosis struct {
	Address  string
	Seconds  float64
	Complete bool
	Findings []struct {
		ID, Sentence string
		Clients      []string
		Cures        []cure
		Uncovers     []string
	}
	Clients  []forecast
	NotAsked []struct{ What, Why string }
}

// cure is what somebody can do, with lines of a zone if it is in DNS.
type cure struct {
	Who, Text   string
	Remove, Put []string
}

// forecast is what the doctor says that a client will do.
type forecast struct {
	Client, Version, Certainty, Outcome, But, Source string
	Seconds                                          float64
	Servers                                          []server
}

// diagnose runs the doctor for addresses, as one process, and returns the reports by address.
func diagnose(t *testing.T, addresses ...string) map[string]diagnosis {
	t.Helper()
	began := time.Now()
	cmd := exec.Command(os.Getenv(insideVariable), "doctor", "-json", "-private", "-real", "-resolver", labResolver,
		"-at-once", "8", "-from", "-")
	cmd.Stdin = strings.NewReader(strings.Join(addresses, "\n"))
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	watchdog := time.AfterFunc(labTimeout/2, func() { cmd.Process.Kill() })
	defer watchdog.Stop()
	if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("signpost doctor: %v\n%s", err, &problems)
	}
	found := map[string]diagnosis{}
	decoder := json.NewDecoder(&out)
	for {
		var d diagnosis
		if decoder.Decode(&d) != nil {
			break
		}
		found[d.Address] = d
	}
	t.Logf("the doctor took %.0f s for %d addresses", time.Since(began).Seconds(), len(found))
	return found
}

// ids returns the IDs of the findings, each once and in order.
func (d diagnosis) ids() []string {
	ids := []string{}
	for _, f := range d.Findings {
		ids = append(ids, f.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// sentences returns the findings with their clients, for a message.
func (d diagnosis) sentences() string {
	var b strings.Builder
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "\n  %s %s %v", f.ID, f.Sentence, f.Clients)
	}
	for _, n := range d.NotAsked {
		fmt.Fprintf(&b, "\n  not asked: %s: %s", n.What, n.Why)
	}
	return b.String()
}

// of returns the forecast for a client.
func (d diagnosis) of(client string) (forecast, bool) {
	for _, f := range d.Clients {
		if f.Client == client {
			return f, true
		}
	}
	return forecast{}, false
}

func (f forecast) String() string {
	text := f.Outcome
	if f.But != "" {
		text += " (" + f.But + ")"
	}
	text += " " + f.Source
	for _, s := range f.Servers {
		text += ", " + s.String()
	}
	return text
}

// server returns the forecast's server of a type.
func (f forecast) server(kind string) server {
	for _, s := range f.Servers {
		if s.Type == kind {
			return s
		}
	}
	return server{}
}

// differs says in what a forecast differs from what the real client did; empty for nothing.
func (f forecast) differs(judge string, j judged) string {
	switch {
	case judge == deltaChatCore && j.Failed != "":
		if f.Outcome == setsUp || f.Outcome == setsUpBut {
			return "it fails"
		}
		return "" // it keeps no servers then
	case strings.HasPrefix(j.Asked, "asks about "):
		if host := strings.TrimPrefix(j.Asked, "asks about "); !strings.Contains(f.But, host) {
			return "it asks about " + host
		}
	case j.Asked != "" && f.Outcome != asks && f.Outcome != elsewhere:
		return "it " + j.Asked
	case j.Asked != "":
		return ""
	}
	if j.Source == "" {
		if f.Outcome == setsUp || f.Outcome == setsUpBut || len(f.Servers) > 0 && judge != deltaChatCore {
			return "it finds nothing"
		}
		return ""
	}
	if !strings.HasPrefix(f.Source+"/", j.Source+"/") {
		return "the source"
	}
	for kind, real := range map[string]server{"imap": j.Incoming, "smtp": j.Outgoing} {
		if told := f.server(kind); judge != deltaChatCore && told != real {
			return kind
		} else if judge == deltaChatCore && !slices.Contains(j.Candidates, told.withLogin("")) {
			return kind
		}
	}
	return ""
}

// The outcomes of forecasts.
const (
	setsUp    = "sets-up"
	setsUpBut = "sets-up-but"
	asks      = "asks"
	elsewhere = "elsewhere"
)
