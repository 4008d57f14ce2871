package finding

import (
	"fmt"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/probe"
	"signpost/internal/records"
)

// Says returns what a web server answered, in a few words: `200 text/html "Welcome"`.
func (h Hop) Says() string {
	a := h.Answer
	if a.Failure != nil {
		return a.Failure.Text
	}
	text := fmt.Sprint(a.Status)
	if to, ok := h.target(); ok {
		text += " to " + withoutQuery(to)
	} else if contentType := h.contentType(); contentType != "" {
		text += " " + contentType
	}
	if title := titleOf(a.Body); title != "" && h.isOK() {
		text += fmt.Sprintf(" %q", title)
	}
	if a.TLS != nil && len(a.TLS.Problems) > 0 {
		text += ", certificate " + certificate(a.TLS)
	}
	return text
}

// certificate says what is wrong with a certificate.
func certificate(t *probe.TLS) string {
	var problems []string
	for _, p := range t.Problems {
		text := strings.ReplaceAll(string(p), "-", " ")
		if p == probe.WrongName && len(t.Names) > 0 {
			text = "for " + list(t.Names[:min(len(t.Names), 3)])
		}
		problems = append(problems, text)
	}
	return strings.Join(problems, ", ")
}

// titleOf returns the title of a web page, at most 60 bytes of it.
func titleOf(body []byte) string {
	lower := strings.ToLower(string(body))
	if len(lower) != len(body) {
		return ""
	}
	start := strings.Index(lower, "<title>")
	if start < 0 {
		return ""
	}
	start += len("<title>")
	end := strings.Index(lower[start:], "<")
	if end < 0 {
		return ""
	}
	title := strings.Join(strings.Fields(string(body[start:start+end])), " ")
	if len(title) > 60 {
		title = strings.ToValidUTF8(title[:60], "") + "…"
	}
	return title
}

// withoutQuery returns a URL without its query, which may hold an address.
func withoutQuery(rawURL string) string {
	rawURL, _, _ = strings.Cut(rawURL, "?")
	return rawURL
}

// list writes names as a sentence does: "a", "a and b", "a, b and c".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// several writes a few of the names and the number of the others.
func several(names []string) string {
	const most = 4
	if len(names) <= most {
		return list(names)
	}
	return fmt.Sprintf("%s and %d others", strings.Join(names[:most-1], ", "), len(names)-most+1)
}

// ownersOf returns the names at which records stand.
func ownersOf(found []dns.Record) []string {
	var names []string
	for _, r := range found {
		names = append(names, r.Name)
	}
	return names
}

// dnsOf returns who must act if the records of a name are at fault.
func (c *Case) dnsOf(name string) string {
	if c.isOwn(name) {
		return YourDNS
	}
	return "DNS of " + siteOf(name)
}

// data returns the data of records as a sentence does.
func data(found []dns.Record) string {
	var texts []string
	for _, r := range found {
		texts = append(texts, strings.TrimSuffix(r.Data, "."))
	}
	if len(texts) == 0 {
		return "nothing"
	}
	return list(texts)
}

// at returns IDs that are about the hosts, for Finding.Explains.
func at(hosts []string, ids ...string) []string {
	var all []string
	for _, host := range hosts {
		for _, id := range ids {
			all = append(all, id+" "+host)
		}
	}
	return all
}

// tombstone is a record that ends a wildcard at a name.
func tombstone(name string) dns.Record {
	label, _, _ := strings.Cut(name, ".")
	return dns.Record{Name: name, TTL: records.DefaultTTL, Type: "TXT", Data: dns.Quote("no " + label + " service")}
}

// put returns a record to put into DNS.
func put(name, recordType, data string) dns.Record {
	return dns.Record{Name: name, TTL: records.DefaultTTL, Type: recordType, Data: data}
}

// forgotten says how long resolvers may keep records.
func forgotten(found []dns.Record) string {
	longest := uint32(0)
	for _, r := range found {
		longest = max(longest, r.TTL)
	}
	switch {
	case longest < 120:
		return fmt.Sprintf("resolvers forget it within %d s", longest)
	case longest < 7200:
		return fmt.Sprintf("resolvers forget it within %d min", (longest+59)/60)
	}
	return fmt.Sprintf("resolvers forget it within %d h", (longest+3599)/3600)
}

// siteOf returns the registered domain of a host.
func siteOf(host string) string { return dns.Registrable(host) }

// protocol names a type of server for people.
func protocol(t account.ServerType) string {
	switch t {
	case account.IMAP:
		return "IMAP"
	case account.POP3:
		return "POP3"
	case account.SMTP:
		return "sending"
	}
	return string(t)
}
