package finding

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// internalNames finds C14: hosts in documents that nobody outside can reach by their form, or
// that DNS does not know.
func internalNames(ctx context.Context, c *Case) []Finding {
	var found []Finding
	add := func(f file, t account.ServerType, host, port string, s account.SocketType) {
		host = strings.ToLower(strings.TrimSpace(account.Expand(host, c.Address)))
		why := c.internal(ctx, host)
		if why == "" || host == "" {
			return
		}
		i := slices.IndexFunc(found, func(g Finding) bool { return g.Subject == host })
		if i < 0 {
			i = len(found)
			found = append(found, Finding{
				Subject: host, Sentence: fmt.Sprintf("%s names the server %s, %s.", f.URL, host, why),
				Cures: []Cure{{Who: MailProvider,
					Text: "name the server as it is known to everybody, or put its name into DNS"}},
				Explains: []string{"M1", "M10", "D15", "C16"},
			})
		}
		number, _ := strconv.Atoi(strings.TrimSpace(port))
		q := probe.MailQuestion{Type: t, Host: host, Port: number, SocketType: s}
		for _, key := range append(slices.Clone(f.Keys), q.Key()) {
			if e := (Evidence{key, fmt.Sprintf("%s %s:%d", t, host, number)}); !slices.Contains(found[i].Evidence, e) {
				found[i].Evidence = append(found[i].Evidence, e)
			}
		}
	}
	for _, f := range c.files("clientConfig") {
		for _, e := range f.mailSections() {
			add(f, typeOf(e), e.Content("hostname"), e.Content("port"), account.SocketType(e.Content("socketType")))
		}
	}
	for _, f := range c.files("Autodiscover") {
		for _, e := range f.protocols() {
			s, _ := outlookSecurity(e)
			add(f, account.ServerType(strings.ToLower(strings.TrimSpace(e.Content("Type")))), e.Content("Server"),
				e.Content("Port"), s)
		}
	}
	return found
}

