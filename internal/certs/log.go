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

// linesPerMinute limits the log lines that strangers can cause. Counters count the
// rest.
const linesPerMinute = 10

// sampler admits the first log lines of each minute and counts the others.
type sampler struct {
	mu    sync.Mutex
	since time.Time
	lines int
}

// admit reports whether a line may be logged, and how many were left out before it.
func (s *sampler) admit() (leftOut int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.since) >= time.Minute {
		leftOut, s.since, s.lines = max(0, s.lines-linesPerMinute), now, 0
	}
	s.lines++
	return leftOut, s.lines <= linesPerMinute
}

// warn logs a line if it is admitted.
func (s *sampler) warn(log *slog.Logger, text string, attrs ...any) {
	leftOut, ok := s.admit()
	if !ok {
		return
	}
	if leftOut > 0 {
		attrs = append(attrs, "leftOut", leftOut)
	}
	log.Warn(text, attrs...)
}

// zapCore writes the log lines of certmagic to slog: errors as warnings, because
// the service goes on, and everything else at the level of debugging.
type zapCore struct {
	log     *slog.Logger
	sampler *sampler
	scrub   *strings.Replacer
	fields  []zapcore.Field
}

// repeated lists the messages of errors that are reported otherwise: a storage that is away by
// itself, the others as "order failed".
var repeated = []string{
	"unable to get configuration to manage certificate; unable to renew",
	"unable to get automation config for certificate; maintenance for this certificate will likely fail",
	"could not get certificate from issuer",
	"challenge failed",
	"validating authorization",
}

// emailFields lists the fields that contain the operator's e-mail address.
var emailFields = []string{"account", "account_contact", "contact", "email", "key_location"}

func newZap(log *slog.Logger, s *sampler, scrub *strings.Replacer) *zap.Logger {
	return zap.New(&zapCore{log: log, sampler: s, scrub: scrub})
}

// Enabled implements zapcore.LevelEnabler.
func (c *zapCore) Enabled(level zapcore.Level) bool {
	return level >= zapcore.ErrorLevel || c.log.Enabled(context.Background(), slog.LevelDebug)
}

// With implements zapcore.Core.
func (c *zapCore) With(fields []zapcore.Field) zapcore.Core {
	with := *c
	with.fields = append(slices.Clip(c.fields), fields...)
	return &with
}

// Check implements zapcore.Core.
func (c *zapCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c *zapCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	all := zapcore.NewMapObjectEncoder()
	for _, f := range append(slices.Clip(c.fields), fields...) {
		f.AddTo(all)
	}
	attrs := []any{"about", entry.Message}
	reason := ""
	for _, key := range slices.Sorted(maps.Keys(all.Fields)) {
		if slices.Contains(emailFields, key) {
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
	const message = "certificate management"
	isRepeated := slices.Contains(repeated, entry.Message) || strings.Contains(reason, "] Renew: ")
	if entry.Level < zapcore.ErrorLevel || isRepeated {
		c.log.Debug(message, attrs...)
	} else {
		c.sampler.warn(c.log, message, attrs...)
	}
	return nil
}

// Sync implements zapcore.Core.
func (c *zapCore) Sync() error { return nil }
