package server

import (
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
)

// Admin is what the operator's own tools can ask.
type Admin struct {
	Metrics *Metrics
	// Ready is nil while requests are answered, and else says why they are not.
	Ready func() error
	// Ask answers GET /ask?domain=, by which a proxy learns whether a name may
	// have a certificate; nil: there is no such question.
	Ask http.Handler
	// Pprof serves /debug/pprof.
	Pprof bool
}

// Handler answers the operator's tools. It is for a listener of its own, which
// strangers do not reach.
func (a Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.Metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := a.Ready(); err != nil {
			say(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		say(w, http.StatusOK, "ready")
	})
	if a.Ask != nil {
		mux.Handle("GET /ask", a.Ask)
	}
	if a.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return guarded(mux)
}

// guarded keeps out web pages that are open in a browser on this machine: where
// the listener is on loopback, a page can reach it under a name of its own that
// it lets lead there (DNS rebinding). Nobody else's name has one label only.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		if local != nil && local.IP.IsLoopback() && !isLocalName(r.Host) {
			say(w, http.StatusForbidden, "ask by address or as localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocalName(host string) bool {
	name := strings.ToLower(strings.Trim(hostOnly(host), "[]"))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return !strings.Contains(name, ".") || strings.HasSuffix(name, ".localhost")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write([]byte(text + "\n"))
}