// internal says why nobody outside can reach a host, or nothing.
func (c *Case) internal(ctx context.Context, host string) string {
	if why := internalForm(host); why != "" {
		return why
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	if addresses, known := c.Addresses(ctx, host); known && len(addresses) == 0 {
		return "which DNS does not know"
	}
	return ""
}

// internalForm says what in a name shows that it is known inside only (RFC 6762 §3, RFC 8375, RFC 1918).
func internalForm(host string) string {
	if address, err := netip.ParseAddr(host); err == nil {
		if address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast() {
			return "an address of an internal network"
		}
		return ""
	}
	if !strings.Contains(host, ".") {
		return "which is a name without a domain"
	}
	for _, end := range []string{".local", ".lan", ".internal", ".intranet", ".home.arpa", ".localdomain",
		".localhost", ".corp", ".home"} {
		if strings.HasSuffix(host, end) {
			return "a name that is known inside a network only"
		}
	}
	return ""
}

// source is what one place says of the mail servers.
type source struct {
	Name  string // for sentences
	Keys  []probe.Key
	Hosts map[account.ServerType][]string // sorted
}

// sources returns what documents and SRV records say of mail servers. Those of Mozilla's
// database are apart.
func (c *Case) sources(ctx context.Context) (own []source, database *source) {
	add := func(name string, t account.ServerType, host string, keys ...probe.Key) {
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		if !isMail(t) || host == "" {
			return
		}
		i := slices.IndexFunc(own, func(s source) bool { return s.Name == name })
		if i < 0 {
			i = len(own)
			own = append(own, source{Name: name, Hosts: map[account.ServerType][]string{}})
		}
		for _, key := range keys {
			if !slices.Contains(own[i].Keys, key) {
				own[i].Keys = append(own[i].Keys, key)
			}
		}
		if !slices.Contains(own[i].Hosts[t], host) {
			own[i].Hosts[t] = append(own[i].Hosts[t], host)
			slices.Sort(own[i].Hosts[t])
		}
	}
	names := map[Format]string{Autoconfig: "autoconfig", Autodiscover: "Autodiscover", PACC: "PACC"}
	for _, d := range c.Documents() {
		name := names[d.Format]
		if isDatabase(d.Question.URL) {
			name = "Mozilla's database"
		}
		for _, s := range d.Servers {
			add(name, s.Type, s.Hostname, d.Question.Key())
		}
	}
	for _, service := range mailServices {
		records, _ := c.SRV(ctx, service.Label)
		for _, r := range records {
			add("DNS", service.Type, r.Target, probe.DNSQuestion{Name: c.Name(service.Label), Type: "SRV"}.Key())
		}
	}
	if i := slices.IndexFunc(own, func(s source) bool { return s.Name == "Mozilla's database" }); i >= 0 {
		s := own[i]
		return slices.Delete(own, i, i+1), &s
	}
	return own, nil
}

// disagreement finds C16: two sources that have no host of a type in common.
func disagreement(ctx context.Context, c *Case) []Finding {
	own, _ := c.sources(ctx)
	slices.SortStableFunc(own, func(a, b source) int { return sourceRank(a) - sourceRank(b) })
	var sentences []string
	var evidence []Evidence
	severity := Note
	differing := map[string]bool{}
	var harmed []string
	for _, t := range []account.ServerType{account.IMAP, account.POP3, account.SMTP} {
		says := slices.DeleteFunc(slices.Clone(own), func(s source) bool {
			return len(s.Hosts[t]) == 0 || s.Name == "DNS" && c.isAlias(ctx, s, own, t)
		})
		if len(says) < 2 || slices.ContainsFunc(says[0].Hosts[t], func(h string) bool { return inAll(h, t, says) }) {
			continue
		}
		var parts []string
		for _, s := range says {
			parts = append(parts, fmt.Sprintf("%s says %s", s.Name, list(s.Hosts[t])))
			differing[s.Name] = true
			if !common(s, says[0], t) {
				harmed = append(harmed, c.takers(s.Keys...)...)
				if !c.sameMachine(ctx, s.Hosts[t], says[0].Hosts[t]) {
					severity = Warning
				}
			}
		}
		sentences = append(sentences, fmt.Sprintf("For %s, %s.", protocol(t), strings.Join(parts, ", ")))
	}
	if len(sentences) == 0 {
		return nil
	}
	for _, s := range own {
		if differing[s.Name] {
			for _, key := range s.Keys {
				evidence = append(evidence, Evidence{key, s.text()})
			}
		}
	}
	slices.Sort(harmed)
	return []Finding{{
		Severity: severity,
		Sentence: "The sources of the settings disagree. " + strings.Join(sentences, " "),
		Clients:  append([]string{}, slices.Compact(harmed)...), Evidence: evidence,
		Cures: []Cure{{Who: MailProvider, Text: "let documents and records name the same servers"}},
	}}
}

// isAlias reports whether SRV records name a server of the documents otherwise: by another name of the
// same machine, or by the provider's name where a document has one in the domain.
func (c *Case) isAlias(ctx context.Context, records source, own []source, t account.ServerType) bool {
	documents := hostsOf(slices.DeleteFunc(slices.Clone(own), func(s source) bool { return s.Name == "DNS" }), t)
	return c.sameMachine(ctx, records.Hosts[t], documents) ||
		slices.ContainsFunc(documents, func(h string) bool { return sameOwner(h, c.Domain()) })
}

// sourceRank orders sources in sentences, the one that most clients read first.
func sourceRank(s source) int {
	return slices.Index([]string{"autoconfig", "Autodiscover", "PACC", "DNS"}, s.Name)
}

func inAll(host string, t account.ServerType, all []source) bool {
	return !slices.ContainsFunc(all, func(s source) bool { return !slices.Contains(s.Hosts[t], host) })
}

func common(a, b source, t account.ServerType) bool {
	return slices.ContainsFunc(a.Hosts[t], func(h string) bool { return slices.Contains(b.Hosts[t], h) })
}

// sameMachine reports whether hosts have an address in common: then the names are of one server.
func (c *Case) sameMachine(ctx context.Context, a, b []string) bool {
	data := func(hosts []string) (all []string) {
		for _, h := range hosts {
			addresses, _ := c.Addresses(ctx, h)
			for _, r := range addresses {
				all = append(all, r.Data)
			}
		}
		return all
	}
	others := data(b)
	return slices.ContainsFunc(data(a), func(address string) bool { return slices.Contains(others, address) })
}

func (s source) text() string {
	var parts []string
	for _, t := range []account.ServerType{account.IMAP, account.POP3, account.SMTP} {
		if len(s.Hosts[t]) > 0 {
			parts = append(parts, string(t)+" "+strings.Join(s.Hosts[t], " "))
		}
	}
	return strings.Join(parts, ", ")
}

// staleEntry finds C15: an entry in Mozilla's database with other servers than those that the domain itself
// names, or with servers that cannot be reached.
func staleEntry(ctx context.Context, c *Case) []Finding {
	own, database := c.sources(ctx)
	if database == nil {
		return nil
	}
	var hosts, told []string
	harmless := true // another name of the same machine
	for _, t := range []account.ServerType{account.IMAP, account.SMTP} {
		for _, h := range database.Hosts[t] {
			switch others := hostsOf(own, t); {
			case slices.Contains(others, h):
			case len(others) > 0:
				hosts, told = append(hosts, h), append(told, others...)
				harmless = harmless && c.sameMachine(ctx, []string{h}, others)
			case c.unreachable(ctx, h):
				hosts, harmless = append(hosts, h), false
			}
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	hosts, told = unique(hosts), unique(told)
	sentence := fmt.Sprintf("Mozilla's database says that the mail of %s is at %s, ", c.Domain(), list(hosts))
	if len(told) > 0 {
		sentence += fmt.Sprintf("but the domain itself names %s.", list(told))
	} else {
		sentence += "where nothing answers."
	}
	f := Finding{
		Sentence: sentence, Clients: c.takers(database.Keys...),
		Cures: []Cure{
			{Who: "Mozilla",
				Text: "correct or remove the entry: a pull request at https://github.com/thunderbird/autoconfig"},
			{Who: WebServer(c.Name("autoconfig")), Text: "serve a document: all clients but KMail prefer it"},
		},
		Explains: at(hosts, "M1", "C14", "T7", "T2", "T4"),
	}
	if harmless {
		f.Severity = Note
	}
	for _, key := range database.Keys {
		f.Evidence = append(f.Evidence, Evidence{key, database.text()})
	}
	return []Finding{f}
}

func hostsOf(all []source, t account.ServerType) []string {
	var hosts []string
	for _, s := range all {
		hosts = append(hosts, s.Hosts[t]...)
	}
	return hosts
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// unreachable reports whether a host has no address, or whether all connections to it that clients made failed.
func (c *Case) unreachable(ctx context.Context, host string) bool {
	addresses, known := c.Addresses(ctx, host)
	if known && len(addresses) == 0 {
		return true
	}
	tried, failed := 0, 0
	for q, a := range c.Asker.Mails() {
		if q.Host == host && a.Failure.Known() {
			tried++
			if a.Failure != nil && a.Greeting == "" {
				failed++
			}
		}
	}
	return tried > 0 && failed == tried
}
