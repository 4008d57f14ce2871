package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// udpSize is the UDP payload size that queries announce: it passes unfragmented
// nearly everywhere (DNS Flag Day 2020; BIND, Unbound and Knot use the same).
const udpSize = 1232

// Client asks a list of name servers the same question until one of them answers
// it. It caches nothing and is safe for concurrent use.
type Client struct {
	servers   []string // host:port
	timeout   time.Duration
	recursion bool // set for resolvers, not for a zone's own name servers
	unchecked bool // ask for answers that fail validation, too
	validated bool // ask whether the answer was validated
	// preferred is the index of the server to ask first. If it fails and
	// another one answers, that one becomes the preferred one.
	preferred atomic.Int32
}

// ask returns the first final answer: anything but a refusal, a failure or
// silence. A silent server is asked once more, as UDP loses packets.
func (c *Client) ask(ctx context.Context, qname string, qtype uint16) (*dns.Msg, error) {
	var failure error
	replied := make([]bool, len(c.servers))
	first := int(c.preferred.Load())
	for try := range 2 * len(c.servers) {
		index := (first + try) % len(c.servers)
		if replied[index] {
			continue
		}
		server := c.servers[index]
		answer, err := c.askServer(ctx, server, qname, qtype)
		if err == nil {
			err = checkFinal(answer)
		}
		if err == nil {
			if index != first {
				c.preferred.Store(int32(index))
			}
			return answer, nil
		}
		replied[index] = !errors.Is(err, ErrSilent)
		if try < len(c.servers) {
			err = fmt.Errorf("%s %w", server, err)
			if failure != nil {
				err = fmt.Errorf("%w, %w", failure, err)
			}
			failure = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, failure
}

// askServer asks one server: over TCP where the answer is too long for UDP, and
// without EDNS where the server does not support it (RFC 6891 §7).
func (c *Client) askServer(ctx context.Context, server, qname string, qtype uint16) (*dns.Msg, error) {
	query := new(dns.Msg).SetQuestion(qname, qtype)
	query.RecursionDesired = c.recursion
	query.CheckingDisabled = c.unchecked
	query.AuthenticatedData = c.validated // RFC 6840 §5.7
	query.SetEdns0(udpSize, false)
	answer, err := c.send(ctx, "udp", server, query)
	if err == nil && answer.Rcode == dns.RcodeFormatError && answer.IsEdns0() == nil {
		query.Extra = nil
		answer, err = c.send(ctx, "udp", server, query)
	}
	if err == nil && answer.Truncated {
		answer, err = c.send(ctx, "tcp", server, query)
		if err == nil && answer.Truncated {
			err = errors.New("truncates its answer even over TCP")
		}
	}
	return answer, err
}

// send sends the query from a fresh port and waits for the answer to it. Over
// UDP, it ignores whatever else arrives, which may be forged.
func (c *Client) send(ctx context.Context, network, server string, query *dns.Msg) (*dns.Msg, error) {
	query.Id = dns.Id()
	deadline := time.Now().Add(c.timeout)
	if limit, ok := ctx.Deadline(); ok && limit.Before(deadline) {
		deadline = limit
	}
	var dialer net.Dialer
	if network == "tcp" {
		dialer.Deadline = deadline // a UDP "connection" takes no time
	}
	conn, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return nil, TransportError(err)
	}
	defer conn.Close()
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	wire := &dns.Conn{Conn: conn, UDPSize: udpSize}
	if err := wire.WriteMsg(query); err != nil {
		return nil, TransportError(err)
	}
	for {
		message, err := wire.ReadMsgHeader(nil)
		if errors.Is(err, dns.ErrShortRead) && network == "udp" {
			continue
		}
		if err != nil {
			return nil, TransportError(err)
		}
		answer, err := readAnswer(message, query)
		if errors.Is(err, ErrOtherQuestion) && network == "udp" {
			continue
		}
		return answer, err
	}
}
