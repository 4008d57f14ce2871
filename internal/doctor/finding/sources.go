package finding

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/probe"
)

// Format is a format of documents with settings.
type Format string

// The formats.
const (
	Autoconfig   Format = "autoconfig"   // config-v1.1.xml
	Autodiscover Format = "autodiscover" // the XML of Outlook or ActiveSync
	PACC         Format = "pacc"         // user-agent-configuration.json
)

// Document is an answer that a tolerant reader takes for a document with settings.
type Document struct {
	Question probe.WebQuestion
	Answer   probe.WebAnswer
	Host     string // of the URL
	Format   Format
	Settings account.Settings
	// Servers are those of the settings, completed for the address.
	Servers []account.Server
}

// Documents returns what was found by all questions of the clients, whatever each client
// thought of it, in the order of their URLs. Whether the certificate was good does not matter.
func (c *Case) Documents() []Document {
	var documents []Document
	for q, a := range c.Asker.Webs() {
		if a.Failure != nil || a.Status != http.StatusOK {
			continue
		}
		if d, ok := c.read(q, a); ok {
			documents = append(documents, d)
		}
	}
	slices.SortFunc(documents, func(a, b Document) int {
		return strings.Compare(string(a.Question.Key()), string(b.Question.Key()))
	})
	return documents
}

// read reads an answer as a tolerant client does.
func (c *Case) read(q probe.WebQuestion, a probe.WebAnswer) (Document, bool) {
	u, err := url.Parse(q.URL)
	if err != nil {
		return Document{}, false
	}
	m := c.readings.of(a.Body, c.Address).tolerant()
	return Document{
		Question: q, Answer: a, Host: u.Hostname(), Format: m.Format, Settings: m.Settings, Servers: m.Servers,
	}, m.Format != ""
}

// Named is a mail server that somebody is told of: by a document, a SRV record or a client's guess.
type Named struct {
	Type       account.ServerType // imap, pop3 or smtp
	Hostname   string
	Port       int
	SocketType account.SocketType
	// Keys are the questions whose answers name it. They are empty if clients only guess it.
	Keys []probe.Key
	// Clients are the IDs of those that end up with it.
	Clients []string
}

// Question returns the question that a client asks this server.
func (n Named) Question() probe.MailQuestion {
	return probe.MailQuestion{Type: n.Type, Host: n.Hostname, Port: n.Port, SocketType: n.SocketType}
}

// Servers returns all mail servers that documents, SRV records and the ends of forecasts name, each once.
func (c *Case) Servers(ctx context.Context) []Named {
	var all []Named
	add := func(n Named) *Named {
		n.Hostname = strings.ToLower(strings.TrimSuffix(n.Hostname, "."))
		for i := range all {
			if all[i].Question() == n.Question() {
				return &all[i]
			}
		}
		all = append(all, n)
		return &all[len(all)-1]
	}
	name := func(s account.Server, key probe.Key) {
		if !isMail(s.Type) || s.Hostname == "" || s.Port == 0 {
			return
		}
		n := add(Named{Type: s.Type, Hostname: s.Hostname, Port: s.Port, SocketType: s.SocketType})
		if !slices.Contains(n.Keys, key) {
			n.Keys = append(n.Keys, key)
		}
	}
	for _, d := range c.Documents() {
		for _, s := range d.Servers {
			name(s, d.Question.Key())
		}
	}
	for _, service := range mailServices {
		found, _ := c.SRV(ctx, service.Label)
		for _, r := range found {
			name(account.Server{Type: service.Type, Hostname: r.Target, Port: r.Port, SocketType: service.SocketType},
				probe.DNSQuestion{Name: c.Name(service.Label), Type: "SRV"}.Key())
		}
	}
	for _, k := range c.Clients {
		for _, s := range c.Forecasts[k.ID].Servers {
			if !isMail(s.Type) || s.Hostname == "" {
				continue
			}
			n := add(Named{Type: s.Type, Hostname: s.Hostname, Port: s.Port, SocketType: s.SocketType})
			n.Clients = append(n.Clients, k.ID)
		}
	}
	return all
}

func isMail(t account.ServerType) bool {
	return t == account.IMAP || t == account.POP3 || t == account.SMTP
}

// sortedMails goes through connections in the order of their keys.
func sortedMails(mails map[probe.MailQuestion]probe.MailAnswer) iter.Seq2[probe.MailQuestion, probe.MailAnswer] {
	return func(yield func(probe.MailQuestion, probe.MailAnswer) bool) {
		byKey := make(map[probe.Key]probe.MailQuestion, len(mails))
		for q := range mails {
			byKey[q.Key()] = q
		}
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			if q := byKey[key]; !yield(q, mails[q]) {
				return
			}
		}
	}
}
