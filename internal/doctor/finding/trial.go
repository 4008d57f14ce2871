package finding

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// uncovers tries the cures of a finding in the recording and says what would be wrong then
// that is not reported now: findings that hit more clients, or else clients that end up worse. It asks the
// network nothing: what nobody has asked yet cannot be known.
func (c *Case) uncovers(ctx context.Context, f Finding, reported []Finding) []string {
	then := c.cured(ctx, f)
	if then == nil {
		return nil
	}
	var texts []string
	for _, g := range findRoots(ctx, then, Catalogue) {
		if g.ID == f.ID && g.Subject == f.Subject {
			continue
		}
		i := slices.IndexFunc(reported, func(r Finding) bool { return r.ID == g.ID && r.Subject == g.Subject })
		if i >= 0 && rank[reported[i].Severity] <= rank[g.Severity] {
			continue // it is in the report already, as bad as it gets
		}
		if slices.ContainsFunc(g.Clients,
			func(id string) bool { return i < 0 || !slices.Contains(reported[i].Clients, id) }) {
			texts = append(texts, g.ID+": "+g.Sentence)
		}
	}
	if len(texts) > 0 {
		return texts
	}
	for _, k := range c.Clients {
		before, after := c.Forecasts[k.ID], then.Forecasts[k.ID]
		if worth(after.Outcome) > 0 && worth(after.Outcome) < worth(before.Outcome) {
			texts = append(texts, fmt.Sprintf("%s %s would then %s", k.Name, k.Version, outcome(after)))
		}
	}
	return texts
}

// worth orders outcomes, the best highest; 0 is for what cannot be told.
func worth(o client.Outcome) int {
	return map[client.Outcome]int{client.SetsUp: 5, client.SetsUpBut: 4, client.Asks: 3, client.Elsewhere: 2,
		client.Fails: 1}[o]
}

// outcome completes “would then”.
func outcome(f client.Forecast) string {
	text := map[client.Outcome]string{client.SetsUpBut: "set itself up, but ", client.Asks: "ask for ",
		client.Elsewhere: "go elsewhere: ", client.Fails: "fail: "}[f.Outcome]
	return text + f.But
}

// cured returns the case after the cures of a finding, with new forecasts. It is nil if
// nobody can know what the network would answer then.
func (c *Case) cured(ctx context.Context, f Finding) *Case {
	a := &after{}
	for _, cure := range f.Cures {
		if slices.ContainsFunc(cure.Put, func(r dns.Record) bool { return a.puts(r.Name) }) {
			continue // the other way to cure the same name
		}
		a.remove, a.put = append(a.remove, cure.Remove...), append(a.put, cure.Put...)
		if cure.Serve != nil {
			a.serve = append(a.serve, cure.Serve)
		}
	}
	if len(a.remove)+len(a.put)+len(a.serve) == 0 {
		return nil
	}
	for _, r := range slices.Concat(a.remove, a.put) {
		if r.Type == "CNAME" || r.Type == "A" || r.Type == "AAAA" || r.Type == "TXT" {
			c.Addresses(ctx, r.Name)
		}
	}
	a.dnss, a.webs, a.mails, a.tlss = c.Asker.DNSs(), c.Asker.Webs(), c.Asker.Mails(), c.Asker.TLSs()
	a.wildcard = c.Wildcard("").Name
	then := &Case{Address: c.Address, Asker: probe.NewRecording(a), Clients: c.Clients,
		Forecasts: map[string]client.Forecast{}}
	then.ask(ctx, a)
	forecasts := make([]client.Forecast, len(c.Clients))
	var clients sync.WaitGroup
	for i, k := range c.Clients {
		if k.Forecast == nil {
			continue
		}
		clients.Go(func() {
			s := &client.Search{Address: c.Address, Asker: then.Asker}
			forecasts[i] = k.Forecast(ctx, s)
			forecasts[i].Steps = s.Steps()
		})
	}
	clients.Wait()
	for i, k := range c.Clients {
		then.Forecasts[k.ID] = forecasts[i]
	}
	return then
}

// ask asks again what was asked, since rules look at all that was.
func (c *Case) ask(ctx context.Context, a *after) {
	for q := range a.dnss {
		c.Asker.DNS(ctx, q)
	}
	for q := range a.webs {
		c.Asker.Web(ctx, q)
	}
	for q := range a.mails {
		c.Asker.Mail(ctx, q)
	}
	for q := range a.tlss {
		c.Asker.TLS(ctx, q)
	}
}

// after is the network after a cure, as far as it is known: what was answered, with other
// records, and other answers of web servers.
type after struct {
	dnss        map[probe.DNSQuestion]probe.DNSAnswer
	webs        map[probe.WebQuestion]probe.WebAnswer
	mails       map[probe.MailQuestion]probe.MailAnswer
	tlss        map[probe.TLSQuestion]probe.TLSAnswer
	wildcard    string // a name that only a wildcard answers for
	remove, put []dns.Record
	serve       []func(probe.WebQuestion, probe.WebAnswer) probe.WebAnswer
}

