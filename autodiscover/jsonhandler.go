package autodiscover

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
)

// JSONHandler answers at /autodiscover/autodiscover.json and below it.
//
// Its answers are the URLs of ActiveSync, Exchange Web Services, autodiscover.xml, and
// REST and Graph where the Exchange server has them; the format has no word for IMAP and none for a login. Clients
// sign in with the address, so a server that wants another login is not named, as in
// the answer for phones (see ActiveSync): without the URL, they ask the person.
//
// The URL of autodiscover.xml is at service, the service's own host name, if the
// client asked there: it came by an SRV record, and there may be no other.
//
// There is no public specification. Successes are those of Exchange; the statuses
// of errors are those of mailcow and Stalwart (400), and 404 for an address that
// is not hosted here.
func JSONHandler(resolve account.Resolver, service string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allow(w, r, http.MethodGet, http.MethodHead) {
			return
		}
		document, err := answerJSONRequest(r, resolve, service)
		if redirect, ok := errors.AsType[*Redirect](err); ok {
			if !redirect.leadsTo(r.Host) {
				sendRedirect(w, redirect)
				return
			}
			err = &Error{Code: UserNotFound, Reason: notRedirected}
		}
		status := http.StatusOK
		if e, ok := errors.AsType[*Error](err); ok {
			document, status = e.json(), e.status()
		}
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfter)
		}
		send(w, r, status, typeJSON, document)
	})
}

func answerJSONRequest(r *http.Request, resolve account.Resolver, service string) ([]byte, error) {
	q, err := parseJSONRequest(r)
	if err != nil {
		return nil, err
	}
	s, err := resolve(r.Context(), q.Query)
	switch {
	case account.IsUnknown(err) && q.Address.IsZero():
		return nil, &Error{Code: MissingParameter,
			Reason: "the request has no address that can be read: " + err.Error()}
	case account.IsUnknown(err):
		return nil, &Error{Code: UserNotFound, Reason: err.Error()}
	case err != nil:
		return nil, &Error{Code: Unavailable, Reason: err.Error()}
	}
	host := autodiscoverHost(s)
	if name, _, _ := strings.Cut(r.Host, ":"); service != "" &&
		strings.EqualFold(strings.TrimSuffix(name, "."), service) {
		host = service
	}
	return writeJSON(s, host, q.protocol, q.redirects)
}

// JSON returns the answer for one protocol: ActiveSync, Ews, Rest, Graph or AutodiscoverV1,
// in any case. The answer spells it as Exchange does. The error is an *Error where
// there is no URL for the protocol, and a *Redirect where the client is redirected to
// another service by HTTP.
func JSON(s account.Settings, protocol string) ([]byte, error) {
	return writeJSON(s, autodiscoverHost(s), protocol, 0)
}

// autodiscoverHost returns the host that clients derive from the domain.
func autodiscoverHost(s account.Settings) string { return "autodiscover." + s.Address.Domain() }

func writeJSON(s account.Settings, host, protocol string, redirects int) ([]byte, error) {
	if protocol == "" {
		return nil, &Error{Code: MissingProtocol, Reason: "no protocol was given"}
	}
	if to := redirectOf(s); to != nil && to.Hostname != "" {
		if s.Address.IsAny() {
			return nil, &Error{Code: MissingParameter, Reason: "the other service needs an address"}
		}
		if redirects >= maxRedirects {
			return nil, &Error{Code: UserNotFound, Reason: "the client has been redirected ten times"}
		}
		// The other service may know other protocols, but what is sent on to it
		// must be a word.
		if filter(protocol) != protocol {
			return nil, invalidProtocol(protocol, nil)
		}
		return nil, jsonRedirect(to, s.Address, protocol, redirects+1)
	}
	endpoints := jsonEndpoints(s, host)
	for _, e := range endpoints {
		// EqualFold alone would let U+017F pass for an s.
		if strings.EqualFold(e.protocol, protocol) && filter(protocol) == protocol {
			return marshal(struct{ Protocol, Url string }{e.protocol, e.url}), nil
		}
	}
	return nil, invalidProtocol(protocol, endpoints)
}

// endpoint is the URL of a protocol.
type endpoint struct{ protocol, url string }

// jsonEndpoints returns the endpoints of a mailbox. Autodiscover is at the host.
func jsonEndpoints(s account.Settings, host string) []endpoint {
	var endpoints []endpoint
	for _, p := range [...]struct {
		protocol string
		server   account.ServerType
		url      func(account.Server) string
	}{
		{"ActiveSync", account.ActiveSync, func(s account.Server) string { return s.URL }},
		{"Ews", account.EWS, func(s account.Server) string { return s.URL }},
		{"Rest", account.EWS, func(s account.Server) string { return s.RestURL }},
		{"Graph", account.EWS, func(s account.Server) string { return s.GraphURL }},
	} {
		for _, server := range s.Servers {
			needsMailbox := s.Address.IsAny() && account.NamesMailbox(p.url(server))
			if server.Type == p.server && isHTTPS(p.url(server)) && answersWithoutLogin(s, server) && !needsMailbox {
				endpoints = append(endpoints, endpoint{p.protocol, p.url(server.Expand(s.Login))})
				break
			}
		}
	}
	if !answersXML(s) {
		return endpoints
	}
	return append(endpoints, endpoint{"AutodiscoverV1", "https://" + host + "/autodiscover/autodiscover.xml"})
}

// answersXML reports whether autodiscover.xml has an answer other than error 601 for
// the mailbox, in one of its schemas.
func answersXML(s account.Settings) bool {
	_, noMail := outlookServers(s)
	_, noActiveSync := activeSyncServer(s)
	return redirectOf(s) != nil || noMail == nil || noActiveSync == nil
}

func invalidProtocol(protocol string, endpoints []endpoint) *Error {
	message := "The given protocol value '" + filter(protocol) + "' is invalid."
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		names[i] = e.protocol
	}
	if len(names) > 0 {
		message += " Supported values are '" + strings.Join(names, ",") + "'"
	}
	const reason = "the protocol asked for is not one that the provider has"
	return &Error{Code: InvalidProtocol, Reason: reason, message: message}
}

// filter returns the letters and digits of an untrusted word, at most 40.
func filter(word string) string {
	word = strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, word)
	return word[:min(len(word), 40)]
}

func marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // structs of strings can always be marshalled
	}
	return text
}
