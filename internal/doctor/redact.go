package doctor

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
)

// hidden stands in the place of what tells whose address it is.
const hidden = "…"

// Redacted returns a copy of the report without the person: the part of the address before
// the @, and the names with which one would sign in.
func (r *Report) Redacted() *Report {
	address, err := account.ParseAddress(r.Address)
	if err != nil {
		return r // only a domain was named
	}
	hide := newRedaction(address, r)
	text, err := json.Marshal(r)
	var value any
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err == nil {
		text, err = json.Marshal(hide.in("", value))
	}
	redacted := new(Report)
	if err == nil {
		err = json.Unmarshal(text, redacted)
	}
	if err != nil { // strings and numbers only: this cannot fail
		panic(err)
	}
	return redacted
}

// redaction replaces what tells whose address it is.
type redaction struct {
	address *regexp.Regexp // up to its @
	words   []string       // logins, and the local part, which are hidden where they stand alone
	logins  []string       // the same, and those that are hidden only where a login stands
}

func newRedaction(a account.Address, r *Report) *redaction {
	local := strings.ToLower(a.Local())
	h := &redaction{address: beforeAt(local), logins: []string{local}}
	lists := [][]string{}
	for _, c := range r.Clients {
		for _, s := range c.Servers {
			lists = append(lists, []string{s.Username, s.DomainName})
		}
	}
	if r.Type != nil {
		for _, s := range r.Type.Servers {
			lists = append(lists, []string{s.Username, s.DomainName})
		}
	}
	for _, name := range slices.Concat(lists...) {
		name = strings.ToLower(name)
		if name != "" && name != strings.ToLower(a.String()) && !strings.Contains(name, "%") {
			h.logins = append(h.logins, name)
		}
	}
	slices.Sort(h.logins)
	h.logins = slices.Compact(h.logins)
	own := commonWords()
	for _, name := range h.logins {
		if !own[name] {
			h.words = append(h.words, name)
		}
	}
	return h
}

// ownWords returns the words of reports, in lower case: a mailbox that is called so, such as
// mail@, is hidden before its @ and as a login, but not where the word means something else.
func ownWords() map[string]bool {
	words := map[string]bool{}
	add := func(texts ...string) {
		for _, text := range texts {
			for word := range strings.FieldsFuncSeq(strings.ToLower(text),
				func(r rune) bool { return !isWordRune(r) }) {
				words[word] = true
			}
		}
	}
	for _, f := range finding.Catalogue {
		add(f.Title, f.Cause, f.Cure)
	}
	for _, c := range client.All() {
		add(c.ID, c.Name)
	}
	add("mail imap smtp pop pop3 autoconfig autodiscover web www https http dns get post tls config xml")
	return words
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// plainFields are the members of the report's JSON whose values are words of this program.
var plainFields = []string{"version", "domain", "started", "id", "severity", "clients", "probe", "client", "name",
	"certainty", "outcome", "findings", "type", "socketType", "authentication", "tcp", "remove", "put", "hostname"}

// in returns a value of the report's JSON, the value of the named member, without the person.
func (h *redaction) in(member string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			value[name] = h.in(name, inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = h.in(member, inner)
		}
	case string:
		if slices.Contains(plainFields, member) {
			return value
		}
		if (member == "username" || member == "domainName") && slices.Contains(h.logins, strings.ToLower(value)) {
			return hidden
		}
		return h.text(value)
	}
	return value
}

func (h *redaction) text(text string) string {
	text = h.address.ReplaceAllString(text, hidden+"$1")
	for _, word := range h.words {
		text = replaceWord(text, word, hidden)
	}
	return text
}

// replaceWord replaces a word in any case where it stands alone.
func replaceWord(text, word, with string) string {
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // a letter whose cases differ in length
		text = lower
	}
	var b strings.Builder
	for {
		i := strings.Index(lower, word)
		if i < 0 {
			return b.String() + text
		}
		end := i + len(word)
		before, _ := utf8.DecodeLastRuneInString(lower[:i])
		after, _ := utf8.DecodeRuneInString(lower[end:])
		b.WriteString(text[:i])
		if isWordRune(before) || isWordRune(after) {
			b.WriteString(text[i:end])
		} else {
			b.WriteString(with)
		}
		text, lower = text[end:], lower[end:]
	}
}
