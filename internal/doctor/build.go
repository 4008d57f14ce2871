package doctor

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
	"signpost/internal/doctor/probe"
	"signpost/internal/show"
)

// report puts together what was found.
func (e *examination) report(
	clients []client.Client, forecasts map[string]client.Forecast, silent []string,
	findings []finding.Finding, own *OwnView, provider *Provider,
) *Report {
	for _, id := range silent {
		e.watch.miss("the whole search of "+id, "the time was over")
	}
	e.watch.mu.Lock()
	defer e.watch.mu.Unlock()
	if e.watch.dns > 0 && e.watch.dns == e.watch.dead {
		e.watch.missed = slices.Insert(e.watch.missed, 0,
			NotAsked{wholeDNS, cmp.Or(e.Resolver, "the resolver") + " answers no question"})
	}
	r := &Report{
		Version:  e.Version,
		Domain:   e.Address.Domain(),
		Started:  e.started.UTC().Truncate(time.Second),
		Seconds:  seconds(time.Since(e.started)),
		Complete: len(e.watch.missed) == 0,
		Resolver: e.Resolver,
		Provider: provider,
		Own:      own,
		Findings: []Finding{},
		Clients:  []Client{},
		Hosts:    e.watch.hosts(),
		NotAsked: notAsked(e.watch.missed),
		Requests: e.watch.list(),
	}
	if e.Address.Local() != standIn {
		r.Address = e.Address.String()
	}
	for _, f := range findings {
		r.Findings = append(r.Findings, e.watch.finding(f))
	}
	for _, c := range clients {
		if f, ok := forecasts[c.ID]; ok {
			r.Clients = append(r.Clients, describeClient(c, f, r.Findings))
		}
	}
	r.Type = whatToType(clients, forecasts, own)
	return r
}

// seconds rounds a duration to tenths of seconds.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }

// notAsked returns what could not be known, each thing once. It is not nil.
func notAsked(missed []NotAsked) []NotAsked {
	all := []NotAsked{}
	for _, m := range missed {
		if !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// outcomeWords are the outcomes in JSON.
var outcomeWords = map[client.Outcome]string{
	client.SetsUp:    "sets-up",
	client.SetsUpBut: "sets-up-but",
	client.Asks:      "asks",
	client.Elsewhere: "elsewhere",
	client.Fails:     "fails",
	client.Unknown:   "unknown",
}

func describeClient(c client.Client, f client.Forecast, findings []Finding) Client {
	described := Client{
		Client:    c.ID,
		Name:      c.Name,
		Version:   c.Version,
		Certainty: c.Certainty,
		Outcome:   outcomeWords[f.Outcome],
		But:       f.But,
		Source:    f.Source,
		Seconds:   seconds(f.Took),
		Servers:   serversOf(f.Servers),
		Person:    f.Person,
		Findings:  []string{},
	}
	for _, found := range findings {
		if slices.Contains(found.Clients, c.ID) {
			described.Findings = append(described.Findings, found.ID)
		}
	}
	return described
}

func serversOf(servers []client.Server) []show.Server {
	var all []show.Server
	for _, s := range servers {
		described := show.Server{
			Type: string(s.Type), Hostname: s.Hostname, Port: s.Port, SocketType: string(s.SocketType),
			URL: s.URL, Username: s.Username,
		}
		if s.Authentication != account.PasswordCleartext {
			described.Authentication = string(s.Authentication)
		}
		all = append(all, described)
	}
	return all
}

// finding returns a finding with what was measured. The caller holds the lock.
func (w *watch) finding(f finding.Finding) Finding {
	described := Finding{
		ID: f.ID, Severity: f.Severity, Sentence: f.Sentence,
		Clients: append([]string{}, f.Clients...), Evidence: []Evidence{}, Cures: []Cure{}, Uncovers: f.Uncovers,
	}
	for _, shown := range f.Evidence {
		label := withoutDigests(shown.Key)
		var evidence Evidence
		if i, ok := w.byKey[shown.Key]; ok {
			label = w.requests[i].label
			evidence.MS = w.requests[i].took.Milliseconds()
			if at := w.requests[i].address; at.IsValid() {
				evidence.Address = at.String()
			}
		}
		evidence.Probe, evidence.Target, _ = strings.Cut(label, " ")
		evidence.Target = strings.TrimSuffix(evidence.Target, " at "+evidence.Address)
		evidence.Result = shown.Text
		described.Evidence = append(described.Evidence, evidence)
	}
	for _, cure := range f.Cures {
		described.Cures = append(described.Cures, Cure{cure.Who, cure.Text, lines(cure.Remove), lines(cure.Put)})
	}
	return described
}

// lines returns records as lines of a zone file.
func lines(records []dns.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.String())
	}
	return all
}

