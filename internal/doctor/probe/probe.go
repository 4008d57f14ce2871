package probe

import (
	"context"
	"time"
)

// Asker answers questions. An answer is never missing: what was not or could not be
// asked has a Failure that says so.
type Asker interface {
	DNS(ctx context.Context, q DNSQuestion) DNSAnswer
	Web(ctx context.Context, q WebQuestion) WebAnswer
	Mail(ctx context.Context, q MailQuestion) MailAnswer
	TLS(ctx context.Context, q TLSQuestion) TLSAnswer
}

// Key names a question in steps, evidence and recordings, such as
// "dns MX nordlys.example", "GET https://autoconfig.nordlys.example/mail/config-v1.1.xml"
// or "imap 198.51.100.25 993 SSL imap.nordlys.example".
type Key string

// Failure is why a question has no answer, or only a part of one.
type Failure struct {
	Kind FailureKind `json:"kind"`
	// Text is the reason in English, without the address of a person.
	Text string `json:"text"`
}

// FailureKind is a class of failures that clients treat alike.
type FailureKind string

// The kinds of failures.
const (
	NotAsked    FailureKind = "not-asked"   // a limit of the diagnosis, or its end: nothing is known
	Forbidden   FailureKind = "forbidden"   // an address or a port that must not be dialled: nothing is known
	NoAnswer    FailureKind = "no-answer"   // DNS: silence or SERVFAIL
	NoAddress   FailureKind = "no-address"  // the host has no address
	Refused     FailureKind = "refused"     // TCP: connection refused or reset
	Unreachable FailureKind = "unreachable" // TCP: no route
	TimedOut    FailureKind = "timed-out"   // nothing came within the limit of the diagnosis
	BadTLS      FailureKind = "tls"         // no handshake is possible; a bad certificate is no failure
	TLSRefused  FailureKind = "tls-refused" // TLS by the protocol's command was offered, and refused when asked for
	BadProtocol FailureKind = "protocol"    // the server does not speak the protocol
	Closed      FailureKind = "closed"      // the server ended the connection
)

// Known reports whether a failure tells something about the network: the question was
// asked. A nil failure does.
func (f *Failure) Known() bool { return f == nil || f.Kind != NotAsked && f.Kind != Forbidden }

// The limits of a diagnosis. They are long enough to tell what the most patient clients
// that have a limit would see; who waits longer is said to (Delta Chat 60 s, Evolution 15 s).
const (
	ConnectLimit  = 5 * time.Second
	ByteLimit     = 10 * time.Second // from the request to the first byte
	GreetingLimit = 14 * time.Second // from the connection to the end of a mail server's greeting
)
