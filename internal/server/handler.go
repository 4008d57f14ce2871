package server

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"signpost/account"
	"signpost/autodiscover"
)

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
	x, r := exchangeOf(w, r)
	x.client = h.Proxies.of(x.peer.addrOf(r), r)
	x.dialect = h.other
	defer x.finish(h.log, r)
	if h.Limiter != nil && h.Rate.interval > 0 && !x.client.unlimited {
		if wait := h.Limiter.allow(x.client.addr, h.Rate, x.start); wait > 0 {
			tooMany(x, wait, !x.client.proxied)
			return
		}
	}
	if x.client.host != "" {
		r.Host = x.client.host
	}
	x.plain = x.client.scheme == "http" || h.HTTPS && x.client.scheme == "" && r.TLS == nil
	squeeze(r.URL)
	if r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, autodiscover.MaxBody)
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

// tooMany refuses a request for the number of those before it. The connection is
// not kept, unless it is a proxy's: others can use its place.
func tooMany(w http.ResponseWriter, wait time.Duration, closes bool) {
	if closes {
		w.Header()["Connection"] = closing
	}
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

// exchange is one request on its way through the service: the answer, and what
// the log will say. It is the value of exchangeKey in the request's context.
type exchange struct {
	peer // stays with the connection

	http.ResponseWriter
	ctx   context.Context // of the request
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

type exchangeKey struct{}

// withExchange gives the context of a connection the exchange of all requests
// that come on it one after the other, as they do in HTTP/1. It is for
// http.Server.ConnContext, and spares each request that and a copy of itself.
func withExchange(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, exchangeKey{}, new(exchange))
}

// exchangeOf begins the exchange of the request, which is new where the
// connection has none or has several at a time.
func exchangeOf(w http.ResponseWriter, r *http.Request) (*exchange, *http.Request) {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok || r.ProtoMajor != 1 {
		x = new(exchange)
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
	}
	x.ResponseWriter, x.ctx, x.start = w, r.Context(), time.Now()
	return x, r
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
	return func(ctx context.Context, q account.Query) (s account.Settings, err error) {
		s, err = resolve(ctx, q)
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
	case x.err != nil && x.ctx.Err() != nil:
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
	*x = exchange{peer: x.peer} // an idle connection holds on to nothing of it
}
