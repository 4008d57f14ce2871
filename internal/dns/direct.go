package dns

import (
	"context"
	"fmt"
	"time"
)

// Manner says how a Client of NewClient asks.
type Manner struct {
	// Recursive asks the servers to look further, as resolvers do. Without it, they say what they
	// know themselves.
	Recursive bool
	// Unchecked asks for the answer though it may be forged (CD bit, RFC 4035 §3.2.2).
	Unchecked bool
	// Timeout limits one try; zero means two seconds.
	Timeout time.Duration
}

// Reply is an answer, and whether the resolver has validated it (AD bit, RFC 6840 §5.8).
type Reply struct {
	Answer
	Authentic bool
}

// NewClient returns a client that asks the servers (addresses, with or without a port) in
// their order, or those of /etc/resolv.conf if there are none.
func NewClient(servers []string, m Manner) (*Client, error) {
	addresses, err := serverAddresses(servers)
	if err != nil {
		return nil, err
	}
	if m.Timeout <= 0 {
		m.Timeout = defaultTimeout
	}
	return &Client{servers: addresses, timeout: m.Timeout, recursion: m.Recursive, unchecked: m.Unchecked,
		validated: true}, nil
}

// Servers returns the addresses of the servers, in the order in which they are asked.
func (c *Client) Servers() []string { return append([]string(nil), c.servers...) }

// Lookup asks for the records of a name and reads what the answer says, without
// following CNAMEs beyond it. It ends after four times the timeout of one try,
// however many servers there are.
func (c *Client) Lookup(ctx context.Context, name, recordType string) (Answer, error) {
	reply, err := c.Ask(ctx, name, recordType)
	return reply.Answer, err
}

// Ask asks for the records of a name. It caches nothing, and ends after four times the
// timeout of one try. The CNAMEs are followed as far as the servers' manner allows: to their
// end if they recurse.
func (c *Client) Ask(ctx context.Context, name, recordType string) (Reply, error) {
	qname, qtype, err := Question(name, recordType)
	if err != nil {
		return Reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*c.timeout)
	defer cancel()
	if c.recursion {
		reply, _, err := c.resolve(ctx, qname, qtype)
		if err != nil {
			return Reply{}, fmt.Errorf("%s: %w", describe(qname, qtype), err)
		}
		return reply, nil
	}
	message, err := c.ask(ctx, qname, qtype)
	if err != nil {
		return Reply{}, fmt.Errorf("%s: %w", describe(qname, qtype), err)
	}
	answer, _, err := follow(message, qname, qtype, map[string]bool{})
	return Reply{answer, message.AuthenticatedData}, err
}
