package publish

import (
	"context"
	"slices"
	"strings"
	"time"

	"signpost/internal/dns"
	"signpost/internal/records"
)

// digestOverlap is how long the digest of a replaced PACC document stays beside
// the new one: longer than any resolver remembers either, and long enough for
// the new configuration to be put into service.
const digestOverlap = 24 * time.Hour

// planner makes the plan for one domain.
type planner struct {
	publisher *Publisher
	ctx       context.Context
	primary   *primary
	domain    records.Domain
	plan      *Plan
	zones     map[string]*zonePlan
}

// site is a name of ours and what stands there.
type site struct {
	label  string
	name   string
	types  []string
	zone   *zonePlan
	have   map[string][]dns.Record // by type, CNAME included
	want   map[string][]dns.Record
	exists bool // has records of some type, or names below it
}

func (b *planner) all() error {
	if _, err := b.primary.zoneOf(b.ctx, b.domain.Name); err != nil {
		return err
	}
	for _, m := range records.Names {
		s, err := b.visit(m.Label, m.Types)
		if err != nil {
			return err
		}
		if err := b.decide(s); err != nil {
			return err
		}
	}
	for _, z := range b.plan.zones {
		b.markerChange(z)
	}
	if len(b.plan.Conflicts) > 0 {
		b.plan.Changes = nil
		return nil
	}
	for _, z := range b.plan.zones {
		b.plan.Changes = append(b.plan.Changes, z.changes...)
	}
	return nil
}

// visit reads what stands at a name.
func (b *planner) visit(label string, types []string) (*site, error) {
	s := &site{label: label, name: label + "." + b.domain.Name, types: types, have: map[string][]dns.Record{}, want: map[string][]dns.Record{}}
	zone, err := b.primary.zoneOf(b.ctx, s.name)
	if err != nil {
		return nil, err
	}
	if s.zone, err = b.zone(zone); err != nil {
		return nil, err
	}
	for _, r := range b.domain.Records {
		if r.Name == s.name {
			s.want[r.Type] = append(s.want[r.Type], r.Record)
		}
	}
	for _, recordType := range types {
		records, status, err := b.primary.records(b.ctx, s.name, recordType)
		if err != nil {
			return nil, err
		}
		s.exists = s.exists || status != dns.NoName
		if len(records) > 0 && !b.wrote(s, recordType, records) {
			wildcard, err := b.primary.fromWildcard(b.ctx, s.name, recordType, records)
			if err != nil {
				return nil, err
			}
			if wildcard {
				continue
			}
		}
		for _, r := range records {
			if !slices.Contains(s.have[r.Type], r) {
				s.have[r.Type] = append(s.have[r.Type], r)
			}
		}
	}
	return s, nil
}

// zone begins the plan for a zone, with the marker that stands there. A zone
// above or at the domain has the marker beside our names; one below it has its
// own, so that marker and records change in one update.
func (b *planner) zone(zone string) (*zonePlan, error) {
	if z, ok := b.zones[zone]; ok {
		return z, nil
	}
	z := &zonePlan{zone: zone, name: markerLabel + "." + b.domain.Name, newNames: map[string]bool{}}
	if strings.HasSuffix(zone, "."+b.domain.Name) {
		z.name = markerLabel + "." + zone
	}
	z.marker = marker{owner: b.publisher.options.Owner, sets: map[setKey]owned{}}
	records, _, err := b.primary.records(b.ctx, z.name, "TXT")
	if err != nil {
		return nil, err
	}
	if err := b.readMarker(z, records); err != nil {
		return nil, err
	}
	b.zones[zone] = z
	b.plan.zones = append(b.plan.zones, z)
	return z, nil
}

