package records

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"signpost/internal/dns"
)

// check is the comparison of one domain.
type check struct {
	*Comparer
	ctx      context.Context
	domain   Domain
	own      Lookup // asks the domain's own name servers; nil where the resolver is asked
	findings []Finding
	right    map[string]dns.Record // the SRV records that are right, by label
}

func (k *check) run() ([]Finding, error) {
	var err error
	switch {
	case k.own != nil:
	case k.authorities != nil:
		var client *dns.Client
		if client, err = k.authorities.ClientFor(k.ctx, k.domain.Name); err == nil {
			k.own = client.Lookup
		}
	default:
		_, err = k.resolver.Apex(k.ctx, k.domain.Name)
	}
	if errors.Is(err, dns.ErrNoDomain) {
		return []Finding{{Kind: Missing, Name: k.domain.Name, Put: lines(k.domain.records()),
			Problem: k.domain.Name + " does not exist in DNS, " +
				"so that no client finds anything: register it and create its zone"}}, nil
	}
	if err != nil {
		return nil, err
	}
	var first error
	compared, failed := 0, 0
	for _, name := range Names {
		if slices.Contains(k.domain.leftOut, name.Label) {
			continue
		}
		compared++
		err := k.name(name)
		if err == nil {
			continue
		}
		if errors.Is(err, dns.ErrSilent) || k.ctx.Err() != nil {
			return k.findings, err // the other names would fail as well
		}
		failed++
		first = cmp.Or(first, err)
		k.found(Harmful, name.Label, "cannot be looked up, and clients wait in vain: "+err.Error(), nil, nil)
	}
	if failed == compared {
		return nil, first
	}
	k.preference()
	k.caa()
	return k.findings, nil
}

func (k *check) name(name Name) error {
	switch {
	case name.Types[0] == "CNAME":
		return k.host(name.Label)
	case name.Label == "_ua-auto-config":
		return k.digests(name.Label)
	case len(name.Types) == 2:
		if err := k.path(name.Label); err != nil {
			return err
		}
	}
	return k.service(name.Label)
}

// lookup asks for a name below the domain. Where the domain's own servers refer
// to others, the name lies in a zone of its own, which the resolver finds.
func (k *check) lookup(label, recordType string) (dns.Answer, error) {
	name := label + "." + k.domain.Name
	if k.own != nil {
		answer, err := k.own(k.ctx, name, recordType)
		if !errors.Is(err, dns.ErrReferral) {
			return answer, err
		}
	}
	return k.resolver.Lookup(k.ctx, name, recordType)
}

// wanted returns the records of the types that the domain should have at a name.
func (k *check) wanted(label string, types ...string) []dns.Record {
	return slices.DeleteFunc(k.domain.records(), func(r dns.Record) bool {
		return r.Name != label+"."+k.domain.Name || !slices.Contains(types, r.Type)
	})
}

// found adds a finding, with the records to remove and those to put there.
func (k *check) found(kind Kind, label, problem string, remove, put []dns.Record) *Finding {
	name := label + "." + k.domain.Name
	k.findings = append(k.findings, Finding{
		Kind: kind, Name: name, Problem: name + " " + problem, Remove: lines(remove), Put: lines(put),
	})
	return &k.findings[len(k.findings)-1]
}

func lines(records []dns.Record) []string {
	var lines []string
	for _, r := range records {
		lines = append(lines, r.String())
	}
	return lines
}

// missing adds the finding that a name has none of the records that it should
// have.
func (k *check) missing(label string, want []dns.Record) {
	i := slices.IndexFunc(k.domain.Records, func(r Record) bool { return r.Record == want[0] })
	reason := k.domain.Records[i].Reason
	problem := "is missing, " + reason // "where …", or what the record is
	if isDenial(want[0]) || label == "_ua-auto-config" {
		problem = "is missing: it " + reason // "says that …", "vouches for …"
	}
	k.found(Missing, label, problem, nil, want)
}

// fromWildcard reports whether the answer for a name is the one that any name
// gets, from a wildcard of the domain.
func (k *check) fromWildcard(answer dns.Answer, recordType string) (bool, error) {
	if len(answer.Records) == 0 {
		return false, nil
	}
	probe, err := k.lookup(WildcardProbe, recordType)
	if err != nil || len(probe.Records) == 0 {
		return false, err
	}
	return dns.SameData(answer.Records, probe.Records), nil
}
