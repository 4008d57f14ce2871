package autoconfig

import (
	"net/http"
	"strings"

	"signpost/account"
)

const paccPath = "/.well-known/user-agent-configuration.json"

// PACCHandler answers /.well-known/user-agent-configuration.json, which clients
// fetch at ua-auto-config.‹domain›. The domain comes from the host alone: the
// digest of the answer stands in DNS, so there is one for all mailboxes. It may
// be kept for five minutes, which is how long an old digest has to stay in DNS
// after the answer has changed.
func PACCHandler(resolve account.Resolver) http.Handler {
	var documents PACCs
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.URL.Path, paccPath) {
			refuse(w, r, errNoDocument)
			return
		}
		if !allowed(w, r) {
			return
		}
		settings, err := resolve(r.Context(), account.Query{Host: r.Host, Client: account.PACC})
		if err != nil {
			refuse(w, r, err)
			return
		}
		buffer := buffers.Get().(*[]byte)
		defer buffers.Put(buffer)
		*buffer, err = documents.append((*buffer)[:0], settings)
		if err != nil {
			refuse(w, r, err)
			return
		}
		answer(w, r, http.StatusOK, typeJSON, shortly, *buffer)
	})
}
