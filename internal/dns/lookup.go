package dns

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// MX is a mail exchanger of a domain.
type MX struct {
	Host       string // lower case, without the final dot
	Preference uint16 // the lowest is the best (RFC 5321 §5.1)
}

// LookupMX returns the mail exchangers of a domain, the most preferred first,
// those of equal preference by name. It returns none and no error for a domain
// that does not exist, has no MX record or accepts no mail (RFC 7505). An error
// means that DNS gave no answer. Where it gave one before, that is returned for a day
// (RFC 8767): mailboxes do not move because a name server fails.
func (r *Resolver) LookupMX(ctx context.Context, domain string) ([]MX, error) {
	answer, err := r.lookup(ctx, domain, "MX", true)
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
	var v4, v6 []netip.Addr
	var failure4, failure6 error
	var both sync.WaitGroup
	both.Go(func() { v6, failure6 = r.addresses(ctx, host, "AAAA") })
	v4, failure4 = r.addresses(ctx, host, "A")
	both.Wait()
	if addresses := append(v4, v6...); len(addresses) > 0 {
		return addresses, nil
	}
	return nil, cmp.Or(failure4, failure6)
}

func (r *Resolver) addresses(ctx context.Context, host, recordType string) ([]netip.Addr, error) {
	answer, err := r.Lookup(ctx, host, recordType)
	if err != nil {
		return nil, err
	}
	var addresses []netip.Addr
	for _, record := range answer.OfType(recordType) {
		if address, err := netip.ParseAddr(record.Data); err == nil {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}
