package records

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// udpSize is what we say that we take over UDP: it passes unfragmented nearly
// everywhere (DNS Flag Day 2020; BIND, Unbound and Knot use the same).
const udpSize = 1232

// client asks a list of name servers the same question until one answers it.
type client struct {
	servers   []string // host:port
	timeout   time.Duration
	recursion bool // asked of the servers; not of those that know themselves
	// first is where asking begins: a server that stayed silent while
	// another one answered is not asked first again.
	first atomic.Int32
}

// serverAddresses completes addresses of name servers with the port.
func serverAddresses(servers []string) ([]string, error) {
	port := "53"
	if len(servers) == 0 {
		system, err := dns.ClientConfigFromFile("/etc/resolv.conf")
		switch {
		case errors.Is(err, os.ErrNotExist), err == nil && len(system.Servers) == 0:
			servers = []string{"127.0.0.1", "::1"} // resolv.conf(5)
		case err != nil:
			return nil, fmt.Errorf("/etc/resolv.conf: %w", err)
		default:
			servers, port = system.Servers, system.Port
		}
	}
	addresses := make([]string, len(servers))
	for i, server := range servers {
		address, err := serverAddress(server, port)
		if err != nil {
			return nil, err
		}
		addresses[i] = address
	}
	return addresses, nil
}

func serverAddress(server, defaultPort string) (string, error) {
	bare := strings.TrimSuffix(strings.TrimPrefix(server, "["), "]")
	if net.ParseIP(withoutZone(bare)) != nil {
		return net.JoinHostPort(bare, defaultPort), nil
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = server, defaultPort
	}
	number, err := strconv.ParseUint(port, 10, 16)
	_, isName := dns.IsDomainName(host)
	if err != nil || number == 0 || host == "" || strings.ContainsAny(host, " \t/") || !isName && net.ParseIP(withoutZone(host)) == nil {
		return "", fmt.Errorf("%q is not the address of a name server", server)
	}
	return net.JoinHostPort(host, port), nil
}

func withoutZone(ip string) string {
	ip, _, _ = strings.Cut(ip, "%")
	return ip
}

