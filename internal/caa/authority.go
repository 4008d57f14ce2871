package caa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/dns"
)

// Authority is who is to issue certificates, and for whom.
type Authority struct {
	// Identities returns the domains that stand for the authority in CAA records
	// (caaIdentities in RFC 8555 section 9.7.6), the one to recommend first. It is
	// called only where a record makes a difference. No identities and no error mean
	// that they are not known: then any authority that a record names is taken for
	// this one.
	Identities func(ctx context.Context) ([]string, error)
	// Accounts returns the URIs of the accounts that may order, nil if they are not
	// known. It may be nil.
	Accounts func() []string
	// Methods are the ways of validation that are used, empty if they are not known.
	Methods []string
}

// Named returns an authority with these identities.
func Named(identities ...string) Authority {
	return Authority{Identities: func(context.Context) ([]string, error) { return identities, nil }}
}

// Forbidden is the error for a name whose CAA records forbid a certificate. The records
// Remove and Put make them allow it; both are empty where only the owner of the records
// can know what to do.
type Forbidden struct {
	Name        string // at which the records are
	Problem     string // a clause after the name
	Remove, Put []dns.Record
}

func (e *Forbidden) Error() string { return "the CAA records of " + e.Name + " " + e.Problem }

// Allow returns a *Forbidden error if the records forbid the authority to issue a
// certificate for a name that is no wildcard. Any other error means that the identities
// of the authority are not known now.
func (s Set) Allow(ctx context.Context, a Authority) error {
	var issue []issuer
	critical := &Forbidden{Name: s.Name}
	for _, r := range s.Records {
		switch p, ok := read(r); {
		case !ok:
		case p.tag == "issue":
			issue = append(issue, readIssuer(p.value))
		case p.critical && !p.known():
			critical.Problem = fmt.Sprintf("have the critical property %q, which no authority knows", p.tag)
			critical.Remove = append(critical.Remove, r)
		}
	}
	if len(critical.Remove) > 0 {
		return critical
	}
	if len(issue) == 0 {
		return nil // nothing is said about names without a wildcard
	}
	identities, err := a.Identities(ctx)
	if err != nil {
		return fmt.Errorf("cannot tell by which name CAA records know the authority: %w", err)
	}
	return s.allow(issue, identities, a)
}

func (s Set) allow(issue []issuer, identities []string, a Authority) error {
	var names []string
	var refusal error
	for _, i := range issue {
		if i.domain == "" {
			continue
		}
		if !slices.Contains(names, i.domain) {
			names = append(names, i.domain)
		}
		if len(identities) > 0 && !slices.Contains(identities, i.domain) {
			continue
		}
		err := i.allow(a)
		if err == nil || len(identities) == 0 {
			return nil
		}
		refusal = err
	}
	e := &Forbidden{Name: s.Name}
	switch {
	case refusal != nil:
		e.Problem = refusal.Error()
	case len(names) > 0:
		e.Problem = "allow only " + strings.Join(names, ", ") + " to issue certificates"
	default:
		e.Problem = "allow nobody to issue certificates"
	}
	e.Remove, e.Put = s.cure(identities, refusal, a)
	return e
}

var errAccount = errors.New("allow certificates for other accounts only")

// allow returns an error if the parameters exclude the account or the way of validation.
func (i issuer) allow(a Authority) error {
	if uri, ok := i.parameters["accounturi"]; ok && a.Accounts != nil {
		if accounts := a.Accounts(); len(accounts) > 0 && !slices.Contains(accounts, uri) {
			return errAccount
		}
	}
	if methods, ok := i.parameters["validationmethods"]; ok && len(a.Methods) > 0 {
		isOurs := func(method string) bool { return slices.Contains(a.Methods, method) }
		if !slices.ContainsFunc(strings.Split(methods, ","), isOurs) {
			return fmt.Errorf("allow validation by %s only", methods)
		}
	}
	return nil
}

// cure returns the records to remove and those to put beside the others. A record that
// names the authority is enough, whatever the others say.
func (s Set) cure(identities []string, refusal error, a Authority) (remove, put []dns.Record) {
	if len(identities) == 0 {
		for _, r := range s.Records {
			if p, ok := read(r); ok && p.tag == "issue" && readIssuer(p.value).domain == "" {
				remove = append(remove, r)
			}
		}
		return remove, nil
	}
	value := identities[0]
	switch {
	case errors.Is(refusal, errAccount):
		// A record for any account would undo what the owner of the domain wanted.
		value += "; accounturi=" + a.Accounts()[0]
	case refusal != nil:
		value += "; validationmethods=" + strings.Join(a.Methods, ",")
	}
	r := dns.Record{Name: s.Name, TTL: s.Records[0].TTL, Type: "CAA", Data: "0 issue " + dns.Quote(value)}
	return nil, []dns.Record{r}
}
