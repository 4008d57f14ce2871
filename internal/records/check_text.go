package records

import (
	"slices"
	"strings"

	"signpost/internal/dns"
)

// path compares the TXT record that stands beside the SRV record of calendars and
// address books and holds the path (RFC 6764 §4).
func (k *check) path(label string) error {
	answer, err := k.lookup(label, "TXT")
	if err != nil {
		return err
	}
	want := k.wanted(label, "TXT")
	have := slices.DeleteFunc(answer.OfType("TXT"), func(r dns.Record) bool {
		return !strings.HasPrefix(dns.Unquote(r.Data), "path=")
	})
	switch {
	case len(have) == 0 && len(want) == 0:
	case len(have) == 0:
		k.missing(label, want)
	case len(want) == 0:
		if answer, err = k.lookup(label, "SRV"); err != nil {
			return err
		}
		others := slices.DeleteFunc(answer.OfType("SRV"), func(r dns.Record) bool { return isDenial(r) || k.isOurs(r) })
		if len(others) == 0 { // otherwise it belongs to the service there
			k.found(Superfluous, label, "has a path, but there is no such service or it needs none", have, nil)
		}
	case len(have) > 1:
		k.found(Harmful, label, "has several paths, of which clients take any", have, want)
	case dns.Unquote(have[0].Data) != dns.Unquote(want[0].Data):
		k.found(Different, label, "says "+dns.Unquote(have[0].Data)+" instead of "+dns.Unquote(want[0].Data),
			have, want)
	}
	return nil
}

// digests compares the digests of the PACC document. Clients accept any digest that
// matches, so one more from before a change does no harm.
func (k *check) digests(label string) error {
	answer, err := k.lookup(label, "TXT")
	if err != nil {
		return err
	}
	want := k.wanted(label, "TXT")
	var have, others []dns.Record
	right := false
	for _, r := range answer.OfType("TXT") {
		digest := digestOf(r)
		if digest == "" {
			continue
		}
		have = append(have, r)
		switch {
		case len(want) > 0 && digest == digestOf(want[0]):
			right = true
		case !slices.ContainsFunc(want, func(w dns.Record) bool { return digestOf(w) == digest }):
			others = append(others, r)
		}
	}
	switch {
	case len(want) == 0 && len(have) > 0:
		k.found(Superfluous, label, "vouches for a document that there is not", have, nil)
	case len(want) == 0 || right && len(others) <= 1:
	case right:
		k.found(Superfluous, label, "vouches for documents that were replaced", others, nil)
	case len(have) > 0:
		k.found(Different, label, "vouches for another document than the one that is served, which clients then refuse",
			have, want[:1])
	default:
		k.missing(label, want[:1])
	}
	return nil
}

// digestOf returns the algorithm and digest of a record as clients read it: tags in
// any order, any spaces, unknown tags ignored. It returns an empty string for any other
// text.
func digestOf(r dns.Record) string {
	tags := map[string]string{}
	for tag := range strings.SplitSeq(dns.Unquote(r.Data), ";") {
		name, value, _ := strings.Cut(tag, "=")
		tags[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	if tags["v"] != "UAAC1" {
		return ""
	}
	return tags["a"] + " " + tags["d"]
}
