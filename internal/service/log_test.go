package service

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"signpost/internal/config"
)

// TestFollowingLog checks that a log handed out before a reload writes in the format
// and level of the new configuration.
func TestFollowingLog(t *testing.T) {
	var out bytes.Buffer
	var current atomic.Pointer[slog.Logger]
	current.Store(newLog(&out, config.Log{}))
	log := slog.New(followingLog{current: &current})
	derived := log.With("keys", "a").WithGroup("g").With("b", 1)
	derived.Info("first", "c", 2)
	log.Debug("not yet")
	current.Store(newLog(&out, config.Log{JSON: true, Level: slog.LevelDebug}))
	derived.Info("second", "c", 2)
	log.Debug("third")
	current.Store(newLog(&out, config.Log{Level: slog.LevelError}))
	log.Warn("no more")
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 {
		t.Fatalf("the log has %d lines, want 3:\n%s", len(lines)-1, &out)
	}
	for i, want := range []string{
		"level=INFO msg=first keys=a g.b=1 g.c=2",
		`"msg":"second","keys":"a","g":{"b":1,"c":2}}`,
		`"level":"DEBUG","msg":"third"}`,
	} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("line %d is %s, want it to end in %s", i+1, lines[i], want)
		}
	}
}
