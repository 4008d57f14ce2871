package client

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"signpost/internal/doctor/probe"
)

// exchangers returns the hosts of an MX answer, the most preferred first, those of equal
// preference in the order of the answer. The null MX (RFC 7505) is none.
func exchangers(a probe.DNSAnswer) []string {
	type exchanger struct {
		host       string
		preference int
	}
	var all []exchanger
	for _, r := range a.OfType("MX") {
		preference, host, _ := strings.Cut(r.Data, " ")
		number, err := strconv.Atoi(preference)
		if host = hostname(host); err == nil && host != "" {
			all = append(all, exchanger{host, number})
		}
	}
	slices.SortStableFunc(all, func(a, b exchanger) int { return cmp.Compare(a.preference, b.preference) })
	hosts := make([]string, len(all))
	for i, e := range all {
		hosts[i] = e.host
	}
	return hosts
}

// SRV is an SRV record (RFC 2782).
type SRV struct {
	Priority, Weight, Port int
	Target                 string // lower case, without the final dot; empty for "not available"
}

// Services returns the SRV records of an answer, in its order.
func Services(a probe.DNSAnswer) []SRV {
	var all []SRV
	for _, r := range a.OfType("SRV") {
		words := strings.Fields(r.Data)
		if len(words) != 4 {
			continue
		}
		var numbers [3]int
		for i := range numbers {
			numbers[i], _ = strconv.Atoi(words[i])
		}
		all = append(all, SRV{numbers[0], numbers[1], numbers[2], hostname(words[3])})
	}
	return all
}

func hostname(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
}
