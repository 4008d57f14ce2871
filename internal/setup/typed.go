package setup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
)

// problem says what is wrong with what was typed; it is the key of a text.
type problem string

const (
	problemEmpty   problem = "problem.empty"
	problemNoAt    problem = "problem.noat"
	problemAddress problem = "problem.address"
)

// reading is how what a person typed can be understood.
type reading struct {
	address account.Address
	// guessed is set where no address was typed but a login in which the @ is
	// an underscore. That holds only if the domain is hosted.
	guessed bool
}

// understand reads an address as people type and copy it: mailto:, Anna
// <anna@example.com>, in quotes, with a full stop after it, with spaces around
// the @, or the user name that the mail service told them: mail_domain.se and
// hosting01\mail_domain.se.
func understand(typed string) (reading, problem) {
	text := tidy(typed)
	if text == "" {
		return reading{}, problemEmpty
	}
	if !strings.Contains(text, "@") {
		return understandLogin(text)
	}
	if a, err := account.ParseAddress(text); err == nil {
		return reading{address: a}, ""
	}
	// hosting01\mail@domain.se: no address holds a backslash.
	if slash := strings.LastIndexByte(text, '\\'); slash >= 0 {
		if a, err := account.ParseAddress(strings.TrimLeftFunc(text[slash+1:], superfluous)); err == nil {
			return reading{address: a}, ""
		}
	}
	return reading{}, problemAddress
}

// understandLogin reads DOMAIN\local_domain. No host name holds an underscore,
// so the domain begins after the last one.
func understandLogin(text string) (reading, problem) {
	login := strings.TrimLeftFunc(text[strings.LastIndexAny(text, `\/`)+1:], superfluous)
	at := strings.LastIndexByte(login, '_')
	if at <= 0 || !strings.Contains(login[at+1:], ".") {
		return reading{}, problemNoAt
	}
	a, err := account.ParseAddress(login[:at] + "@" + login[at+1:])
	if err != nil {
		return reading{}, problemNoAt
	}
	return reading{address: a, guessed: true}, ""
}

// tidy takes away what people type and copy along with an address.
func tidy(text string) string {
	text = unwrapped(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "＠", "@"))
	if open := strings.LastIndexByte(text, '<'); open >= 0 && strings.HasSuffix(text, ">") {
		text = text[open+1 : len(text)-1]
	}
	const scheme = "mailto:"
	if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		text, _, _ = strings.Cut(text[len(scheme):], "?")
	}
	text = unwrapped(text)
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	local := strings.TrimRightFunc(text[:at], superfluous)
	domain := strings.Join(strings.FieldsFunc(text[at+1:], superfluous), "")
	return local + "@" + strings.TrimRight(domain, punctuation+closers)
}

// What can stand around an address and is no part of it. Marks open an address
// only in pairs: a local part may begin with an apostrophe or in quotes.
const (
	punctuation = ".,;:!?"
	closers     = `>)]}'"”’“»`
	pairs       = `<> () [] {} '' "" “” ”” „“ „” ‘’ ’’ »« «» »»`
)

// unwrapped takes away punctuation after a text and marks around it.
func unwrapped(text string) string {
	ends := func(r rune) bool { return superfluous(r) || strings.ContainsRune(punctuation, r) }
	for {
		text = strings.TrimRightFunc(strings.TrimLeftFunc(text, superfluous), ends)
		_, first := utf8.DecodeRuneInString(text)
		_, last := utf8.DecodeLastRuneInString(text)
		if text == "" || first+last > len(text) || !strings.Contains(pairs, text[:first]+text[len(text)-last:]) {
			return text
		}
		text = text[first : len(text)-last]
	}
}

// superfluous reports what can be left out at either end and in a domain: white
// space, and what is invisible and comes along when a text is copied.
func superfluous(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}
