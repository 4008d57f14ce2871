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
	Type account.ServerType // imap, pop3, smtp or managesieve
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

// MailAnswer is what a mail server said.
type MailAnswer struct {
	Address   netip.Addr    `json:",omitzero"`
	Connected time.Duration `json:",omitempty"` // until TCP was connected
	// Greeting is the first line, control characters removed. With SSL and without TLS it is what
	// the server said in clear text.
	Greeting string `json:",omitempty"`
	// GreetedAt is the time from the connection to the end of the greeting; zero if it did not come.
	GreetedAt time.Duration `json:",omitempty"`
	// Before and After are the capabilities before and after TLS, upper case, one per
	// element, as IMAP, POP3 (RFC 2449), SMTP (RFC 5321 §4.1.1.1) and ManageSieve name them, such as
	// "AUTH PLAIN LOGIN", "AUTH=PLAIN", "SASL PLAIN". With SSL, Before is empty. They are nil
	// if the server has no such list (POP3 before RFC 2449).
	Before []string `json:",omitempty"`
	After  []string `json:",omitempty"`
	// TLS is the handshake. Without a Greeting, and with a Failure of kind TimedOut, it is a server
	// that was asked in clear text and expects TLS from the first byte.
	TLS *TLS `json:",omitempty"`
	// Failure says where the dialogue ended. What came before it is there. A server that was asked
	// for STARTTLS and does not offer it is no failure: TLS is nil.
	Failure *Failure      `json:",omitempty"`
	Took    time.Duration `json:",omitempty"`
}
