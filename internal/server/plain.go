package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"signpost/account"
)

// Over plain HTTP, where https is to be had, clients are answered as they need
// it and no further:
//
//   - Autoconfig directly. Thunderbird, Evolution, KMail, FairEmail and others ask
//     http://autoconfig.‹domain› too, and a domain whose names have no
//     certificate yet depends on it.
//   - GET and HEAD of Autodiscover and PACC are sent to https under the same name. Outlook,
//     EWS libraries and Android ask GET http://autodiscover.‹domain› for such a
//     redirect when https did not answer ([MS-OXDISCO] §3.1.5), and refuse one
//     that does not lead to https.
//   - A POST of Autodiscover is refused: it may carry a password, and one that
//     is answered or challenged (401) would come again with one. Thunderbird
//     then goes on to the SRV record _autodiscover._tcp and asks the person to
//     trust its host, if that is outside the mail domain, although autoconfig
//     over http has been answered.
//   - What a person opens is sent to the service's own name.
//
// ACME challenges are answered before any of this.

// overTLS is the handler of a route, kept from plain HTTP unless it answers there.
func (o Options) overTLS(rt route) http.Handler {
	if rt.clear {
		return rt.handler
	}
	resolve := noted(o.Resolve, o.Metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x, ok := w.(*exchange); ok && x.plain {
			rt.onPlain(o.Name, resolve, w, r)
			return
		}
		rt.handler.ServeHTTP(w, r)
	})
}

// onPlain answers a request over plain HTTP.
func (rt *route) onPlain(name string, resolve account.Resolver, w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "this is answered over https only", http.StatusForbidden)
		return
	}
	host, err := "", error(nil)
	if own := name != "" && strings.EqualFold(strings.TrimSuffix(hostOnly(r.Host), "."), name); own || rt.ownName && name != "" {
		host = name
	} else {
		host, err = hostedName(r.Context(), resolve, r.Host)
	}
	switch {
	case err != nil:
		w.Header().Set("Retry-After", "60")
		http.Error(w, "not answered now, try again", http.StatusServiceUnavailable)
		return
	case host == "":
		notFound(w, r)
		return
	}
	w.Header().Set("Location", "https://"+host+location(r.URL))
	w.WriteHeader(http.StatusFound)
}

// hostedName is the name that was asked, in its one spelling, if it belongs to
// a domain that is hosted here. No other name is ever redirected to.
func hostedName(ctx context.Context, resolve account.Resolver, host string) (string, error) {
	name, err := account.ParseDomain(hostOnly(host))
	if err != nil {
		return "", nil
	}
	switch _, err := resolve(ctx, account.Query{Host: name, Client: account.Outlook}); {
	case isUnknown(err):
		return "", nil
	case err != nil:
		return "", err
	}
	return name, nil
}

// hostOnly cuts the port off a Host header.
func hostOnly(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && !strings.HasSuffix(host, "]") {
		return host[:colon]
	}
	return host
}

// location is the path and query of a redirect, with everything escaped that
// does not belong into a header.
func location(u *url.URL) string {
	text := u.EscapedPath()
	if u.RawQuery != "" {
		text += "?" + u.RawQuery
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>\^`+"`{|}", c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