// readMarker takes the marker of a zone from the TXT records at its name. With
// leave to replace, the marker of another service is taken over with the sets
// that it lists, so that nothing is left of which nobody knows any more whose it
// is. A text that is no marker makes way for ours, but who leaves needs no place
// and lets it stand.
func (b *planner) readMarker(z *zonePlan, records []dns.Record) error {
	var texts []dns.Record // that are not the marker
	at := -1
	for i, r := range records {
		m, ok := readMarker(r.Data)
		if ok && r.Type == "TXT" && (at < 0 || m.owner == z.marker.owner) {
			z.old, at = m, i
		}
	}
	for i, r := range records {
		if i != at {
			texts = append(texts, r)
		}
	}
	switch {
	case len(records) == 0:
		return nil
	case records[0].Type != "TXT":
		b.conflict(z.name, "is where Signpost keeps its marker, but holds a CNAME, beside which nothing else can stand: remove it", records)
		return nil
	case at < 0:
		wildcard, err := b.primary.fromWildcard(b.ctx, z.name, "TXT", records)
		if wildcard || err != nil {
			return err
		}
	}
	if leaving := len(b.domain.Records) == 0; leaving {
		z.texts = texts
	}
	switch {
	case at < 0 && z.texts != nil:
		z.oldMarker = records
		b.plan.Notes = append(b.plan.Notes, z.name+" holds no marker of Signpost but something else: nothing here is known to be ours, and all is left as it is")
		return nil
	case z.old.owner == z.marker.owner && len(texts) == len(z.texts):
		z.oldMarker = records
		return nil
	}
	z.oldMarker = records
	if b.publisher.options.Replace {
		return nil
	}
	problem := "is where Signpost keeps its marker, but holds something else"
	if at >= 0 && z.old.owner != z.marker.owner {
		problem = "says that the service " + z.old.owner + " publishes this domain"
	}
	b.conflict(z.name, problem, records)
	if z.old.owner != z.marker.owner {
		z.old.sets = nil
	}
	return nil
}

func (b *planner) conflict(name, problem string, have []dns.Record) {
	b.plan.Conflicts = append(b.plan.Conflicts, Conflict{name, problem, have})
}

// wrote reports whether a set is as we wrote it.
func (b *planner) wrote(s *site, recordType string, records []dns.Record) bool {
	set, ok := s.zone.old.sets[setKey{s.label, recordType}]
	return ok && set.digest == digestOfSet(records)
}

// decide plans what happens at a name.
func (b *planner) decide(s *site) error {
	for _, recordType := range s.types {
		b.keepDigests(s, recordType)
		b.decideType(s, recordType)
	}
	if alias := s.have["CNAME"]; len(alias) > 0 && !slices.Contains(s.types, "CNAME") && len(s.want) > 0 {
		// No client looks for an alias here, but nothing can stand beside one.
		b.take(s, "CNAME", nil, "holds a CNAME, beside which nothing else can stand")
	}
	return b.decideAlias(s)
}

func (b *planner) decideType(s *site, recordType string) {
	have, want := s.have[recordType], s.want[recordType]
	key := setKey{s.label, recordType}
	ours := len(have) > 0 && b.wrote(s, recordType, have)
	replace := b.publisher.options.Replace
	switch {
	case len(have) == 0 && len(want) == 0:
	case len(have) == 0:
		b.change(s, recordType, nil, want)
	case dns.SameData(have, want) && (ours || replace):
		s.zone.own(key, want)
		if have[0].TTL != want[0].TTL {
			b.change(s, recordType, have, want)
		}
	case dns.SameData(have, want):
		b.plan.Notes = append(b.plan.Notes, s.name+" "+recordType+" is right, but not written by us: it is left alone")
	case ours:
		b.change(s, recordType, have, want)
	case len(want) > 0:
		_, edited := s.zone.old.sets[key]
		b.take(s, recordType, want, problem(edited))
	case len(s.want) > 0 && slices.Contains(records.HostTypes, recordType):
		b.take(s, recordType, nil, problem(false)) // an address where a CNAME shall be, or the other way round
	default:
		if _, edited := s.zone.old.sets[key]; edited {
			b.take(s, recordType, nil, problem(true))
		}
		// Somebody else's, and not in our way.
	}
}

func problem(edited bool) string {
	if edited {
		return "was changed since Signpost wrote it"
	}
	return "was not written by Signpost"
}

// take replaces what somebody else wrote, or says that it is in the way.
func (b *planner) take(s *site, recordType string, want []dns.Record, problem string) {
	if b.publisher.options.Replace {
		b.change(s, recordType, s.have[recordType], want)
		return
	}
	b.conflict(s.name+" "+recordType, problem, s.have[recordType])
}

