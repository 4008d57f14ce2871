package autoconfig

import (
	"strings"

	"signpost/account"
)

// words spells the texts of a document: completed for one address, or as the
// text of an account.Template that is completed later for many.
type words struct {
	address, login account.Address
	template       bool
}

// fill completes a text of the configuration.
func (w words) fill(text string) string {
	if w.template {
		return text
	}
	return account.Expand(text, w.login)
}

// fillURL completes the URL of a server.
func (w words) fillURL(url string) string {
	if w.template {
		return url
	}
	return account.ExpandURL(url, w.login)
}

// keep spells a text in which nothing is to be completed.
func (w words) keep(text string) string {
	if w.template {
		return account.Verbatim(text)
	}
	return text
}

// domain is the domain that was asked for.
func (w words) domain() string {
	if w.template {
		return account.EmailDomain
	}
	return w.address.Domain()
}

// complete is the login with the user name that is written. A missing
// <username> would be the name "undefined" to Thunderbird, so there always is
// one.
func complete(l account.Login) account.Login {
	l.Username = strings.TrimSpace(l.Username)
	if l.Username == "" {
		l.Username = account.EmailAddress
	}
	return l
}

// username spells a login as described in the package comment.
func (w words) username(l account.Login) string {
	name := complete(l).Username
	if l.DomainName != "" {
		return w.keep(l.DomainName) + `\` + w.fill(name)
	}
	if (name == account.EmailAddress || name == account.EmailLocalPart) && w.login == w.address {
		return w.keep(name)
	}
	return w.fill(name)
}

// link completes the URL of a page. One that names a mailbox is left out: a
// stranger's address would have to be escaped for the place where it stands,
// and no client needs it.
func (w words) link(url string) string {
	if strings.Contains(url, account.EmailAddress) || strings.Contains(url, account.EmailLocalPart) {
		return ""
	}
	return w.fill(url)
}

// escapeText is what etree does to the text of a document, for the part of a
// text that a template fills in: only & < > become references.
func escapeText(dst []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
