package records

import (
	"context"
	"errors"
	"slices"
	"strings"

	"signpost/internal/caa"
	"signpost/internal/dns"
)

// CheckCAA has the comparer find CAA records that forbid the authority to issue
// certificates for the names that lead to the service.
func (c *Comparer) CheckCAA(a caa.Authority) { c.authority = &a }

// caa adds a finding for each set of CAA records that forbids a certificate. The names
// of a domain mostly share one.
func (k *check) caa() {
	if k.authority == nil {
		return
	}
	known := map[string]dns.Answer{}
	failed := "" // the name whose look-up failed last
	lookup := func(ctx context.Context, name, recordType string) (dns.Answer, error) {
		answer, ok := known[name]
		if ok {
			return answer, nil
		}
		answer, err := k.lookupAnywhere(ctx, name, recordType)
		if err == nil {
			known[name] = answer
		} else {
			failed = name
		}
		return answer, err
	}
	var decided []string
	for _, label := range []string{"autoconfig", "autodiscover", "ua-auto-config"} {
		if len(k.wanted(label, HostTypes...)) == 0 || k.leadsElsewhere(label) {
			continue
		}
		set, err := caa.Relevant(k.ctx, lookup, label+"."+k.domain.Name)
		if err != nil {
			if k.ctx.Err() == nil {
				// A domain above may only be unknown to the server that is asked, such as
				// the primary of this one.
				k.found(Harmful, label, "has CAA records that cannot be looked up, "+
					"and then no authority issues a certificate: "+
					err.Error(), nil, nil).Warning = !k.inside(failed)
			}
			return // the other names would fail as well
		}
		if slices.Contains(decided, set.Name) {
			continue
		}
		decided = append(decided, set.Name)
		err = set.Allow(k.ctx, *k.authority)
		if forbidden, ok := errors.AsType[*caa.Forbidden](err); ok {
			k.found(Harmful, label, "can get no certificate, because "+forbidden.Error(),
				forbidden.Remove, forbidden.Put).Warning = !k.inside(set.Name)
		} else if err != nil && k.ctx.Err() == nil {
			k.found(Harmful, label, "has CAA records that could not be compared: "+err.Error(), nil, nil).Warning = true
		}
	}
}

// lookupAnywhere asks for a name that need not be below the domain, where the domain's
// own servers know nothing of it. Like a resolver it follows a CNAME.
func (k *check) lookupAnywhere(ctx context.Context, name, recordType string) (dns.Answer, error) {
	if !k.inside(name) || k.own == nil {
		return k.resolver.Lookup(ctx, name, recordType)
	}
	answer, err := k.own(ctx, name, recordType)
	if errors.Is(err, dns.ErrReferral) {
		return k.resolver.Lookup(ctx, name, recordType)
	}
	if err != nil || len(answer.OfType(recordType)) > 0 || len(answer.Records) == 0 {
		return answer, err
	}
	last := answer.Records[len(answer.Records)-1]
	return k.resolver.Lookup(ctx, strings.TrimSuffix(last.Data, "."), recordType)
}
