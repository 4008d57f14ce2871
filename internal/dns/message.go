package dns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Question checks a name and a record type, and returns them as they are sent.
func Question(name, recordType string) (string, uint16, error) {
	qtype, ok := dns.StringToType[recordType]
	if !ok || qtype == dns.TypeNone {
		return "", 0, fmt.Errorf("%q is not a record type that can be asked for", recordType)
	}
	qname := strings.ToLower(dns.Fqdn(name))
	if _, ok := dns.IsDomainName(qname); !ok || name == "" {
		return "", 0, errors.New("not a valid DNS name")
	}
	return qname, qtype, nil
}

// describe names a question in error messages.
func describe(qname string, qtype uint16) string {
	return dns.TypeToString[qtype] + " of " + strings.TrimSuffix(qname, ".")
}

// headerSize is the length of a message's header (RFC 1035 §4.1.1).
const headerSize = 12

// readAnswer reads a message and makes sure that it answers the query. A server
// that cannot read a question or does not serve it may leave it out.
func readAnswer(message []byte, query *dns.Msg) (*dns.Msg, error) {
	if len(message) < headerSize || binary.BigEndian.Uint16(message) != query.Id {
		return nil, ErrOtherQuestion
	}
	answer := new(dns.Msg)
	if err := answer.Unpack(message); err != nil {
		return nil, errMalformed
	}
	// Unpack accepts counts that are higher than the number of records. Records
	// that got lost on the way must not pass for records that do not exist.
	read := [4]int{len(answer.Question), len(answer.Answer), len(answer.Ns), len(answer.Extra)}
	isSettled := answer.Rcode == dns.RcodeSuccess || answer.Rcode == dns.RcodeNameError
	if isSettled && headerCounts(message) != read {
		return nil, errMalformed
	}
	if !answer.Response || answer.Opcode != query.Opcode {
		return nil, ErrOtherQuestion
	}
	switch {
	case len(answer.Question) == 0 && !isSettled:
		return answer, nil
	case len(answer.Question) != 1:
		return nil, ErrOtherQuestion
	}
	want, got := query.Question[0], answer.Question[0]
	if got.Qtype != want.Qtype || got.Qclass != want.Qclass || !strings.EqualFold(got.Name, want.Name) {
		return nil, ErrOtherQuestion
	}
	return answer, nil
}

// headerCounts returns the numbers of questions and records that the header of a
// message announces (RFC 1035 §4.1.1).
func headerCounts(message []byte) (counts [4]int) {
	for i := range counts {
		counts[i] = int(binary.BigEndian.Uint16(message[4+2*i:]))
	}
	return counts
}

// checkFinal returns an error if the answer is not final, so that another server
// has to be asked.
func checkFinal(answer *dns.Msg) error {
	switch answer.Rcode {
	case dns.RcodeNameError:
		return nil
	case dns.RcodeSuccess:
	default:
		return CodeError(answer.Rcode)
	}
	if len(answer.Answer) == 0 && !answer.Authoritative && isReferral(answer) {
		return ErrReferral
	}
	return nil
}

// isReferral reports whether an answer without records names other servers.
func isReferral(answer *dns.Msg) bool {
	has := func(rrtype uint16) bool {
		return slices.ContainsFunc(answer.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == rrtype })
	}
	return has(dns.TypeNS) && !has(dns.TypeSOA)
}
