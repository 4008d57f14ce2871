package probe

import (
	"net/netip"
	"time"
)

// WebQuestion is one HTTP request as a client sends it. A redirect is answered as it
// stands; who follows it asks another question.
type WebQuestion struct {
	Method string // GET, HEAD or POST
	URL    string
	// Body is the body of a POST; ContentType its media type.
	Body, ContentType string
	// Header is further lines "Name: value" that change the answer, one per line, in the
	// order in which they are sent. Empty for most clients.
	Header string
	// Address is the address to connect to; the zero value is the first that accepts
	// a connection, IPv6 and IPv4 in turn.
	Address netip.Addr
}

// Key implements a question's Key. Requests that differ in anything differ in it.
func (q WebQuestion) Key() Key {
	key := q.Method + " " + q.URL
	for _, more := range []string{q.ContentType, q.Body, q.Header} {
		if more != "" {
			key += " " + digest(more)
		}
	}
	if q.Address.IsValid() {
		key += " at " + q.Address.String()
	}
	return Key(key)
}

// WebAnswer is the answer of one web server, without following a redirect.
type WebAnswer struct {
	Status int `json:",omitempty"`
	// Header holds the lines that a client or a finding looks at, by canonical name:
	// Content-Type, Location, Www-Authenticate, Strict-Transport-Security, Server, Retry-After,
	// Cf-Mitigated, X-Soap-Enabled.
	Header map[string]string `json:",omitempty"`
	// Body is decoded (gzip) and cut at 64 KiB.
	Body      []byte `json:",omitempty"`
	Truncated bool   `json:",omitempty"`
	// Address is where the answer came from.
	Address netip.Addr `json:",omitzero"`
	// TLS is the handshake of an https URL. The answer is there also if the certificate
	// is not valid: TLS.Problems says so, and each client does what it does with that.
	TLS     *TLS          `json:",omitempty"`
	Failure *Failure      `json:",omitempty"`
	Took    time.Duration `json:",omitempty"` // until the first byte of the answer, or until it failed
}

// OK reports whether there is an answer that came over a connection a strict client accepts.
func (a WebAnswer) OK() bool {
	return a.Failure == nil && (a.TLS == nil || len(a.TLS.Problems) == 0)
}
