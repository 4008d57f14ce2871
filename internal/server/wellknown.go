package server

import (
	"net/http"
	"strings"

	"signpost/account"
)

// wellKnown redirects clients of a domain from the well-known URL of a service to the URL that is
// configured: calendars and contacts (RFC 6764 §5), and JMAP (RFC 8620 §2.2). Clients send
// PROPFIND, OPTIONS and GET there, so the answer to each method is 307, which keeps it.
//
// A request names no person. So it is answered only where all mailboxes of the domain have the
// same URL, without a placeholder for one of them, and with what the provider has for all kinds of
// clients, because it does not tell the kind either.
type wellKnown struct {
	serverType account.ServerType
	resolve    account.Resolver
}

func (h wellKnown) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	s, err := h.resolve(r.Context(), account.Query{Host: hostOnly(r.Host), Fallback: true})
	switch {
	case account.IsUnknown(err):
		notFound(w, r)
		return
	case err != nil:
		w.Header().Set("Retry-After", "60")
		http.Error(w, "this cannot be answered now, try again", http.StatusServiceUnavailable)
		return
	}
	server, ok := s.First(h.serverType)
	target := account.ExpandURL(strings.ReplaceAll(server.URL, account.EmailDomain, s.Address.Domain()),
		account.Address{})
	if !ok || strings.Contains(server.URL, account.EmailAddress) ||
		strings.Contains(server.URL, account.EmailLocalPart) ||
		leadsTo(target, r) {
		notFound(w, r)
		return
	}
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// leadsTo reports whether a URL is that of the request: clients would follow such a redirect for ever.
func leadsTo(target string, r *http.Request) bool {
	return strings.EqualFold(strings.TrimSuffix(target, "/"),
		"https://"+hostOnly(r.Host)+strings.TrimSuffix(r.URL.Path, "/"))
}

// public lets web pages of any origin read a document: mail clients in browsers ask for the
// settings of the person who uses them. That is safe because the documents are for everybody.
// They hold no secret, no cookie or header of a browser changes them, and nothing is done by
// asking. The page and the profiles, which a person reads, are not public in this sense.
//
// Autodiscover's XML is not public either: it is posted as text/xml, before which a browser asks
// with OPTIONS (Fetch, "CORS-safelisted request-header"), and mail clients in browsers get the
// same from autoconfig and JSON.
func public(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			w.Header()["Access-Control-Allow-Origin"] = anyOrigin
		}
		next.ServeHTTP(w, r)
	})
}

var anyOrigin = []string{"*"}
