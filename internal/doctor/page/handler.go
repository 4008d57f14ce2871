package page

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/doctor"
	"signpost/internal/setup"
)

// Request is what the form asks for.
type Request struct {
	Address account.Address
	Clients []string // IDs; empty for all
	// IPv4 and IPv6 choose the families; both false is both.
	IPv4, IPv6 bool
}

// Diagnose diagnoses an address. It must return when its context ends.
type Diagnose func(ctx context.Context, r Request, progress func(doctor.Progress)) (*doctor.Report, error)

// Options are the settings of the page.
type Options struct {
	// Accent is the colour of buttons and links; nil for that of the set-up page.
	Accent *setup.Colour
	// Network answers requests also that come over the network. Otherwise only those to
	// loopback and to a Unix socket are answered.
	Network bool
}

// Paths of the page. Handler answers nothing else.
const (
	Path      = "/doctor"
	stylePath = Path + "/style.css"
)

type handler struct {
	diagnose Diagnose
	network  bool
	runs     *runs
	style    file
}

// Handler returns the handler of the page. Diagnoses end with ctx.
func Handler(ctx context.Context, diagnose Diagnose, o Options) http.Handler {
	h := &handler{diagnose: diagnose, network: o.Network, runs: newRuns(ctx), style: newStyle(o.Accent)}
	// A page of another site must not have addresses diagnosed (CSRF).
	return http.NewCrossOriginProtection().Handler(h)
}

// policy allows the page its style and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'"

// maxForm is the most bytes of a form: an address and the IDs of all clients.
const maxForm = 8 << 10

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "same-origin") // without Origin, a form could not be told from a foreign one
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Vary", "Accept")
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case !h.network && isRemote(r):
		http.Error(w, "the doctor is answered on this machine only (admin.listen on loopback or a socket)",
			http.StatusForbidden)
	case r.URL.Path == stylePath && isRead:
		h.style.serve(w, r)
	case r.URL.Path != Path:
		http.NotFound(w, r)
	case isRead:
		h.show(w, r)
	case r.Method == http.MethodPost:
		h.start(w, r)
	default:
		header.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "only GET, HEAD and POST are answered here", http.StatusMethodNotAllowed)
	}
}

// isRemote reports whether a request came to an address that other machines may reach.
func isRemote(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && !local.IP.IsLoopback()
}

// show answers GET: the form, or the diagnosis that the URL names.
func (h *handler) show(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if id == "" {
		h.write(w, r, http.StatusOK, newView(form{}))
		return
	}
	run := h.runs.find(id)
	if run == nil {
		v := newView(form{})
		v.Problem = "This diagnosis is no longer kept. Start it again."
		h.write(w, r, http.StatusNotFound, v)
		return
	}
	h.write(w, r, http.StatusOK, viewOf(run))
}

// start answers POST: it starts a diagnosis and leads to it.
func (h *handler) start(w http.ResponseWriter, r *http.Request) {
	f, request, wrong := readForm(w, r)
	if wrong != "" {
		v := newView(f)
		v.Wrong = wrong
		h.write(w, r, http.StatusBadRequest, v)
		return
	}
	run, err := h.runs.start(request, h.diagnose)
	if refused, ok := errors.AsType[*refusal](err); ok {
		v := newView(f)
		v.Problem = refused.text
		w.Header().Set("Retry-After", strconv.Itoa(int(refused.after.Seconds())))
		h.write(w, r, http.StatusTooManyRequests, v)
		return
	}
	w.Header().Set("Location", Path+"?id="+run.id)
	w.WriteHeader(http.StatusSeeOther)
}

// wantsJSON reports whether a program asks.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// write sends a page, or its JSON form.
func (h *handler) write(w http.ResponseWriter, r *http.Request, status int, v *view) {
	if v.Running {
		w.Header().Set("Refresh", "2")
	}
	v.Style = h.style.url
	mediaType, document := "text/html; charset=utf-8", []byte(nil)
	if wantsJSON(r) {
		if v.Running {
			status = http.StatusAccepted
			w.Header().Set("Retry-After", "2")
		}
		mediaType = "application/json"
		document, _ = json.MarshalIndent(v.json(), "", "  ")
		document = append(document, '\n')
	} else {
		document = v.html()
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(document) // an error means that the reader has gone
	}
}
