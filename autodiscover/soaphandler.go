package autodiscover

import (
	"net/http"
	"strings"

	"signpost/account"
)

// soapPath is the path of SOAPHandler in lower case, as it stands in redirects.
const soapPath = "/autodiscover/autodiscover.svc"

// SOAPHandler answers at /autodiscover/autodiscover.svc, which libraries for
// Exchange Web Services request ([MS-OXWSADISC]), and below it, where clients with a
// security token ask (/wssecurity, /wssecurity/x509cert). If another service answers
// Autodiscover for the provider, they are redirected to the same path there;
// otherwise there is no SOAP here and no header (X-SOAP-Enabled) that promises it.
//
// The mailbox or domain that the envelope of a POST names decides, or else Host.
// Credentials are never read. A redirect cannot name another address;
// autodiscover.xml does that.
func SOAPHandler(resolve account.Resolver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allow(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
			return
		}
		below := r.URL.Path[min(len(soapPath), len(r.URL.Path)):]
		if strings.Trim(below, "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			refuse(w, http.StatusNotFound)
			return
		}
		q := account.Query{Host: r.Host, Client: account.Outlook, Fallback: true}
		if r.Method == http.MethodPost {
			body, status := readBody(w, r)
			if status == http.StatusUnsupportedMediaType {
				refuse(w, status)
				return
			}
			readEnvelope(&q, body)
		}
		s, err := resolve(r.Context(), q)
		switch to := redirectOf(s); {
		case err != nil && !account.IsUnknown(err):
			unavailable(w)
		case err != nil || to == nil || to.Hostname == "" || httpRedirect(to, "svc").leadsTo(r.Host):
			refuse(w, http.StatusNotFound)
		default:
			redirect := httpRedirect(to, "svc")
			redirect.Location += below
			sendRedirect(w, redirect)
		}
	})
}

// readEnvelope reads what a SOAP request asks about. GetUserSettings names a Mailbox,
// GetDomainSettings and GetFederationInformation name a Domain. An envelope that cannot
// be read names nothing; a security token in it may make it too large.
func readEnvelope(q *account.Query, body []byte) {
	envelope, err := parseTree(body, maxDepth, maxElements)
	if err != nil {
		return
	}
	for _, tag := range []string{"Mailbox", "Domain"} {
		if e := envelope.FindElement("//" + tag); e != nil {
			q.ReadAddress(e.Text())
			break
		}
	}
}
