package machine

import (
	"slices"
	"strings"

	"signpost/internal/importer/draft"
)

// accounts returns the entries of accounts for where mailboxes, aliases and domains are.
// Words are the domains that main.cf names itself.
func (m *machine) accounts(words []string) (all []draft.Map) {
	if m.postfix != nil {
		if source := m.textTables(words); source != nil {
			all = append(all, source)
		}
		all = append(all, m.databases(words)...)
		all = append(all, m.directories(words)...)
	}
	if m.dovecot != nil && len(all) == 0 {
		all = append(m.databaseUsers(words), m.passwdFiles(words)...)
	}
	return all
}

// texts returns those of the entries that are text files, as Signpost names them.
func texts(entries []entry) (all []string) {
	for _, e := range entries {
		if e.isText() {
			all = append(all, e.String())
		}
	}
	return unique(all)
}

// oneOrMore returns the value of a key that takes a text or a list.
func oneOrMore(all []string) any {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// textTables returns the source postfix, or nil if nothing is in text files.
func (m *machine) textTables(words []string) draft.Map {
	domains := texts(slices.Concat(m.mailboxDomains, m.aliasDomains))
	mailboxes, aliases := texts(m.mailboxes), texts(m.aliases)
	var inside draft.Map
	switch {
	case len(domains)+len(mailboxes)+len(aliases) == 0:
		return nil
	case len(domains) > 0:
		inside = append(inside, draft.Entry{Key: "domains", Value: oneOrMore(domains)})
	case len(words) > 0 || len(m.mailboxDomains) > 0:
		inside = append(inside, draft.Entry{Key: "domains", Value: false, Comment: "they stand above"})
	}
	if len(mailboxes) > 0 {
		inside = append(inside, draft.Entry{Key: "mailboxes", Value: oneOrMore(mailboxes)})
	}
	if len(aliases) > 0 {
		inside = append(inside, draft.Entry{Key: "aliases", Value: oneOrMore(aliases)})
		if m.aliasesAreLogins() {
			inside = append(inside, draft.Entry{Key: "unixUsers", Value: true,
				Comment: "aliases lead to Unix users, who sign in with their names"})
		}
	}
	m.hint("let Signpost read %s, for example: setfacl -m u:signpost:r FILE",
		strings.Join(paths(slices.Concat(domains, mailboxes, aliases)), ", "))
	return draft.Map{{Key: "postfix", Value: inside}}
}

// aliasesAreLogins reports whether all addresses are aliases of Unix users, as Virtualmin
// has them: there are no other mailboxes.
func (m *machine) aliasesAreLogins() bool {
	return len(m.mailboxDomains)+len(m.mailboxes) == 0 && len(texts(m.aliases)) > 0
}

// paths returns the tables without their types.
func paths(tables []string) (all []string) {
	for _, t := range tables {
		if _, path, ok := strings.Cut(t, ":"); ok {
			t = path
		}
		all = append(all, t)
	}
	return unique(all)
}

// passwdFiles returns the source passwd for Dovecot's passwd-files.
func (m *machine) passwdFiles(words []string) []draft.Map {
	var files []string
	var at draft.Place
	local := false
	for _, p := range m.passdbs() {
		file := p.get("passwd_file_path", "") // 2.4
		for _, word := range strings.Fields(p.get("args", "").value) {
			if strings.HasPrefix(word, "/") {
				file = setting{word, p.at}
			}
		}
		switch {
		case p.driver == "ldap":
			m.Lose(p.at, "passdb ldap is not carried over: see docs/accounts.md for a filter of your own")
		case p.driver != "passwd-file" || file.value == "":
		case strings.Contains(file.value, "%"):
			m.Lose(p.at, "passdb passwd-file %s is not carried over: it is another file for each domain", file.value)
		default:
			files, at = append(files, file.value), p.at
			local = local || p.cutsDomain()
		}
	}
	if len(files) == 0 {
		return nil
	}
	inside := draft.Map{{Key: "file", Value: oneOrMore(unique(files))}}
	if format, ok := m.dovecot.settings["auth_username_format"]; ok && onlyLocalPart(format.value) {
		local = true
	}
	switch {
	case local && len(words) == 1:
		inside = append(inside, draft.Entry{Key: "domain", Value: words[0], Comment: "users stand there without one"})
	case local:
		m.Lose(at, "passdb passwd-file %s is not carried over: its users have no domain", files[0])
		return nil
	}
	if len(words) > 0 {
		inside = append(inside, draft.Entry{Key: "domains", Value: false, Comment: "they stand above"})
	}
	m.hint("let Signpost read %s, of which it keeps the user names only: setfacl -m u:signpost:r FILE",
		strings.Join(unique(files), ", "))
	return []draft.Map{{{Key: "passwd", Value: inside}}}
}
