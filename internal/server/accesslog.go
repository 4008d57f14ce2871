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

	"signpost/internal/conn"
)

// accessLog writes a line for each request, without the local part of an address. More
// than perSecond requests are a flood. A line for each would fill the disk and say
// nothing more, so the rest is only counted.
type accessLog struct {
	log       *slog.Logger
	perSecond int64
	metrics   *Metrics

	second atomic.Int64 // the second in which lines are counted, Unix time
	lines  atomic.Int64 // lines requested in that second

	limited     throttle // requests refused by the rate limit
	unencrypted throttle // HTTP/2 without TLS from others than trusted proxies
}

// dialect holds the metrics and loggers of the requests in one dialect. Loggers format
// the attributes that many lines share once.
type dialect struct {
	name        string
	errorsAreOK bool // errors are answered with status 200
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

// add counts a request that has been answered and writes its line.
func (l *accessLog) add(state *requestState, r *http.Request) {
	ctx, now := r.Context(), time.Now()
	took := now.Sub(state.start)
	o := state.outcome(ctx)
	state.dialect.requests[o].Inc()
	state.dialect.duration.Observe(took.Seconds())
	if o == limited {
		l.addLimited(ctx, state, now)
		return
	}
	level := slog.LevelInfo
	if o == failed {
		level = slog.LevelError
	}
	if l.perSecond == 0 || !l.log.Enabled(ctx, level) || !l.allow(ctx, now) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 6),
		slog.String("id", requestID(state, r)),
		slog.String("method", method(r.Method)),
		slog.Int("status", state.status),
		slog.Duration("took", took),
		slog.String("domain", state.domain),
	)
	if state.err != nil {
		attrs = append(attrs, slog.String("error", state.err.Error()))
	}
	state.dialect.logs[o].LogAttrs(ctx, level, "request", attrs...)
}

// allow reports whether one more line may be written in this second. The first line of
// a second also says how many were left out before.
func (l *accessLog) allow(ctx context.Context, now time.Time) bool {
	second := now.Unix()
	if last := l.second.Load(); last != second && l.second.CompareAndSwap(last, second) {
		if left := l.lines.Swap(0) - l.perSecond; left > 0 {
			l.log.LogAttrs(ctx, slog.LevelWarn, "requests left out of the log", slog.Int64("requests", left))
		}
	}
	if l.lines.Add(1) <= l.perSecond {
		return true
	}
	l.metrics.leftOut.Inc()
	return false
}

// addLimited logs requests that were refused by the rate limit, at most once a second
// and with the address block of the last: an operator wants to know whom to block.
func (l *accessLog) addLimited(ctx context.Context, state *requestState, now time.Time) {
	if requests, due := l.limited.add(now); due {
		l.log.LogAttrs(ctx, slog.LevelWarn, "too many requests",
			slog.Int64("requests", requests), slog.String("block", conn.BlockName(state.client.addr)))
	}
}

// addUnencryptedHTTP2 logs that HTTP/2 without TLS was refused, at most once a second. The
// client does not show the answer, since it is not in HTTP/2.
func (l *accessLog) addUnencryptedHTTP2(ctx context.Context, now time.Time) {
	if connections, due := l.unencrypted.add(now); due {
		l.log.LogAttrs(ctx, slog.LevelWarn, "HTTP/2 without TLS refused", slog.Int64("connections", connections),
			slog.String("hint", "list the proxy under trustedProxies, and do not use PROXY protocol"))
	}
}

// method keeps unknown methods, which a client can invent, out of the log.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions,
		"PROPFIND":
		return m
	}
	return "other"
}

// idSalt makes the request IDs of one run of the program differ from those of another.
var idSalt = func() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}()

var lastID atomic.Uint64

// requestID returns the X-Request-Id of a trusted proxy, which nginx ($request_id) and
// others can send, so that the line can be found in the proxy's log too. It must
// consist of hexadecimal digits: a client must not get its own words into the log.
// Without one, requestID makes a new ID.
func requestID(state *requestState, r *http.Request) string {
	if state.client.proxied {
		if ids := r.Header["X-Request-Id"]; len(ids) == 1 && isID(ids[0]) {
			return ids[0]
		}
	}
	// An odd factor reaches all numbers before one repeats.
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
