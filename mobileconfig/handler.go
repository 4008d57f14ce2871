package mobileconfig

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"signpost/account"
)

// Handler answers GET and HEAD of a profile's URL on the service's own name:
//
//	/profile.mobileconfig?emailaddress=anna@example.com&name=Anna+Ek&device=iphone&only=mail&lang=sv
//
// Only the address is needed. The link works without cookie, script and second
// request, because Chrome on iOS passes it to a view of Safari's that fetches it
// again. It must not be given a download attribute, with which iOS saves a file
// that nothing opens.
//
// The signer may be nil. Service is the service's own host name. Translations
// stand beside English, or in its place, and are chosen by lang or else
// Accept-Language.
func Handler(resolve account.Resolver, signer *Signer, service string, translations ...Texts) http.Handler {
	h := &handler{resolve: resolve, signer: signer, service: service, texts: []Texts{English}}
	for _, t := range translations {
		if t.Language == English.Language {
			h.texts[0] = t
		} else {
			h.texts = append(h.texts, t)
		}
	}
	tags := make([]language.Tag, len(h.texts))
	for i, t := range h.texts {
		tags[i] = language.Make(t.Language)
	}
	h.languages = language.NewMatcher(tags)
	return h
}

type handler struct {
	resolve   account.Resolver
	signer    *Signer
	service   string
	texts     []Texts
	languages language.Matcher
	profiles  sync.Map // variant to *prepared
}

// variant is what a prepared profile depends on. There are at most 12 for each
// provider and language.
type variant struct {
	provider *account.Provider
	device   Device
	mailOnly bool
	named    bool
	texts    int
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		refuse(w, r, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
		return
	}
	q, err := readRequest(r.URL.RawQuery)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err.Error()) // does not hold what was sent
		return
	}
	// Host stays out: profiles are asked for at the service's own name, which
	// may be a customer's domain too and then says nothing of the address.
	s, err := h.resolve(r.Context(), account.Query{Address: q.address, Client: account.Apple})
	switch {
	case errors.Is(err, account.ErrUnknownDomain), errors.Is(err, account.ErrWrongHost):
		refuse(w, r, http.StatusNotFound, "the domain of this address is not served here")
		return
	case err != nil:
		fail(w, r)
		return
	}
	document, err := h.document(s, q, h.textsFor(q.language, r.Header.Get("Accept-Language")))
	var unfit *NoProfileError
	switch {
	case errors.As(err, &unfit):
		refuse(w, r, http.StatusNotFound, "there is no profile of this mail service for this device")
		return
	case err != nil:
		fail(w, r)
		return
	}
	document = h.signer.Sign(document)
	header.Set("Content-Type", MediaType)
	// The domain has passed ParseDomain: letters, digits, hyphens and dots.
	header.Set("Content-Disposition", `attachment; filename="`+s.Address.Domain()+`.mobileconfig"`)
	header.Set("Content-Length", strconv.Itoa(len(document)))
	if r.Method != http.MethodHead {
		w.Write(document) // the client has gone: nobody to tell
	}
}

// document completes the provider's prepared profile, or makes one where the
// account is not like the provider's others.
func (h *handler) document(s account.Settings, q request, texts int) ([]byte, error) {
	o := Options{Service: h.service, Name: q.name, Device: q.device, MailOnly: q.mailOnly, Texts: h.texts[texts]}
	if !s.Cacheable() || s.Address.IsAny() || h.service == "" {
		return Document(s, o)
	}
	v := variant{s.Provider, q.device, q.mailOnly, q.name != "", texts}
	found, ok := h.profiles.Load(v)
	if !ok {
		p, err := prepare(s, o)
		if err != nil {
			return nil, err
		}
		found, _ = h.profiles.LoadOrStore(v, p)
	}
	return found.(*prepared).complete(s.Address, q.name), nil
}

// maxWishes is how much of a browser's list of languages is read.
const maxWishes = 200

// textsFor is the place in h.texts of what suits the wishes best.
func (h *handler) textsFor(wishes ...string) int {
	if len(h.texts) == 1 {
		return 0
	}
	for _, wish := range wishes {
		if len(wish) > maxWishes {
			wish = wish[:max(0, strings.LastIndexByte(wish[:maxWishes], ','))]
		}
		if wish == "" {
			continue
		}
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil {
			continue
		}
		if _, i, confidence := h.languages.Match(tags...); confidence != language.No {
			return i
		}
	}
	return 0
}

func fail(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "30")
	refuse(w, r, http.StatusServiceUnavailable, "the settings cannot be looked up now, please try again")
}

func refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		io.WriteString(w, text+"\n")
	}
}
