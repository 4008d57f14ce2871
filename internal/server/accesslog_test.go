package server

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAFloodIsCounted(t *testing.T) {
	var out bytes.Buffer
	l := &accessLog{log: slog.New(slog.NewTextHandler(&out, nil)), most: DefaultLogged, metrics: NewMetrics("", "")}
	start := time.Unix(1_700_000_000, 0)
	admitted := 0
	for i := range 3 * DefaultLogged {
		if l.admit(t.Context(), start.Add(time.Duration(i)*time.Microsecond)) {
			admitted++
		}
	}
	if admitted != DefaultLogged {
		t.Errorf("%d lines in one second, want %d", admitted, DefaultLogged)
	}
	if out.Len() > 0 {
		t.Errorf("said too early: %s", &out)
	}
	if !l.admit(t.Context(), start.Add(time.Second)) {
		t.Error("the next second has no room")
	}
	if want := "level=WARN msg=\"requests left out of the log\" requests=1000\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
