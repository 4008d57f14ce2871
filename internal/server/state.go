package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"signpost/account"
	"signpost/internal/fair"
	"signpost/internal/fault"
)

// requestState holds what the service knows of a request, for the log line and the
// metrics at its end. It is the request's context, and a value of it.
type requestState struct {
	context.Context
	statusRecorder

	start   time.Time
	client  client
	caller  fair.Caller // on whose behalf DNS and stores are asked
	plain   bool        // arrived over plain HTTP although https is served
	dialect *dialect

	resolved bool   // the directory was asked
	domain   string // that the request asks about
	err      error  // of the directory
}

type stateKey struct{}

// Value implements context.Context.
func (s *requestState) Value(key any) any {
	switch key.(type) {
	case stateKey:
		return s
	case fair.CallerKey:
		return &s.caller
	}
	return s.Context.Value(key)
}

// stateOf returns the state of the request that ctx belongs to.
func stateOf(ctx context.Context) *requestState {
	return ctx.Value(stateKey{}).(*requestState)
}

// recordLookup returns resolve with each query's domain and error stored for the log
// and counted.
func recordLookup(resolve account.Resolver, metrics *Metrics) account.Resolver {
	return func(ctx context.Context, q account.Query) (account.Settings, error) {
		state := stateOf(ctx)
		settings, err := resolve(ctx, q)
		metrics.countLookup(err)
		state.resolved, state.domain, state.err = true, q.Address.Domain(), err
		if err == nil {
			state.domain = settings.Address.Domain()
		}
		return settings, err
	}
}

// outcome classifies a request that has been answered.
func (s *requestState) outcome(ctx context.Context) outcome {
	switch {
	case s.status == http.StatusTooManyRequests:
		return limited
	case account.IsUnknown(s.err):
		return unknown
	case errors.Is(s.err, fair.ErrClient):
		return limited
	case s.err != nil && ctx.Err() != nil:
		return refused // the client did not wait for DNS
	case s.err != nil || s.status >= 500:
		return failed
	case s.status == http.StatusNotFound && s.resolved:
		return answered // the dialect has nothing to say about the domain
	case s.status >= 400, s.dialect.errorsAreOK && !s.resolved && s.status < 300:
		return refused
	case s.status >= 300:
		return redirected
	}
	return answered
}

// finish counts and logs a request that has been answered. A panic of its handler is
// logged and must not end the service.
func (s *requestState) finish(log *accessLog, r *http.Request) {
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		log.log.Error("request panicked", "dialect", s.dialect.name, "fault", fault.WithoutLocalParts(fmt.Sprint(p)),
			"stack", string(debug.Stack()))
		if s.status == 0 {
			http.Error(&s.statusRecorder, "internal error", http.StatusInternalServerError)
		}
		s.status = http.StatusInternalServerError // whatever was sent before
	}
	if s.status == 0 {
		s.status = http.StatusOK // which net/http sends for a handler that writes nothing
	}
	log.add(s, r)
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int           // 0 before the first byte
	unread *atomic.Int32 // counts answers that are being written; nil for no limit
}

// WriteHeader implements http.ResponseWriter.
func (s *statusRecorder) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *statusRecorder) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	if s.unread != nil {
		s.unread.Add(1)
		defer s.unread.Add(-1)
	}
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }
