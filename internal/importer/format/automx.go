package format

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"signpost/internal/importer/draft"
)

// automxINI is the configuration of automx 1 (doc/txt/automx.conf.5.txt) and automx 3
// (docs/configuration.md). Both are files of Python's configparser with mostly the same keys.
var automxINI = Format{
	Name:  "automx",
	Title: "automx's configuration",
	Is:    func(f File) bool { return bytes.Contains(f.Data, []byte("[automx]")) },
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			if err := readAutomx(f, d); err != nil {
				return err
			}
		}
		return nil
	},
}

// automx is a configuration that is being read.
type automx struct {
	file     File
	d        *draft.Draft
	order    []*iniSection
	sections map[string]*iniSection // by their names in lower case: automx 1 ignores case there
	three    bool                   // automx 3, whose login is the address where nothing says another
	told     map[*iniSection]bool   // whose unknown keys are named already
	sources  *[]*automxSource       // of user names
}

func readAutomx(f File, d *draft.Draft) error {
	sections, err := readINI(f)
	if err != nil {
		return err
	}
	a := automx{file: f, d: d, order: sections, sections: map[string]*iniSection{}, told: map[*iniSection]bool{},
		sources: new([]*automxSource)}
	for _, s := range sections {
		name := strings.ToLower(s.name)
		if a.sections[name] != nil {
			return faultAt(f.Path, s.line, "there are two sections [%s]; automx reads one of them, or none", s.name)
		}
		a.sections[name] = s
	}
	main := a.section("automx")
	if main == nil {
		return faultAt(f.Path, 1, "there is no section [automx]")
	}
	for _, s := range sections {
		a.three = a.three || slices.ContainsFunc(keysOf(s), isOfAutomx3)
	}
	if defaults := a.section("DEFAULT"); defaults != nil {
		a.nameUnknown(defaults)
	}
	a.service(main)
	domains, any := a.domains(main)
	for _, domain := range domains {
		if err := a.domain(domain); err != nil {
			return err
		}
	}
	var names []*userNames
	for _, one := range *a.sources {
		names = append(names, &one.userNames)
	}
	addUserNames(d, names)
	// What a section lacks is found once for each domain that follows it.
	seen := map[draft.Remark]bool{}
	d.Lost = slices.DeleteFunc(d.Lost, func(r draft.Remark) bool {
		again := seen[r]
		seen[r] = true
		return again
	})
	if any && len(d.Products) == 0 {
		return faultAt(f.Path, main.keys["domains"].line,
			"domains = * names no domain: write those that you host in its place, and import again")
	}
	return nil
}

// section returns a section by its name, or nil.
func (a automx) section(name string) *iniSection { return a.sections[strings.ToLower(name)] }

func (a automx) at(s *iniSection, key string) draft.Place {
	line := s.line
	if v, ok := s.keys[key]; ok {
		line = v.line
	}
	return draft.Place{File: a.file.Path, Line: line}
}

// domains returns the domains of the service. any is set if it answers every other one, too:
// then those that have a section are known.
func (a automx) domains(main *iniSection) (domains []string, any bool) {
	for _, name := range automxList(main.keys["domains"].text) {
		if name != "*" {
			domains = append(domains, name)
			continue
		}
		any = true
		a.d.Lose(a.at(main, "domains"), "domains = *: list the domains that you host; a service that answers any "+
			"domain tells its servers to strangers' customers")
		for _, s := range a.order {
			if _, err := parseDomain(s.name); err == nil {
				domains = append(domains, s.name)
			}
		}
	}
	return domains, any
}

// automxList splits a list at commas and white space.
func automxList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
}

// service reads the keys of the section [automx].
func (a automx) service(s *iniSection) {
	for _, key := range keysOf(s) {
		v := s.keys[key]
		switch key {
		case "domains", "provider":
		case "mobileconfig_signing_certificate", "mobileconfig_signing_key":
			a.signs(v)
		case "memcache", "memcache_ttl", "client_error_limit", "rate_limit_exception_networks":
			a.d.Lose(a.at(s, key), "%s: Signpost limits requests by itself, see limits", key)
		case "autodiscover_v2", "mobileconfig_sign", "debug", "homedir", "logfile", "openssl":
		default:
			if !v.inherited {
				a.d.Lose(a.at(s, key), "%s has no equivalent", key)
			}
		}
	}
}

// signs notes a file with which automx signs profiles.
func (a automx) signs(v iniValue) {
	hint := "profiles.certificate and profiles.key sign Apple profiles; automx has " + v.text
	if !slices.Contains(a.d.Hints, hint) {
		a.d.Hints = append(a.d.Hints, hint)
	}
}

