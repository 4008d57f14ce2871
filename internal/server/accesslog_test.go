package server

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogLinesPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond = 500
		var out bytes.Buffer
		l := &accessLog{log: slog.New(slog.NewTextHandler(&out, nil)), perSecond: perSecond,
			metrics: NewMetrics("", "")}
		allowed := 0
		for range 3 * perSecond {
			if l.allow(t.Context(), time.Now()) {
				allowed++
			}
			time.Sleep(time.Microsecond)
		}
		if allowed != perSecond {
			t.Errorf("%d lines allowed in one second, want %d", allowed, perSecond)
		}
		if out.Len() > 0 {
			t.Errorf("logged before the second is over: %s", &out)
		}
		time.Sleep(time.Second)
		if !l.allow(t.Context(), time.Now()) {
			t.Error("no line allowed in the next second")
		}
		lines := regexp.MustCompile(`level=WARN msg="requests left out of the log" requests=(\d+)`)
		if got := numbers(lines, &out); !slices.Equal(got, []string{"1000"}) {
			t.Errorf("left out %q, want one line with 1000 in\n%s", got, &out)
		}
	})
}

// TestTooManyRequestsLines checks that each line counts the requests since the one
// before, not since the start.
func TestTooManyRequestsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := &accessLog{log: slog.New(slog.NewTextHandler(&out, nil)), metrics: NewMetrics("", "")}
		state := &requestState{dialect: l.dialect("other"), client: client{addr: netip.MustParseAddr("192.0.2.1")}}
		state.status = 429
		refuse := func() { l.add(state, httptest.NewRequest("GET", "/", nil)) }
		refuse()
		refuse()
		refuse()
		time.Sleep(time.Second)
		refuse()
		time.Sleep(time.Second)
		refuse()
		lines := regexp.MustCompile(`level=WARN msg="too many requests" requests=(\d+) block=192.0.2.1/32`)
		if got, want := numbers(lines, &out), []string{"1", "3", "1"}; !slices.Equal(got, want) {
			t.Errorf("the lines count %q requests, want %q:\n%s", got, want, &out)
		}
	})
}

// numbers returns the first group of each match.
func numbers(expression *regexp.Regexp, out *bytes.Buffer) []string {
	var all []string
	for _, match := range expression.FindAllStringSubmatch(out.String(), -1) {
		all = append(all, match[1])
	}
	return all
}
