package probe

import (
	"time"

	"signpost/internal/dns"
)

// View says whom a DNS question is put to. Anything but the constants is the address
// of a name server, which is asked without recursion.
type View string

// The views of the resolver.
const (
	Recursive View = ""          // the resolver of this machine, or the one that was chosen
	Unchecked View = "unchecked" // the same, which is told not to validate (CD bit, RFC 4035 §3.2.2)
)

// DNSQuestion asks for the records of a type at a name.
type DNSQuestion struct {
	Name string // lower-case A-label without the final dot
	Type string // such as "SRV"
	View View
}

// Key implements a question's Key.
func (q DNSQuestion) Key() Key {
	key := "dns " + q.Type + " " + q.Name
	if q.View != Recursive {
		key += " @" + string(q.View)
	}
	return Key(key)
}

// DNSAnswer is what DNS says.
type DNSAnswer struct {
	dns.Answer
	// Truncated reports that the answer held more records than are kept.
	Truncated bool `json:",omitempty"`
	// Authentic reports that the resolver validated the answer (AD bit).
	Authentic bool          `json:",omitempty"`
	Failure   *Failure      `json:",omitempty"`
	Took      time.Duration `json:",omitempty"`
}
