package autodiscover

import (
	"net/http"

	"signpost/account"
)

// SOAPHandler answers at /autodiscover/autodiscover.svc, which libraries for
// Exchange Web Services ask ([MS-OXWSADISC]). Where Autodiscover is handed over,
// they are redirected to the .svc of the other service; otherwise there is no
// SOAP here and no header (X-SOAP-Enabled) that promises it.
//
// The domain is the one that Host means: the mailbox stands in an envelope that
// is only worth parsing for Exchange itself, or in the credentials, which are
// never read. A hand-over to another address has no form in a redirect and is
// left to autodiscover.xml.
func SOAPHandler(resolve account.Resolver) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead, http.MethodPost:
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			refuse(w, http.StatusMethodNotAllowed)
			return
		}
		s, err := resolve(r.Context(), account.Query{Host: r.Host, Client: account.Outlook})
		switch h := handOver(s); {
		case err != nil && !isUnknown(err):
			w.Header().Set("Retry-After", retryAfter)
			refuse(w, http.StatusServiceUnavailable)
		case err != nil || h == nil || h.Hostname == "":
			refuse(w, http.StatusNotFound)
		default:
			sendAway(w, redirect(h, "svc"))
		}
	})
}

// retryAfter is how long a client should wait, in seconds, after a failure of
// ours: DNS mostly comes back within it.
const retryAfter = "30"
