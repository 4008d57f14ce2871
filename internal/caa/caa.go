// Package caa reads CAA records: which authorities may issue certificates for a name
// (RFC 8659), and for whom and how (RFC 8657).
package caa

import (
	"context"
	"strconv"
	"strings"

	"signpost/internal/dns"
)

// Lookup asks DNS for the records of a name. It follows CNAMEs.
type Lookup func(ctx context.Context, name, recordType string) (dns.Answer, error)

// Set is the relevant record set of a name (RFC 8659 section 3).
type Set struct {
	Name    string // at which the records are; empty if there are none
	Records []dns.Record
}

// Relevant returns the records that decide about a name: those at the name itself, or
// where its CNAME leads, or else at the nearest parent that has any. The parents of
// where a CNAME leads do not count. An error means that DNS gave no answer, and then
// an authority issues nothing.
func Relevant(ctx context.Context, lookup Lookup, name string) (Set, error) {
	for name != "" {
		answer, err := lookup(ctx, name, "CAA")
		if err != nil {
			return Set{}, err
		}
		if found := answer.OfType("CAA"); len(found) > 0 {
			return Set{Name: found[0].Name, Records: found}, nil
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return Set{}, nil
}

// property is what one record says.
type property struct {
	critical bool
	tag      string // in lower case
	value    string
}

// read reads the data of a record: flags, tag and the value between quotation marks
// (RFC 8659 section 4.1.1).
func read(r dns.Record) (p property, ok bool) {
	fields := strings.SplitN(r.Data, " ", 3)
	if len(fields) < 3 {
		return p, false
	}
	flags, err := strconv.ParseUint(fields[0], 10, 8)
	return property{flags&128 != 0, strings.ToLower(fields[1]), dns.Unquote(fields[2])}, err == nil
}

// known reports whether an authority may know the property, so that it may be
// critical. The list is IANA's registry of CAA properties.
func (p property) known() bool {
	switch p.tag {
	case "issue", "issuewild", "iodef", "contactemail", "contactphone", "issuevmc", "issuemail":
		return true
	}
	return false
}

// issuer is the value of an issue property.
type issuer struct {
	domain     string // in lower case; empty for nobody
	parameters map[string]string
}

// readIssuer reads the value of an issue property. One that does not follow the grammar
// names nobody (RFC 8659 section 4.2), nor does one that repeats a parameter (RFC 8657
// sections 3 and 4).
func readIssuer(value string) issuer {
	const space = " \t"
	domain, rest, _ := strings.Cut(value, ";")
	i := issuer{strings.ToLower(strings.Trim(domain, space)), map[string]string{}}
	if strings.Trim(rest, space) == "" {
		return i
	}
	for parameter := range strings.SplitSeq(rest, ";") {
		tag, value, ok := strings.Cut(parameter, "=")
		tag, value = strings.Trim(tag, space), strings.Trim(value, space)
		_, twice := i.parameters[tag]
		if !ok || twice || !isTag(tag) || strings.ContainsFunc(value, isNoValue) {
			return issuer{}
		}
		i.parameters[tag] = value
	}
	return i
}

func isTag(tag string) bool {
	return tag != "" && !strings.ContainsFunc(tag, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) && tag[0] != '-' && tag[len(tag)-1] != '-'
}

func isNoValue(r rune) bool { return r <= ' ' || r > '~' }
