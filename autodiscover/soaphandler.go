package autodiscover

import (
	"net/http"
	"slices"
	"strings"

	"signpost/account"
)

// soapPath is the path of SOAPHandler in lower case, as it stands in redirects.
const soapPath = "/autodiscover/autodiscover.svc"

// soapHeader is the header of autodiscover.xml that tells ews-javascript-api and .NET of
// SOAPHandler. Only that it is not empty matters; the value is the one that Exchange sends.
const soapHeader = "X-SOAP-Enabled"

// maxSOAPNames is the number of mailboxes in a request that are looked up. For the others
// the server is busy: Exchange limits them, too, and programs ask again.
const maxSOAPNames = 20

// SOAPHandler answers at /autodiscover/autodiscover.svc, which libraries for
// Exchange Web Services request ([MS-OXWSADISC]), and below it, where clients with a
// security token ask (/wssecurity, /wssecurity/x509cert). If another service answers
// Autodiscover for the provider, they are redirected to the same path there. The
// operations GetUserSettings and GetDomainSettings are answered for mailboxes and domains
// with an EWS server, in an envelope with status 200, at the path itself. Everybody else
// gets 404, after which exchangelib and ews-javascript-api ask the next host.
//
// The mailbox or domain that the envelope of a POST names decides, or else Host. Of
// mailboxes that are not known here, exchangelib asks first for one at example.com, to see
// whether it has to sign in. It goes on after an answer, so there is one where mailboxes
// have EWS by mayHaveSOAP. Credentials are never read.
//
// Faults have status 400: SOAP 1.1 wants 500 (§6.2), which here means a fault of this side.
func SOAPHandler(resolve account.Resolver, exchange bool) http.Handler {
	return &soapHandler{resolve, exchange}
}

type soapHandler struct {
	resolve  account.Resolver
	exchange bool
}

func (h *soapHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return
	}
	below := r.URL.Path[min(len(soapPath), len(r.URL.Path)):]
	if strings.Trim(below, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		refuse(w, http.StatusNotFound)
		return
	}
	var body []byte
	if r.Method == http.MethodPost {
		var status int
		if body, status = readBody(w, r); status == http.StatusUnsupportedMediaType {
			refuse(w, status)
			return
		}
	}
	if r.Method != http.MethodPost || strings.Trim(below, "/") != "" {
		h.answerOther(w, r, below, body, http.StatusNotFound, nil)
		return
	}
	request, fault := parseSOAP(body)
	switch {
	case fault != nil:
		h.answerOther(w, r, below, body, http.StatusBadRequest, fault.document())
	case request.operation == getFederation:
		h.answerOther(w, r, below, body, http.StatusOK, request.refusal(notFederated))
	case len(request.settings) == 0 || !slices.ContainsFunc(request.names, namesDomain):
		h.answerOther(w, r, below, body, http.StatusOK, request.refusal(badSOAPRequest))
	default:
		h.answerNames(w, r, request)
	}
}

// query returns what a name of a request asks about.
func query(name string) account.Query {
	q := account.Query{Client: account.Outlook, Fallback: true}
	q.ReadAddress(name)
	return q
}

// namesDomain reports whether a name of a request tells a domain.
func namesDomain(name string) bool {
	q := query(name)
	return q.Host != "" || !q.Address.IsZero()
}

// answerOther answers what asks for no settings: with a redirect, with the document if
// there is SOAP for what the body or else Host names, or 404.
func (h *soapHandler) answerOther(
	w http.ResponseWriter, r *http.Request, below string, body []byte, status int, document []byte,
) {
	q := account.Query{Host: r.Host, Client: account.Outlook, Fallback: true}
	readEnvelope(&q, body)
	s, err := h.resolve(r.Context(), q)
	to := redirectOf(s)
	switch {
	case err != nil && !account.IsUnknown(err):
		unavailable(w)
	case err == nil && to != nil && to.Hostname != "" && !httpRedirect(to, "svc").leadsTo(r.Host):
		redirect := httpRedirect(to, "svc")
		redirect.Location += below
		sendRedirect(w, redirect)
	case document != nil && mayHaveSOAP(s, err, h.exchange):
		send(w, r, status, typeXML, document)
	default:
		refuse(w, http.StatusNotFound)
	}
}

// answerNames answers for each mailbox or domain of a request.
func (h *soapHandler) answerNames(w http.ResponseWriter, r *http.Request, request *soapRequest) {
	answers := make([]soapAnswer, len(request.names))
	for i, name := range request.names {
		answers[i].code = serverBusy
		if i < maxSOAPNames {
			answers[i] = h.look(r, request, name)
		}
	}
	has := func(codes ...Code) bool {
		return slices.ContainsFunc(answers, func(a soapAnswer) bool { return slices.Contains(codes, a.code) })
	}
	first := answers[0]
	isOther := func(a soapAnswer) bool { return a.code != first.code || a.target != first.target }
	// Names beyond the limit were not looked up: nothing is wrong on this side.
	isFailed := func(a soapAnswer) bool { return a.code == serverBusy }
	switch {
	case first.code == redirectURL && !slices.ContainsFunc(answers, isOther):
		sendRedirect(w, &Redirect{first.target})
	case has(noError), has(redirectURL):
		for i := range answers {
			if answers[i].code == settingNotHere {
				answers[i].code = noError
			}
		}
		send(w, r, http.StatusOK, typeXML, request.answer(answers))
	case slices.ContainsFunc(answers[:min(len(answers), maxSOAPNames)], isFailed):
		unavailable(w)
	case !has(settingNotHere, redirectedTo) && h.mayHaveSOAP(r):
		send(w, r, http.StatusOK, typeXML, request.answer(answers))
	default:
		refuse(w, http.StatusNotFound)
	}
}

// mayHaveSOAP reports whether mailboxes of the host that was asked may have EWS.
func (h *soapHandler) mayHaveSOAP(r *http.Request) bool {
	s, err := h.resolve(r.Context(), account.Query{Host: r.Host, Client: account.Outlook, Fallback: true})
	return mayHaveSOAP(s, err, h.exchange)
}

// look returns the answer for a mailbox or domain. Its code is SettingIsNotAvailable if it
// is known here, and has no EWS server.
func (h *soapHandler) look(r *http.Request, request *soapRequest, name string) soapAnswer {
	unknown := soapAnswer{code: invalidUser}
	if request.operation == getDomainSettings {
		unknown.code = invalidDomain
	}
	if !namesDomain(name) {
		return unknown
	}
	s, err := h.resolve(r.Context(), query(name))
	to := redirectOf(s)
	switch {
	case account.IsUnknown(err):
		return unknown
	case err != nil:
		return soapAnswer{code: serverBusy}
	case to != nil && to.Hostname != "":
		if redirect := httpRedirect(to, "svc"); !redirect.leadsTo(r.Host) {
			return soapAnswer{code: redirectURL, target: redirect.Location}
		}
		return soapAnswer{code: settingNotHere}
	case to != nil:
		if address, err := redirectAddress(s, to); err == nil {
			return soapAnswer{code: redirectedTo, target: address}
		}
		return soapAnswer{code: settingNotHere}
	}
	server, err := ewsServer(s)
	switch {
	case err != nil:
		return soapAnswer{Settings: s, code: settingNotHere}
	case s.Address.IsAny() && request.operation == getUserSettings:
		return unknown // the program would sign in with what stands before the @
	}
	return soapAnswer{Settings: s, code: noError, server: server}
}
