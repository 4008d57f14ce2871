package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/dns"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
)

// cure puts the records that this service wants in the place of those that a rule could only
// guess, if the domain is hosted here.
func (e *examination) cure(ctx context.Context, own *OwnView, findings []finding.Finding) error {
	if own == nil || !own.Hosted || e.Own.Records == nil {
		return nil
	}
	wanted, err := e.Own.Records(ctx, e.Address.Domain())
	if err != nil {
		return err
	}
	at := map[string][]dns.Record{}
	for _, r := range wanted.Records {
		at[r.Name] = append(at[r.Name], r.Record)
	}
	for i := range findings {
		f := &findings[i]
		if put := ownRecords(f, at); len(put) > 0 {
			f.Cures = []finding.Cure{ownCure(f, put)}
		}
		for j := range f.Cures {
			publish(&f.Cures[j], at, e.Address.Domain())
		}
	}
	return nil
}

// ownRecords returns the records of this service at the names that a finding about DNS is about.
func ownRecords(f *finding.Finding, wanted map[string][]dns.Record) (put []dns.Record) {
	if !strings.HasPrefix(f.ID, "D") {
		return nil
	}
	names := []string{f.Subject}
	for _, e := range f.Evidence {
		if words := strings.Fields(string(e.Key)); len(words) == 3 && words[0] == "dns" &&
			!slices.Contains(names, words[2]) {
			names = append(names, words[2])
		}
	}
	for _, name := range names {
		put = append(put, wanted[name]...)
	}
	return put
}

// ownCure puts the records of this service at the name of a finding about DNS. What a rule
// would remove there is removed.
func ownCure(f *finding.Finding, put []dns.Record) finding.Cure {
	own := finding.Cure{Who: finding.YourDNS, Put: put}
	for _, c := range f.Cures {
		for _, r := range c.Remove {
			if !slices.Contains(own.Remove, r) {
				own.Remove = append(own.Remove, r)
			}
		}
	}
	return own
}

// publish makes a cure one that "signpost records -publish" applies, if the names in it are names
// that this service has records for.
func publish(c *finding.Cure, wanted map[string][]dns.Record, domain string) {
	var names []string
	for _, r := range slices.Concat(c.Remove, c.Put) {
		if wanted[r.Name] != nil && !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	if len(names) == 0 {
		return
	}
	put := slices.DeleteFunc(slices.Clone(c.Put), func(r dns.Record) bool { return slices.Contains(names, r.Name) })
	for _, name := range names {
		put = append(put, wanted[name]...)
	}
	c.Put = put
	c.Remove = slices.DeleteFunc(slices.Clone(c.Remove), func(r dns.Record) bool {
		return slices.ContainsFunc(put, func(p dns.Record) bool {
			return p.Name == r.Name && p.Type == r.Type && dns.SameData([]dns.Record{p}, []dns.Record{r})
		})
	})
	c.Text = "signpost records -publish " + domain + " does this"
	c.Serve = nil
}

// ownFindings returns a finding for each address that tells other settings than this service
// would: it is an instance with an older configuration, or somebody else's server.
func (v *OwnView) findings() (found []finding.Finding) {
	if v == nil {
		return nil
	}
	for _, p := range v.Places {
		if p.Answer != Others {
			continue
		}
		host := strings.SplitN(p.URL, "/", 4)[2]
		i := slices.IndexFunc(found, func(f finding.Finding) bool { return f.Subject == host+" "+p.Address })
		if i < 0 {
			i = len(found)
			found = append(found, finding.Finding{
				ID: "O1", Severity: finding.Error, Subject: host + " " + p.Address,
				Sentence: fmt.Sprintf("%s answers for %s, and tells other settings than this Signpost would.",
					p.Address, host),
				Clients: []string{},
				Cures: []finding.Cure{{Who: "this Signpost", Text: fmt.Sprintf(
					"if %s is an instance of it, load the present configuration there; "+
						"otherwise take the address out of %s",
					p.Address, host)}},
			})
		}
		found[i].Evidence = append(found[i].Evidence, finding.Evidence{
			Key: probe.Key("GET " + p.URL + " at " + p.Address), Text: "for " + p.Client + ": " + p.Text})
	}
	return found
}
