package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
	"signpost/internal/fair"
)

// The kinds of DNS questions, as messages name them.
const (
	recursiveQuestions = "DNS questions"
	uncheckedQuestions = "DNS questions without validation"
	directQuestions    = "questions to name servers"
)

// The most that is kept of one DNS answer.
const (
	maxRecords = 64
	maxText    = 8 << 10 // all data together
)

// DNS implements probe.Asker. Each question is asked once, as connections ask for addresses, too.
func (n *Network) DNS(ctx context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	return n.names.DNS(ctx, q)
}

// asker asks for the answers of Network.names.
type asker struct{ *Network }

// DNS implements probe.Asker.
func (n asker) DNS(ctx context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	switch q.View {
	case probe.Recursive:
		return n.lookup(ctx, n.resolver, recursiveQuestions, q, n.share())
	case probe.Unchecked:
		return n.lookup(ctx, n.unchecked, uncheckedQuestions, q, n.share())
	}
	server, failure := n.server(string(q.View))
	if failure != nil {
		return probe.DNSAnswer{Failure: failure}
	}
	client, err := dns.NewClient([]string{server.String()}, dns.Manner{Timeout: dnsTimeout})
	if err != nil {
		return probe.DNSAnswer{Failure: &probe.Failure{Kind: probe.NotAsked, Text: err.Error()}}
	}
	return n.lookup(ctx, client, directQuestions, q, fair.Share{Key: server.Addr(), Most: maxPerServer, Wait: 1 << 20})
}

// share returns the diagnosis's share of the places for questions.
func (n *Network) share() fair.Share { return fair.Share{Key: n, Most: maxOwn, Wait: 1 << 20} }

// server returns the address of a name server that a view names.
func (n *Network) server(view string) (netip.AddrPort, *probe.Failure) {
	server, err := netip.ParseAddrPort(view)
	if err != nil {
		a, err := netip.ParseAddr(view)
		if err != nil {
			return server, &probe.Failure{Kind: probe.NotAsked, Text: "not the address of a name server"}
		}
		server = netip.AddrPortFrom(a, 53)
	}
	if server.Port() != 53 && !n.options.AnyPort {
		return server, &probe.Failure{Kind: probe.Forbidden,
			Text: fmt.Sprintf("%s is not asked: its port is not 53", server)}
	}
	if failure := n.familyOf(server.Addr()); failure != nil {
		return server, failure
	}
	return server, n.forbids(server)
}

// lookup asks a question when it gets a place.
func (n *Network) lookup(ctx context.Context, client *dns.Client, kind string, q probe.DNSQuestion,
	share fair.Share) probe.DNSAnswer {
	if _, _, err := dns.Question(q.Name, q.Type); err != nil {
		return probe.DNSAnswer{Failure: &probe.Failure{Kind: probe.NotAsked, Text: err.Error()}}
	}
	if failure := n.counts.take(kind, MaxDNS); failure != nil {
		return probe.DNSAnswer{Failure: failure}
	}
	leave, err := questions.Acquire(ctx, share)
	if err != nil {
		return probe.DNSAnswer{Failure: ended()}
	}
	defer leave()
	began := time.Now()
	reply, err := client.Ask(ctx, q.Name, q.Type)
	answer := probe.DNSAnswer{Answer: reply.Answer, Authentic: reply.Authentic, Took: time.Since(began)}
	switch {
	case err == nil:
		answer.Truncated = cut(&answer.Answer)
	case isOver(ctx):
		answer.Failure = ended()
	case kind != directQuestions && !errors.Is(err, dns.ErrCode) && !n.resolverWorks():
		answer.Failure = &probe.Failure{Kind: probe.NotAsked, Text: fmt.Sprintf("the resolver does not work: %v", err)}
	default:
		answer.Failure = &probe.Failure{Kind: probe.NoAnswer, Text: printable(err.Error(), 300)}
	}
	return answer
}

// worksWithin is how long a resolver has for the question whether it answers at all.
const worksWithin = 4 * time.Second

// dnsTimeout limits one try. Tests shorten it.
var dnsTimeout = 2 * time.Second

// askResolver asks the resolver for the root's name servers and reports whether anything
// came back. Only a resolver that answers can leave one question unanswered and tell
// something about the domain by it.
func (n *Network) askResolver() bool {
	ctx, cancel := context.WithTimeout(context.Background(), worksWithin)
	defer cancel()
	_, err := n.resolver.Ask(ctx, ".", "NS")
	return err == nil || errors.Is(err, dns.ErrCode) || errors.Is(err, dns.ErrReferral)
}

// cut limits what is kept of an answer, and reports whether that is less than it held.
func cut(answer *dns.Answer) bool {
	size := 0
	for i := range answer.Records {
		record := &answer.Records[i]
		record.Name, record.Data = printable(record.Name, 1024), printable(record.Data, maxText)
		if size += len(record.Data); i == maxRecords || size > maxText {
			answer.Records = append([]dns.Record(nil), answer.Records[:i]...)
			return true
		}
	}
	return false
}
