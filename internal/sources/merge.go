package sources

import (
	"fmt"
	"strings"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/sources/row"
)

// merge returns what the rows about an address say of it, and whether there are any.
// Provider is the store's word. A mailbox comes before aliases: several systems have an
// alias from each mailbox to itself.
func merge(a account.Address, rows []row.Account) (s directory.Stored, listed bool) {
	var mailboxes, aliases []row.Account
	for _, r := range rows {
		switch {
		case !isAbout(r.Address, a) || isEmptyAlias(r):
		case strings.TrimSpace(r.Aliases) == "":
			mailboxes = append(mailboxes, r)
		default:
			aliases = append(aliases, r)
		}
	}
	if len(mailboxes) > 0 {
		return mergeMailboxes(mailboxes), true
	}
	return mergeAliases(aliases), len(aliases) > 0
}

// isEmptyAlias reports whether the row is an alias that goes to nobody, as PostfixAdmin
// and Froxlor can have. A row that says anything else is a mailbox: a table of both may
// have ” where mailboxes have no target.
func isEmptyAlias(r row.Account) bool {
	return r.HasAlias && strings.TrimSpace(r.Aliases) == "" &&
		r.Provider == "" && r.Username == "" && r.DisplayName == "" && r.MailHost == ""
}

// isAbout reports whether the text is the address: in any case of ASCII letters, and with
// its domain in A-labels or in Unicode. Some collations also ignore accents and blanks at
// the end, and some connection pools give the rows of other questions.
func isAbout(text string, a account.Address) bool {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return false
	}
	local, domain := text[:at], text[at+1:]
	if domain != a.Domain() {
		if parsed, err := account.ParseDomain(domain); err != nil || parsed != a.Domain() {
			return false
		}
	}
	key := a.Key()
	asked := key[:strings.LastIndexByte(key, '@')]
	if row.EqualASCII(local, asked) {
		return true
	}
	unquoted := strings.Trim(asked, `"`)
	return len(unquoted) == len(asked)-2 && row.EqualASCII(local, unquoted)
}

// mergeMailboxes returns what all the mailboxes of an address have. Where there are
// several, as in a directory with two entries of the same address, nobody can know which
// of their user names is right.
func mergeMailboxes(rows []row.Account) directory.Stored {
	first := rows[0]
	s := directory.Stored{MailHost: hostOf(first.MailHost)}
	s.Provider, s.Username = first.Provider, first.Username
	s.DisplayName, s.Inactive = first.DisplayName, first.Inactive
	for _, r := range rows[1:] {
		s.Inactive = s.Inactive && r.Inactive
		if r == first {
			continue
		}
		s.Problem = fmt.Sprintf("%d entries have the address", len(rows))
		s.DisplayName = ""
		if r.Username != first.Username {
			s.Username = ""
		}
		if r.Provider != first.Provider {
			s.Provider = ""
		}
		if r.MailHost != first.MailHost {
			s.MailHost = ""
		}
	}
	return s
}

// mergeAliases returns what the active ones of an address's aliases lead to.
func mergeAliases(rows []row.Account) (s directory.Stored) {
	s.Inactive = len(rows) > 0
	seen := map[string]bool{}
	for _, r := range rows {
		if r.Inactive {
			continue
		}
		if s.Inactive {
			s.Inactive = false
			s.Provider, s.Username = r.Provider, r.Username
			s.DisplayName, s.MailHost = r.DisplayName, hostOf(r.MailHost)
		}
		for _, target := range targets(r.Aliases) {
			if !seen[target.Key()] {
				seen[target.Key()] = true
				s.Aliases = append(s.Aliases, target)
			}
		}
	}
	switch {
	case s.Inactive:
		s.Problem = "an inactive alias"
	case len(s.Aliases) > maxTargets:
		s.Aliases, s.Problem = nil, fmt.Sprintf("an alias of more than %d addresses", maxTargets)
	case len(rows) > 0 && len(s.Aliases) == 0:
		s.Problem = "an alias of no address"
	}
	return s
}

// maxTargets is how many addresses are read of an alias. Those of a team may lead
// elsewhere but for one; a mailing list has no login of its own.
const maxTargets = 16

// targets returns the addresses in the text of an alias. What is none, such as a file, a
// command, a local user or the catch-all of a domain, is left out.
func targets(text string) (addresses []account.Address) {
	quoted, escaped := false, false
	isSeparator := func(r rune) bool {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		case !quoted:
			return strings.ContainsRune(",; \t\n\r", r)
		}
		return false
	}
	for word := range strings.FieldsFuncSeq(text, isSeparator) {
		if a, err := account.ParseAddress(word); err == nil {
			addresses = append(addresses, a)
		}
		if len(addresses) > maxTargets {
			break
		}
	}
	return addresses
}