// hosts returns the connections to mail servers. The caller holds the lock.
func (w *watch) hosts() []Host {
	hosts := []Host{}
	for _, m := range w.mails {
		h := Host{
			Type: string(m.Type), Hostname: m.Host, Port: m.Port, SocketType: string(m.SocketType),
			TCP: "connected", GreetingMS: m.GreetedAt.Milliseconds(), TLS: describeHandshake(m.TLS),
			Before: m.Before, After: m.After,
		}
		at := m.MailAnswer.Address
		if at.IsValid() {
			h.Address = at.String()
		}
		if m.Failure != nil {
			h.Failure = m.Failure.Text
			if m.Connected == 0 && m.Greeting == "" && m.MailAnswer.TLS == nil {
				h.TCP = string(m.Failure.Kind)
			}
		}
		hosts = append(hosts, h)
	}
	slices.SortStableFunc(hosts, func(a, b Host) int {
		return cmp.Or(strings.Compare(a.Hostname, b.Hostname), a.Port-b.Port, strings.Compare(a.Address, b.Address))
	})
	return hosts
}

func describeHandshake(t *probe.TLS) *TLS {
	if t == nil {
		return nil
	}
	described := &TLS{Version: t.Version, Names: append([]string{}, t.Names...), Issuer: t.Issuer, Chain: t.Chain}
	if !t.End.IsZero() {
		end := t.End.UTC()
		described.NotAfter = &end
	}
	for _, p := range t.Problems {
		described.Problems = append(described.Problems, string(p))
	}
	return described
}

// list returns the requests in the order of their beginning. The caller holds the lock.
func (w *watch) list() []Request {
	list := make([]Request, len(w.requests))
	for i, r := range w.requests {
		list[i] = Request{Key: r.label, BegunMS: r.begun.Milliseconds(), MS: r.took.Milliseconds(), Result: r.outcome}
		if r.address.IsValid() {
			list[i].Address = r.address.String()
		}
	}
	slices.SortStableFunc(list, func(a, b Request) int { return cmp.Compare(a.BegunMS, b.BegunMS) })
	return list
}

// provider guesses who has the mail of the domain, from its MX records.
func (e *examination) provider(ctx context.Context) *Provider {
	answer := e.recording.DNS(ctx, probe.DNSQuestion{Name: e.Address.Domain(), Type: "MX"})
	host, ok := bestMX(answer.OfType("MX"))
	if !ok {
		return nil
	}
	return &Provider{Guess: dns.Registrable(host), Evidence: "MX " + host}
}

// bestMX returns the host of the lowest preference.
func bestMX(records []dns.Record) (host string, ok bool) {
	best := math.MaxInt
	for _, r := range records {
		preference, name, _ := strings.Cut(r.Data, " ")
		n, err := strconv.Atoi(preference)
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if err == nil && n < best && name != "" {
			best, host = n, name
		}
	}
	return host, host != ""
}

// whatToType returns the settings to type by hand: those of this service if the domain is its own,
// else those that most clients were told, where somebody told them.
func whatToType(clients []client.Client, forecasts map[string]client.Forecast, own *OwnView) *Entry {
	if own != nil && len(own.Servers) > 0 {
		return &Entry{Source: "this Signpost", Servers: own.Servers}
	}
	var best *Entry
	votes := map[string]int{}
	for _, c := range clients {
		f := forecasts[c.ID]
		if f.Source == "" || f.Source == "guess" || !complete(f.Servers) {
			continue
		}
		entry := &Entry{Source: f.Source, Servers: onlyMail(serversOf(f.Servers))}
		key := fmt.Sprint(entry.Servers)
		votes[key]++
		if best == nil || votes[key] > votes[fmt.Sprint(best.Servers)] {
			best = entry
		}
	}
	return best
}

// complete reports whether mail can be both read and sent.
func complete(servers []client.Server) bool {
	isType := func(types ...account.ServerType) bool {
		return slices.ContainsFunc(servers, func(s client.Server) bool { return slices.Contains(types, s.Type) })
	}
	return isType(account.IMAP, account.POP3) && isType(account.SMTP)
}

// onlyMail returns the first incoming and the first outgoing server.
func onlyMail(servers []show.Server) []show.Server {
	var in, out []show.Server
	for _, s := range servers {
		switch {
		case s.Type == string(account.SMTP):
			out = append(out, s)
		case s.Type == string(account.IMAP), s.Type == string(account.POP3):
			in = append(in, s)
		}
	}
	return append(in[:1:1], out[0])
}