var cannotTell = &probe.Failure{Kind: probe.NotAsked, Text: "not known before the cure"}

func (a *after) puts(name string) bool {
	return slices.ContainsFunc(a.put, func(r dns.Record) bool { return r.Name == name })
}

func (a *after) changes(name string) bool {
	return a.puts(name) || slices.ContainsFunc(a.remove, func(r dns.Record) bool { return r.Name == name })
}

// at returns the records at a name after the cure, of all types that are known.
func (a *after) at(name string) []dns.Record {
	var found []dns.Record
	add := func(r dns.Record) {
		same := func(other dns.Record) bool {
			return r.Name == other.Name && r.Type == other.Type && r.CanonicalData() == other.CanonicalData()
		}
		if r.Name == name && !slices.ContainsFunc(found, same) && !slices.ContainsFunc(a.remove, same) {
			found = append(found, r)
		}
	}
	for q, answer := range a.dnss {
		if q.View != probe.Recursive {
			continue
		}
		wild := a.dnss[probe.DNSQuestion{Name: a.wildcard, Type: q.Type}]
		if dns.SameData(wild.Records, answer.Records) {
			continue // a name that gets a record is no longer one of the wildcard's
		}
		for _, r := range answer.Records {
			add(r)
		}
	}
	for _, r := range a.put {
		add(r)
	}
	return found
}

// DNS implements probe.Asker.
func (a *after) DNS(_ context.Context, q probe.DNSQuestion) probe.DNSAnswer {
	if !a.changes(q.Name) {
		if answer, known := a.dnss[q]; known {
			return answer
		}
		return probe.DNSAnswer{Failure: cannotTell}
	}
	here := a.at(q.Name)
	var answer probe.DNSAnswer
	for _, r := range here {
		if r.Type == q.Type {
			answer.Records = append(answer.Records, r)
		}
	}
	if len(answer.Records) > 0 {
		return answer
	}
	for _, r := range here {
		if r.Type != "CNAME" {
			continue
		}
		target, known := a.dnss[probe.DNSQuestion{Name: targetOf(r), Type: q.Type}]
		if !known {
			return probe.DNSAnswer{Failure: cannotTell}
		}
		target.Records = append([]dns.Record{r}, target.Records...)
		return target
	}
	answer.Status = dns.NoData
	if len(here) > 0 {
		return answer
	}
	wild := a.dnss[probe.DNSQuestion{Name: a.wildcard, Type: q.Type}]
	if wild.Failure == nil && len(wild.Records) > 0 {
		for _, r := range wild.Records {
			if r.Name == a.wildcard {
				r.Name = q.Name
			}
			answer.Records = append(answer.Records, r)
		}
		answer.Status = dns.Found
		return answer
	}
	answer.Status = dns.NoName
	return answer
}

// reach returns why the answers of a host cannot be known, or what it answers after the
// cure: nil if it is the host of today.
func (a *after) reach(ctx context.Context, host string) *probe.Failure {
	if !a.changes(host) {
		return nil
	}
	has, same := false, true
	for _, recordType := range []string{"A", "AAAA"} {
		q := probe.DNSQuestion{Name: host, Type: recordType}
		before, now := a.dnss[q], a.DNS(ctx, q)
		if now.Failure != nil {
			return cannotTell
		}
		for _, r := range now.OfType(recordType) {
			has = true
			same = same &&
				slices.ContainsFunc(before.OfType(recordType), func(b dns.Record) bool { return b.Data == r.Data })
		}
	}
	switch {
	case !has:
		return &probe.Failure{Kind: probe.NoAddress, Text: host + " has no address"}
	case !same:
		return cannotTell
	}
	return nil
}

// Web implements probe.Asker.
func (a *after) Web(ctx context.Context, q probe.WebQuestion) probe.WebAnswer {
	if failure := a.reach(ctx, (Hop{Question: q}).host()); failure != nil {
		return probe.WebAnswer{Failure: failure}
	}
	answer, known := a.webs[q]
	if !known {
		return probe.WebAnswer{Failure: cannotTell}
	}
	for _, serve := range a.serve {
		answer = serve(q, answer)
	}
	return answer
}

// Mail implements probe.Asker.
func (a *after) Mail(ctx context.Context, q probe.MailQuestion) probe.MailAnswer {
	failure := a.reach(ctx, q.Host)
	answer, known := a.mails[q]
	if failure != nil || !known {
		return probe.MailAnswer{Failure: cmp.Or(failure, cannotTell)}
	}
	return answer
}

// TLS implements probe.Asker.
func (a *after) TLS(ctx context.Context, q probe.TLSQuestion) probe.TLSAnswer {
	failure := a.reach(ctx, q.Host)
	answer, known := a.tlss[q]
	if failure != nil || !known {
		return probe.TLSAnswer{Failure: cmp.Or(failure, cannotTell)}
	}
	return answer
}
