package probe

import (
	"fmt"
	"net/netip"
	"time"

	"signpost/account"
)

// MailQuestion is one connection to a mail server: connect, greeting, capabilities,
// TLS, capabilities again, and an orderly end. Nobody signs in and no letter is sent.
type MailQuestion struct {
	Type account.ServerType // imap, pop3 or smtp; "sieve" for ManageSieve
	Host string
	Port int
	// SocketType is how TLS begins: at once (SSL), by the protocol's command (STARTTLS),
	// or never (plain). With STARTTLS, the capabilities before are recorded, too, and a server that
	// does not offer it is left in order.
	SocketType account.SocketType
	// Address is the address to connect to; the zero value is the first that accepts
	// a connection, IPv6 and IPv4 in turn.
	Address netip.Addr
}

// Key implements a question's Key.
func (q MailQuestion) Key() Key {
	key := fmt.Sprintf("%s %s:%d %s", q.Type, q.Host, q.Port, q.SocketType)
	if q.Address.IsValid() {
		key += " at " + q.Address.String()
	}
	return Key(key)
}

// Sieve is the type of a ManageSieve server (RFC 5804), which no client is told of.
const Sieve account.ServerType = "sieve"

// MailAnswer is what a mail server said.
type MailAnswer struct {
	Address   netip.Addr    `json:",omitzero"`
	Connected time.Duration `json:",omitempty"` // until TCP was connected
	Greeting  string        `json:",omitempty"` // first line, control characters removed
	GreetedAt time.Duration `json:",omitempty"` // from the connection; zero if no greeting came
	// Before and After are the capabilities before and after TLS, upper case, one per
	// element, as IMAP, POP3 (RFC 2449), SMTP (RFC 5321 §4.1.1.1) and ManageSieve name them, such as
	// "AUTH PLAIN LOGIN", "AUTH=PLAIN", "SASL PLAIN". With SSL, Before is empty.
	Before []string `json:",omitempty"`
	After  []string `json:",omitempty"`
	TLS    *TLS     `json:",omitempty"`
	// Failure says where the dialogue ended. What came before it is there.
	Failure *Failure      `json:",omitempty"`
	Took    time.Duration `json:",omitempty"`
}
