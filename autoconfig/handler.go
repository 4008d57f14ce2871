package autoconfig

import (
	"net/http"

	"signpost/account"
)

// Handler answers all URLs of config-v1.1 documents: /mail/config-v1.1.xml and
// /.well-known/autoconfig/mail/config-v1.1.xml, with and without emailaddress,
// and /v1.1/‹domain› as ISPDB has it.
//
// An unknown domain is 404 in plain text: Thunderbird uses the first of its URLs
// that gives any 2xx, before it looks at the content, and Delta Chat ends its
// search there.
func Handler(resolve account.Resolver) http.Handler {
	var d documents
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := parseRequest(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		if !allow(w, r) {
			return
		}
		settings, err := resolve(r.Context(), q.Query)
		if err != nil {
			refuse(w, r, err)
			return
		}
		document, err := d.write(settings)
		if err != nil {
			refuse(w, r, err)
			return
		}
		cache := cacheShortly
		if q.personal {
			cache = cacheNever
		}
		send(w, r, http.StatusOK, "text/xml; charset=utf-8", cache, document)
	})
}
