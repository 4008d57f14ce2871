package setup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
)

// problem is the key of the text that says what is wrong with the input.
type problem string

const (
	problemEmpty   problem = "problem.empty"
	problemNoAt    problem = "problem.noat"
	problemAddress problem = "problem.address"
)

// parsedInput is the address that a person means.
type parsedInput struct {
	address account.Address
	// guessed is set if the input is not an address but a login with an
	// underscore in place of the @. The guess is right only if the domain is
	// hosted here.
	guessed bool
}

// parseInput reads an address as people type and copy it: with mailto:, as Anna
// <anna@example.com>, in quotes, with a full stop after it, with spaces around the
// @, or as the user name that the mail service gave them: mail_domain.se and
// hosting01\mail_domain.se.
func parseInput(input string) (parsedInput, problem) {
	text := trimInput(input)
	if text == "" {
		return parsedInput{}, problemEmpty
	}
	if !strings.Contains(text, "@") {
		return parseLogin(text)
	}
	if a, err := account.ParseAddress(text); err == nil {
		return parsedInput{address: a}, ""
	}
	// hosting01\mail@domain.se: no address has a backslash.
	if slash := strings.LastIndexByte(text, '\\'); slash >= 0 {
		if a, err := account.ParseAddress(strings.TrimLeftFunc(text[slash+1:], superfluous)); err == nil {
			return parsedInput{address: a}, ""
		}
	}
	return parsedInput{}, problemAddress
}

// parseLogin reads DOMAIN\local_domain. Host names have no underscores, so the
// domain begins after the last one.
func parseLogin(text string) (parsedInput, problem) {
	login := strings.TrimLeftFunc(text[strings.LastIndexAny(text, `\/`)+1:], superfluous)
	at := strings.LastIndexByte(login, '_')
	if at <= 0 || !strings.Contains(login[at+1:], ".") {
		return parsedInput{}, problemNoAt
	}
	a, err := account.ParseAddress(login[:at] + "@" + login[at+1:])
	if err != nil {
		return parsedInput{}, problemNoAt
	}
	return parsedInput{address: a, guessed: true}, ""
}

// trimInput removes what people type and copy along with an address.
func trimInput(text string) string {
	text = unwrap(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "＠", "@"))
	if open := strings.LastIndexByte(text, '<'); open >= 0 && strings.HasSuffix(text, ">") {
		text = text[open+1 : len(text)-1]
	}
	const scheme = "mailto:"
	if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		text, _, _ = strings.Cut(text[len(scheme):], "?")
	}
	text = unwrap(text)
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	local := strings.TrimRightFunc(text[:at], superfluous)
	domain := strings.Join(strings.FieldsFunc(text[at+1:], superfluous), "")
	return local + "@" + strings.TrimRight(domain, punctuation+closers)
}

// Characters that can stand around an address without being part of it. Opening
// marks are removed only in pairs: a local part may begin with an apostrophe or a
// quotation mark.
const (
	punctuation = ".,;:!?"
	closers     = `>)]}'"”’“»`
	pairs       = `<> () [] {} '' "" “” ”” „“ „” ‘’ ’’ »« «» »»`
)

// unwrap removes punctuation after a text and pairs of marks around it.
func unwrap(text string) string {
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

// superfluous reports whether a character can be left out at either end of an
// address and in its domain: white space, and invisible characters that come along
// when a text is copied.
func superfluous(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}
