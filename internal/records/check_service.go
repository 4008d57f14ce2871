package records

import (
	"slices"
	"strconv"
	"strings"

	"signpost/internal/dns"
)

// srv holds the fields of an SRV record.
type srv struct {
	priority, port uint64
	host           string // lower case, without the final dot; empty for "."
}

func readSRV(r dns.Record) srv {
	var s srv
	f := strings.Fields(r.Data)
	if len(f) == 4 {
		s.priority, _ = strconv.ParseUint(f[0], 10, 16)
		s.port, _ = strconv.ParseUint(f[2], 10, 16)
		s.host = strings.ToLower(strings.TrimSuffix(f[3], "."))
	}
	return s
}

// isDenial reports whether the record denies the service (RFC 2782).
func isDenial(r dns.Record) bool { return r.Type == "SRV" && readSRV(r).host == "" }

// leadsTo describes where the records lead.
func leadsTo(records []dns.Record) string {
	var targets []string
	for _, r := range records {
		target := "nowhere"
		if s := readSRV(r); s.host != "" {
			target = s.host + " port " + strconv.FormatUint(s.port, 10)
		}
		targets = append(targets, target)
	}
	return strings.Join(targets, ", ")
}

// sameService reports whether two records lead to the same host and port. The
// weight means nothing for a single record. The priority matters only beside other
// records, and preference compares it.
func sameService(a, b dns.Record) bool {
	x, y := readSRV(a), readSRV(b)
	return x.host == y.host && (x.port == y.port || x.host == "")
}

// service compares the SRV records at a name.
func (k *check) service(label string) error {
	answer, err := k.lookup(label, "SRV")
	if err != nil {
		return err
	}
	have, want := answer.OfType("SRV"), k.wanted(label, "SRV")
	isRight := func(r dns.Record) bool { return len(want) > 0 && sameService(r, want[0]) }
	others := slices.DeleteFunc(slices.Clone(have), isRight)
	right := slices.IndexFunc(have, isRight)
	if right >= 0 {
		k.right[label] = have[right]
	}
	if right >= 0 && len(others) == 0 {
		k.target(label, have[right])
		return nil
	}
	if wildcard, err := k.fromWildcard(answer, "SRV"); err != nil {
		return err
	} else if wildcard && (len(have) > 0 || len(want) > 0) {
		k.found(Harmful, label, "is swallowed by the wildcard *."+k.domain.Name+", which leads clients to "+
			targets(answer.Records), nil, want)
		return nil
	}
	switch {
	case len(want) == 0:
		k.leftovers(label, have)
	case len(have) == 0:
		k.missing(label, want)
	case label == "_autodiscover._tcp" && len(have) > 1:
		if right >= 0 {
			want = nil
		}
		k.found(Harmful, label, "has "+strconv.Itoa(len(have))+
			" records, of which Thunderbird and Outlook choose differently", others, want)
	case right >= 0:
		k.found(Harmful, label, "also leads to "+leadsTo(others)+", where some clients would look for the mailbox",
			others, nil)
	case isDenial(want[0]):
		k.found(Harmful, label, "leads to "+leadsTo(have)+", though the service is not offered", have, want)
	default:
		k.found(Different, label, "leads to "+leadsTo(have)+" instead of "+leadsTo(want[:1]), have, want)
	}
	return nil
}

// leftovers finds fault with records of a service that the domain does not have. A
// service that no record denies may be somewhere else: the configuration of a mail
// service need not know where a customer's calendar is.
func (k *check) leftovers(label string, have []dns.Record) {
	have = slices.DeleteFunc(have, isDenial)
	foreign := slices.DeleteFunc(slices.Clone(have), k.isOurs)
	switch {
	case len(have) == 0 || label == "_autodiscover._tcp" && len(have) == 1 && k.isRedirect(have[0]):
	case len(foreign) == 0 && label == "_autodiscover._tcp":
		k.found(Superfluous, label, "leads to "+leadsTo(have)+", and clients are better off without it", have, nil)
	case len(foreign) == 0:
		k.found(Superfluous, label, "leads to "+leadsTo(have)+", which does not offer the service", have, nil)
	case label == "_autodiscover._tcp":
		k.found(Harmful, label, "still leads to "+leadsTo(have)+", which is not where the mailboxes are", have, nil)
	default:
		k.found(Superfluous, label, "leads to "+leadsTo(have)+", of which the configuration says nothing: "+
			"remove it unless the service is there", nil, nil).Warning = true
	}
}

// isOurs reports whether an SRV record leads to a host that the domain's records name.
func (k *check) isOurs(r dns.Record) bool {
	host := readSRV(r).host
	return slices.ContainsFunc(k.domain.Records, func(want Record) bool {
		return want.Type == "SRV" && readSRV(want.Record).host == host ||
			want.Type == "CNAME" && strings.TrimSuffix(want.Data, ".") == host
	})
}

// isRedirect reports whether a record leads to the service that answers Autodiscover
// instead of Signpost. The instructions of that service may ask for such a record.
func (k *check) isRedirect(r dns.Record) bool {
	s := readSRV(r)
	return s.port == 443 && slices.Contains(k.domain.redirects, s.host)
}

// target checks the host of a correct record. It must have addresses and must not be
// an alias (RFC 2782).
func (k *check) target(label string, r dns.Record) {
	host := readSRV(r).host
	if host == "" {
		return
	}
	addresses := k.reachable(label, host)
	answer, err := k.resolver.Lookup(k.ctx, host, "A")
	if len(addresses) == 0 || err != nil || len(answer.Records) == 0 || answer.Records[0].Type != "CNAME" {
		return
	}
	f := k.found(Harmful, label, "leads to "+host+", which is a CNAME: some clients refuse that (RFC 2782)", nil, nil)
	if f.Warning = !k.inside(host); f.Warning {
		return
	}
	f.Remove = lines([]dns.Record{{Name: host, TTL: r.TTL, Type: "CNAME", Data: answer.Records[0].Data}})
	for _, address := range addresses {
		put := dns.Record{Name: host, TTL: r.TTL, Type: addressType(address), Data: address.String()}
		f.Put = append(f.Put, put.String())
	}
}

// preference makes sure that DNS does not prefer POP3 where the provider prefers
// IMAP, or the other way round. Equal priorities do no harm: clients then choose
// IMAP.
func (k *check) preference() {
	stores := []string{"_imaps._tcp", "_imap._tcp", "_pop3s._tcp", "_pop3._tcp"}
	for _, a := range stores {
		for _, b := range stores {
			wantA, wantB := k.wanted(a, "SRV"), k.wanted(b, "SRV")
			haveA, okA := k.right[a]
			haveB, okB := k.right[b]
			if !okA || !okB || isDenial(haveA) || isDenial(haveB) {
				continue
			}
			if readSRV(wantA[0]).priority < readSRV(wantB[0]).priority &&
				readSRV(haveA).priority > readSRV(haveB).priority {
				k.found(Different, b, "has clients prefer it to "+a+", which the provider prefers",
					[]dns.Record{haveA, haveB}, []dns.Record{wantA[0], wantB[0]})
				return
			}
		}
	}
}
