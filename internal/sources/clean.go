package sources

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/sources/row"
)

// maxText is how many characters are read of a name. No mail system allows longer ones.
const maxText = 255

// cleaned returns the rows without what no client and no terminal should get: their names
// are visible, and a user name that nobody can sign in with is left out. It reports whether
// there was such a user name.
func cleaned(rows []row.Account) (clean []row.Account, odd bool) {
	clean = rows
	for i, r := range rows {
		name := row.Visible(r.DisplayName)
		if utf8.RuneCountInString(name) > maxText {
			name = string([]rune(name)[:maxText]) + "…"
		}
		username := strings.TrimSpace(r.Username)
		if username != "" && !isUsername(username) {
			username, odd = "", true
		}
		if name == r.DisplayName && username == r.Username {
			continue
		}
		if &clean[0] == &rows[0] {
			clean = slices.Clone(rows) // the backend may keep them
		}
		clean[i].DisplayName, clean[i].Username = name, username
	}
	return clean, odd
}

// isUsername reports whether a store's text can be a user name. Package config refuses the
// same in its lists, but for placeholders, which a store does not have: its names hold as
// they are.
func isUsername(text string) bool {
	return utf8.RuneCountInString(text) <= maxText && utf8.ValidString(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) }) &&
		!strings.Contains(text, `\`) &&
		!strings.Contains(text, account.EmailDomain) && !account.NamesMailbox(text)
}
