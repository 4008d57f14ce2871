package service

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"

	"signpost/internal/config"
)

// newLog returns a log in the configured format and level.
func newLog(w io.Writer, l config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.Level}
	if l.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// followingLog is a slog.Handler for what outlives a reload: it always writes in
// the format and level of the configuration in use. Requests use the log of their
// own configuration instead, which has formatted its constant fields in advance.
type followingLog struct {
	current *atomic.Pointer[slog.Logger]
	with    []func(slog.Handler) slog.Handler
}

// Enabled implements slog.Handler.
func (l followingLog) Enabled(ctx context.Context, level slog.Level) bool {
	return l.current.Load().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (l followingLog) Handle(ctx context.Context, r slog.Record) error {
	h := l.current.Load().Handler()
	for _, with := range l.with {
		h = with(h)
	}
	return h.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l followingLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return l.derive(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (l followingLog) WithGroup(name string) slog.Handler {
	return l.derive(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (l followingLog) derive(with func(slog.Handler) slog.Handler) slog.Handler {
	return followingLog{l.current, append(slices.Clip(l.with), with)}
}