// keysOf returns the keys of a section in the order of the file, those of [DEFAULT] last.
func keysOf(s *iniSection) []string {
	return slices.SortedFunc(maps.Keys(s.keys), func(a, b string) int {
		one, other := s.keys[a], s.keys[b]
		switch {
		case one.inherited == other.inherited:
			return one.line - other.line
		case one.inherited:
			return 1
		default:
			return -1
		}
	})
}

// automxAnswer is what sections say about a domain. One that follows another replaces what it
// says: each service as a whole, and each other key.
type automxAnswer struct {
	domain   string
	first    *iniSection
	keys     map[string]iniValue
	services []automxServer
	source   *iniSection // that asks a database or a directory
}

// automxServer is a service with the section in which its keys stand.
type automxServer struct {
	kind    string
	section *iniSection
}

// maxFollow is how many sections may follow one another (automx 3).
const maxFollow = 16

// domain reads the settings of a domain: from its own section, or from [global].
func (a automx) domain(name string) error {
	s := a.section(name)
	if s == nil {
		s = a.section("global")
	}
	if s == nil {
		a.d.Lose(a.at(a.section("automx"), "domains"), "%s has neither a section of its own nor [global]", name)
		return nil
	}
	answer := automxAnswer{domain: name, first: s, keys: map[string]iniValue{}}
	if ok, err := a.evaluate(s, &answer, 1); err != nil || !ok {
		return err
	}
	a.settings(answer)
	return nil
}

// evaluate adds what a section says, and then what those say that it follows. It reports
// whether that can be carried over.
func (a automx) evaluate(s *iniSection, answer *automxAnswer, depth int) (ok bool, err error) {
	if depth > maxFollow {
		return false, faultAt(a.file.Path, answer.first.line,
			"the sections that [%s] follows lead in a circle", answer.first.name)
	}
	value := func(key string) string { return s.keys[key].text }
	backend, appends := strings.CutSuffix(strings.ToLower(value("backend")), "_append")
	switch backend {
	case "global":
		return a.follow(s, "global", answer, depth)
	case "static":
	case "file":
		a.documentFile(s, answer.domain)
		return false, nil
	case "sql", "ldap":
		if answer.source != nil {
			a.d.Lose(a.at(s, "backend"), "%s has a second source of user names, which is not carried over",
				answer.domain)
			break
		}
		answer.source = s
	case "script":
		a.d.Lose(a.at(s, "script"), "the script of %s, which gives user names: %s", answer.domain, value("script"))
	case "":
		a.d.Lose(a.at(s, "backend"), "[%s] has no backend, and so automx tells nothing for %s", s.name, answer.domain)
		return false, nil
	default:
		a.d.Lose(a.at(s, "backend"), "%s has the backend %q, which has no equivalent", answer.domain, value("backend"))
		return false, nil
	}
	a.nameUnknown(s)
	for key, v := range s.keys {
		if _, _, isService := automxService(key); !isService {
			answer.keys[key] = v
		}
	}
	for _, key := range keysOf(s) {
		if slices.Contains(automxKinds, key) && isOn(s.keys[key].text) {
			a.put(automxServer{key, s}, answer, appends)
		}
	}
	if next := value("follow"); next != "" {
		return a.follow(s, strings.ReplaceAll(next, "%d", answer.domain), answer, depth)
	}
	return true, nil
}

func (a automx) follow(s *iniSection, next string, answer *automxAnswer, depth int) (ok bool, err error) {
	if strings.ContainsAny(next, "%$") {
		a.d.Lose(a.at(s, "follow"), "%s: the section that follows depends on the account: %s", answer.domain, next)
		return false, nil
	}
	section := a.section(next)
	if section == nil {
		return false, faultAt(a.file.Path, s.line, "there is no section [%s], which [%s] follows", next, s.name)
	}
	return a.evaluate(section, answer, depth+1)
}

// put adds a service. It replaces the one of its kind, but for backends that append: there
// automx 1 has both, and automx 3 keeps the one that it has.
func (a automx) put(one automxServer, answer *automxAnswer, appends bool) {
	n := slices.IndexFunc(answer.services, func(old automxServer) bool { return old.kind == one.kind })
	switch {
	case n < 0 || appends && !a.three:
		answer.services = append(answer.services, one)
	case !appends:
		answer.services[n].section = one.section
		answer.services = slices.DeleteFunc(answer.services, func(old automxServer) bool {
			return old.kind == one.kind && old.section != one.section
		})
	}
}
