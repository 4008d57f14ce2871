package autodiscover

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	typeXML  = "text/xml; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
)

// retryAfter is how many seconds a client should wait after a failure on this
// side: DNS has mostly recovered by then.
const retryAfter = "30"

// send sends a complete answer.
func send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// sendRedirect redirects with 302, the only status that all clients follow, and
// without the body that http.Redirect adds.
func sendRedirect(w http.ResponseWriter, to *Redirect) {
	h := w.Header()
	h.Set("Location", to.Location)
	h.Set("Content-Length", "0")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// allow reports whether the request has one of the methods, and answers all
// other requests.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	refuse(w, http.StatusMethodNotAllowed)
	return false
}

// unavailable answers a request that may be repeated soon.
func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	refuse(w, http.StatusServiceUnavailable)
}

// refuse answers a request that has no answer in the terms of Autodiscover.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
