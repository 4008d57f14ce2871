package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"signpost/internal/doctor/probe"
)

// Mail implements probe.Asker. It speaks the four protocols itself: go-imap's client has
// no bound for what a server sends and discards the greeting's text, go-smtp's has none for the number
// of lines and gives neither the greeting nor its time, and neither tells a web server from a
// broken mail server. No more than the first lines of a session is needed, and never a
// password or an envelope.
func (n *Network) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	speaker := speakers[q.Type]
	if speaker == nil {
		return probe.MailAnswer{Failure: &probe.Failure{Kind: probe.NotAsked,
			Text: "no mail protocol: " + string(q.Type)}}
	}
	failure := mayAsk(q.Port)
	if failure == nil {
		failure = n.counts.take(mailConnections, MaxMail)
	}
	if failure != nil {
		return probe.MailAnswer{Failure: failure}
	}
	conn := n.dial(ctx, q.Host, q.Port, q.Address)
	defer conn.Close()
	if conn.failure != nil {
		return probe.MailAnswer{Address: conn.address, Failure: conn.failure, Took: conn.elapsed()}
	}
	connected := conn.elapsed()
	answer := talk(ctx, conn, q, speaker(n.hello(conn)), n.options.Roots)
	answer.Address, answer.Connected = conn.address, connected
	answer.Took += connected
	return answer
}

// hello returns the name for EHLO: the address as a literal if there is no name (RFC 5321 §4.1.3).
func (n *Network) hello(conn net.Conn) string {
	if n.options.Hello != "" {
		return n.options.Hello
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return "localhost"
	}
	if address := local.Addr().Unmap(); address.Is4() {
		return "[" + address.String() + "]"
	}
	return "[IPv6:" + local.Addr().WithZone("").String() + "]"
}

// mayAsk returns why a port must not be connected to, or nil. Documents and SRV records
// of strangers name ports, so those below 1024 are only the ones of mail for clients, with 26, which
// hosters use where 25 and 587 are blocked. 25 is between servers, and who connects to it from
// a home is listed as a source of spam.
func mayAsk(port int) *probe.Failure {
	switch port {
	case 26, 110, 143, 465, 587, 993, 995:
		return nil
	case 25:
		return &probe.Failure{Kind: probe.Forbidden, Text: "port 25 is never asked"}
	}
	if port < 1 || port > 65535 {
		return &probe.Failure{Kind: probe.Unreachable, Text: fmt.Sprintf("there is no port %d", port)}
	}
	if port < 1024 {
		return &probe.Failure{Kind: probe.Forbidden,
			Text: fmt.Sprintf("port %d is not one of mail and is not asked", port)}
	}
	return nil
}
