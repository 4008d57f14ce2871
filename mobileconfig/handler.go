package mobileconfig

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"signpost/account"
)

// HandlerOptions are what Handler needs besides a resolver. The zero value serves
// unsigned profiles in English.
type HandlerOptions struct {
	// Service is the service's own host name (Options.Service).
	Service string
	// Sign returns the signed form of a profile; nil leaves profiles unsigned.
	Sign func(profile []byte) []byte
	// Texts returns the texts that fit best. Each preference has the form of
	// Accept-Language and may be untrusted input. The first that can be met
	// counts. If Texts is nil, all texts are in English.
	Texts func(preferences ...string) Texts
}

// Handler returns a handler of GET and HEAD for a profile's URL on the service's
// own name:
//
//	/profile.mobileconfig?emailaddress=anna@example.com&name=Anna+Ek&device=iphone&only=mail&lang=sv
//
// Only the address is needed. The link works without a cookie, a script or a
// second request, because Chrome on iOS passes it to a Safari view that fetches
// it again. The link must not have a download attribute: with one, iOS saves a
// file that no app opens.
//
// The language is that of lang, or else of Accept-Language.
func Handler(resolve account.Resolver, o HandlerOptions) http.Handler {
	if o.Sign == nil {
		o.Sign = func(profile []byte) []byte { return profile }
	}
	if o.Texts == nil {
		o.Texts = func(...string) Texts { return English }
	}
	return &handler{resolve: resolve, options: o}
}

type handler struct {
	resolve account.Resolver
	options HandlerOptions
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Referrer-Policy", "no-referrer")
	// A profile names a person's mailbox. Another site may link to it, which is
	// navigation, but not load it.
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		refuse(w, r, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
		return
	}
	q, err := readRequest(r.URL.RawQuery)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error()) // does not quote the address
		return
	}
	// The query has no Host: profiles are requested at the service's own name. If
	// that is also a customer's domain, it says nothing about the address.
	s, err := h.resolve(r.Context(), account.Query{Address: q.address, Client: account.Apple})
	switch {
	case account.IsUnknown(err):
		refuse(w, r, http.StatusNotFound, "the domain of this address is not served here")
		return
	case err != nil:
		fail(w, r)
		return
	}
	document, err := Document(s, Options{
		Service: h.options.Service, Name: q.name, Device: q.device, MailOnly: q.mailOnly,
		Texts: h.options.Texts(q.language, r.Header.Get("Accept-Language")),
	})
	if _, ok := errors.AsType[*NoProfileError](err); ok {
		refuse(w, r, http.StatusNotFound, "there is no profile of this mail service for this device")
		return
	}
	if err != nil {
		fail(w, r)
		return
	}
	document = h.options.Sign(document)
	header.Set("Content-Type", MediaType)
	// The domain has only letters, digits, hyphens and dots (account.ParseDomain).
	header.Set("Content-Disposition", `attachment; filename="`+s.Address.Domain()+`.mobileconfig"`)
	header.Set("Content-Length", strconv.Itoa(len(document)))
	if r.Method != http.MethodHead {
		w.Write(document) // an error means that the client has gone
	}
}

// fail answers that the settings cannot be looked up at the moment.
func fail(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "30")
	refuse(w, r, http.StatusServiceUnavailable, "the settings cannot be looked up now, please try again")
}

// refuse answers with a status and a line of text.
func refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		io.WriteString(w, text+"\n")
	}
}