func (b *planner) change(s *site, recordType string, have, want []dns.Record) {
	z := s.zone
	z.changes = append(z.changes, Change{z.zone, s.name, recordType, have, want})
	key := setKey{s.label, recordType}
	if len(want) > 0 {
		z.own(key, want)
	}
}

// own has the marker say that a set is ours.
func (z *zonePlan) own(key setKey, want []dns.Record) {
	set := z.marker.sets[key]
	set.digest = digestOfSet(want)
	z.marker.sets[key] = set
}

// keepDigests leaves the digests of replaced PACC documents in place for a
// while: who asks may still have the old document, or the old record. The time
// begins whenever another document comes into use, be it one that was in use
// before.
func (b *planner) keepDigests(s *site, recordType string) {
	have, want := s.have[recordType], s.want[recordType]
	key := setKey{s.label, recordType}
	if s.label != "_ua-auto-config" || len(want) == 0 {
		return
	}
	set := owned{current: digestOfSet(want[:1])}
	if len(want) > 1 {
		s.zone.marker.sets[key] = set
	}
	if len(have) == 0 || !b.wrote(s, recordType, have) {
		return
	}
	old := s.zone.old.sets[key]
	if len(have) == 1 {
		old.current = digestOfSet(have)
	}
	now := b.publisher.clock()
	set.until = old.until
	if set.current != old.current {
		set.until = now.Add(digestOverlap).Truncate(time.Second)
	}
	inUse := func(r dns.Record) bool { return digestOfSet([]dns.Record{r}) == old.current }
	have = slices.Clone(have)
	slices.SortStableFunc(have, func(x, y dns.Record) int { // the one in use up to now first
		switch {
		case inUse(x) == inUse(y):
			return 0
		case inUse(x):
			return -1
		}
		return 1
	})
	var kept []dns.Record
	for _, r := range have {
		wanted := slices.ContainsFunc(want, func(w dns.Record) bool { return w.CanonicalData() == r.CanonicalData() })
		if !wanted && now.Before(set.until) && len(kept) < 3 {
			r.TTL = want[0].TTL
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return
	}
	s.want[recordType] = append(slices.Clone(want), kept...)
	s.zone.marker.sets[key] = set
	b.plan.Notes = append(b.plan.Notes, s.name+" keeps the digest of the replaced document until "+set.until.UTC().Format("2006-01-02 15:04")+" UTC; publish again after that")
}

// decideAlias looks once more at a CNAME that is to come where there already is
// something: a server would leave it out without a word (RFC 2136 §3.4.2.2).
func (b *planner) decideAlias(s *site) error {
	if len(s.want["CNAME"]) == 0 || len(s.have["CNAME"]) > 0 {
		return nil
	}
	if !s.exists {
		s.zone.newNames[s.name] = true
		return nil
	}
	others, err := b.primary.otherTypes(b.ctx, s.name, records.HostTypes...)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		own := map[string]bool{} // what the probes do not have is its own
		for _, probe := range probes(s.name) {
			wildcard, err := b.primary.otherTypes(b.ctx, probe)
			if err != nil {
				return err
			}
			for _, t := range others {
				own[t] = own[t] || !slices.Contains(wildcard, t)
			}
		}
		others = slices.DeleteFunc(others, func(t string) bool { return !own[t] })
	}
	if len(others) > 0 {
		b.conflict(s.name, "holds "+strings.Join(others, ", ")+" as well, beside which no CNAME can stand: remove that, or configure addresses instead of the service's name", nil)
	}
	return nil
}

// markerChange lets the marker say what is ours after the update.
func (b *planner) markerChange(z *zonePlan) {
	c := Change{Zone: z.zone, Name: z.name, Type: "TXT", Old: z.oldMarker, New: z.texts}
	if len(z.marker.sets) > 0 {
		c.New = []dns.Record{{Name: z.name, TTL: records.DefaultTTL, Type: "TXT", Data: z.marker.data()}}
	}
	if !dns.SameData(c.Old, c.New) {
		z.changes = append(z.changes, c)
	}
}
