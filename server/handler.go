package server

import (
	"context"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"signpost/account"
)

// MaxBody is how much of a request body is read, in octets. The largest body
// of a real client, Outlook's, has about 500.
const MaxBody = 8 << 10

// Handler answers every request of the service.
func Handler(o Options) http.Handler {
	router := o.router()
	log := &accessLog{log: o.Log}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{Context: r.Context(), ResponseWriter: w, start: time.Now()}
		defer x.finish(log, r)
		r = r.WithContext(x)
		if strings.Contains(r.URL.Path, "//") {
			r.URL.Path = squeeze(r.URL.Path)
			r.URL.RawPath = squeeze(r.URL.RawPath)
		}
		if r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		}
		w.Header()["X-Content-Type-Options"] = nosniff
		// Not router.ServeHTTP, which copies the request twice to put into it
		// what nobody here reads.
		if !router.Match(r, &x.match) {
			notFound(x, r)
			return
		}
		x.match.Handler.ServeHTTP(x, r)
	})
}

// nosniff keeps browsers from taking an answer for something else. It is the one
// security header that a document for a program needs; what a person may open
// sets its own policy.
var nosniff = []string{"nosniff"}

// squeeze makes one slash of several: a base URL that ends in a slash is a
// common slip of clients.
func squeeze(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if path[i] != '/' || i == 0 || path[i-1] != '/' {
			b.WriteByte(path[i])
		}
	}
	return b.String()
}

// exchange is one request on its way through the service: the context in which
// it is answered, the answer, and what the log will say. It is one allocation
// for the three.
type exchange struct {
	context.Context
	http.ResponseWriter
	match mux.RouteMatch

	start   time.Time
	dialect string
	domain  string // asked for, never with a local part
	err     error  // of the resolver
	status  int
}

// exchangeKey finds the exchange in a context made from it.
type exchangeKey struct{}

// Value implements context.Context.
func (x *exchange) Value(key any) any {
	if _, ok := key.(exchangeKey); ok {
		return x
	}
	return x.Context.Value(key)
}

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// named notes which dialect a request is led to.
func named(dialect string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x, ok := w.(*exchange); ok {
			x.dialect = dialect
		}
		next.ServeHTTP(w, r)
	})
}

// noted is the resolver, leaving domain and error of each query in the exchange.
func noted(resolve account.Resolver) account.Resolver {
	return func(ctx context.Context, q account.Query) (account.Settings, error) {
		s, err := resolve(ctx, q)
		if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
			x.domain, x.err = q.Address.Domain(), err
			if err == nil {
				x.domain = s.Address.Domain()
			}
		}
		return s, err
	}
}

// finish writes the log line of a request that is over, or that went wrong in
// a way that must not take the service down.
func (x *exchange) finish(log *accessLog, r *http.Request) {
	if fault := recover(); fault != nil {
		if fault == http.ErrAbortHandler {
			panic(fault)
		}
		log.log.Error("a request panicked", "dialect", x.dialect, "fault", fault, "stack", string(debug.Stack()))
		if x.status == 0 {
			http.Error(x, "internal error", http.StatusInternalServerError)
		}
	}
	log.add(x, r)
}
