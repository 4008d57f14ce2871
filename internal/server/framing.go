package server

import "net/http"

// closeAfterHidden closes the connection after requests that hidesFraming.
func closeAfterHidden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hidesFraming(r) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// hidesFraming reports whether r may be one whose length two programs understand in two
// ways, by which requests are smuggled past a proxy (RFC 9112 §11.2). The connection
// must be closed after it (RFC 9112 §6.1) if it has Content-Length beside
// Transfer-Encoding, or Transfer-Encoding in HTTP/1.0. net/http follows
// Transfer-Encoding in the first case and ignores it in the second, and removes the
// headers from both, so that nobody can see them any more. Hence all requests with
// chunks and all of HTTP/1.0 count. Mail clients, and proxies that buffer, send the
// length of a body.
//
// net/http refuses the other shapes itself and closes the connection: lengths that
// differ or are no number, a transfer coding other than chunked or more than one, a
// folded line in the header's beginning, a space before a colon, chunks with a bare LF.
func hidesFraming(r *http.Request) bool {
	return !r.ProtoAtLeast(1, 1) || len(r.TransferEncoding) > 0
}
