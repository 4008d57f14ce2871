package machine

import (
	"slices"
	"strings"

	"signpost/account"
)

// unixDrivers are the passdbs of Dovecot whose users are those of Unix.
var unixDrivers = []string{"pam", "shadow", "passwd", "bsdauth"}

// passdb is where Dovecot looks for passwords.
type passdb struct {
	*block
	driver string
}

// passdbs returns where Dovecot looks for passwords: passdb { driver = pam } in 2.3,
// passdb pam { } in 2.4, where a driver may be named, too.
func (m *machine) passdbs() (all []passdb) {
	if m.dovecot == nil {
		return nil
	}
	for _, b := range m.dovecot.all("passdb") {
		if b.get("master", "no").value == "yes" || b.get("deny", "no").value == "yes" {
			continue // of those who sign in as others, or not at all
		}
		all = append(all, passdb{b, b.get("driver", b.name).value})
	}
	return all
}

// login returns the user name with which people of a domain sign in, with placeholders.
// Unix is set for the domains of mydestination.
func (m *machine) login(unix bool) string {
	if m.dovecot == nil {
		if unix {
			m.guess("that people sign in with the name of a Unix user, the part before the @: Dovecot was not read")
			return account.EmailLocalPart
		}
		m.guess("that people sign in with their address: Dovecot was not read")
		return account.EmailAddress
	}
	if format, ok := m.dovecot.settings["auth_username_format"]; ok && onlyLocalPart(format.value) {
		return account.EmailLocalPart
	}
	passdbs := m.passdbs()
	of := slices.DeleteFunc(slices.Clone(passdbs), func(p passdb) bool {
		return unix != slices.Contains(unixDrivers, p.driver)
	})
	switch {
	case unix && len(of) > 0:
		// Unix users have no @ in their names, and Dovecot was not told to cut it off.
		return account.EmailLocalPart
	case !unix && len(of) == 0 && m.aliasesAreLogins():
		// The source of accounts says each login.
	case !unix && len(of) == 0 && len(passdbs) > 0:
		m.guess("that people sign in with their address: Dovecot asks for Unix users only (passdb %s), whose names "+
			"may be others", passdbs[0].driver)
	case len(of) > 0 && !slices.ContainsFunc(of, func(p passdb) bool { return !p.cutsDomain() }):
		return account.EmailLocalPart
	}
	return account.EmailAddress
}

// cutsDomain reports whether the users of a passdb have no domain.
func (p passdb) cutsDomain() bool {
	if format, ok := p.settings["auth_username_format"]; ok { // 2.4
		return onlyLocalPart(format.value)
	}
	for _, word := range strings.Fields(p.get("args", "").value) {
		if format, ok := strings.CutPrefix(word, "username_format="); ok {
			return onlyLocalPart(format)
		}
	}
	return p.driver == "passwd-file" && onlyLocalPart(p.get("username_format", "").value)
}

// onlyLocalPart reports whether a format of user names keeps nothing of the domain: %n and
// %Ln in Dovecot 2.3, %{user | username | lower} in 2.4.
func onlyLocalPart(format string) bool {
	user, local, domain := false, false, false
	for {
		_, after, ok := strings.Cut(format, "%")
		if !ok {
			return local && !user && !domain
		}
		if inside, rest, ok := strings.Cut(strings.TrimPrefix(after, "{"), "}"); ok && strings.HasPrefix(after, "{") {
			filters := strings.FieldsFunc(inside, func(r rune) bool { return r == '|' || r == ' ' })
			switch {
			case slices.Contains(filters, "username") || slices.Contains(filters, "n"):
				local = true
			case slices.Contains(filters, "domain") || slices.Contains(filters, "d"):
				domain = true
			default:
				user = true
			}
			format = rest
			continue
		}
		after = strings.TrimLeft(after, "LUHTE0123456789.-") // modifiers
		if after == "" {
			return false
		}
		switch after[0] {
		case 'n':
			local = true
		case 'd':
			domain = true
		case '%':
		default:
			user = true
		}
		format = after[1:]
	}
}
