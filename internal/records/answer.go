package records

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/miekg/dns"
)

var errAliasLoop = errors.New("its CNAMEs lead in a circle or too far")

// resolve asks for a name and follows CNAMEs that the servers did not follow
// themselves (forwarders such as dnsmasq hand out one of their own without its
// target). The time is how long the answer may be remembered.
func (c *client) resolve(ctx context.Context, qname string, qtype uint16) (Answer, time.Duration, error) {
	var result Answer
	ttl := maxPositive
	seen := map[string]bool{}
	for {
		message, err := c.ask(ctx, qname, qtype)
		if err != nil {
			return Answer{}, 0, err
		}
		part, last, err := follow(message, qname, qtype, seen)
		if err != nil {
			return Answer{}, 0, err
		}
		result.Status = part.Status
		result.Records = append(result.Records, part.Records...)
		for _, record := range part.Records {
			ttl = min(ttl, time.Duration(record.TTL)*time.Second)
		}
		negative, told := negativeTTL(message)
		switch {
		case part.Status == Found:
			return result, max(ttl, minPositive), nil
		case part.Status == NoData && last != qname && !told:
			qname = last
			continue
		}
		return result, min(max(min(ttl, negative), minNegative), maxNegative), nil
	}
}

// follow reads from a message what it says of a name: the chain of CNAMEs that
// begins there and the records at its end. What else the message holds was not
// asked for and is not believed. It returns the name at which the chain ends.
func follow(message *dns.Msg, qname string, qtype uint16, seen map[string]bool) (Answer, string, error) {
	var answer Answer
	name := qname
	for {
		if seen[name] || len(seen) > maxAliases {
			return Answer{}, "", errAliasLoop
		}
		seen[name] = true
		var alias *dns.CNAME
		for _, rr := range message.Answer {
			header := rr.Header()
			if header.Class != dns.ClassINET || !strings.EqualFold(header.Name, name) {
				continue
			}
			if header.Rrtype == qtype {
				answer.Records = append(answer.Records, toRecord(rr))
				answer.Status = Found
			} else if cname, ok := rr.(*dns.CNAME); ok {
				alias = cname
			}
		}
		switch {
		case len(answer.Records) > 0 && answer.Records[len(answer.Records)-1].Type == dns.TypeToString[qtype]:
			return answer, name, nil
		case alias != nil:
			answer.Records = append(answer.Records, toRecord(alias))
			name = strings.ToLower(alias.Target)
		case message.Rcode == dns.RcodeNameError:
			answer.Status = NoName
			return answer, name, nil
		default:
			answer.Status = NoData
			if name != qname {
				delete(seen, name) // it was not asked for yet
			}
			return answer, name, nil
		}
	}
}

// negativeTTL is how long the lack of a record may be remembered, and whether
// the message says so (RFC 2308 §5).
func negativeTTL(message *dns.Msg) (time.Duration, bool) {
	for _, rr := range message.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return time.Duration(min(soa.Minttl, soa.Hdr.Ttl)) * time.Second, true
		}
	}
	return minNegative, false
}

func toRecord(rr dns.RR) Record {
	header := rr.Header()
	return Record{
		Name: strings.ToLower(strings.TrimSuffix(header.Name, ".")),
		TTL:  header.Ttl,
		Type: dns.TypeToString[header.Rrtype],
		Data: strings.TrimPrefix(rr.String(), header.String()),
	}
}
