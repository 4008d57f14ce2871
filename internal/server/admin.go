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
	// Remarks returns what does not work though requests are answered, a line each; nil
	// for nothing.
	Remarks func() string
	// Ask answers GET /ask?domain=, by which a proxy learns whether a name may have a
	// certificate; nil answers 404.
	Ask http.Handler
	// Doctor answers /doctor and what is below it, the page of the support desk; nil answers 404.
	Doctor http.Handler
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
		text := "ready"
		if a.Remarks != nil {
			text = strings.TrimSpace(text + "\n" + a.Remarks())
		}
		respond(w, http.StatusOK, text)
	})
	if a.Ask != nil {
		mux.Handle("GET /ask", a.Ask)
	}
	if a.Doctor != nil {
		mux.Handle("/doctor", a.Doctor)
		mux.Handle("/doctor/", a.Doctor)
	}
	if a.Pprof {
		mux.Handle("GET /debug/pprof/", http.DefaultServeMux) // where net/http/pprof registers
	}
	return rejectPages(mux)
}

// rejectPages keeps out web pages that are open in a browser that reaches the admin
// listener, because it runs on this machine or in its network. No page can read what
// another site answers, but its requests would count, as those of /ask and /debug/pprof
// do; and under a name of its own that it resolves to the listener's address (DNS
// rebinding) it could read the answers, too.
func rejectPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); {
		case !isOwnSite(r.Header["Sec-Fetch-Site"]):
			respond(w, http.StatusForbidden, "web pages of other sites are not answered, type this URL")
		case local != nil && !isLocalName(r.Host) && (local.IP.IsLoopback() || isBrowser(r)):
			respond(w, http.StatusForbidden, "use the IP address or localhost")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isOwnSite reports whether a request with these lines of Sec-Fetch-Site is not sent by a
// page of another site. Browsers send one, to https and to loopback addresses (W3C Fetch
// Metadata §2.3): none if a person typed the URL. "same-site" is not enough: every other
// port of localhost is that.
func isOwnSite(lines []string) bool {
	return len(lines) == 0 || len(lines) == 1 && (lines[0] == "none" || lines[0] == "same-origin")
}

// isBrowser reports whether a browser sent r. All of them send Accept-Language, which a
// page can change and not remove. Prometheus, proxies and curl send none.
func isBrowser(r *http.Request) bool { return r.Header["Accept-Language"] != nil }

// isLocalName reports whether a Host header has a name that no attacker can own: an IP
// address, a name of one label, or localhost.
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
