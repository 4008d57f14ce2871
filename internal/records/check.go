package records

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// check is the comparison of one domain.
type check struct {
	comparer *Comparer
	ctx      context.Context
	domain   Domain
	own      *client // nil where the resolver is believed
	findings []Finding
	right    map[string]Record // the SRV records that are right, by label
}

func (k *check) all() ([]Finding, error) {
	var err error
	if k.comparer.own {
		k.own, err = k.comparer.ownServers(k.ctx, k.domain.Name)
	} else {
		_, err = k.comparer.resolver.apex(k.ctx, k.domain.Name)
	}
	if errors.Is(err, errNoDomain) {
		return []Finding{{Kind: Missing, Name: k.domain.Name, Put: lines(k.domain.Records),
			Problem: k.domain.Name + " does not exist in DNS, so that no client finds anything: register it and create its zone"}}, nil
	}
	if err != nil {
		return nil, err
	}
	var first error
	asked, failed := 0, 0
	for _, m := range managed {
		if slices.Contains(k.domain.leftOut, m.label) {
			continue
		}
		asked++
		err := k.name(m.label, m.types)
		if err == nil {
			continue
		}
		if errors.Is(err, errSilent) || k.ctx.Err() != nil {
			return k.findings, err // and so it would go on
		}
		failed++
		first = cmp.Or(first, err)
		k.found(Harmful, m.label, "cannot be looked up, and clients wait in vain: "+err.Error(), nil, nil)
	}
	if failed == asked {
		return nil, first
	}
	k.preference()
	return k.findings, nil
}

func (k *check) name(label string, types []string) error {
	switch {
	case types[0] == "CNAME":
		return k.host(label)
	case label == "_ua-auto-config":
		return k.vouchers(label)
	case len(types) == 2:
		if err := k.path(label); err != nil {
			return err
		}
	}
	return k.service(label)
}

// look asks for a name below the domain. Where the domain's own servers refer
// to others, the name lies in a zone of its own, which the resolver knows.
func (k *check) look(label, recordType string) (Answer, error) {
	name := label + "." + k.domain.Name
	if k.own != nil {
		answer, err := k.own.lookup(k.ctx, name, recordType)
		if !errors.Is(err, errReferral) {
			return answer, err
		}
	}
	return k.comparer.resolver.Lookup(k.ctx, name, recordType)
}

// wanted are the records that the domain should have at a name, of the types.
func (k *check) wanted(label string, types ...string) []Record {
	var records []Record
	for _, r := range k.domain.Records {
		if r.Name == label+"."+k.domain.Name && slices.Contains(types, r.Type) {
			records = append(records, r)
		}
	}
	return records
}

// found notes a finding: what is to go, and what is to come.
func (k *check) found(kind Kind, label, problem string, remove, put []Record) *Finding {
	name := label + "." + k.domain.Name
	k.findings = append(k.findings, Finding{
		Kind: kind, Name: name, Problem: name + " " + problem, Remove: lines(remove), Put: lines(put),
	})
	return &k.findings[len(k.findings)-1]
}

func lines(records []Record) []string {
	var lines []string
	for _, r := range records {
		lines = append(lines, r.String())
	}
	return lines
}

// missing notes that a name has nothing of what it should have. A reason names
// who looks there ("where …"), what is there, or, as a verb, what that does.
func (k *check) missing(label string, want []Record) {
	problem := "is missing, " + want[0].Reason
	if strings.HasPrefix(want[0].Reason, "says ") || strings.HasPrefix(want[0].Reason, "vouches ") {
		problem = "is missing: it " + want[0].Reason
	}
	k.found(Missing, label, problem, nil, want)
}

// swallowed reports whether the answer for a name is that which any name gets,
// as the wildcard of a domain gives it.
func (k *check) swallowed(answer Answer, recordType string) (bool, error) {
	if len(answer.Records) == 0 {
		return false, nil
	}
	probe, err := k.look(wildcardProbe, recordType)
	if err != nil || len(probe.Records) == 0 {
		return false, err
	}
	return allData(answer.Records) == allData(probe.Records), nil
}

func allData(records []Record) string {
	texts := make([]string, len(records))
	for i, r := range records {
		texts[i] = r.Type + " " + strings.ToLower(r.Data)
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}

// ofType are the records of a type, in the order of the answer.
func (a Answer) ofType(recordType string) []Record {
	var records []Record
	for _, r := range a.Records {
		if r.Type == recordType {
			records = append(records, r)
		}
	}
	return records
}

// addresses are what a host resolves to, and the alias that it is, if any.
func (k *check) addresses(host string) (addresses []string, alias string, err error) {
	for _, recordType := range []string{"A", "AAAA"} {
		answer, err := k.comparer.resolver.Lookup(k.ctx, host, recordType)
		if err != nil {
			return nil, "", err
		}
		if len(answer.Records) > 0 && answer.Records[0].Type == "CNAME" {
			alias = strings.TrimSuffix(answer.Records[0].Data, ".")
		}
		for _, r := range answer.ofType(recordType) {
			addresses = append(addresses, r.Data)
		}
	}
	return addresses, alias, nil
}
