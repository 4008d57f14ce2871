package setup

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/templates"
)

// Options are what Handler needs besides a resolver. All of it is optional.
type Options struct {
	// Name is the service's own host name, which absolute URLs begin with.
	// Without it there is no QR code, because the Host header is not trusted.
	Name      string
	Templates *templates.Set // nil: the embedded ones
	Branding  Branding
	// Signed reports whether Apple profiles carry a signature; nil means no.
	Signed func() bool
	// Trusted reports whether devices know the authority of the signature; nil
	// means yes.
	Trusted func() bool
	Log     *slog.Logger
}

// Handler returns a handler of GET and HEAD for the page at / and for its style,
// script and logo below /setup/.
func Handler(resolve account.Resolver, options Options) http.Handler {
	return newHandler(resolve, options)
}

func newHandler(resolve account.Resolver, options Options) *handler {
	if options.Templates == nil {
		options.Templates = templates.Embedded()
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Branding.Accent == nil {
		options.Branding.Accent = &DefaultAccent
	}
	return &handler{resolve: resolve, options: options, files: newFiles(options),
		policy: policy(options.Branding.EmbeddedBy)}
}

type handler struct {
	resolve account.Resolver
	options Options
	files   map[string]file
	policy  string
}

// policy returns the Content-Security-Policy of the page: it allows its own style, script
// and pictures, frames in the operator's sites, and nothing else. Pictures may be data:
// URLs, because the icon of the page is one.
func policy(frames []string) string {
	ancestors := "'none'"
	if len(frames) > 0 {
		ancestors = strings.Join(frames, " ")
	}
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; " +
		"form-action 'self'; frame-ancestors " + ancestors + "; base-uri 'none'"
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", h.policy)
	header.Set("Referrer-Policy", "no-referrer")
	// No other site has a reason to embed the page, its files or the logo. Links to it are
	// navigation, to which this does not apply.
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	switch strings.ToLower(r.URL.Path) {
	case "/":
	case appFilePath:
		h.serveAppFile(w, r)
		return
	case pictureFilePath:
		h.servePicture(w, r)
		return
	default:
		h.serveFile(w, r)
		return
	}
	q, ok := readRequest(r)
	lang := h.options.Templates.Match(q.language, r.Header.Get("Accept-Language"))
	if q.language != "" {
		q.language = lang.Tag // for the links of the page
	}
	page, status := h.answer(r.Context(), q, ok, lang)
	if page.Private {
		header.Set("Cache-Control", "no-store")
		header.Set("X-Robots-Tag", "noindex")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	header.Set("Vary", "Accept, Accept-Encoding, Accept-Language, User-Agent")
	header.Set("Content-Language", lang.Tag)
	if q.fragment {
		h.allowOrigin(w, r)
	}
	if status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "60")
	}
	h.write(w, r, page, lang, status, q)
}

// allowOrigin lets scripts of the operator's sites read a fragment. It is not open to all
// origins: a site elsewhere could read it through a browser inside a private network.
func (h *handler) allowOrigin(w http.ResponseWriter, r *http.Request) {
	if len(h.options.Branding.EmbeddedBy) == 0 {
		return
	}
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); slices.Contains(h.options.Branding.EmbeddedBy, origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}

// answer returns the page for a request and its status. Readable says whether the
// request could be read.
func (h *handler) answer(ctx context.Context, q request, readable bool, lang *templates.Language) (*pageData, int) {
	page := h.newPage(q, lang)
	if !readable {
		page.Problem = string(problemAddress)
		return page, http.StatusBadRequest
	}
	if !q.hasAddress {
		return page, http.StatusOK
	}
	parsed, problem := parseInput(q.input)
	if problem != "" {
		page.Problem = string(problem)
		return page, http.StatusBadRequest
	}
	settings, err := h.lookUp(ctx, parsed.address)
	switch {
	case err == nil:
		l := links{base: page.Base, name: q.name, lang: q.language}
		page.Answer = h.newAnswer(settings, l, lang, q.device, q.plainText)
		if q.maybeIPad {
			page.Answer.offerIPad()
		}
		if contact := settings.page.Provider.Support.Contact; !contact.IsZero() {
			page.Contact = contact
		}
		return page, http.StatusOK
	case !account.IsUnknown(err):
		page.Failed = true
		return page, http.StatusServiceUnavailable
	case parsed.guessed:
		page.Problem = string(problemNoAt)
		return page, http.StatusBadRequest
	}
	page.Unknown = domainOf(parsed.address)
	return page, http.StatusNotFound
}

// newPage returns the page without an answer.
func (h *handler) newPage(q request, lang *templates.Language) *pageData {
	o := h.options
	page := &pageData{
		Lang:    lang.Tag,
		Dir:     lang.Dir,
		Brand:   brand{Name: cmp.Or(o.Branding.Name, o.Name), Logo: h.files[logoPath].url},
		Style:   h.files[stylePath].url,
		Script:  h.files[scriptPath].url,
		Private: q.hasAddress || q.name != "",
		Form:    form{Address: visible(q.input), Name: q.name, Lang: q.language},
		Contact: o.Branding.Contact,
	}
	if q.fragment && o.Name != "" {
		page.Base = "https://" + o.Name
	}
	if q.fragment {
		page.Style = page.Base + h.files[fragmentStylePath].url
		return page // without a menu of languages
	}
	if q.fixed {
		page.Form.Device = string(q.device)
	}
	if len(o.Templates.Languages) > 1 {
		for _, other := range o.Templates.Languages {
			l := links{address: page.Form.Address, name: q.name, lang: other.Tag, device: device(page.Form.Device)}
			page.Languages = append(page.Languages, languageLink{other.Tag, other.Name, other == lang, l})
		}
	}
	return page
}

// write sends the page. It is complete before its first byte is sent.
func (h *handler) write(w http.ResponseWriter, r *http.Request, page *pageData, lang *templates.Language,
	status int, q request) {
	var b bytes.Buffer
	execute := lang.Execute
	if q.fragment {
		execute = lang.ExecuteFragment
	}
	mediaType := "text/html; charset=utf-8"
	if q.plainText {
		mediaType = "text/plain; charset=utf-8"
		writeText(&b, page, lang)
	} else if err := execute(&b, page); err != nil {
		// Only an operator's template can fail, in a case that Check does not
		// cover. The reason is not logged: it may quote the address.
		at := templates.FaultOf(err)
		h.options.Log.Error("a template of the set-up page failed", "file", at.File, "line", at.Line)
		mediaType = "text/plain; charset=utf-8"
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(lang.Text("failed.title") + "\n")
	}
	document := b.Bytes()
	if acceptsGzip(r) {
		document = compressPage(document)
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(document) // an error means that the client has gone
	}
}

// domainOf returns the domain of an address in Unicode.
func domainOf(a account.Address) string {
	text := readable(a)
	return text[strings.LastIndexByte(text, '@')+1:]
}
