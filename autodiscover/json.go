package autodiscover

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"signpost/account"
)

// JSONHandler answers at /autodiscover/autodiscover.json and below it.
//
// It tells where to find ActiveSync, Exchange Web Services and autodiscover.xml,
// nothing else; IMAP has no word in it. Since it pins no login to the URL, it is
// given for servers with other logins too.
//
// No specification is public. Successes are those of Exchange; the statuses of
// errors are those of mailcow and Stalwart (400), and 404 for an address that is
// not hosted here.
func JSONHandler(resolve account.Resolver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed)
			return
		}
		document, err := jsonAnswer(r, resolve)
		status := http.StatusOK
		if redirect := (*Redirect)(nil); errors.As(err, &redirect) {
			sendAway(w, redirect)
			return
		}
		if e := (*Error)(nil); errors.As(err, &e) {
			document, status = e.json(), e.status()
		}
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfter)
		}
		send(w, r, status, typeJSON, document)
	})
}

func jsonAnswer(r *http.Request, resolve account.Resolver) ([]byte, error) {
	q, err := parseQuestion(r.URL)
	if err != nil {
		return nil, err
	}
	s, err := resolve(r.Context(), account.Query{Address: q.address, Client: account.Phone})
	switch {
	case isUnknown(err):
		return nil, &Error{Code: UserNotFound, Reason: err.Error()}
	case err != nil:
		return nil, &Error{Code: Unavailable, Reason: err.Error()}
	}
	return jsonDocument(s, q.protocol, q.redirects)
}

// JSON writes the answer for one protocol: ActiveSync, Ews or AutodiscoverV1,
// in any case. The error is an *Error where there is nothing to tell, and a
// *Redirect where the client is sent to another service.
func JSON(s account.Settings, protocol string) ([]byte, error) {
	return jsonDocument(s, protocol, 0)
}

func jsonDocument(s account.Settings, protocol string, redirects int) ([]byte, error) {
	if protocol == "" {
		return nil, &Error{Code: MissingProtocol, Reason: "no protocol was asked for"}
	}
	if h := handOver(s); h != nil && h.Hostname != "" {
		if redirects >= maxRedirects {
			return nil, &Error{Code: UserNotFound, Reason: "the client has been redirected ten times"}
		}
		// The other service may know protocols that we do not, but what is
		// carried to it must be a word.
		if filter(protocol) != protocol {
			return nil, invalidProtocol(protocol, nil)
		}
		return nil, redirectJSON(h, s.Address, protocol, redirects+1)
	}
	places := jsonPlaces(s)
	for _, p := range places {
		// Exchange Online repeats the client's spelling, and so do we: it is
		// one of three words. (EqualFold alone would let U+017F pass for an s.)
		if strings.EqualFold(p.protocol, protocol) && filter(protocol) == protocol {
			return marshal(struct{ Protocol, Url string }{protocol, p.url}), nil
		}
	}
	return nil, invalidProtocol(protocol, places)
}

// place is where a protocol is found.
type place struct{ protocol, url string }

// jsonPlaces are the places that a mailbox can be told of.
func jsonPlaces(s account.Settings) []place {
	var places []place
	for _, p := range [...]struct {
		protocol string
		server   account.ServerType
	}{{"ActiveSync", account.ActiveSync}, {"Ews", account.EWS}} {
		for _, server := range s.Servers {
			if server.Type == p.server && isHTTPS(server.URL) {
				places = append(places, place{p.protocol, server.Expand(s.Login).URL})
				break
			}
		}
	}
	return append(places, place{"AutodiscoverV1", "https://autodiscover." + s.Address.Domain() + "/autodiscover/autodiscover.xml"})
}

func invalidProtocol(protocol string, places []place) *Error {
	message := "The given protocol value '" + filter(protocol) + "' is invalid."
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = p.protocol
	}
	if len(names) > 0 {
		message += " Supported values are '" + strings.Join(names, ",") + "'"
	}
	return &Error{Code: InvalidProtocol, Reason: "the protocol asked for is not one that the provider has", message: message}
}

// filter leaves the letters and digits of a word that somebody sent, up to 40.
func filter(word string) string {
	var b strings.Builder
	for i := range len(word) {
		switch c := word[i]; {
		case b.Len() == 40:
			return b.String()
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (e *Error) json() []byte {
	return marshal(struct{ ErrorCode, ErrorMessage string }{string(e.Code), e.Message()})
}

func marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // structs of strings are always written
	}
	return text
}
