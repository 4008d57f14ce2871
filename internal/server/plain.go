package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"signpost/account"
)

// Over plain HTTP, a service that has https answers only what clients need:
//
//   - Autoconfig directly. Thunderbird, Evolution, KMail, FairEmail and others ask
//     http://autoconfig.‹domain› too, and a domain whose names have no
//     certificate yet depends on it.
//   - GET and HEAD of Autodiscover are redirected to https: to the service that the
//     domain is handed over to, and otherwise to the service's own name. Outlook, EWS
//     libraries and Android send GET http://autodiscover.‹domain› for such a redirect
//     when https did not answer under that name, mostly because it has no certificate
//     ([MS-OXDISCO] §3.1.5), so one to the same name would lead them nowhere. They
//     refuse one that does not lead to https, and send the address to its target.
//   - GET and HEAD of PACC are redirected to https under the same name, which tells
//     the domain.
//   - A POST of Autodiscover is refused: it may carry a password, and a client whose
//     request is answered or challenged (401) would repeat it with one. Thunderbird
//     then goes on to the SRV record _autodiscover._tcp and asks the person to
//     trust its host if that is outside the mail domain, although autoconfig
//     over http has been answered.
//   - A POST of autodiscover.xml under the name of a domain that has an Exchange server and neither
//     IMAP nor POP3 is redirected like a GET. It is how Thunderbird's Exchange accounts ask for the
//     redirect: they ask the person to trust its target, and repeat the POST there.
//   - Requests for the page and for profiles are redirected to the service's own name. So are
//     URLs of other tools, which old mails have with http, by POST as well: a browser follows
//     with a GET (303), which leaves the form behind.
//
// ACME challenges are answered before any of this.

// requireTLS returns the handler of a route that must not answer over plain HTTP.
func (o Options) requireTLS(rt route) http.Handler {
	resolve := recordLookup(o.Resolve, o.Metrics)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stateOf(r.Context()).plain {
			if mayRedirect(r.Method) || rt.path == autodiscoverXML && r.Method == http.MethodPost && o.onlyExchange(r) {
				rt.redirectPlain(o.Name, resolve, w, r)
				return
			}
			http.Error(w, "this is answered over https only", http.StatusForbidden)
			return
		}
		rt.handler.ServeHTTP(w, r)
	})
}

const autodiscoverXML = "/autodiscover/autodiscover.xml"

func mayRedirect(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// onlyExchange reports whether all mailboxes of the domain of Host have an Exchange server that
// autodiscover.xml names, and neither IMAP nor POP3, or whether this cannot be known now.
func (o Options) onlyExchange(r *http.Request) bool {
	domain, err := account.ParseDomain(hostOnly(r.Host))
	if err != nil {
		return false
	}
	s, err := o.Resolve(r.Context(), account.Query{Host: domain, Client: account.Outlook, Fallback: true})
	if err != nil {
		// What cannot be known now is no refusal: the redirect fails for the same reason, with 503.
		return !account.IsUnknown(err) && !errors.Is(err, account.ErrAddressRequired)
	}
	named := false
	for _, server := range s.Servers {
		if server.Type == account.IMAP || server.Type == account.POP3 {
			return false
		}
		named = named || server.Type == account.EWS && server.ExchangeEntries
	}
	return named
}

// redirectPlain redirects a request that arrived over plain HTTP.
func (rt *route) redirectPlain(name string, resolve account.Resolver, w http.ResponseWriter, r *http.Request) {
	to := name
	if name == "" || !rt.ownName && !strings.EqualFold(strings.TrimSuffix(hostOnly(r.Host), "."), name) {
		var err error
		switch to, err = rt.plainTarget(r.Context(), name, resolve, r.Host); {
		case account.IsUnknown(err):
			notFound(w, r)
			return
		case err != nil:
			w.Header().Set("Retry-After", "60")
			http.Error(w, "this cannot be answered now, try again", http.StatusServiceUnavailable)
			return
		}
	}
	target := location(r.URL)
	if at := len(rt.path); isAutodiscover(rt.path) && at <= len(target) && strings.EqualFold(target[:at], rt.path) {
		target = rt.path + target[at:] // ews-javascript-api takes nothing but lower case
	}
	w.Header().Set("Location", "https://"+to+target)
	w.WriteHeader(http.StatusFound)
}

func isAutodiscover(path string) bool { return strings.HasPrefix(path, "/autodiscover/") }

// plainTarget returns the host to which a request for a host name of a customer is
// redirected. It is never a name that is neither configured nor hosted here.
func (rt *route) plainTarget(
	ctx context.Context, name string, resolve account.Resolver, host string,
) (string, error) {
	same, err := account.ParseDomain(hostOnly(host))
	if err != nil {
		return "", account.ErrUnknownDomain
	}
	s, err := resolve(ctx, account.Query{Host: same, Client: account.Outlook, Fallback: true})
	if errors.Is(err, account.ErrAddressRequired) {
		stateOf(ctx).err = nil // the redirect needs none
	} else if err != nil {
		return "", err
	}
	if !isAutodiscover(rt.path) {
		return same, nil
	}
	if err == nil && s.Provider.AutodiscoverRedirect != nil && s.Provider.AutodiscoverRedirect.Hostname != "" {
		return strings.ToLower(s.Provider.AutodiscoverRedirect.Hostname), nil
	}
	return cmp.Or(name, same), nil
}

// hostOnly returns the value of a Host header without its port.
func hostOnly(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && !strings.HasSuffix(host, "]") {
		return host[:colon]
	}
	return host
}

// location returns the path and query of u, with everything escaped that must not
// appear in a header.
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
