package autoconfig

import (
	"net/http"
	"strings"

	"signpost/account"
)

const paccPath = "/.well-known/user-agent-configuration.json"

// PACCHandler answers /.well-known/user-agent-configuration.json, which clients
// fetch at ua-auto-config.‹domain›. The domain comes from Host alone: the digest
// of the answer stands in DNS, so there is one for all mailboxes. It may be
// cached for five minutes, which is how long an old digest has to stay in DNS
// after the answer has changed.
func PACCHandler(resolve account.Resolver) http.Handler {
	var documents PACCs
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.URL.Path, paccPath) {
			refuse(w, r, errNotFound)
			return
		}
		if !allow(w, r) {
			return
		}
		settings, err := resolve(r.Context(), account.Query{Host: r.Host, Client: account.PACC})
		if err != nil {
			refuse(w, r, err)
			return
		}
		document, err := documents.Document(settings)
		if err != nil {
			refuse(w, r, err)
			return
		}
		send(w, r, http.StatusOK, "application/json", cacheShortly, document)
	})
}
