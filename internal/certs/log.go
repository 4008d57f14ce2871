package certs

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// linesPerMinute is how many lines are written a minute about what strangers can
// cause. The counters tell of the rest.
const linesPerMinute = 10

// sampler lets the first lines of a minute through and counts the others.
type sampler struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	lines int
}

// admit reports whether there is room for a line, and how many there was no room
// for before it.
func (s *sampler) admit() (left int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); now.Sub(s.since) >= time.Minute {
		left, s.since, s.lines = max(0, s.lines-linesPerMinute), now, 0
	}
	s.lines++
	return left, s.lines <= linesPerMinute
}

// warn writes a line if there is room for one.
func (s *sampler) warn(log *slog.Logger, text string, attrs ...any) {
	left, ok := s.admit()
	if !ok {
		return
	}
	if left > 0 {
		attrs = append(attrs, "leftOut", left)
	}
	log.Warn(text, attrs...)
}

// core writes certmagic's log lines to slog: errors as warnings, for the service
// goes on, and the rest for debugging. What it says of an order we say ourselves.
type core struct {
	log     *slog.Logger
	sampler *sampler
	scrub   *strings.Replacer
	fields  []zapcore.Field
}

// repeated begin lines about what is told at the end of an order, in one line.
var repeated = []string{
	"could not get certificate from issuer",
	"challenge failed",
	"validating authorization",
}

// mail are fields that hold the operator's e-mail address.
var mail = []string{"account", "account_contact", "contact", "email", "key_location"}

func newZap(log *slog.Logger, s *sampler, scrub *strings.Replacer) *zap.Logger {
	return zap.New(&core{log: log, sampler: s, scrub: scrub})
}

// Enabled implements zapcore.LevelEnabler.
func (c *core) Enabled(level zapcore.Level) bool {
	return level >= zapcore.ErrorLevel || c.log.Enabled(context.Background(), slog.LevelDebug)
}

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	with := *c
	with.fields = append(slices.Clip(c.fields), fields...)
	return &with
}

// Check implements zapcore.Core.
func (c *core) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c *core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	all := zapcore.NewMapObjectEncoder()
	for _, f := range append(slices.Clip(c.fields), fields...) {
		f.AddTo(all)
	}
	attrs := []any{"about", entry.Message}
	reason := ""
	for _, key := range slices.Sorted(maps.Keys(all.Fields)) {
		if slices.Contains(mail, key) {
			continue
		}
		value := all.Fields[key]
		if text, ok := value.(string); ok {
			value = c.scrub.Replace(text)
			if key == "error" {
				reason = text
			}
		}
		attrs = append(attrs, key, value)
	}
	const text = "certificate management"
	if entry.Level < zapcore.ErrorLevel || slices.Contains(repeated, entry.Message) || strings.Contains(reason, "] Renew: ") {
		c.log.Debug(text, attrs...)
		return nil
	}
	c.sampler.warn(c.log, text, attrs...)
	return nil
}

// Sync implements zapcore.Core.
func (c *core) Sync() error { return nil }
