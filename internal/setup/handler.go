package setup

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"

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
	Log    *slog.Logger
}

// Handler answers GET and HEAD of the page at / and of its style, script and
// logo below /setup/.
func Handler(resolve account.Resolver, options Options) http.Handler {
	if options.Templates == nil {
		options.Templates = templates.Embedded()
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Branding.Accent == nil {
		options.Branding.Accent = &DefaultAccent
	}
	h := &handler{resolve: resolve, options: options}
	h.files = filesOf(options)
	return h
}

type handler struct {
	resolve account.Resolver
	options Options
	files   map[string]file
}

// policy lets the page have its own style, script and pictures and nothing
// else. Pictures may be data: the icon of the page is.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path != "/" {
		h.serveFile(w, r)
		return
	}
	q, ok := readRequest(r)
	lang := h.options.Templates.Match(q.language, r.Header.Get("Accept-Language"))
	if q.language != "" {
		q.language = lang.Tag // in which it goes into links
	}
	v, status := h.view(r.Context(), q, ok, lang)
	if v.Private {
		header.Set("Cache-Control", "no-store")
		header.Set("X-Robots-Tag", "noindex")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	header.Set("Vary", "Accept, Accept-Language, User-Agent")
	header.Set("Content-Language", lang.Tag)
	if status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "60")
	}
	h.write(w, r, v, lang, status, q.text)
}

// view looks up what was asked for.
func (h *handler) view(ctx context.Context, q request, readable bool, lang *templates.Language) (*view, int) {
	v := h.frame(q, lang)
	switch {
	case !readable:
		v.Problem = string(problemAddress)
		return v, http.StatusBadRequest
	case !q.asked:
		return v, http.StatusOK
	}
	understood, problem := understand(q.typed)
	if problem != "" {
		v.Problem = string(problem)
		return v, http.StatusBadRequest
	}
	c, err := h.clients(ctx, understood.address)
	switch {
	case err == nil:
		l := links{name: q.name, lang: q.language}
		v.Answer = h.answerFor(c, l, lang, q.device, q.text)
		if contact := c.page.Provider.Support.Contact; !contact.IsZero() {
			v.Contact = contact
		}
		return v, http.StatusOK
	case !account.IsUnknown(err):
		v.Failed = true
		return v, http.StatusServiceUnavailable
	case understood.guessed:
		v.Problem = string(problemNoAt)
		return v, http.StatusBadRequest
	}
	v.Unknown = domainOf(understood.address)
	return v, http.StatusNotFound
}

// clients asks for the settings. Host stays out of it: the page is asked for at
// the service's own name. Other clients are asked for only where the provider
// tells them something else.
func (h *handler) clients(ctx context.Context, a account.Address) (clients, error) {
	var c clients
	var err error
	if c.page, err = h.resolve(ctx, account.Query{Address: a, Client: account.Page}); err != nil {
		return c, err
	}
	c.apple, c.phone, c.outlook = c.page, c.page, c.page
	for client, into := range map[account.Client]*account.Settings{
		account.Apple: &c.apple, account.Phone: &c.phone, account.Outlook: &c.outlook,
	} {
		if !c.differs(client) {
			continue
		}
		if *into, err = h.resolve(ctx, account.Query{Address: a, Client: client}); err != nil {
			return c, err
		}
	}
	return c, nil
}

// frame is the view without an answer.
func (h *handler) frame(q request, lang *templates.Language) *view {
	o := h.options
	v := &view{
		Lang:    lang.Tag,
		Dir:     lang.Dir,
		Brand:   brand{Name: o.Branding.Name},
		Style:   h.files[stylePath].url,
		Script:  h.files[scriptPath].url,
		Private: q.asked || q.name != "",
		Form:    form{Address: visible(q.typed), Name: q.name, Lang: q.language},
		Contact: o.Branding.Contact,
	}
	if v.Brand.Name == "" {
		v.Brand.Name = o.Name
	}
	v.Brand.Logo = h.files[logoPath].url
	if len(o.Templates.Languages) > 1 {
		for _, other := range o.Templates.Languages {
			l := links{address: visible(q.typed), name: q.name, lang: other.Tag}
			if q.chosen {
				l.device = q.device
			}
			v.Languages = append(v.Languages, languageLink{other.Tag, other.Name, "/" + l.query(), other == lang})
		}
	}
	return v
}

// buffers hold pages on their way. No page is much larger than the others.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// write sends the page, which is complete before its first byte.
func (h *handler) write(w http.ResponseWriter, r *http.Request, v *view, lang *templates.Language, status int, text bool) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	if text {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		writeText(b, v, lang)
	} else if err := lang.Execute(b, v); err != nil {
		// Only a template of the operator's can fail, in a case that Check does
		// not know. The reason stays untold: it may quote the address.
		at := templates.FaultOf(err)
		h.options.Log.Error("a template of the set-up page failed", "file", at.File, "line", at.Line)
		header.Set("Content-Type", "text/plain; charset=utf-8")
		status = http.StatusInternalServerError
		b.Reset()
		b.WriteString(lang.Text("failed.title") + "\n")
	}
	header.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) // the client has gone: nobody to tell
	}
}

func domainOf(a account.Address) string {
	text := readable(a)
	return text[strings.LastIndexByte(text, '@')+1:]
}

func itoa(n int) string { return strconv.Itoa(n) }
