package autodiscover

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"signpost/account"
)

// XMLHandler answers at /autodiscover/autodiscover.xml.
//
// A POST is answered for the address in its body, in the schema that it accepts.
// The host that was asked does not matter: clients come by redirects and SRV
// records from the mailbox's own domain to any host. The Content-Type does not
// matter either; real ones vary.
//
// GET and HEAD come from clients that send no address (Delta Chat, MyMail,
// Spike) and from libraries that only look for the redirect of a hand-over. They
// get Outlook's settings for the domain that Host means, without a login, and
// error 600 where it means none.
//
// All answers have HTTP status 200, errors too, except a hand-over (302), a body
// above 8 KiB (413) or cut off on its way (400), and other methods (405).
func XMLHandler(resolve account.Resolver) http.Handler {
	return newXMLHandler(resolve)
}

func newXMLHandler(resolve account.Resolver) *xmlHandler {
	return &xmlHandler{
		resolve:    resolve,
		outlook:    prepared{write: outlookDocument},
		activeSync: prepared{write: activeSyncDocument},
		domain:     prepared{write: outlookDocument},
		now:        time.Now,
		id:         serverID(),
	}
}

type xmlHandler struct {
	resolve account.Resolver

	outlook    prepared
	activeSync prepared
	domain     prepared // Outlook's, for a domain without a mailbox
	known      known

	now func() time.Time
	id  uint32
}

// scratch is the memory that one request needs.
type scratch struct {
	in  [maxBody + 1]byte
	key [maxKnownSize]byte
	out []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (h *xmlHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mem := scratches.Get().(*scratch)
	defer scratches.Put(mem)
	switch r.Method {
	case http.MethodPost:
		body, status := readBody(r, mem)
		if status != 0 {
			refuse(w, status)
			return
		}
		q, err := parseRequest(h.known.scan(body, mem.key[:]))
		if err == nil {
			mem.out, err = h.post(r.Context(), mem.out[:0], q)
		}
		h.reply(w, r, mem.out, err)
	case http.MethodGet, http.MethodHead:
		var err error
		mem.out, err = h.get(r.Context(), mem.out[:0], r.Host)
		h.reply(w, r, mem.out, err)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		refuse(w, http.StatusMethodNotAllowed)
	}
}

// post appends the answer to a request to dst.
func (h *xmlHandler) post(ctx context.Context, dst []byte, q request) ([]byte, error) {
	client, kind := account.Outlook, &h.outlook
	if q.schema == nsMobileSync {
		client, kind = account.Phone, &h.activeSync
	}
	s, err := h.resolve(ctx, account.Query{Address: q.address, Client: client})
	switch {
	case isUnknown(err) && client == account.Phone:
		return append(dst, providerError(q.address)...), nil
	case isUnknown(err):
		return dst, &Error{Code: AddressUnknown, Reason: err.Error()}
	case err != nil:
		return dst, &Error{Code: ServerError, Reason: err.Error()}
	}
	if to := handOver(s); to != nil {
		write := outlookHandOver
		if client == account.Phone {
			write = activeSyncHandOver
		}
		document, err := write(s, to)
		return append(dst, document...), err
	}
	return kind.append(dst, s)
}

// get appends the settings of the domain that the host means to dst.
func (h *xmlHandler) get(ctx context.Context, dst []byte, host string) ([]byte, error) {
	s, err := h.resolve(ctx, account.Query{Host: host, Client: account.Outlook})
	switch {
	case isUnknown(err):
		return dst, invalid("it names no address, and its host no domain: " + err.Error())
	case err != nil:
		return dst, &Error{Code: ServerError, Reason: err.Error()}
	}
	if to := handOver(s); to != nil {
		document, err := outlookHandOver(s, to)
		return append(dst, document...), err
	}
	return h.domain.append(dst, s)
}

// reply sends the document, or what the error says instead.
func (h *xmlHandler) reply(w http.ResponseWriter, r *http.Request, document []byte, err error) {
	if redirect := (*Redirect)(nil); errors.As(err, &redirect) {
		sendAway(w, redirect)
		return
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		document = e.document(h.now(), h.id)
	}
	send(w, r, http.StatusOK, typeXML, document)
}

// isUnknown reports whether the directory's error means "not hosted here", as
// opposed to "ask again later".
func isUnknown(err error) bool {
	return errors.Is(err, account.ErrUnknownDomain) || errors.Is(err, account.ErrWrongHost)
}

// readBody reads the body of a POST into the scratch memory. The status is that
// of a refusal, or 0.
func readBody(r *http.Request, mem *scratch) (body []byte, status int) {
	if r.ContentLength > maxBody {
		return nil, http.StatusRequestEntityTooLarge
	}
	n, err := io.ReadFull(r.Body, mem.in[:])
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case err == nil, errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return nil, http.StatusBadRequest
	}
	return mem.in[:n], 0
}

// Header values, made once and shared: nobody may change them.
var (
	typeXML  = []string{"text/xml; charset=utf-8"}
	typeJSON = []string{"application/json; charset=utf-8"}
	never    = []string{"no-store"}
)

// send sends a finished answer in one piece.
func send(w http.ResponseWriter, r *http.Request, status int, contentType []string, body []byte) {
	header := w.Header()
	header["Content-Type"] = contentType
	header["Cache-Control"] = never
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// sendAway redirects with 302, the only code that all clients follow, and
// without the body that http.Redirect adds.
func sendAway(w http.ResponseWriter, to *Redirect) {
	header := w.Header()
	header.Set("Location", to.Location)
	header.Set("Content-Length", "0")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// refuse answers what is no Autodiscover request at all.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, http.StatusText(status), status)
}
