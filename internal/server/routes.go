// Package server puts the dialects on the network: routes, limits, logs, and
// an orderly end.
package server

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gorilla/mux"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/autodiscover"
	"signpost/internal/setup"
	"signpost/internal/signer"
	"signpost/mobileconfig"
	"signpost/templates"
)

// route is a path at which a dialect answers. Real clients write paths in any
// case (/AutoDiscover/AutoDiscover.xml, /Autodiscover/Autodiscover.xml), so it
// never matters.
type route struct {
	path    string
	below   bool // everything below the path too, which then ends in a slash
	ownName bool // only under the service's own name
	clear   bool // over plain HTTP too, where there is https
	inBand  bool // what is wrong with a request is said with status 200
	dialect string
	handler http.Handler
}

// Options is what a handler is made of.
type Options struct {
	Resolve account.Resolver
	// Name is the service's own host name, or empty: then the person's parts
	// are served under any name.
	Name      string
	Signer    *signer.Signer // signs profiles; nil leaves them unsigned
	Branding  setup.Branding // of the set-up page
	Templates *templates.Set // of the set-up page and the profiles; nil: the embedded ones

	// HTTPS is set where https is served too: then plain HTTP is answered only
	// as clients need it.
	HTTPS   bool
	Proxies Proxies
	Limiter *Limiter // nil limits nobody
	Rate    Rate
	Log     *slog.Logger
	Logged  int      // requests that get a line in a second
	Metrics *Metrics // nil counts for nobody
}

func (o Options) routes() []route {
	resolve := noted(o.Resolve, o.Metrics)
	xml := autoconfig.Handler(resolve)
	autodiscoverJSON := autodiscover.JSONHandler(resolve)
	page := setup.Handler(resolve, setup.Options{
		Name: o.Name, Templates: o.Templates, Branding: o.Branding, Signed: o.Signer.CanSign, Log: o.Log,
	})
	profiles := mobileconfig.Handler(resolve, mobileconfig.HandlerOptions{
		Service: o.Name, Sign: o.Signer.Sign, Texts: setup.ProfileTexts(o.Templates),
	})
	return []route{
		// In the order of how often they are asked.
		{path: "/mail/config-v1.1.xml", clear: true, dialect: "autoconfig", handler: xml},
		{path: "/autodiscover/autodiscover.xml", inBand: true, dialect: "autodiscover", handler: autodiscover.XMLHandler(resolve)},
		{path: "/.well-known/autoconfig/mail/config-v1.1.xml", clear: true, dialect: "autoconfig", handler: xml},
		{path: "/autodiscover/autodiscover.json", dialect: "autodiscover-json", handler: autodiscoverJSON},
		{path: "/autodiscover/autodiscover.json/", below: true, dialect: "autodiscover-json", handler: autodiscoverJSON},
		{path: "/autodiscover/autodiscover.svc", dialect: "autodiscover-soap", handler: autodiscover.SOAPHandler(resolve)},
		{path: "/v1.1/", below: true, clear: true, dialect: "autoconfig", handler: xml},
		{path: "/.well-known/user-agent-configuration.json", dialect: "pacc", handler: autoconfig.PACCHandler(resolve)},
		{path: "/profile.mobileconfig", ownName: true, dialect: "mobileconfig", handler: profiles},
		{path: "/", ownName: true, dialect: "setup", handler: page},
		{path: "/setup/", below: true, ownName: true, dialect: "setup", handler: page},
	}
}

// router leads a request to its route. mux would compare paths with case, hence
// the matchers.
func (o Options) router(log *accessLog) *mux.Router {
	router := mux.NewRouter()
	dialects := map[string]*dialect{}
	for _, rt := range o.routes() {
		d := dialects[rt.dialect]
		if d == nil {
			d = log.dialect(rt.dialect)
			d.inBand = rt.inBand
			dialects[rt.dialect] = d
		}
		router.MatcherFunc(rt.matches(o.Name)).Handler(named(d, o.overTLS(rt)))
	}
	return router
}

func (rt route) matches(name string) mux.MatcherFunc {
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

// isOwnName reports whether the host is the service's own name, or an address
// of the machine by which an operator tries the service out.
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
