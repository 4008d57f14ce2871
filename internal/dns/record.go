package dns

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Record is one resource record.
type Record struct {
	Name string `json:"name"` // without the final dot
	TTL  uint32 `json:"ttl"`
	Type string `json:"type"` // SRV, TXT, CNAME, A, AAAA, MX, …
	Data string `json:"data"` // as in a zone file: host names with the final dot, texts quoted
}

// RecordOf converts a record that was read from a message.
func RecordOf(rr dns.RR) Record {
	header := rr.Header()
	return Record{
		Name: strings.ToLower(strings.TrimSuffix(header.Name, ".")),
		TTL:  header.Ttl,
		Type: dns.TypeToString[header.Rrtype],
		Data: strings.TrimPrefix(rr.String(), header.String()),
	}
}

// String returns the record as a line of a zone file.
func (r Record) String() string { return fmt.Sprintf("%s. %d IN %s %s", r.Name, r.TTL, r.Type, r.Data) }

// CanonicalData returns the data in a form that is the same for equal data,
// whatever the name server's spelling.
func (r Record) CanonicalData() string {
	if r.Type == "TXT" {
		return Unquote(r.Data)
	}
	return strings.ToLower(r.Data)
}

// SameData reports whether two sets of records hold the same data. Names and
// TTLs do not count, nor does the order.
func SameData(a, b []Record) bool {
	if len(a) != len(b) {
		return false
	}
	return slices.Equal(CanonicalSet(a), CanonicalSet(b))
}

// CanonicalSet returns the canonical data of all records, sorted.
func CanonicalSet(records []Record) []string {
	texts := make([]string, len(records))
	for i, r := range records {
		texts[i] = r.CanonicalData()
	}
	slices.Sort(texts)
	return texts
}
