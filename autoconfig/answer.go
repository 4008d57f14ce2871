package autoconfig

import (
	"errors"
	"net/http"
	"strconv"

	"signpost/account"
)

// Values of Cache-Control. An answer that depends on an address is not cached
// anywhere. An answer for a whole domain may be cached, for as long as a person
// is likely to try again in the account form of a client.
const (
	cacheNever   = "no-store"
	cacheShortly = "private, max-age=300"
)

const typePlain = "text/plain; charset=utf-8"

// allow reports whether the method is GET or HEAD, and answers all other
// requests.
func allow(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	send(w, r, http.StatusMethodNotAllowed, typePlain, cacheNever, []byte("only GET and HEAD\n"))
	return false
}

// refuse answers with the status of the error. The text holds nothing of the
// request.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusServiceUnavailable, "the settings cannot be looked up now"
	switch {
	case errors.Is(err, errNotFound):
		status, text = http.StatusNotFound, "not found"
	case account.IsUnknown(err):
		status, text = http.StatusNotFound, "no settings for this domain"
	case errors.Is(err, ErrNotDescribable):
		status, text = http.StatusNotFound, "no settings for this kind of client"
	default:
		w.Header().Set("Retry-After", "30")
	}
	send(w, r, status, typePlain, cacheNever, []byte(text+"\n"))
}

// send sends a complete answer.
func send(w http.ResponseWriter, r *http.Request, status int, contentType, cache string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", cache)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
