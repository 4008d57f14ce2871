package machine

import (
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// entry is an item of a list of main.cf: a word, or a table with a type and a name.
type entry struct {
	word       string
	kind, name string
	parameter  string // that has it, for messages
	at         draft.Place
}

// textTypes are the types of tables that postmap makes from a text file of the same name.
var textTypes = []string{"hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"}

// isText reports whether the entry is a table that can be read as a text file.
func (e entry) isText() bool { return slices.Contains(textTypes, e.kind) || e.kind == "file" }

// String returns the entry as Signpost's source postfix names it.
func (e entry) String() string {
	if e.kind == "file" {
		return e.name
	}
	return e.kind + ":" + e.name
}

// maxTables is how many tables a parameter may name.
const maxTables = 50

// entries returns the items of a parameter. It follows tables that hold others.
func (m *machine) entries(parameter string) []entry {
	value := m.postfix.get(parameter, nil)
	return m.items(list(value.value), entry{parameter: parameter, at: value.at}, 0)
}

func (m *machine) items(words []string, as entry, depth int) (all []entry) {
	tables := 0
	for _, word := range words {
		e := as
		if len(word) > 255 && !strings.Contains(word, "{") {
			continue // neither a domain nor a path
		}
		word = strings.TrimPrefix(word, "proxy:") // proxymap(8) changes nothing about a table
		e.kind, e.name, _ = strings.Cut(word, ":")
		inside := strings.TrimSpace(strings.Trim(e.name, "{}"))
		switch {
		case e.name == "" && strings.HasPrefix(word, "/"):
			e.kind, e.name = "file", word
		case e.name == "" || strings.Contains(e.kind, "/") || strings.HasPrefix(word, "["):
			e.word, e.kind, e.name = word, "", ""
		case e.kind == "unionmap" && depth < 5:
			all = append(all, m.items(list(inside), as, depth+1)...)
			continue
		case e.kind == "inline":
			for _, pair := range list(inside) {
				key, _, _ := strings.Cut(unbraced(pair), "=")
				e.word, e.kind, e.name = strings.TrimSpace(key), "", ""
				all = append(all, e)
			}
			continue
		case e.kind == "mysql" || e.kind == "pgsql" || e.kind == "sqlite" || e.kind == "ldap" || e.isText():
		case e.kind == "static" || e.kind == "pcre" || e.kind == "regexp" || e.kind == "cidr":
			m.Lose(e.at, "%s: %s is not carried over: a pattern lists nobody", e.parameter, word)
			continue
		default:
			m.Lose(e.at, "%s: a table of type %s is not carried over: Signpost cannot ask it", e.parameter, e.kind)
			continue
		}
		if e.kind != "" {
			if tables++; tables > maxTables {
				m.Lose(e.at, "%s: tables behind the %dth are not carried over", e.parameter, maxTables)
				break
			}
		}
		all = append(all, e)
	}
	return all
}

// declaredDomains returns the domains that text tables of aliases declare by a line of
// their own, "example.net anything", where other lines have addresses at them
// (virtual(5)).
func (m *machine) declaredDomains() (all []entry) {
	for _, e := range m.aliases {
		if !e.isText() {
			continue
		}
		data, err := m.files(e.name)
		if err != nil {
			m.Lose(e.at, "domains that %s itself declares are not carried over: the file cannot be read; write them "+
				"below domains, if there are any", e)
			continue
		}
		hasAddress := map[string]bool{}
		var keys []string
		logicalLines(string(data), func(line string, _ int) {
			key := strings.ToLower(strings.Fields(line)[0])
			if _, domain, ok := strings.Cut(key, "@"); ok {
				hasAddress[domain] = true
			} else if strings.Contains(key, ".") {
				keys = append(keys, key)
			}
		})
		for _, key := range keys {
			if hasAddress[key] {
				all = append(all, entry{word: key, parameter: e.parameter, at: e.at})
			}
		}
	}
	return all
}

// domainWords returns the domains that stand in main.cf itself.
func (m *machine) domainWords(entries []entry) (domains []string) {
	for _, e := range entries {
		if e.kind != "" || e.word == "" {
			continue
		}
		switch {
		case strings.HasPrefix(e.word, "!") || strings.HasPrefix(e.word, ".") || strings.HasPrefix(e.word, "["):
			m.noDomain(e, e.word)
		case !strings.Contains(e.word, ".") || isLocal(e.word):
		default:
			domain, err := account.ParseDomain(e.word)
			if err != nil {
				m.noDomain(e, strconv.Quote(e.word))
				continue
			}
			domains = append(domains, domain)
		}
	}
	return domains
}

// noDomain says once of a word of a list that it names no domain. Of a default, nobody wrote it.
func (m *machine) noDomain(e entry, word string) {
	if e.at.File == "" {
		return
	}
	text := e.parameter + ": " + word + " is not carried over: it is not the name of a domain"
	if !slices.Contains(m.Lost, draft.Remark{Place: e.at, Text: text}) {
		m.Lose(e.at, "%s", text)
	}
}

// isLocal reports whether a word names this machine and no domain of mail.
func isLocal(word string) bool {
	return strings.HasPrefix(word, "localhost.") || strings.HasSuffix(word, ".localdomain")
}

// virtualDomains returns the domains of main.cf whose mailboxes are not Unix users.
func (m *machine) virtualDomains() []string {
	if m.postfix == nil {
		return nil
	}
	// Twice the same is what hosts that share a list do.
	return unique(m.domainWords(slices.Concat(m.mailboxDomains, m.aliasDomains)))
}

// unixDomains returns the domains of mydestination whose mailboxes are Unix users.
func (m *machine) unixDomains(others bool) []string {
	if m.postfix == nil {
		return nil
	}
	entries := m.entries("mydestination")
	for _, e := range entries {
		if e.kind != "" {
			m.Lose(e.at, "mydestination: %s is not carried over: write its domains below domains", e)
		}
	}
	all := unique(m.domainWords(entries))
	own := strings.ToLower(m.postfix.get("myhostname", nil).value)
	// Debian writes the machine's own name there, at which nobody has an address.
	rest := slices.DeleteFunc(slices.Clone(all), func(d string) bool { return d == own || !strings.Contains(d, ".") })
	if len(rest) > 0 || others {
		return rest
	}
	if slices.Contains(all, own) && hostName(own) != "" {
		m.guess("that addresses end in @%s, as nothing else stands in mydestination and virtual_mailbox_domains", own)
		return []string{own}
	}
	return nil
}

// unique returns the words without repetitions, in their order.
func unique(words []string) (all []string) {
	seen := map[string]bool{}
	for _, word := range words {
		if !seen[word] {
			seen[word] = true
			all = append(all, word)
		}
	}
	return all
}
