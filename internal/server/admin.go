package server

import (
	"net"
	"net/http"
	_ "net/http/pprof"
	"net/netip"
	"strings"
)

// Admin answers the tools of the operator.
type Admin struct {
	Metrics *Metrics
	// Ready returns nil while requests are answered, and otherwise the reason why they
	// are not.
	Ready func() error
	// Ask answers GET /ask?domain=, by which a proxy learns whether a name may have a
	// certificate; nil answers 404.
	Ask http.Handler
	// Pprof enables /debug/pprof.
	Pprof bool
}

// Handler returns the handler of the admin listener, which clients must not reach.
func (a Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.Metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := a.Ready(); err != nil {
			respond(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		respond(w, http.StatusOK, "ready")
	})
	if a.Ask != nil {
		mux.Handle("GET /ask", a.Ask)
	}
	if a.Pprof {
		mux.Handle("GET /debug/pprof/", http.DefaultServeMux) // where net/http/pprof registers
	}
	return rejectForeignNames(mux)
}

// rejectForeignNames keeps out web pages that are open in a browser on this machine: a
// page can reach a loopback listener under a name of its own that it resolves to
// 127.0.0.1 (DNS rebinding). Attackers cannot own a single-label name, so those and
// localhost are allowed.
func rejectForeignNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		if local != nil && local.IP.IsLoopback() && !isLocalName(r.Host) {
			respond(w, http.StatusForbidden, "use the IP address or localhost")
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

func respond(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write([]byte(text + "\n"))
}
