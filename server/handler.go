package server

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"signpost/account"
)

// MaxBody is how much of a request body is read, in octets. The largest body
// of a real client, Outlook's, has about 500.
const MaxBody = 8 << 10

// Handler answers every request of the service, from one configuration.
func Handler(o Options) http.Handler { return newHandler(o) }

func newHandler(o Options) *handler {
	if o.Metrics == nil {
		o.Metrics = NewMetrics("", "")
	}
	h := &handler{
		Options: o,
		log:     &accessLog{log: o.Log, most: int64(o.Logged), metrics: o.Metrics},
	}
	h.other = h.log.dialect("other")
	h.router = h.Options.router(h.log)
	return h
}

type handler struct {
	Options
	router *mux.Router
	log    *accessLog
	other  *dialect // of requests that lead nowhere
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Context: r.Context(), ResponseWriter: w, start: time.Now(), dialect: h.other, client: h.Proxies.of(r)}
	defer x.finish(h.log, r)
	if h.Limiter != nil && h.Rate.interval > 0 && !x.client.unlimited {
		if wait := h.Limiter.allow(x.client.addr, h.Rate, x.start); wait > 0 {
			tooMany(x, wait)
			return
		}
	}
	r = r.WithContext(x)
	if x.client.host != "" {
		r.Host = x.client.host
	}
	x.plain = r.TLS == nil && (x.client.scheme == "http" || h.HTTPS && x.client.scheme == "")
	squeeze(r.URL)
	if r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	}
	w.Header()["X-Content-Type-Options"] = nosniff
	// Not router.ServeHTTP, which copies the request twice to put into it
	// what nobody here reads.
	if !h.router.Match(r, &x.match) {
		notFound(x, r)
		return
	}
	x.match.Handler.ServeHTTP(x, r)
}

// tooMany refuses a request for the number of those before it.
func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	http.Error(w, "too many requests from this address", http.StatusTooManyRequests)
}

// nosniff keeps browsers from taking an answer for something else. It is the one
// security header that a document for a program needs; what a person may open
// sets its own policy.
var nosniff = []string{"nosniff"}

// squeeze makes one slash of several: a base URL that ends in a slash is a
// common slip of clients. A slash that is escaped belongs to an address.
func squeeze(u *url.URL) {
	if !strings.Contains(u.Path, "//") {
		return
	}
	raw := doubled.ReplaceAllString(u.EscapedPath(), "/")
	if path, err := url.PathUnescape(raw); err == nil {
		u.Path, u.RawPath = path, raw
	}
}

var doubled = regexp.MustCompile("//+")

// exchange is one request on its way through the service: the context in which
// it is answered, the answer, and what the log will say. It is one allocation
// for the three.
type exchange struct {
	context.Context
	http.ResponseWriter
	match mux.RouteMatch

	start   time.Time
	client  client
	plain   bool // over HTTP without TLS, although there is https
	dialect *dialect
	asked   bool   // the directory was
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
func named(d *dialect, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x, ok := w.(*exchange); ok {
			x.dialect = d
		}
		next.ServeHTTP(w, r)
	})
}

// noted is the resolver, leaving domain and error of each query in the exchange.
func noted(resolve account.Resolver, metrics *Metrics) account.Resolver {
	return func(ctx context.Context, q account.Query) (account.Settings, error) {
		s, err := resolve(ctx, q)
		metrics.looked(err)
		if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
			x.asked, x.domain, x.err = true, q.Address.Domain(), err
			if err == nil {
				x.domain = s.Address.Domain()
			}
		}
		return s, err
	}
}

// outcome is what became of the request.
func (x *exchange) outcome() outcome {
	switch {
	case x.status == http.StatusTooManyRequests:
		return limited
	case x.err != nil && isUnknown(x.err):
		return unknown
	case x.err != nil && x.Context.Err() != nil:
		return refused // the client did not wait for DNS
	case x.err != nil || x.status >= 500:
		return failed
	case x.status == http.StatusNotFound && x.asked:
		return answered // there is nothing that the dialect could say of the domain
	case x.status >= 400, x.dialect.inBand && !x.asked && x.status < 300:
		return refused
	case x.status >= 300:
		return redirected
	}
	return answered
}

// finish writes the log line of a request that is over, or that went wrong in
// a way that must not take the service down.
func (x *exchange) finish(log *accessLog, r *http.Request) {
	if fault := recover(); fault != nil {
		if fault == http.ErrAbortHandler {
			panic(fault)
		}
		log.log.Error("a request panicked", "dialect", x.dialect.name, "fault", fault, "stack", string(debug.Stack()))
		if x.status == 0 {
			http.Error(x, "internal error", http.StatusInternalServerError)
		}
		x.status = http.StatusInternalServerError // whatever got out before
	}
	if x.status == 0 {
		x.status = http.StatusOK // as net/http sends it
	}
	log.add(x, r)
}
