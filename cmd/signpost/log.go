package main

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"

	"signpost/internal/config"
)

// newLog writes as the configuration wants it.
func newLog(w io.Writer, l config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.Level}
	if l.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// changingLog is the log of what outlives the configurations, written as the one
// in use wants it. Requests have the log of their own configuration, which has
// formatted in advance what is the same for many lines.
type changingLog struct {
	current *atomic.Pointer[slog.Logger]
	with    []func(slog.Handler) slog.Handler
}

func newChangingLog(first *slog.Logger) changingLog {
	l := changingLog{current: new(atomic.Pointer[slog.Logger])}
	l.current.Store(first)
	return l
}

// use writes to another log from now on.
func (l changingLog) use(next *slog.Logger) { l.current.Store(next) }

func (l changingLog) handler() slog.Handler {
	h := l.current.Load().Handler()
	for _, with := range l.with {
		h = with(h)
	}
	return h
}

func (l changingLog) and(with func(slog.Handler) slog.Handler) slog.Handler {
	return changingLog{l.current, append(slices.Clip(l.with), with)}
}

// Enabled implements slog.Handler.
func (l changingLog) Enabled(ctx context.Context, level slog.Level) bool {
	return l.current.Load().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l changingLog) Handle(ctx context.Context, r slog.Record) error {
	return l.handler().Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l changingLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return l.and(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (l changingLog) WithGroup(name string) slog.Handler {
	return l.and(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}
