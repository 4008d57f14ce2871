package finding

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/document"
	"signpost/internal/doctor/probe"
)

// file is a document as it was sent, at one or more URLs.
type file struct {
	Keys []probe.Key
	URL  string // the first, without a query
	Host string // of that
	body []byte
	xml  document.XML
}

// files returns the XML documents of a root element, each once, those of the domain first.
// Mozilla's database is left out: its entries are nobody's own.
func (c *Case) files(root string) []file {
	var all []file
	for q, a := range c.Asker.Webs() {
		if a.Failure != nil || a.Status/100 != 2 || a.Truncated || q.Address.IsValid() || isDatabase(q.URL) {
			continue
		}
		x := c.readings.of(a.Body, c.Address).xml()
		if x.Root == nil && !bytes.Contains(a.Body, []byte("<"+root)) || x.Root != nil && x.Root.Local() != root {
			continue
		}
		i := slices.IndexFunc(all, func(f file) bool { return bytes.Equal(f.body, a.Body) })
		if i < 0 {
			i = len(all)
			all = append(all, file{body: a.Body, xml: x})
		}
		f := &all[i]
		f.Keys = append(f.Keys, q.Key())
		if address := withoutQuery(q.URL); f.URL == "" || c.before(address, f.URL) {
			f.URL, f.Host = address, hostOf(address)
		}
	}
	slices.SortFunc(all, func(a, b file) int {
		if c.before(a.URL, b.URL) {
			return -1
		}
		return 1
	})
	for _, f := range all {
		slices.Sort(f.Keys)
	}
	return all
}

