package format

import (
	"slices"
	"strings"

	"signpost/internal/importer/draft"
)

// automx2Directories are the LDAP servers of automx2, which give user names (automx2 2026.2,
// src/automx2/ldap.py). Those of an entry count at every server of the domain.
type automx2Directories struct {
	ids  []string
	list []*userNames
}

// add adds an LDAP server. The defaults are those of src/automx2/database.py.
func (all *automx2Directories) add(d *draft.Draft, at draft.Place, value func(string) string) {
	or := func(name, otherwise string) string {
		if text := value(name); text != "" {
			return text
		}
		return otherwise
	}
	port := or("port", "636")
	scheme, usual := "ldap://", "389"
	if ssl := value("use_ssl"); isOn(ssl) || ssl == "" && port == "636" {
		scheme, usual = "ldaps://", "636"
	}
	server := scheme + value("name")
	if port != usual {
		server += ":" + port
	}
	filter := strings.ReplaceAll(or("search_filter", "(mail={0})"), "%", "%%") // Python's format has {0}
	s := directorySearch{servers: []string{server}, bindDN: value("bind_user"), base: value("search_base"),
		filter: strings.NewReplacer("{0}", "%s", "{}", "%s").Replace(filter), username: or("attr_uid", "uid"),
		displayName: value("attr_cn")}
	all.ids = append(all.ids, value("id"))
	all.list = append(all.list, &userNames{at: at, name: "the LDAP server " + value("name"),
		entry: func(only []string) (draft.Map, string) { return s.entry(d, only) }})
}

// asked notes that the LDAP server with an id is asked for domains.
func (all *automx2Directories) asked(id string, domains ...string) {
	if i := slices.Index(all.ids, id); i >= 0 && id != "" {
		all.list[i].domains = append(all.list[i].domains, domains...)
	}
}

// done adds those that are asked.
func (all *automx2Directories) done(d *draft.Draft) {
	for _, one := range all.list {
		if len(one.domains) == 0 {
			d.Lose(one.at, "%s is asked for no domain", one.name)
		}
	}
	addUserNames(d, slices.DeleteFunc(all.list, func(one *userNames) bool { return len(one.domains) == 0 }))
}
