package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"signpost/account"
)

// linesPerSecond is how many request lines are written in one second. What
// comes faster is a flood, of which a log of every drop fills the disk and tells
// nothing more; it is counted instead.
const linesPerSecond = 500

// accessLog writes a line a request. It never holds a local part.
type accessLog struct {
	log    *slog.Logger
	second atomic.Int64 // the second that lines are counted in, Unix time
	lines  atomic.Int64 // asked for in it
}

// add writes the line of an exchange that is over.
func (l *accessLog) add(x *exchange, r *http.Request) {
	now := time.Now()
	if !l.admit(x.Context, now) {
		return
	}
	level := slog.LevelInfo
	attrs := append(make([]slog.Attr, 0, 6),
		slog.String("dialect", x.dialect),
		slog.String("method", method(r.Method)),
		slog.Int("status", x.status),
		slog.Duration("took", now.Sub(x.start)),
		slog.String("domain", x.domain),
	)
	if x.err != nil {
		attrs = append(attrs, slog.String("error", x.err.Error()))
		if !errors.Is(x.err, account.ErrUnknownDomain) && !errors.Is(x.err, account.ErrWrongHost) {
			level = slog.LevelError
		}
	}
	l.log.LogAttrs(x.Context, level, "request", attrs...)
}

// admit reports whether there is room for one more line in this second. The
// first line of a second also says what was left out of the one before.
func (l *accessLog) admit(ctx context.Context, now time.Time) bool {
	second := now.Unix()
	if last := l.second.Load(); last != second && l.second.CompareAndSwap(last, second) {
		if left := l.lines.Swap(0) - linesPerSecond; left > 0 {
			l.log.LogAttrs(ctx, slog.LevelWarn, "requests left out of the log", slog.Int64("requests", left))
		}
	}
	return l.lines.Add(1) <= linesPerSecond
}

// method keeps a stranger's inventions out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND":
		return m
	}
	return "other"
}