// before orders URLs for sentences: https first, then autoconfig.‹domain›, then lower-case paths, then by text.
func (c *Case) before(a, b string) bool {
	rank := func(address string) string {
		return fmt.Sprint(!strings.HasPrefix(address, "https"), !strings.Contains(address, "//auto"),
			address != strings.ToLower(address), address)
	}
	return rank(a) < rank(b)
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func isDatabase(address string) bool {
	for _, base := range []string{client.ISPDBLive, client.ISPDBThunderbird, client.ISPDBV1} {
		if strings.HasPrefix(address, base) {
			return true
		}
	}
	return false
}

// line returns the line of the document, for evidence.
func (f file) line(n int) string {
	lines := bytes.Split(f.body, []byte("\n"))
	if n < 1 || n > len(lines) {
		return fmt.Sprintf("line %d", n)
	}
	text := strings.Join(strings.Fields(string(lines[n-1])), " ")
	if len(text) > 100 {
		text = strings.ToValidUTF8(text[:100], "") + "…"
	}
	return fmt.Sprintf("line %d: %s", n, text)
}

// mistake is something wrong in a file.
type mistake struct {
	Line     int
	Text     string // the rest of the sentence "line 7 of ‹URL› …"
	Cure     string
	Old, New string // what to replace in the file, if that mends it
}

// byFile makes one finding for each host of the mistakes that a rule sees in the files with a root element
// that can be read. A mistake that is made again is told of once.
func (c *Case) byFile(root string, rule func(f file) []mistake) []Finding {
	return c.byAnyFile(root, func(f file) []mistake {
		if f.xml.Error != nil {
			return nil
		}
		return rule(f)
	})
}

func (c *Case) byAnyFile(root string, rule func(f file) []mistake) []Finding {
	var found []Finding
	told := map[string]int{} // by the mistake's text, the finding that tells of it
	for _, f := range c.files(root) {
		for _, m := range rule(f) {
			i, again := told[m.Text]
			if !again {
				i = slices.IndexFunc(found, func(g Finding) bool { return g.Subject == f.Host })
				if i < 0 {
					i = len(found)
					found = append(found, Finding{Subject: f.Host})
				}
				told[m.Text] = i
				found[i].tell(f, m, c.publisher(f.Host))
			}
			for _, key := range f.Keys {
				if !slices.ContainsFunc(found[i].Evidence, func(e Evidence) bool { return e.Key == key }) {
					found[i].Evidence = append(found[i].Evidence, Evidence{key, f.line(m.Line)})
				}
			}
		}
	}
	return found
}

// tell adds a mistake to what the finding says.
func (f *Finding) tell(in file, m mistake, who string) {
	if f.Sentence == "" {
		f.Sentence = fmt.Sprintf("Line %d of %s %s", m.Line, in.URL, m.Text)
	} else {
		f.Sentence += fmt.Sprintf(" Line %d %s", m.Line, m.Text)
	}
	cure := Cure{Who: who, Text: m.Cure}
	if m.Old != "" {
		cure.Serve = mend(m.Old, m.New)
	}
	f.Cures = append(f.Cures, cure)
}

// publisher returns who can change a document at a host.
func (c *Case) publisher(host string) string {
	if host == c.Domain() || strings.HasSuffix(host, "."+c.Domain()) {
		return WebServer(host)
	}
	return MailProvider
}

// mend is a web server whose documents have a text replaced.
func mend(old, by string) func(probe.WebQuestion, probe.WebAnswer) probe.WebAnswer {
	return func(_ probe.WebQuestion, today probe.WebAnswer) probe.WebAnswer {
		if today.Status/100 == 2 {
			today.Body = bytes.ReplaceAll(today.Body, []byte(old), []byte(by))
		}
		return today
	}
}

// sections returns the server sections of all providers in an autoconfig document.
func (f file) sections() []*document.Element {
	var all []*document.Element
	for _, provider := range f.xml.Root.All("emailProvider") {
		for _, e := range provider.Children {
			if e.Name == "incomingServer" || e.Name == "outgoingServer" {
				all = append(all, e)
			}
		}
	}
	return all
}

// mailSections returns the sections of IMAP, POP3 and SMTP.
func (f file) mailSections() []*document.Element {
	return slices.DeleteFunc(f.sections(), func(e *document.Element) bool { return !isMail(typeOf(e)) })
}

func typeOf(section *document.Element) account.ServerType {
	t, _ := section.Attribute("type")
	return account.ServerType(t)
}

// protocols returns the Protocol elements of IMAP, POP3 and SMTP in an Autodiscover answer.
func (f file) protocols() []*document.Element {
	var all []*document.Element
	f.xml.Root.Walk(func(e *document.Element) {
		if e.Local() != "Protocol" {
			return
		}
		if t := strings.ToLower(strings.TrimSpace(e.Content("Type"))); isMail(account.ServerType(t)) {
			all = append(all, e)
		}
	})
	return all
}

// takers returns the clients that took settings from one of the questions.
func (c *Case) takers(keys ...probe.Key) []string {
	ids := []string{}
	for _, k := range c.Clients {
		for _, step := range c.Forecasts[k.ID].Steps {
			if (step.Verdict == client.Took || step.Verdict == client.Spoilt) && slices.Contains(keys, step.Key) {
				ids = append(ids, k.ID)
				break
			}
		}
	}
	return ids
}

// outlooks sets the clients of findings to the Outlooks that asked for the evidence, where
// their steps do not say it.
func (c *Case) outlooks(found []Finding) []Finding {
	for i := range found {
		found[i].Clients = []string{}
		for _, k := range c.Clients {
			if strings.HasPrefix(k.ID, "outlook") && c.asked(k.ID, found[i].Evidence) {
				found[i].Clients = append(found[i].Clients, k.ID)
			}
		}
	}
	return found
}

func (c *Case) asked(id string, evidence []Evidence) bool {
	return slices.ContainsFunc(c.Forecasts[id].Steps, func(s client.Step) bool {
		return slices.ContainsFunc(evidence, func(e Evidence) bool { return e.Key == s.Key })
	})
}

// isHostname reports whether Thunderbird takes a text for a host name: ASCII, no underscore
// (hostnameUtils.sys.mjs), or with a placeholder.
func isHostname(text string) bool {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "%") {
		return true
	}
	_, err := account.ParseDomain(text)
	return err == nil && !strings.ContainsFunc(text, func(r rune) bool { return r > 127 })
}
