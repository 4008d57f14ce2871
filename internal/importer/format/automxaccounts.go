package format

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"signpost/internal/importer/draft"
	"signpost/internal/regular"
)

// automxSource is a section that asks a database or a directory for user names.
type automxSource struct {
	userNames
	section *iniSection
}

var automxVariable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_-]*)\}$`)

// userNames notes the source of an answer, if all of its services sign in with one variable of it:
// a user name of a source of accounts counts at every server.
func (a automx) userNames(answer automxAnswer) {
	s := answer.source
	if s == nil || a.hasSource(s) {
		return
	}
	variable, other := "", false
	for _, one := range answer.services {
		m := automxVariable.FindStringSubmatch(one.section.keys[one.kind+"_auth_identity"].text)
		other = other || m == nil || variable != "" && m[1] != variable
		if m != nil {
			variable = m[1]
		}
	}
	what := "the query of [" + s.name + "]"
	key := "query"
	if strings.HasPrefix(strings.ToLower(s.keys["backend"].text), "ldap") {
		what, key = "the search of ["+s.name+"]", "filter"
	}
	one := &automxSource{userNames{at: a.at(s, key), name: what}, s}
	switch {
	case variable == "":
		a.d.Lose(one.at, "%s gives no user name, and is not carried over: %q", what, s.keys[key].text)
		return
	case other:
		one.entry = func([]string) (draft.Map, string) {
			return nil, fmt.Sprintf("a user name of accounts counts at every server, and here only some have ${%s}",
				variable)
		}
	case key == "query":
		one.entry = func(only []string) (draft.Map, string) { return a.query(s, variable, only) }
	default:
		one.entry = func(only []string) (draft.Map, string) { return a.search(s, variable, only) }
	}
	*a.sources = append(*a.sources, one)
}

// hasSource reports whether the section is noted as a source.
func (a automx) hasSource(s *iniSection) bool {
	for _, one := range *a.sources {
		if one.section == s {
			return true
		}
	}
	return false
}

// asked notes that the source of a section is asked for domains.
func (a automx) asked(s *iniSection, domains []string) {
	for _, one := range *a.sources {
		if one.section == s {
			one.domains = append(one.domains, domains...)
		}
	}
}

// query returns a database as a source of user names.
func (a automx) query(s *iniSection, variable string, only []string) (entry draft.Map, problem string) {
	hosts := automxList(s.keys["host"].text)
	if len(hosts) == 0 {
		return nil, "it has no host"
	}
	database, _, problem := automx2URI(hosts[0], filepath.Dir(a.file.Path))
	if problem != "" {
		return nil, "host: " + strings.TrimSuffix(problem, "; import a dump of the database instead")
	}
	if len(hosts) > 1 {
		a.d.Hints = append(a.d.Hints, "The source of accounts has the first host of "+s.name+
			"; add the others to its URL")
	}
	query := strings.ReplaceAll(s.keys["query"].text, ":emailaddress", "'%s'") // of automx 3
	return databaseQuery{database, strings.Join(strings.Fields(query), " "), variable}.entry(a.d, only)
}

// search returns a directory as a source of user names.
func (a automx) search(s *iniSection, variable string, only []string) (entry draft.Map, problem string) {
	value := func(key string) string { return s.keys[key].text }
	if method := value("bindmethod"); method != "" && !strings.EqualFold(method, "simple") {
		return nil, fmt.Sprintf("bindmethod = %s has no equivalent", method)
	}
	if scope := strings.ToLower(value("scope")); scope != "" && !strings.HasPrefix(scope, "sub") {
		a.d.Lose(a.at(s, "scope"), "scope = %s: Signpost searches the whole tree below the base", scope)
	}
	servers := automxList(value("host"))
	for i := range servers {
		servers[i] = strings.TrimSuffix(servers[i], "/")
	}
	if len(servers) == 0 {
		servers = []string{"ldap://127.0.0.1"}
	}
	if ca := value("cacert"); ca != "" {
		a.d.Hints = append(a.d.Hints, "Add caRoot: "+ca+
			" to the source of accounts once the file is on the machine of Signpost")
	}
	return directorySearch{servers: servers, bindDN: value("binddn"), base: value("base"), filter: value("filter"),
		username: variable}.entry(a.d, only)
}

// documentFile reads the autoconfig document that a domain is told: where the configuration says
// that it is, or beside it.
func (a automx) documentFile(s *iniSection, domain string) {
	path := s.keys["autoconfig"].text
	lost := func(why string) {
		a.d.Lose(a.at(s, "autoconfig"), "%s is told what the file %s says: %s", domain, path, why)
	}
	if path == "" || strings.ContainsAny(path, "%$") {
		lost("import the document, too")
		return
	}
	folder := filepath.Dir(a.file.Path)
	places := []string{path, filepath.Join(folder, filepath.Base(path))}
	if !filepath.IsAbs(path) {
		places[0] = filepath.Join(folder, path)
	}
	for _, place := range places {
		data, err := regular.Read(place, 1<<20)
		if err != nil {
			continue
		}
		if err := readAutoconfig(File{Path: place, Data: data}, domain, a.d); err != nil {
			lost(err.Error())
		}
		return
	}
	lost("it is neither there nor beside the configuration; import it, too")
}
