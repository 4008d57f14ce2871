package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"signpost/internal/doctor/client"
)

// writeClients writes the table of clients. Findings are the numbers of the list above.
func (r *Report) writeClients(w *page) {
	if len(r.Clients) == 0 {
		return
	}
	alike := func(a, b Client) bool {
		return a.outcome() == b.outcome() && a.Source == b.Source && slices.Equal(a.Findings, b.Findings)
	}
	groups := versions(r.Clients, alike)
	name := 0
	for _, group := range groups {
		name = max(name, len([]rune(r.title(group))))
	}
	name = min(name, 22)
	const findings = 8
	rest := w.width - len("= ") - name - 3*len("  ") - findings
	source := rest * 2 / 5
	columns := []int{name, rest - source, source, findings}
	w.row(columns, "  ", "CLIENT", "OUTCOME", "SOURCE", "FINDINGS")
	for _, group := range groups {
		c := group[0]
		w.row(columns, string(c.Certainty)+" ", r.title(group), c.outcome(), cut(shortSource(c.Source), source),
			r.numbers(c.Findings))
	}
}

// writeShown writes what the clients show to their people.
func (r *Report) writeShown(w *page) {
	title := "what people see"
	for _, group := range versions(r.Clients, func(a, b Client) bool { return a.Person == b.Person }) {
		if group[0].Person == "" {
			continue
		}
		if title != "" {
			w.line("")
			w.line(title)
			title = ""
		}
		w.paragraph("  ", r.title(group)+": "+group[0].Person)
	}
}

// shortSource returns a source for a narrow column: of a URL the host, where that says enough.
func shortSource(source string) string {
	short, isHTTPS := strings.CutPrefix(cmp.Or(source, "none"), "https://")
	if rest, ok := strings.CutPrefix(short, "http://"); ok {
		short = "http: " + rest
	} else if !isHTTPS {
		return short
	}
	for _, path := range []string{"/mail/config-v1.1.xml", "/autodiscover/autodiscover.xml"} {
		short = strings.TrimSuffix(short, path)
	}
	return strings.Replace(short, "/.well-known/autoconfig", "/.well-known", 1)
}

// cut shortens the words of a text that are wider than a column.
func cut(text string, columns int) string {
	words := strings.Split(text, " ")
	for i, word := range words {
		if runes := []rune(word); len(runes) > columns {
			words[i] = string(runes[:columns-1]) + "…"
		}
	}
	return strings.Join(words, " ")
}

// numbers returns the places of findings in the list, - for none.
func (r *Report) numbers(ids []string) string {
	var numbers []string
	for i, f := range r.Findings {
		if slices.Contains(ids, f.ID) {
			numbers = append(numbers, fmt.Sprint(i+1))
		}
	}
	return cmp.Or(strings.Join(numbers, " "), "-")
}

// titles returns the names of clients, "every client" for all. Versions of one client stand together.
func (r *Report) titles(ids []string) []string {
	var titles []string
	hit := slices.DeleteFunc(slices.Clone(r.Clients), func(c Client) bool { return !slices.Contains(ids, c.Client) })
	if len(hit) == len(r.Clients) && len(hit) > 2 {
		return []string{"every client"}
	}
	for _, group := range versions(hit, func(a, b Client) bool { return a.Name == b.Name }) {
		titles = append(titles, r.title(group))
	}
	return titles
}

// versions returns the clients in groups of those that have the same name and are alike. Clients
// of which only is known what they are told need not have the same name.
func versions(clients []Client, alike func(a, b Client) bool) (groups [][]Client) {
	for _, c := range clients {
		i := slices.IndexFunc(groups, func(g []Client) bool {
			told := g[0].Certainty == client.ToldOnly && c.Certainty == client.ToldOnly
			return (told || g[0].Name == c.Name) && alike(g[0], c)
		})
		if i < 0 {
			groups = append(groups, []Client{c})
			continue
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

// title returns the name of a group of versions, with the versions unless they are all that
// the report has of that client.
func (r *Report) title(group []Client) string {
	if group[0].Certainty == client.ToldOnly {
		var names []string
		for _, c := range group {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
		return strings.Join(names, ", ")
	}
	all, title := 0, group[0].Name
	for _, c := range r.Clients {
		if c.Name == title {
			all++
		}
	}
	if all == len(group) {
		return title
	}
	for i, c := range group {
		if i > 0 {
			title += ","
		}
		title += " " + c.Version
	}
	return title
}
