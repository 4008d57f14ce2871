package autodiscover

import (
	"net/http"

	"signpost/account"
)

// SOAPHandler answers at /autodiscover/autodiscover.svc, which libraries for
// Exchange Web Services request ([MS-OXWSADISC]). If another service answers
// Autodiscover for the provider, they are redirected to its .svc; otherwise
// there is no SOAP here and no header (X-SOAP-Enabled) that promises it.
//
// The domain is that of Host: the mailbox stands in an envelope that is only
// worth parsing for Exchange itself, or in the credentials, which are never
// read. A redirect cannot name another address; autodiscover.xml does that.
func SOAPHandler(resolve account.Resolver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allow(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
			return
		}
		s, err := resolve(r.Context(), account.Query{Host: r.Host, Client: account.Outlook})
		switch to := redirectOf(s); {
		case err != nil && !account.IsUnknown(err):
			w.Header().Set("Retry-After", retryAfter)
			refuse(w, http.StatusServiceUnavailable)
		case err != nil || to == nil || to.Hostname == "":
			refuse(w, http.StatusNotFound)
		default:
			sendRedirect(w, httpRedirect(to, "svc"))
		}
	})
}
