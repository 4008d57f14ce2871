// Package server answers HTTP requests: it routes them to the dialects, limits, counts
// and logs them, and stops without losing any.
package server

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/autodiscover"
	"signpost/internal/conn"
	"signpost/internal/setup"
	"signpost/internal/signer"
	"signpost/mobileconfig"
	"signpost/templates"
)

// route is a path that a dialect answers. Real clients write paths in any case
// (/AutoDiscover/AutoDiscover.xml, /Autodiscover/Autodiscover.xml), so case never
// matters.
type route struct {
	path        string // with a final slash if below is set
	below       bool   // match everything below path instead of path
	ownName     bool   // only under the service's own name
	allowPlain  bool   // answer over plain HTTP too, although https is served
	errorsAreOK bool   // the dialect answers errors with status 200
	dialect     string
	handler     http.Handler
}

// Options holds the configuration of a handler.
type Options struct {
	Resolve account.Resolver
	// Name is the service's own host name. If it is empty, the page and the profiles
	// are served under any name.
	Name string
	// Exchange is set if some provider has a server of Exchange Web Services.
	Exchange  bool
	Signer    *signer.Signer // signs profiles; nil leaves them unsigned
	Branding  setup.Branding // of the set-up page
	Templates *templates.Set // of the set-up page and the profiles; nil: the embedded ones
	// HSTS is for how long browsers shall ask Name by https only; nil for no header.
	HSTS *time.Duration

	// HTTPS is set if https is served too. Plain HTTP is then answered only where
	// clients need it.
	HTTPS   bool
	Proxies conn.Proxies
	Limiter *Limiter // nil limits nobody
	Rate    Rate
	Log     *slog.Logger
	Logged  int      // requests that get a log line in a second
	Metrics *Metrics // nil discards them
}

func (o Options) routes() []route {
	resolve := recordLookup(o.Resolve, o.Metrics)
	xml := public(autoconfig.Handler(resolve))
	autodiscoverJSON := public(autodiscover.JSONHandler(resolve, o.Name))
	autodiscoverSOAP := autodiscover.SOAPHandler(resolve, o.Exchange)
	page := setup.Handler(resolve, setup.Options{
		Name: o.Name, Templates: o.Templates, Branding: o.Branding, Signed: o.Signer.CanSign,
		Trusted: o.Signer.Trusted, Log: o.Log,
	})
	old := oldURLs{o.Name, resolve}
	profiles := mobileconfig.Handler(resolve, mobileconfig.HandlerOptions{
		Service: o.Name, Sign: o.Signer.Sign, Texts: setup.ProfileTexts(o.Templates),
	})
	routes := []route{
		// The routes are ordered by how often they are requested.
		{path: "/mail/config-v1.1.xml", allowPlain: true, dialect: "autoconfig", handler: xml},
		{path: "/autodiscover/autodiscover.xml", errorsAreOK: true, dialect: "autodiscover",
			handler: autodiscover.XMLHandler(resolve, o.Exchange)},
		{path: "/.well-known/autoconfig/mail/config-v1.1.xml", allowPlain: true, dialect: "autoconfig", handler: xml},
		{path: "/autodiscover/autodiscover.json", dialect: "autodiscover-json", handler: autodiscoverJSON},
		{path: "/autodiscover/autodiscover.json/", below: true, dialect: "autodiscover-json",
			handler: autodiscoverJSON},
		{path: "/autodiscover/autodiscover.svc", dialect: "autodiscover-soap", handler: autodiscoverSOAP},
		{path: "/autodiscover/autodiscover.svc/", below: true, dialect: "autodiscover-soap", handler: autodiscoverSOAP},
		{path: "/v1.1/", below: true, allowPlain: true, dialect: "autoconfig", handler: xml},
		{path: "/.well-known/user-agent-configuration.json", dialect: "pacc",
			handler: public(autoconfig.PACCHandler(resolve))},
		{path: "/profile.mobileconfig", ownName: true, dialect: "mobileconfig", handler: orOld(profiles, old)},
		{path: "/", ownName: true, dialect: "setup", handler: page},
		{path: "/setup/", below: true, ownName: true, dialect: "setup", handler: page},
		{path: "/.well-known/mail-v1.xml", allowPlain: true, dialect: "autoconfig", handler: xml},
	}
	for _, path := range oldProfiles {
		for _, path := range []string{path, path + "/"} {
			routes = append(routes, route{path: path, allowPlain: true, dialect: "old-url", handler: old})
		}
	}
	routes = append(routes, route{path: "/", allowPlain: true, dialect: "old-url", handler: old})
	for path, serverType := range map[string]account.ServerType{
		"caldav": account.CalDAV, "carddav": account.CardDAV, "jmap": account.JMAP,
	} {
		for _, path := range []string{path, path + "/"} {
			routes = append(routes,
				route{path: "/.well-known/" + path, dialect: "well-known", handler: wellKnown{serverType, resolve}})
		}
	}
	return routes
}

// router returns a router for the routes. mux compares paths with their case, hence the
// matchers.
func (o Options) router(log *accessLog) *mux.Router {
	router := mux.NewRouter().SkipClean(true) // collapseSlashes does without a redirect
	router.NotFoundHandler = http.HandlerFunc(notFound)
	dialects := map[string]*dialect{}
	for _, rt := range o.routes() {
		d := dialects[rt.dialect]
		if d == nil {
			d = log.dialect(rt.dialect)
			d.errorsAreOK = rt.errorsAreOK
			dialects[rt.dialect] = d
		}
		handler := rt.handler
		if !rt.allowPlain {
			handler = o.requireTLS(rt)
		}
		router.MatcherFunc(rt.matcher(o.Name)).Handler(recordDialect(d, handler))
	}
	return router
}

// recordDialect stores the dialect of a request for its log line.
func recordDialect(d *dialect, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stateOf(r.Context()).dialect = d
		next.ServeHTTP(w, r)
	})
}

func (rt route) matcher(name string) mux.MatcherFunc {
	return func(r *http.Request, _ *mux.RouteMatch) bool {
		path := r.URL.Path
		if rt.below {
			if len(path) <= len(rt.path) || !strings.EqualFold(path[:len(rt.path)], rt.path) {
				return false
			}
		} else if !strings.EqualFold(path, rt.path) {
			return false
		}
		return !rt.ownName || isOwnName(r.Host, name)
	}
}

// isOwnName reports whether host is the service's own name, or an IP address or
// localhost, by which an operator tries the service out.
func isOwnName(host, name string) bool {
	host = strings.TrimSuffix(hostOnly(host), ".")
	if name == "" || strings.EqualFold(host, name) || strings.EqualFold(host, "localhost") {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "not found", http.StatusNotFound)
}
