package records

import (
	"net/netip"
	"slices"
	"strings"

	"signpost/internal/dns"
)

// host compares the records at a name that clients ask over HTTP.
func (k *check) host(label string) error {
	want := k.wanted(label, HostTypes...)
	name := label + "." + k.domain.Name
	var have []dns.Record // the records at the name itself
	var answers [3]dns.Answer
	for i, recordType := range HostTypes {
		answer, err := k.lookup(label, recordType)
		if err != nil {
			return err
		}
		answers[i] = answer
		for _, r := range answer.Records {
			if r.Name == name && !slices.ContainsFunc(have, func(h dns.Record) bool {
				return h.Type == r.Type && h.Data == r.Data
			}) {
				have = append(have, r)
			}
		}
	}
	if len(have) == 0 {
		if len(want) > 0 {
			k.missing(label, want)
		}
		return nil
	}
	alias := slices.ContainsFunc(have, func(r dns.Record) bool { return r.Type == "CNAME" })
	if alias && slices.ContainsFunc(have, func(r dns.Record) bool { return r.Type != "CNAME" }) {
		k.found(Harmful, label, "has a CNAME beside other data, which servers and resolvers treat as they like",
			have, want)
		return nil
	}
	if alias {
		// Some servers allow a TXT record beside a CNAME.
		text, err := k.lookup(label, "TXT")
		if err != nil {
			return err
		}
		if texts := text.OfType("TXT"); len(texts) > 0 && texts[0].Name == name {
			k.found(Harmful, label, "has a CNAME beside other data, which servers and resolvers treat as they like",
				texts, nil)
			return nil
		}
	}
	if len(want) > 0 && dns.SameData(have, want) {
		if want[0].Type == "CNAME" {
			if len(k.reachable(label, targets(want))) == 0 {
				return nil
			}
		}
		k.ask(label)
		return nil
	}
	if len(want) > 0 && k.sameAddresses(name, want) {
		k.ask(label)
		return nil // even if the addresses come from a wildcard
	}
	for i, recordType := range HostTypes {
		if wildcard, err := k.fromWildcard(answers[i], recordType); err != nil {
			return err
		} else if wildcard && len(want) == 0 {
			return nil // the name has no records of its own
		} else if wildcard {
			k.found(Harmful, label, "is swallowed by the wildcard *."+k.domain.Name+
				", which leads clients to "+targets(have),
				nil, want)
			return nil
		}
	}
	wrong := k.foreign(have, want)
	switch {
	case len(wrong) > 0 && len(wrong) < len(have):
		var missing []dns.Record
		if want[0].Type != "CNAME" {
			missing = without(want, have)
		}
		k.found(Harmful, label, "also leads to "+targets(wrong)+", which is not this service: clients go there, too, "+
			"and authorities that check the name there issue no certificate", wrong, missing)
	case len(want) == 0:
		k.found(Superfluous, label, "is there, but there is nothing to ask for", have, nil)
	case label == "autodiscover" && slices.Contains(k.domain.redirects, targets(have)):
		k.found(Different, label, "leads straight to "+targets(have)+
			", whose certificate needs this name for clients that ask by HTTPS alone", nil, want).Warning = true
	default:
		k.found(Different, label, "leads to "+targets(have)+" instead of "+targets(want), have, want)
	}
	return nil
}

// foreign returns the addresses at a name that are not the service's, none if the
// addresses of the service cannot be looked up.
func (k *check) foreign(have, want []dns.Record) (foreign []dns.Record) {
	ours := want
	if len(want) > 0 && want[0].Type == "CNAME" {
		ours = nil
		for _, recordType := range []string{"A", "AAAA"} {
			answer, err := k.resolver.Lookup(k.ctx, targets(want), recordType)
			if err != nil {
				return nil
			}
			ours = append(ours, answer.OfType(recordType)...)
		}
	}
	return without(have, ours)
}

// without returns the records whose data no other record has.
func without(records, others []dns.Record) []dns.Record {
	return slices.DeleteFunc(slices.Clone(records), func(r dns.Record) bool {
		return slices.ContainsFunc(others, func(o dns.Record) bool { return o.Type == r.Type && o.Data == r.Data })
	})
}

// targets lists where records lead, for a message.
func targets(records []dns.Record) string {
	var targets []string
	for _, r := range records {
		targets = append(targets, strings.TrimSuffix(r.Data, "."))
	}
	return strings.Join(targets, ", ")
}

// reachable returns the addresses of the host to which a name rightly leads. It adds
// a finding if there are none, or if they cannot be looked up.
func (k *check) reachable(label, host string) []netip.Addr {
	addresses, err := k.resolver.LookupAddresses(k.ctx, host)
	problem := ""
	switch {
	case k.ctx.Err() != nil || len(addresses) > 0:
		return addresses
	case err != nil:
		problem = "cannot be looked up: " + err.Error()
	default:
		problem = "has no address"
	}
	k.found(Harmful, label, "leads to "+host+", which "+problem, nil, nil).Warning = !k.inside(host)
	return nil
}

// inside reports whether a host belongs to the domain, so that the owner of the
// domain can fix it.
func (k *check) inside(host string) bool {
	return host == k.domain.Name || strings.HasSuffix(host, "."+k.domain.Name)
}

// sameAddresses reports whether a name leads to the right host in another way:
// through addresses instead of a CNAME, as name servers that flatten CNAMEs
// answer, or through a CNAME to a CNAME. Where the addresses themselves are
// wanted, all must be there; a server that flattens a CNAME may return only some.
func (k *check) sameAddresses(name string, want []dns.Record) bool {
	have, err := k.resolver.LookupAddresses(k.ctx, name)
	if err != nil || len(have) == 0 {
		return false
	}
	if want[0].Type == "CNAME" {
		should, err := k.resolver.LookupAddresses(k.ctx, targets(want))
		return err == nil && within(have, should)
	}
	var should []netip.Addr
	for _, r := range want {
		address, _ := netip.ParseAddr(r.Data)
		should = append(should, address)
	}
	return within(have, should) && within(should, have)
}

// within reports whether every address of some is in others.
func within(some, others []netip.Addr) bool {
	return !slices.ContainsFunc(some, func(a netip.Addr) bool { return !slices.Contains(others, a) })
}
