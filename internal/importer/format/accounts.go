package format

import (
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/machine"
)

// userNames is a database or a directory in which a tool finds user names.
type userNames struct {
	at      draft.Place
	name    string   // what the source is, for what cannot be carried over
	domains []string // for which it is asked
	// entry returns the entry of accounts. The condition, if it is not empty, keeps to the domains.
	entry func(only []string) (entry draft.Map, problem string)
}

// addUserNames adds sources of user names. One that the tool asks for some of its domains only is
// kept to them.
func addUserNames(d *draft.Draft, all []*userNames) {
	hosted := map[string]bool{}
	for _, p := range d.Products {
		for _, domain := range p.Domains {
			hosted[domain] = true
		}
	}
	for _, one := range all {
		domains := slices.Compact(slices.Sorted(slices.Values(one.domains)))
		var only []string
		if len(domains) < len(hosted) {
			only = domains
		}
		entry, problem := one.entry(only)
		if problem != "" {
			d.Lose(one.at, "%s gives user names, and is not carried over: %s", one.name, problem)
			continue
		}
		d.Accounts = append(d.Accounts, entry)
	}
}

// maxDomains is how many domains a query or a filter names.
const maxDomains = 50

// directorySearch is a search in an LDAP directory, with Postfix's placeholders.
type directorySearch struct {
	servers                                     []string // URLs
	bindDN, base, filter, username, displayName string
}

func (s directorySearch) entry(d *draft.Draft, only []string) (entry draft.Map, problem string) {
	filter := s.filter
	if !strings.HasPrefix(filter, "(") {
		filter = "(" + filter + ")"
	}
	address := machine.KeyAttribute(filter)
	switch {
	case address == "":
		return nil, fmt.Sprintf("its filter %q compares no attribute with the address", s.filter)
	case s.base == "":
		return nil, "it has no base below which is searched"
	case len(only) > maxDomains:
		return nil, fmt.Sprintf("it is asked for %d of the domains only, too many to name in a filter", len(only))
	}
	if len(only) > 0 {
		var ends strings.Builder
		for _, domain := range spellings(only) {
			fmt.Fprintf(&ends, "(%s=*@%s)", address, domain)
		}
		some := ends.String()
		if strings.Count(some, "(") > 1 {
			some = "(|" + some + ")"
		}
		filter = "(&" + filter + some + ")"
	}
	inside := draft.Map{{Key: "server", Value: s.servers}}
	if len(s.servers) == 1 {
		inside[0].Value = s.servers[0]
	}
	if s.bindDN != "" {
		file := passwordFile(d, "ldap")
		inside = append(inside, draft.Entry{Key: "bindDN", Value: s.bindDN},
			draft.Entry{Key: "passwordFile", Value: file})
		d.Hints = append(d.Hints, fmt.Sprintf("Write the password of %s into %s, one line, readable for signpost "+
			"only: no secret is copied", s.bindDN, file))
	}
	for _, server := range s.servers {
		if strings.HasPrefix(server, "ldap://") && !strings.HasPrefix(server, "ldap://localhost") &&
			!strings.HasPrefix(server, "ldap://127.") {
			d.Hints = append(d.Hints, "The connection to "+server+" gets StartTLS, and its certificate is verified: "+
				"add caRoot, or socketType: plain, if the directory has none that the system trusts")
		}
	}
	attributes := draft.Map{{Key: "address", Value: address}, {Key: "username", Value: s.username}}
	if s.displayName != "" {
		attributes = append(attributes, draft.Entry{Key: "displayName", Value: s.displayName})
	}
	inside = append(inside, draft.Entry{Key: "base", Value: s.base}, draft.Entry{Key: "account", Value: filter},
		draft.Entry{Key: "attributes", Value: attributes})
	return draft.Map{{Key: "ldap", Value: inside}}, ""
}

// databaseQuery is a query of a database, with Postfix's placeholders.
type databaseQuery struct {
	database, query, username string
}

func (q databaseQuery) entry(d *draft.Draft, only []string) (entry draft.Map, problem string) {
	condition := ""
	if len(only) > maxDomains {
		return nil, fmt.Sprintf("it is asked for %d of the domains only, too many to name in a query", len(only))
	} else if len(only) > 0 {
		condition = "'%d' IN ('" + strings.Join(spellings(only), "', '") + "')"
	}
	query, ok := machine.UsernameQuery(q.query, q.database, q.username, condition)
	if !ok {
		return nil, fmt.Sprintf("write its query as that of sql, with the columns address and username: %q", q.query)
	}
	inside := draft.Map{{Key: "database", Value: q.database}}
	if !strings.HasPrefix(q.database, "sqlite:") {
		file := passwordFile(d, "database")
		inside = append(inside, draft.Entry{Key: "passwordFile", Value: file})
		d.Hints = append(d.Hints, "Write the password of the database's user into "+file+
			", one line, readable for signpost only: no secret is copied")
	}
	inside = append(inside, draft.Entry{Key: "domains", Value: false}, draft.Entry{Key: "account", Value: query})
	return draft.Map{{Key: "sql", Value: inside}}, ""
}

// spellings returns domains as stores may have them.
func spellings(domains []string) (all []string) {
	for _, domain := range domains {
		all = append(all, account.Spellings(domain)...)
	}
	return all
}

// passwordFile returns a path that no other source of the draft has.
func passwordFile(d *draft.Draft, name string) string {
	if len(d.Accounts) > 0 {
		name += fmt.Sprintf("-%d", len(d.Accounts)+1)
	}
	return "/etc/signpost/" + name + ".password"
}
