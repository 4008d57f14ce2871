package probe

import (
	"fmt"
	"net/netip"
	"time"
)

// TLS is what a handshake showed.
type TLS struct {
	Version string   `json:",omitempty"` // such as "TLS 1.3"
	Names   []string `json:",omitempty"` // of the certificate
	Issuer  string   `json:",omitempty"`
	// Start and End are the days between which it is valid, or its issuer if that ended earlier.
	Start time.Time `json:",omitzero"`
	End   time.Time `json:",omitzero"`
	// Chain is the number of certificates that the server sent.
	Chain int `json:",omitempty"`
	// Problems are what a strict client refuses. Empty for a good certificate.
	Problems []Problem `json:",omitempty"`
}

// Problem is a reason to refuse a connection, mostly for its certificate.
type Problem string

// The problems of a handshake.
const (
	WrongName       Problem = "wrong-name"
	Expired         Problem = "expired"
	NotYetValid     Problem = "not-yet-valid"
	SelfSigned      Problem = "self-signed"
	UnknownIssuer   Problem = "unknown-issuer"
	IncompleteChain Problem = "incomplete-chain" // the issuer is public, but its certificate was not sent
	OldVersion      Problem = "old-version"      // TLS 1.1 or older (RFC 8996): no client of today speaks it
)

// Has reports whether the certificate has one of the problems.
func (t *TLS) Has(problems ...Problem) bool {
	for _, p := range problems {
		for _, q := range t.Problems {
			if p == q {
				return true
			}
		}
	}
	return false
}

// TLSQuestion is a handshake with nothing after it, on a port where TLS begins at once.
type TLSQuestion struct {
	Host string
	Port int
	// NoName leaves the server name out of the handshake (SNI, RFC 6066 §3).
	NoName bool
	// Max is the highest version that is offered: 0x0302 for TLS 1.1; 0 for any.
	Max     uint16
	Address netip.Addr
}

// Key implements a question's Key.
func (q TLSQuestion) Key() Key {
	key := fmt.Sprintf("tls %s:%d", q.Host, q.Port)
	if q.NoName {
		key += " without name"
	}
	if q.Max != 0 {
		key += fmt.Sprintf(" up to %#04x", q.Max)
	}
	if q.Address.IsValid() {
		key += " at " + q.Address.String()
	}
	return Key(key)
}

// TLSAnswer is the outcome of a handshake.
type TLSAnswer struct {
	TLS     *TLS          `json:",omitempty"`
	Address netip.Addr    `json:",omitzero"`
	Failure *Failure      `json:",omitempty"`
	Took    time.Duration `json:",omitempty"`
}
