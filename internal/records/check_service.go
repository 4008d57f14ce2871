package records

import (
	"slices"
	"strconv"
	"strings"
)

// srv is a SRV record taken apart.
type srv struct {
	priority, port uint64
	host           string // lower case, without the final dot; empty for "."
}

func readSRV(r Record) srv {
	var s srv
	f := strings.Fields(r.Data)
	if len(f) == 4 {
		s.priority, _ = strconv.ParseUint(f[0], 10, 16)
		s.port, _ = strconv.ParseUint(f[2], 10, 16)
		s.host = strings.ToLower(strings.TrimSuffix(f[3], "."))
	}
	return s
}

// leadsTo says in words where the record leads.
func (s srv) leadsTo() string {
	if s.host == "" {
		return "nowhere"
	}
	return s.host + " port " + strconv.FormatUint(s.port, 10)
}

// sameService reports whether two records lead to the same place. The weight
// means nothing for a single record, and priorities only mean something beside
// others (preference).
func sameService(a, b Record) bool {
	x, y := readSRV(a), readSRV(b)
	return x.host == y.host && (x.port == y.port || x.host == "")
}

// service compares the SRV records at a name.
func (k *check) service(label string) error {
	answer, err := k.look(label, "SRV")
	if err != nil {
		return err
	}
	have, want := answer.ofType("SRV"), k.wanted(label, "SRV")
	isRight := func(r Record) bool { return len(want) > 0 && sameService(r, want[0]) }
	others := slices.DeleteFunc(slices.Clone(have), isRight)
	if right := slices.IndexFunc(have, isRight); right >= 0 {
		k.right[label] = have[right]
	}
	_, right := k.right[label]
	if right && len(others) == 0 {
		k.target(label, k.right[label])
		return nil
	}
	if swallowed, err := k.swallowed(answer, "SRV"); err != nil {
		return err
	} else if swallowed && (len(have) > 0 || len(want) > 0) {
		k.found(Harmful, label, "is swallowed by the wildcard *."+k.domain.Name+", which leads clients to "+where(answer.Records), nil, want)
		return nil
	}
	switch {
	case len(want) == 0:
		k.leftovers(label, have)
	case len(have) == 0:
		k.missing(label, want)
	case label == "_autodiscover._tcp" && len(have) > 1:
		if right {
			want = nil
		}
		k.found(Harmful, label, "has "+strconv.Itoa(len(have))+" records, of which Thunderbird and Outlook choose differently", others, want)
	case right:
		k.found(Harmful, label, "also leads to "+places(others)+", where some clients would look for the mailbox", others, nil)
	case readSRV(want[0]).host == "":
		k.found(Harmful, label, "leads to "+places(have)+", though the service is not offered", have, want)
	default:
		k.found(Different, label, "leads to "+places(have)+" instead of "+readSRV(want[0]).leadsTo(), have, want)
	}
	return nil
}

func places(records []Record) string {
	var places []string
	for _, r := range records {
		places = append(places, readSRV(r).leadsTo())
	}
	return strings.Join(places, ", ")
}

// leftovers judges records for a service that the domain does not have.
func (k *check) leftovers(label string, have []Record) {
	have = slices.DeleteFunc(have, func(r Record) bool { return readSRV(r).host == "" })
	if len(have) == 0 || label == "_autodiscover._tcp" && len(have) == 1 && k.handedOver(have[0]) {
		return
	}
	ours := func(r Record) bool {
		host := readSRV(r).host
		return slices.ContainsFunc(k.domain.Records, func(w Record) bool {
			return w.Type == "SRV" && readSRV(w).host == host || w.Type == "CNAME" && strings.TrimSuffix(w.Data, ".") == host
		})
	}
	if slices.ContainsFunc(have, func(r Record) bool { return !ours(r) }) {
		k.found(Harmful, label, "still leads to "+places(have)+", which is not where the mailboxes are", have, nil)
		return
	}
	k.found(Superfluous, label, "leads to "+places(have)+", which does not offer the service", have, nil)
}

// handedOver reports whether a record leads to the service that answers
// Autodiscover in our place, as its own instructions may have people write it.
func (k *check) handedOver(r Record) bool {
	s := readSRV(r)
	return s.port == 443 && slices.Contains(k.domain.handOver, s.host)
}

// target looks at the host behind a right record: it must have addresses and be
// no alias (RFC 2782).
func (k *check) target(label string, r Record) {
	host := readSRV(r).host
	if host == "" {
		return
	}
	addresses, alias, err := k.addresses(host)
	if err != nil || len(addresses) == 0 {
		k.noAddress(label, host, addresses, err)
		return
	}
	if alias == "" {
		return
	}
	f := k.found(Harmful, label, "leads to "+host+", which is a CNAME: some clients refuse that (RFC 2782)", nil, nil)
	if f.Warning = !k.inside(host); f.Warning {
		return
	}
	f.Remove = []string{Record{Name: host, TTL: r.TTL, Type: "CNAME", Data: alias + "."}.String()}
	for _, address := range addresses {
		f.Put = append(f.Put, addressRecord(host, r.TTL, address).String())
	}
}

// preference makes sure that IMAP and POP3 are not preferred the other way
// round. That both are preferred alike does no harm: clients then take IMAP.
func (k *check) preference() {
	store := []*service{&imaps, &imap, &pop3s, &pop3}
	for _, a := range store {
		for _, b := range store {
			wantA, wantB := k.wanted(a.label, "SRV"), k.wanted(b.label, "SRV")
			haveA, okA := k.right[a.label]
			haveB, okB := k.right[b.label]
			if !okA || !okB || readSRV(haveA).host == "" || readSRV(haveB).host == "" {
				continue
			}
			if readSRV(wantA[0]).priority < readSRV(wantB[0]).priority && readSRV(haveA).priority > readSRV(haveB).priority {
				k.found(Different, b.label, "has clients prefer it to "+a.label+", which the provider prefers",
					[]Record{haveA, haveB}, []Record{wantA[0], wantB[0]})
				return
			}
		}
	}
}

func addressRecord(name string, ttl uint32, address string) Record {
	recordType := "A"
	if strings.Contains(address, ":") {
		recordType = "AAAA"
	}
	return Record{Name: name, TTL: ttl, Type: recordType, Data: address}
}
