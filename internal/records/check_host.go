package records

import (
	"slices"
	"strings"
)

// host compares a name that clients ask over HTTP.
func (k *check) host(label string) error {
	want := k.wanted(label, hostTypes...)
	name := label + "." + k.domain.Name
	var have []Record // at the name itself
	var answers [3]Answer
	for i, recordType := range hostTypes {
		answer, err := k.look(label, recordType)
		if err != nil {
			return err
		}
		answers[i] = answer
		for _, r := range answer.Records {
			if r.Name == name && !slices.ContainsFunc(have, func(h Record) bool { return h.Type == r.Type && h.Data == r.Data }) {
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
	alias := slices.ContainsFunc(have, func(r Record) bool { return r.Type == "CNAME" })
	if alias && slices.ContainsFunc(have, func(r Record) bool { return r.Type != "CNAME" }) {
		k.found(Harmful, label, "has a CNAME beside other data, which servers and resolvers treat as they like", have, want)
		return nil
	}
	if alias {
		// A server that allows it may have texts there as well.
		text, err := k.look(label, "TXT")
		if err != nil {
			return err
		}
		if texts := text.ofType("TXT"); len(texts) > 0 && texts[0].Name == name {
			k.found(Harmful, label, "has a CNAME beside other data, which servers and resolvers treat as they like", texts, nil)
			return nil
		}
	}
	if len(want) > 0 && sameSet(have, want) {
		k.reachable(label, want)
		return nil
	}
	if len(want) > 0 && k.sameAddresses(name, want) {
		return nil // by whatever way, a wildcard's too
	}
	for i, recordType := range hostTypes {
		if swallowed, err := k.swallowed(answers[i], recordType); err != nil {
			return err
		} else if swallowed && len(want) == 0 {
			return nil // nothing of its own is there
		} else if swallowed {
			k.found(Harmful, label, "is swallowed by the wildcard *."+k.domain.Name+", which leads clients to "+where(have), nil, want)
			return nil
		}
	}
	if len(want) == 0 {
		k.found(Superfluous, label, "is there, but there is nothing to ask for", have, nil)
	} else {
		k.found(Different, label, "leads to "+where(have)+" instead of "+where(want), have, want)
	}
	return nil
}

// where says in words where a host name leads.
func where(records []Record) string {
	var places []string
	for _, r := range records {
		places = append(places, strings.TrimSuffix(r.Data, "."))
	}
	return strings.Join(places, ", ")
}

// sameSet reports whether the records hold the same; case and TTL aside.
func sameSet(a, b []Record) bool { return allData(a) == allData(b) }

// reachable makes sure that a right CNAME leads somewhere.
func (k *check) reachable(label string, want []Record) {
	if want[0].Type != "CNAME" {
		return
	}
	target := strings.TrimSuffix(want[0].Data, ".")
	addresses, _, err := k.addresses(target)
	k.noAddress(label, target, addresses, err)
}

// noAddress notes a host that clients are led to in vain.
func (k *check) noAddress(label, host string, addresses []string, err error) {
	switch {
	case k.ctx.Err() != nil:
	case err != nil:
		k.found(Harmful, label, "leads to "+host+", which cannot be looked up: "+err.Error(), nil, nil).Warning = !k.inside(host)
	case len(addresses) == 0:
		k.found(Harmful, label, "leads to "+host+", which has no address", nil, nil).Warning = !k.inside(host)
	}
}

// inside reports whether a host belongs to the domain, so that whoever runs the
// domain can mend it.
func (k *check) inside(host string) bool {
	return host == k.domain.Name || strings.HasSuffix(host, "."+k.domain.Name)
}

// sameAddresses reports whether a name leads where it should by another way:
// addresses instead of a CNAME, as name servers that flatten them give, or a
// CNAME of a CNAME. Where the addresses themselves are wanted, all must be there;
// a server that flattens a CNAME may give some of them only.
func (k *check) sameAddresses(name string, want []Record) bool {
	have, _, err := k.addresses(name)
	if err != nil || len(have) == 0 {
		return false
	}
	var should []string
	alias := want[0].Type == "CNAME"
	if alias {
		if should, _, err = k.addresses(strings.TrimSuffix(want[0].Data, ".")); err != nil {
			return false
		}
	} else {
		for _, r := range want {
			should = append(should, r.Data)
		}
	}
	return within(have, should) && (alias || within(should, have))
}

// within reports whether all of some are among others.
func within(some, others []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(others, s) })
}
