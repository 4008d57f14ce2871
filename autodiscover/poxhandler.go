package autodiscover

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"signpost/account"
)

// MaxBody is the size of the largest request body that is read, in bytes. Real
// ones have about 500.
const MaxBody = 8 << 10

// XMLHandler answers at /autodiscover/autodiscover.xml.
//
// A POST is answered for the address in its body, in the schema that it accepts.
// The requested host does not matter: clients come by redirects and SRV records
// from the mailbox's own domain to any host. The Content-Type does not matter
// either; real ones vary.
//
// GET and HEAD come from clients that send no address (Delta Chat, MyMail,
// Spike) and from libraries that only look for a redirect. They get Outlook's
// settings for the domain of Host, without a login, if all mailboxes of the domain
// have the same settings and sign in with the address: Delta Chat asks after it was
// refused at autoconfig.‹domain›, where it sent the address. All others get 404.
// Delta Chat takes an error in a document with status 200 for an answer that names
// no servers, and looks no further.
//
// GET also tells libraries for Exchange Web Services by a header, whatever the status,
// that there is SOAP (see SOAPHandler). exchange says that some mailbox has an Exchange
// server, for hosts that do not tell by their domain.
//
// Answers to a POST have HTTP status 200, errors too, except a redirect (302), a body
// above MaxBody (413), compressed (415) or cut off on its way (400), and other
// methods (405).
func XMLHandler(resolve account.Resolver, exchange bool) http.Handler {
	return &xmlHandler{resolve: resolve, exchange: exchange}
}

type xmlHandler struct {
	resolve   account.Resolver
	exchange  bool
	requests  requestCache
	documents documents
}

func (h *xmlHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return
	}
	var document []byte
	var err error
	posted := r.Method == http.MethodPost
	if posted {
		body, status := readBody(w, r)
		if status != 0 {
			refuse(w, status)
			return
		}
		document, err = h.post(r, body)
	} else {
		document, err = h.get(w, r)
	}
	if redirect, ok := errors.AsType[*Redirect](err); ok {
		if !redirect.leadsTo(r.Host) {
			sendRedirect(w, redirect)
			return
		}
		err = &Error{Code: Misconfigured, Reason: notRedirected}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		if !posted && e.Code == ServerError {
			unavailable(w)
			return
		}
		if !posted {
			refuse(w, http.StatusNotFound)
			return
		}
		document = e.Document()
	}
	send(w, r, http.StatusOK, typeXML, document)
}

// post returns the answer to the request in the body.
func (h *xmlHandler) post(r *http.Request, body []byte) ([]byte, error) {
	q, err := parsePOX(h.requests.scan(body))
	if err != nil {
		return nil, err
	}
	client := account.Outlook
	if q.schema == nsMobileSync {
		client = account.Phone
	}
	s, err := h.resolve(r.Context(), account.Query{Address: q.address, Client: client, Fallback: true})
	switch {
	case account.IsUnknown(err) && client == account.Phone:
		return unknownToPhone(q.address), nil
	case account.IsUnknown(err):
		return nil, &Error{Code: AddressUnknown, Reason: err.Error()}
	case err != nil:
		return nil, &Error{Code: ServerError, Reason: err.Error()}
	}
	return h.documents.write(s, form{q.schema, q.schema == nsOutlook && r.Header.Get(mapiHeader) == ""})
}

// get returns the settings of the domain of Host, and announces SOAP where it is answered.
func (h *xmlHandler) get(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	s, err := h.resolve(r.Context(), account.Query{Host: r.Host, Client: account.Outlook, Fallback: true})
	if mayHaveSOAP(s, err, h.exchange) {
		w.Header().Set(soapHeader, "True")
	}
	switch {
	case account.IsUnknown(err):
		return nil, invalid("it has no address: " + err.Error())
	case err != nil:
		return nil, &Error{Code: ServerError, Reason: err.Error()}
	}
	return h.documents.write(s, form{schema: nsOutlook})
}

// readBody reads the body of a POST. The status is that of a refusal, or 0.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		// The header says why, and what to send instead (RFC 9110 §15.5.16).
		w.Header().Set("Accept-Encoding", "identity")
		return nil, http.StatusUnsupportedMediaType
	}
	if r.ContentLength > MaxBody {
		return nil, http.StatusRequestEntityTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, http.StatusRequestEntityTooLarge
	}
	if err != nil {
		return nil, http.StatusBadRequest
	}
	return body, 0
}
