package dns

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// MX is a mail exchanger of a domain.
type MX struct {
	Host       string // lower case, without the final dot
	Preference uint16 // the lowest is the best (RFC 5321 §5.1)
}

// LookupMX returns the mail exchangers of a domain, the most preferred first,
// those of equal preference by name. It returns none and no error for a domain
// that does not exist, has no MX record or accepts no mail (RFC 7505). An error
// means that DNS gave no answer.
func (r *Resolver) LookupMX(ctx context.Context, domain string) ([]MX, error) {
	answer, err := r.Lookup(ctx, domain, "MX")
	if err != nil {
		return nil, err
	}
	var hosts []MX
	for _, record := range answer.OfType("MX") {
		preference, host, _ := strings.Cut(record.Data, " ")
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		number, err := strconv.ParseUint(preference, 10, 16)
		if err != nil || host == "" {
			continue
		}
		hosts = append(hosts, MX{Host: host, Preference: uint16(number)})
	}
	slices.SortFunc(hosts, func(a, b MX) int {
		return cmp.Or(cmp.Compare(a.Preference, b.Preference), strings.Compare(a.Host, b.Host))
	})
	return hosts, nil
}

// LookupAddresses returns the IPv4 and IPv6 addresses of a host. Some name
// servers fail to answer the question for one of the two kinds. That is an
// error only if the host has no address of the other kind.
func (r *Resolver) LookupAddresses(ctx context.Context, host string) ([]netip.Addr, error) {
	var addresses []netip.Addr
	var failure error
	for _, recordType := range []string{"A", "AAAA"} {
		answer, err := r.Lookup(ctx, host, recordType)
		if err != nil {
			failure = cmp.Or(failure, err)
			continue
		}
		for _, record := range answer.OfType(recordType) {
			if address, err := netip.ParseAddr(record.Data); err == nil {
				addresses = append(addresses, address)
			}
		}
	}
	if len(addresses) > 0 {
		return addresses, nil
	}
	return nil, failure
}
