package dns

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Status says what a name server knows about a name and a record type.
type Status int

// The three kinds of answers (RFC 2308 §2).
const (
	Found  Status = iota
	NoData        // the name exists, but has no record of the type
	NoName        // NXDOMAIN
)

// Answer is what DNS says about a name.
type Answer struct {
	Status Status
	// Records are the CNAMEs that lead from the name, in order, followed by the
	// records of the type asked for.
	Records []Record
}

// OfType returns the records of a type, in the order of the answer.
func (a Answer) OfType(recordType string) []Record {
	var records []Record
	for _, r := range a.Records {
		if r.Type == recordType {
			records = append(records, r)
		}
	}
	return records
}

var errAliasLoop = errors.New("its CNAMEs lead in a circle or too far")

// resolve asks for a name and follows the CNAMEs that the servers did not follow
// themselves: forwarders such as dnsmasq return one of their own without its
// target. It also returns how long the answer may be cached.
func (c *Client) resolve(ctx context.Context, qname string, qtype uint16) (Reply, time.Duration, error) {
	result := Reply{Authentic: true}
	ttl := maxPositive
	seen := map[string]bool{}
	for range maxQuestions {
		message, err := c.ask(ctx, qname, qtype)
		if err != nil {
			return Reply{}, 0, err
		}
		part, last, err := follow(message, qname, qtype, seen)
		if err != nil {
			return Reply{}, 0, err
		}
		result.Status = part.Status
		result.Records = append(result.Records, part.Records...)
		result.Authentic = result.Authentic && message.AuthenticatedData
		for _, record := range part.Records {
			ttl = min(ttl, time.Duration(record.TTL)*time.Second)
		}
		negative, hasSOA := negativeTTL(message)
		switch {
		case part.Status == Found:
			return result, max(ttl, minPositive), nil
		case part.Status == NoData && last != qname && !hasSOA:
			qname = last
			continue
		}
		return result, min(max(min(ttl, negative), minNegative), maxNegative), nil
	}
	return Reply{}, 0, errAliasLoop
}

// follow reads what a message says about a name: the chain of CNAMEs that begins
// there and the records at its end. Whatever else the message holds was not asked
// for and is not trusted. It also returns the name at which the chain ends.
func follow(message *dns.Msg, qname string, qtype uint16, seen map[string]bool) (Answer, string, error) {
	var answer Answer
	name := qname
	for {
		if seen[name] || len(seen) > maxAliases {
			return Answer{}, "", errAliasLoop
		}
		seen[name] = true
		found, alias := recordsAt(message, name, qtype)
		switch {
		case len(found) > 0:
			answer.Records = append(answer.Records, found...)
			answer.Status = Found
			return answer, name, nil
		case alias != nil:
			answer.Records = append(answer.Records, RecordOf(alias))
			name = strings.ToLower(alias.Target)
		case message.Rcode == dns.RcodeNameError:
			answer.Status = NoName
			return answer, name, nil
		default:
			answer.Status = NoData
			if name != qname {
				delete(seen, name) // it has not been asked for yet
			}
			return answer, name, nil
		}
	}
}

// recordsAt returns the message's records of a type at a name, and the CNAME
// there, if any.
func recordsAt(message *dns.Msg, name string, qtype uint16) (found []Record, alias *dns.CNAME) {
	for _, rr := range message.Answer {
		header := rr.Header()
		if header.Class != dns.ClassINET || !strings.EqualFold(header.Name, name) {
			continue
		}
		if header.Rrtype == qtype {
			found = append(found, RecordOf(rr))
		} else if cname, ok := rr.(*dns.CNAME); ok {
			alias = cname
		}
	}
	return found, alias
}

// negativeTTL returns how long the lack of a record may be cached, and whether
// the message says so (RFC 2308 §5).
func negativeTTL(message *dns.Msg) (time.Duration, bool) {
	for _, rr := range message.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return time.Duration(min(soa.Minttl, soa.Hdr.Ttl)) * time.Second, true
		}
	}
	return minNegative, false
}
