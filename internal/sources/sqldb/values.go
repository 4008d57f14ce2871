package sqldb

import (
	"database/sql"
	"strings"

	"signpost/internal/sources/row"
)

// values holds one row of an answer.
type values struct {
	address, alias, provider, username, displayName, givenName, familyName, mailHost, domain, inactive sql.NullString
	ignored                                                                                            sql.RawBytes

	has     struct{ address, domain bool } // columns of the answer
	unknown []string                       // columns of the answer that are not read
}

// target returns where the value of the column goes.
func (v *values) target(column string) any {
	is := func(name string) bool { return strings.EqualFold(column, name) }
	switch {
	case is("address"):
		v.has.address = true
		return &v.address
	case is("alias"):
		return &v.alias
	case is("provider"):
		return &v.provider
	case is("username"):
		return &v.username
	case is("displayName"):
		return &v.displayName
	case is("givenName"):
		return &v.givenName
	case is("familyName"):
		return &v.familyName
	case is("mailHost"):
		return &v.mailHost
	case is("domain"):
		v.has.domain = true
		return &v.domain
	case is("inactive"):
		return &v.inactive
	}
	v.unknown = append(v.unknown, column)
	return &v.ignored
}

// account returns the row as one about an address.
func (v *values) account() row.Account {
	name := plain(v.displayName)
	if name == "" {
		name = strings.TrimSpace(plain(v.givenName) + " " + plain(v.familyName))
	}
	inactive, _ := flag(v.inactive)
	return row.Account{
		Address:     plain(v.address),
		Aliases:     plain(v.alias),
		HasAlias:    v.alias.Valid,
		Provider:    plain(v.provider),
		Username:    plain(v.username),
		DisplayName: name,
		MailHost:    plain(v.mailHost),
		Inactive:    inactive,
	}
}

// domainRow returns the row as one about a domain.
func (v *values) domainRow() row.Domain {
	inactive, _ := flag(v.inactive)
	return row.Domain{
		Domain:   plain(v.domain),
		Alias:    plain(v.alias),
		Provider: plain(v.provider),
		MailHost: plain(v.mailHost),
		Inactive: inactive,
	}
}

// plain returns the text of a value without the blanks around it. NULL is empty.
func plain(value sql.NullString) string {
	return strings.TrimSpace(strings.ToValidUTF8(value.String, "\uFFFD"))
}

// flag returns the truth of a value, and whether it could be read. Databases have
// booleans, numbers, enumerations of y and n, and bits. NULL is false, like an absent
// column.
func flag(value sql.NullString) (truth, ok bool) {
	if !value.Valid {
		return false, true
	}
	switch strings.ToLower(strings.TrimSpace(value.String)) {
	case "1", "t", "true", "y", "yes", "\x01":
		return true, true
	case "0", "f", "false", "n", "no", "\x00":
		return false, true
	}
	return false, false
}