// ask returns the first answer that settles the question: anything but a
// refusal, a failure or silence. Who was silent is asked once more, as UDP loses
// packets.
func (c *client) ask(ctx context.Context, qname string, qtype uint16) (*dns.Msg, error) {
	var failures askError
	spoke := make([]bool, len(c.servers))
	first := int(c.first.Load())
	for try := range 2 * len(c.servers) {
		index := (first + try) % len(c.servers)
		server := c.servers[index]
		if spoke[index] {
			continue
		}
		answer, err := c.exchange(ctx, server, qname, qtype)
		if err == nil {
			err = settles(answer)
		}
		if err == nil {
			if index != first {
				c.first.Store(int32(index))
			}
			return answer, nil
		}
		spoke[index] = !errors.Is(err, errSilent)
		if try < len(c.servers) {
			failures = append(failures, fmt.Errorf("%s %w", server, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, failures
}

// askError is why each of the servers did not settle a question.
type askError []error

func (e askError) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, ", ")
}

// Unwrap lets callers tell silence from refusal.
func (e askError) Unwrap() []error { return e }

// exchange asks one server, over TCP where the answer is too long for UDP, and
// without EDNS where the server does not know it (RFC 6891 §7).
func (c *client) exchange(ctx context.Context, server, qname string, qtype uint16) (*dns.Msg, error) {
	query := new(dns.Msg).SetQuestion(qname, qtype)
	query.RecursionDesired = c.recursion
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

// send sends the query from a port of its own and waits for the answer to it.
// Over UDP, whatever else arrives may be forged and is left unread.
func (c *client) send(ctx context.Context, network, server string, query *dns.Msg) (*dns.Msg, error) {
	query.Id = dns.Id()
	deadline := time.Now().Add(c.timeout)
	if limit, ok := ctx.Deadline(); ok && limit.Before(deadline) {
		deadline = limit
	}
	var dialer net.Dialer
	if network == "tcp" {
		dialer.Deadline = deadline // UDP does not wait for anybody
	}
	conn, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return nil, plainly(err)
	}
	defer conn.Close()
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	wire := &dns.Conn{Conn: conn, UDPSize: udpSize}
	if err := wire.WriteMsg(query); err != nil {
		return nil, plainly(err)
	}
	for {
		octets, err := wire.ReadMsgHeader(nil)
		if errors.Is(err, dns.ErrShortRead) && network == "udp" {
			continue
		}
		if err != nil {
			return nil, plainly(err)
		}
		answer, err := readAnswer(octets, query)
		if errors.Is(err, errNotOurs) && network == "udp" {
			continue
		}
		return answer, err
	}
}

var (
	errSilent    = errors.New("does not answer")
	errReferral  = errors.New("only refers to other name servers")
	errNotOurs   = errors.New("answers another question than ours")
	errMalformed = errors.New("sends a malformed answer")
)

// readAnswer reads a message and makes sure that it answers the query. A server
// that cannot read a question or does not serve it may leave it out.
func readAnswer(octets []byte, query *dns.Msg) (*dns.Msg, error) {
	if len(octets) < 12 || octets[0] != byte(query.Id>>8) || octets[1] != byte(query.Id) {
		return nil, errNotOurs
	}
	answer := new(dns.Msg)
	if err := answer.Unpack(octets); err != nil {
		return nil, errMalformed
	}
	// Counts that promise more than there is are cut down by Unpack; records
	// that got lost on the way must not pass for records that do not exist.
	if answer.Rcode == dns.RcodeSuccess && promised(octets) != [4]int{len(answer.Question), len(answer.Answer), len(answer.Ns), len(answer.Extra)} {
		return nil, errMalformed
	}
	if !answer.Response || answer.Opcode != query.Opcode {
		return nil, errNotOurs
	}
	switch {
	case len(answer.Question) == 0 && answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError:
		return answer, nil
	case len(answer.Question) != 1:
		return nil, errNotOurs
	}
	asked, got := query.Question[0], answer.Question[0]
	if got.Qtype != asked.Qtype || got.Qclass != asked.Qclass || !strings.EqualFold(got.Name, asked.Name) {
		return nil, errNotOurs
	}
	return answer, nil
}

// promised are the counts in the header of a message (RFC 1035 §4.1.1).
func promised(octets []byte) (counts [4]int) {
	for i := range counts {
		counts[i] = int(binary.BigEndian.Uint16(octets[4+2*i:]))
	}
	return counts
}

// settles reports, as an error, why an answer does not settle its question.
func settles(answer *dns.Msg) error {
	switch answer.Rcode {
	case dns.RcodeNameError:
		return nil
	case dns.RcodeSuccess:
	default:
		if name, ok := dns.RcodeToString[answer.Rcode]; ok {
			return errors.New("answers " + name)
		}
		return fmt.Errorf("answers with code %d", answer.Rcode)
	}
	if len(answer.Answer) == 0 && !answer.Authoritative && isReferral(answer) {
		return errReferral
	}
	return nil
}

func isReferral(answer *dns.Msg) bool {
	referral := false
	for _, rr := range answer.Ns {
		switch rr.Header().Rrtype {
		case dns.TypeSOA:
			return false
		case dns.TypeNS:
			referral = true
		}
	}
	return referral
}

// plainly says in a few words what went wrong on the way to a server.
func plainly(err error) error {
	var network net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("was not waited for")
	case errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return errSilent
	case errors.As(err, &op):
		var system *os.SyscallError
		if errors.As(op.Err, &system) {
			return fmt.Errorf("cannot be reached: %w", system.Err)
		}
		return fmt.Errorf("cannot be reached: %w", op.Err)
	}
	return fmt.Errorf("ends the connection: %w", err)
}
