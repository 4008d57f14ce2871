package machine

import (
	"slices"
	"strings"

	"signpost/internal/importer/draft"
)

// ldapTable is one of Postfix's tables in a directory (ldap_table(5)), without its
// password.
type ldapTable struct {
	entry
	values                                    map[string]setting
	server, base, filter, attribute, bind, ca string
}

// ldapTable reads a table in a directory.
func (m *machine) ldapTable(e entry) (t ldapTable, ok bool) {
	t.entry = e
	if t.values, ok = m.settings(e); !ok {
		return t, false
	}
	value := func(name, fallback string) string {
		if v := t.values[name].value; v != "" {
			return v
		}
		return fallback
	}
	var servers []string
	for _, host := range list(value("server_host", "localhost")) {
		if !strings.Contains(host, "://") {
			if port := value("server_port", "389"); port != "389" && !strings.Contains(host, ":") {
				host += ":" + port
			}
			host = "ldap://" + host
		}
		servers = append(servers, strings.TrimSuffix(host, "/"))
	}
	t.server = strings.Join(servers, " ")
	t.base, t.filter = value("search_base", ""), value("query_filter", "(mailacceptinggeneralid=%s)")
	t.attribute = value("result_attribute", "maildrop")
	t.ca = value("tls_ca_cert_file", "")
	if value("bind", "yes") != "no" {
		t.bind = value("bind_dn", "")
	}
	if scope := value("scope", "sub"); scope != "sub" {
		m.Lose(t.values["scope"].at,
			"scope = %s of %s is not carried over: Signpost searches the whole tree below the base",
			scope, e.name)
	}
	for _, name := range []string{"special_result_attribute", "leaf_result_attribute", "result_format"} {
		if v := value(name, "%s"); v != "%s" {
			m.Lose(t.values[name].at, "%s of %s is not carried over: Signpost follows no entries that others name",
				name, e.name)
		}
	}
	if strings.Contains(t.base, "%") && strings.Contains(strings.ReplaceAll(t.base, "%d", ""), "%") || t.base == "" {
		m.Lose(e.at, "%s: ldap:%s is not carried over: its search_base is empty, or holds another placeholder than %%d",
			e.parameter, e.name)
		return t, false
	}
	return t, true
}

// directories returns the sources for tables in directories.
func (m *machine) directories(words []string) (all []draft.Map) {
	read := func(entries []entry) (tables []ldapTable) {
		for _, e := range entries {
			if e.kind == "ldap" {
				if t, ok := m.ldapTable(e); ok {
					tables = append(tables, t)
				}
			}
		}
		return tables
	}
	domains := read(slices.Concat(m.mailboxDomains, m.aliasDomains))
	mailboxes, aliases := read(m.mailboxes), read(m.aliases)
	if len(mailboxes) == 0 {
		for _, t := range slices.Concat(domains, aliases) {
			m.Lose(t.at,
				"%s: ldap:%s is not carried over: no mailbox is looked for in the directory (virtual_mailbox_maps)",
				t.parameter, t.name)
		}
		return nil
	}
	for i, box := range mailboxes {
		address := keyAttribute(box.filter)
		if address == "" {
			m.Lose(box.at, "%s: the query_filter of %s is not carried over: it compares no attribute with %%s",
				box.parameter,
				box.name)
			continue
		}
		inside := draft.Map{{Key: "server", Value: oneOrMore(strings.Fields(box.server))}}
		if box.bind != "" {
			inside = append(inside, draft.Entry{Key: "bindDN", Value: box.bind},
				draft.Entry{Key: "passwordFile", Value: "/etc/signpost/ldap.password"})
			m.hint("write the password of %s into /etc/signpost/ldap.password, one line, readable for signpost only: "+
				"no secret is copied", box.bind)
		}
		if strings.Contains(box.server, "ldap://") && !strings.Contains(box.server, "ldap://localhost") &&
			!strings.Contains(box.server, "ldap://127.") && box.ca == "" {
			m.hint("the connection to %s gets StartTLS, and its certificate is verified: add caRoot, or socketType: "+
				"plain, if the directory has none that the system trusts", box.server)
		}
		if _, err := m.files(box.ca); box.ca != "" && err != nil {
			m.hint("add caRoot: %s to the source of %s once the file is on the machine of Signpost", box.ca, box.server)
		} else if box.ca != "" {
			inside = append(inside, draft.Entry{Key: "caRoot", Value: box.ca})
		}
		filter, attributes := box.filter, draft.Map{{Key: "address", Value: address}}
		for j, t := range aliases {
			if i > 0 || t.server != box.server || t.base != box.base || keyAttribute(t.filter) == "" {
				if i == 0 {
					m.Lose(t.at, "%s: ldap:%s is not carried over: it asks elsewhere than that of mailboxes, or "+
						"compares no attribute with %%s", t.parameter, t.name)
				}
				continue
			}
			if !strings.EqualFold(t.filter, box.filter) {
				filter = "(|" + filter + t.filter + ")"
			}
			if j == 0 && !strings.EqualFold(t.attribute, address) {
				attributes = append(attributes, draft.Entry{Key: "alias", Value: t.attribute})
			}
		}
		inside = append(inside, draft.Entry{Key: "base", Value: box.base}, draft.Entry{Key: "account", Value: filter},
			draft.Entry{Key: "attributes", Value: attributes})
		inside = append(inside, m.domainFilter(domains, box, words, i == 0)...)
		all = append(all, draft.Map{{Key: "ldap", Value: inside}})
	}
	return all
}

// domainFilter returns the keys for the domains of a directory, if they are in it.
func (m *machine) domainFilter(domains []ldapTable, box ldapTable, words []string, first bool) (keys draft.Map) {
	for _, t := range domains {
		if t.server == box.server && first && len(keys) == 0 {
			if t.base != box.base {
				keys = append(keys, draft.Entry{Key: "domainBase", Value: t.base})
			}
			keys = append(keys, draft.Entry{Key: "domain", Value: t.filter})
		} else if first {
			m.Lose(t.at, "%s: ldap:%s is not carried over: write its domains below domains", t.parameter, t.name)
		}
	}
	return keys
}

// keyAttribute returns the attribute that a filter compares with the whole key, the first
// one.
func keyAttribute(filter string) string {
	before, _, ok := strings.Cut(filter, "=%s)")
	if !ok {
		return ""
	}
	name := before[strings.LastIndexByte(before, '(')+1:]
	if !isName(name) {
		return ""
	}
	return name
}
