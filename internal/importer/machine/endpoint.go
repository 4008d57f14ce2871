package machine

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// endpoint is a port at which people sign in.
type endpoint struct {
	kind    account.ServerType
	port    int
	socket  account.SocketType
	address string // it listens at; empty is everywhere
	at      draft.Place
	name    string // that the configuration has for it

	// These are only known of an endpoint that clients are told.
	methods []account.Authentication
	host    string

	service  *service // of Postfix, or nil
	protocol string   // of Dovecot
}

// reach is from where an address can be dialled.
type reach int

const (
	anywhere  reach = iota
	inside          // a private network
	onMachine       // this machine
)

// reachOf returns from where the address of a listener can be dialled. A name counts as
// anywhere: what it resolves to is not asked.
func reachOf(address string) reach {
	address = strings.Trim(address, "[]")
	if strings.EqualFold(address, "localhost") || address == "loopback-only" {
		return onMachine
	}
	ip, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return anywhere
	case ip.IsLoopback():
		return onMachine
	case ip.IsPrivate() || ip.IsLinkLocalUnicast():
		return inside
	}
	return anywhere
}

// reachOfAll returns the widest reach of a list of addresses.
func reachOfAll(addresses []string) reach {
	if len(addresses) == 0 {
		return anywhere
	}
	widest := onMachine
	for _, address := range addresses {
		widest = min(widest, reachOf(address))
	}
	return widest
}

// choose returns the endpoint of each type that clients are told: the one that can be
// reached, then the one with TLS from the first byte (RFC 8314 section 3), then the usual
// port. The others are named as lost: some clients take the last of two of a type.
func choose(all []endpoint, d *draft.Draft) (chosen []endpoint) {
	for _, kind := range account.ServerTypes {
		var of []endpoint
		for _, e := range all {
			switch {
			case e.kind != kind:
			case reachOfAll(list(e.address)) == onMachine:
				d.Lose(e.at, "%s is not carried over: it listens at %s only, for programs of this machine",
					e.label(), e.address)
			default:
				of = append(of, e)
			}
		}
		if len(of) == 0 {
			continue
		}
		slices.SortStableFunc(of, func(a, b endpoint) int { return cmp.Compare(a.rank(), b.rank()) })
		chosen = append(chosen, of[0])
		for _, e := range of[1:] {
			d.Lose(e.at, "%s is not carried over: clients are told port %d with %s, and one %s server is enough",
				e.label(), of[0].port, of[0].socket, kind)
		}
	}
	return chosen
}

// rank orders endpoints of one type, the best first.
func (e endpoint) rank() int {
	rank := 100 * int(reachOfAll(list(e.address)))
	switch e.socket {
	case account.STARTTLS:
		rank += 10
	case account.Plain:
		rank += 20
	}
	if e.port != account.DefaultPort(e.kind, e.socket) {
		rank++
	}
	return rank
}

// label names the endpoint in a remark.
func (e endpoint) label() string {
	if strings.HasSuffix(e.name, strconv.Itoa(e.port)) {
		return e.name
	}
	return fmt.Sprintf("%s (port %d)", e.name, e.port)
}

// complete finds out what is only known of an endpoint that clients are told.
func (m *machine) complete(e *endpoint) {
	if e.socket == account.Plain {
		m.hint("%s has no TLS: passwords would travel in clear text, and most mail clients refuse that. Switch TLS on "+
			"there, and import again", e.label())
	}
	if e.service != nil {
		if e.socket == account.STARTTLS && m.level(e.service) == "may" &&
			!m.postfix.is("smtpd_tls_auth_only", e.service) {
			m.hint("%s takes passwords without TLS, too (smtpd_tls_auth_only=no): clients are told STARTTLS, which "+
				"they then insist on", e.label())
		}
		e.methods = m.submissionMethods(e.service)
		e.host = m.host(m.postfixCertificates(e.service))
		return
	}
	e.methods = m.methods()
	e.host = m.host(m.dovecotCertificates(e.protocol))
}
