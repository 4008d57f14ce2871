package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"signpost/autodiscover"
)

// A request passes through these stops:
//
//	conn.ProxyProtocol       reads the client's address, if a proxy sends it
//	conn.Limiter             limits connections, in all and per address, and what they send
//	                         over HTTP/2
//	separate (proxied.go)    hands trusted proxies over to a server that knows HTTP/2 without TLS
//	http.Server (serve.go)   TLS, time limits, size of the header
//	certs.HTTPChallenge      answers ACME challenges
//	Live                     picks the configuration in use
//	handler.ServeHTTP        client (proxyheaders.go), rate limit, unread answers (unread.go), limit
//	                         of the body
//	mux.Router (routes.go)   path and host decide the route, and with it the dialect
//	requireTLS (plain.go)    answers or redirects plain HTTP
//	dialect                  autoconfig, autodiscover, mobileconfig, setup: reads an account.Query,
//	  recordLookup (state.go)  stores what was asked and found,
//	  directory.Resolve        finds the account.Settings,
//	                         and writes its document
//	requestState.finish      recovers from a panic, counts the request and logs it (accesslog.go)
//
// The context of a request is its requestState: what is known of it so far.

// Live is a handler whose configuration can be replaced while it answers. Each request
// is answered from the one configuration that was in use when it arrived.
type Live struct {
	current atomic.Pointer[handler]
	unread  *unread
}

// NewLive returns a Live that answers from o.
func NewLive(o Options) *Live {
	l := &Live{unread: newUnread()}
	l.Replace(o)
	return l
}

// Replace answers later requests from o. Metrics and Limiter must stay the same, for
// they go on counting.
func (l *Live) Replace(o Options) { l.current.Store(newHandler(o, l.unread)) }

// ServeHTTP implements http.Handler.
func (l *Live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.current.Load().ServeHTTP(w, r)
}

// Rate returns the rate of requests in the configuration in use.
func (l *Live) Rate() Rate { return l.current.Load().Options.Rate }

// Trusts reports whether the configuration in use trusts addr as a proxy.
func (l *Live) Trusts(addr netip.Addr) bool { return l.current.Load().Proxies.Trusts(addr) }

// Handler returns a handler that answers every request of the service from one
// configuration.
func Handler(o Options) http.Handler { return newHandler(o, newUnread()) }

type handler struct {
	Options
	router *mux.Router
	log    *accessLog
	other  *dialect // of requests without a route
	unread *unread
	hsts   string // header for the service's own name; empty for none
}

func newHandler(o Options, unread *unread) *handler {
	if o.Metrics == nil {
		o.Metrics = NewMetrics("", "")
	}
	h := &handler{
		Options: o,
		unread:  unread,
		log:     &accessLog{log: o.Log, perSecond: int64(o.Logged), metrics: o.Metrics},
	}
	h.other = h.log.dialect("other")
	if o.HSTS != nil && o.Name != "" {
		h.hsts = "max-age=" + strconv.Itoa(int(o.HSTS.Seconds()))
	}
	h.router = h.Options.router(h.log)
	return h
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	state := &requestState{
		Context:        r.Context(),
		start:          time.Now(),
		client:         clientOf(&h.Proxies, r),
		dialect:        h.other,
		statusRecorder: statusRecorder{ResponseWriter: w},
	}
	state.caller = state.client.caller()
	r = r.WithContext(state)
	w = &state.statusRecorder
	defer state.finish(h.log, r)
	if h.Limiter != nil && h.Rate.interval > 0 && !state.client.unlimited {
		if wait := h.Limiter.allow(state.client.addr, h.Rate, state.start); wait > 0 {
			tooManyRequests(w, r, wait, !state.client.proxied)
			return
		}
	}
	if !state.client.unlimited {
		if state.unread = h.unread.of(state.client.addr); state.unread.Load() >= maxUnread {
			tooManyRequests(w, r, time.Second, !state.client.proxied)
			return
		}
	}
	if isUnencryptedHTTP2(r) {
		h.log.addUnencryptedHTTP2(r.Context(), state.start)
		http.Error(w, "HTTP/2 without TLS is answered to trusted proxies only, and not with PROXY protocol",
			http.StatusBadRequest)
		return
	}
	if state.client.host != "" {
		r.Host = state.client.host
	}
	state.plain = state.client.scheme == "http" || h.HTTPS && state.client.scheme == "" && r.TLS == nil
	r.URL = collapseSlashes(r.URL)
	if r.Body != http.NoBody {
		// net/http closes the connection after a body that is too large, if it gets
		// its own ResponseWriter here.
		r.Body = http.MaxBytesReader(state.ResponseWriter, r.Body, autodiscover.MaxBody)
	}
	// This is the only security header that a document for a program needs: browsers
	// must not guess its type. The page for people sets its own policy.
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if h.hsts != "" && h.wantsHSTS(&state.client, r) {
		w.Header().Set("Strict-Transport-Security", h.hsts)
	}
	h.router.ServeHTTP(w, r)
}

// wantsHSTS reports whether a browser may be told to ask the host of r by https only. That
// is so for the service's own name, by https (RFC 6797 §7.2), and for nobody else's:
// autoconfig.‹domain› is asked by plain HTTP too, and the web site of a customer is not
// ours. Hence there is no includeSubDomains, and no preload either. It is an option
// because it holds for all ports of the host, whatever else runs there, leaves a person
// no way past a certificate that has expired (RFC 6797 §12.1), and is kept by browsers
// that do not come back to learn otherwise.
func (h *handler) wantsHSTS(c *client, r *http.Request) bool {
	return (r.TLS != nil || c.scheme == "https") &&
		strings.EqualFold(strings.TrimSuffix(hostOnly(r.Host), "."), h.Name)
}

// tooManyRequests refuses a request of an address that has sent too many. If
// closes is true, the connection is closed to make room for other clients. A
// proxy's connection stays open, for it carries their requests.
func tooManyRequests(w http.ResponseWriter, r *http.Request, wait time.Duration, closes bool) {
	if closes {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	if r.ProtoMajor == 2 {
		// A body would wait for a client that takes none, with a goroutine.
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	http.Error(w, "too many requests from this address", http.StatusTooManyRequests)
}

// collapseSlashes returns u with repeated slashes in its path replaced by one:
// clients often append a path to a base URL that ends in a slash. An escaped slash
// belongs to an address and stays.
func collapseSlashes(u *url.URL) *url.URL {
	if !strings.Contains(u.Path, "//") {
		return u
	}
	raw := repeatedSlashes.ReplaceAllString(u.EscapedPath(), "/")
	path, err := url.PathUnescape(raw)
	if err != nil {
		return u
	}
	collapsed := *u
	collapsed.Path, collapsed.RawPath = path, raw
	return &collapsed
}

var repeatedSlashes = regexp.MustCompile("//+")
