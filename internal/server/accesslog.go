package server

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultLogged is how many request lines are written in one second unless the
// configuration says otherwise. What comes faster is a flood, of which a log of
// every drop fills the disk and tells nothing more; it is counted instead.
const DefaultLogged = 500

// accessLog writes a line a request. It never holds a local part.
type accessLog struct {
	log     *slog.Logger
	most    int64 // lines a second
	metrics *Metrics

	second atomic.Int64 // the second that lines are counted in, Unix time
	lines  atomic.Int64 // asked for in it

	limited   atomic.Int64 // requests refused for their number, since the last line about it
	limitedAt atomic.Int64 // the second of that line
}

// dialect is what the requests in one dialect are counted and logged with. What
// is the same for many lines is formatted once.
type dialect struct {
	name   string
	inBand bool // it says what is wrong with status 200
	series
	logs [outcomes]*slog.Logger
}

func (l *accessLog) dialect(name string) *dialect {
	d := &dialect{name: name, series: l.metrics.series(name)}
	for o := range outcomes {
		d.logs[o] = l.log.With(slog.String("dialect", name), slog.String("outcome", o.String()))
	}
	return d
}

// add counts an exchange that is over and writes its line.
func (l *accessLog) add(x *exchange, r *http.Request) {
	now := time.Now()
	took := now.Sub(x.start)
	o := x.outcome()
	x.dialect.requests[o].Inc()
	x.dialect.duration.Observe(took.Seconds())
	if o == limited {
		l.addLimited(x, now)
		return
	}
	level := slog.LevelInfo
	if o == failed {
		level = slog.LevelError
	}
	if l.most == 0 || !l.log.Enabled(x.ctx, level) || !l.admit(x.ctx, now) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 6),
		slog.String("id", requestID(x, r)),
		slog.String("method", method(r.Method)),
		slog.Int("status", x.status),
		slog.Duration("took", took),
		slog.String("domain", x.domain),
	)
	if x.err != nil {
		attrs = append(attrs, slog.String("error", x.err.Error()))
	}
	x.dialect.logs[o].LogAttrs(x.ctx, level, "request", attrs...)
}

// admit reports whether there is room for one more line in this second. The
// first line of a second also says what was left out of the one before.
func (l *accessLog) admit(ctx context.Context, now time.Time) bool {
	second := now.Unix()
	if last := l.second.Load(); last != second && l.second.CompareAndSwap(last, second) {
		if left := l.lines.Swap(0) - l.most; left > 0 {
			l.log.LogAttrs(ctx, slog.LevelWarn, "requests left out of the log", slog.Int64("requests", left))
		}
	}
	if l.lines.Add(1) <= l.most {
		return true
	}
	l.metrics.leftOut.Inc()
	return false
}

// addLimited counts a request that was refused because there were too many,
// and says so once a second, with the address block of the last: an operator
// wants to know whom to keep out.
func (l *accessLog) addLimited(x *exchange, now time.Time) {
	count := l.limited.Add(1)
	second := now.Unix()
	if last := l.limitedAt.Load(); last == second || !l.limitedAt.CompareAndSwap(last, second) {
		return
	}
	l.limited.Add(-count)
	l.log.LogAttrs(x.ctx, slog.LevelWarn, "too many requests", slog.Int64("requests", count), slog.String("block", blockName(x.client.addr)))
}

// method keeps a stranger's inventions out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "PROPFIND":
		return m
	}
	return "other"
}

// idSalt tells the identities of one run of the program from those of another.
var idSalt = func() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}()

var lastID atomic.Uint64

// requestID is what finds a line in the logs of a proxy, too, if it sends
// X-Request-Id, as nginx ($request_id) and others can: hexadecimal digits. A
// stranger's words have no way into the log by it.
func requestID(x *exchange, r *http.Request) string {
	if x.client.proxied {
		if given := r.Header["X-Request-Id"]; len(given) == 1 && isID(given[0]) {
			return given[0]
		}
	}
	// Odd, so that all numbers come before the first comes again.
	id := lastID.Add(1)*0x9e3779b97f4a7c15 + idSalt
	var text [16]byte
	for i := range text {
		text[i] = "0123456789abcdef"[id>>60]
		id <<= 4
	}
	return string(text[:])
}

func isID(text string) bool {
	return 8 <= len(text) && len(text) <= 64 && strings.Trim(text, "0123456789abcdefABCDEF-") == ""
}
