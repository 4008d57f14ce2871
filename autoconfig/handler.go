package autoconfig

import (
	"errors"
	"net/http"
	"strconv"
	"sync"

	"signpost/account"
)

// Handler answers all URLs of config-v1.1 documents: /mail/config-v1.1.xml and
// /.well-known/autoconfig/mail/config-v1.1.xml, with and without emailaddress,
// and /v1.1/‹domain› as ISPDB has it.
//
// An unknown domain is 404 in plain text: Thunderbird takes the first of its
// URLs that gives any 2xx, before it looks what is in it, and Delta Chat ends
// its search there.
func Handler(resolve account.Resolver) http.Handler {
	return &handler{resolve: resolve}
}

type handler struct {
	resolve account.Resolver
	documents
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := parseRequest(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	if !allowed(w, r) {
		return
	}
	settings, err := h.resolve(r.Context(), q.Query)
	if err != nil {
		refuse(w, r, err)
		return
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	*buffer, err = h.append((*buffer)[:0], settings)
	if err != nil {
		refuse(w, r, err)
		return
	}
	cache := shortly
	if q.personal {
		cache = never
	}
	answer(w, r, http.StatusOK, typeXML, cache, *buffer)
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Header values, made once and shared: nobody may change them. An answer that depends on an address is not kept
// anywhere; what a domain is told may be, for as long as somebody fumbling with
// an account form asks again.
var (
	// Thunderbird parses text/xml and application/xml and nothing else.
	typeXML   = []string{"text/xml; charset=utf-8"}
	typeJSON  = []string{"application/json"}
	typePlain = []string{"text/plain; charset=utf-8"}
	never     = []string{"no-store"}
	shortly   = []string{"private, max-age=300"}
	methods   = []string{"GET, HEAD"}
	later     = []string{"30"}
)

// allowed answers requests with any other method than GET and HEAD.
func allowed(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header()["Allow"] = methods
	answer(w, r, http.StatusMethodNotAllowed, typePlain, never, []byte("only GET and HEAD\n"))
	return false
}

// refuse answers with the status of the error, in words that hold nothing of
// the request.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusServiceUnavailable, "the settings cannot be looked up now"
	var address *account.AddressError
	switch {
	case errors.Is(err, errNoDocument):
		status, text = http.StatusNotFound, "not found"
	case errors.Is(err, account.ErrUnknownDomain), errors.Is(err, account.ErrWrongHost):
		status, text = http.StatusNotFound, "no settings for this domain"
	case errors.Is(err, ErrNotDescribable):
		status, text = http.StatusNotFound, "no settings for this kind of client"
	case errors.As(err, &address):
		status, text = http.StatusBadRequest, err.Error()
	default:
		w.Header()["Retry-After"] = later
	}
	answer(w, r, status, typePlain, never, []byte(text+"\n"))
}

// counted is how long an answer may be, in octets, for net/http to count it and
// send Content-Length by itself, which is cheaper: its bufferBeforeChunkingSize. An
// answer to HEAD has nothing that could be counted.
const counted = 2 << 10

// answer writes a complete answer.
func answer(w http.ResponseWriter, r *http.Request, status int, contentType, cache []string, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["Cache-Control"] = cache
	if len(body) > counted || r.Method == http.MethodHead {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}
