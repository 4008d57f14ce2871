package account

import (
	"net/url"
	"slices"
	"strings"
)

// The placeholders of the autoconfig format (draft-ietf-mailmaint-autoconfig,
// "Placeholders"). They may stand in host names, URLs and user names.
const (
	EmailAddress   = "%EMAILADDRESS%"
	EmailLocalPart = "%EMAILLOCALPART%"
	EmailDomain    = "%EMAILDOMAIN%"
)

// MailHost is the placeholder for the host that a mailbox is on, where a store of
// accounts knows it. It may stand in the host names and URLs of a Provider with a
// MailHost; Provider.ServersOn completes it, so that no document has it.
const MailHost = "%MAILHOST%"

// Template is a parsed text with placeholders: a host name, a user name or a
// whole document. It can be completed for any number of addresses. A
// placeholder with doubled percent signs, %%EMAILADDRESS%%, stands for itself.
//
// The zero value is the empty text.
type Template struct{ parts []part }

// part is literal text followed by a placeholder, if that is not empty.
type part struct{ literal, placeholder string }

// Escaper appends a text to dst as the format of a document requires.
type Escaper func(dst []byte, text string) []byte

// ParseTemplate parses a text. Anything that is not one of the three placeholders is
// literal text.
func ParseTemplate(text string) Template {
	var parts []part
	start := 0 // of the literal text
	for i := 0; ; {
		percent := strings.IndexByte(text[i:], '%')
		if percent < 0 {
			break
		}
		i += percent
		if name := placeholderAt(text[i:]); name != "" {
			parts = append(parts, part{text[start:i], name})
			i += len(name)
			start = i
		} else if name := placeholderAt(text[i+1:]); name != "" && strings.HasPrefix(text[i+1+len(name):], "%") {
			parts = append(parts, part{text[start:i] + name, ""})
			i += 1 + len(name) + 1
			start = i
		} else {
			i++
		}
	}
	if start < len(text) {
		parts = append(parts, part{text[start:], ""})
	}
	return Template{parts}
}

// Append completes the template for the address and appends it to dst. The
// values of placeholders pass through escape, the template's own text does not;
// a nil escape copies. Values are not parsed again: an address whose local part
// reads %EMAILDOMAIN% keeps it.
func (t Template) Append(dst []byte, a Address, escape Escaper) []byte {
	size := 0 // without what escape adds
	for _, p := range t.parts {
		size += len(p.literal)
		if p.placeholder != "" {
			size += len(a.whole)
		}
	}
	dst = slices.Grow(dst, size)
	for _, p := range t.parts {
		dst = append(dst, p.literal...)
		var value string
		switch p.placeholder {
		case "":
			continue
		case EmailAddress:
			value = a.whole
		case EmailLocalPart:
			value = a.local
		case EmailDomain:
			value = a.domain
		}
		if escape == nil {
			dst = append(dst, value...)
		} else {
			dst = escape(dst, value)
		}
	}
	return dst
}

// Expand completes a text for the address. For AnyAt, the placeholders of a
// mailbox stay.
func Expand(text string, a Address) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	if text == EmailAddress {
		return a.whole
	}
	return string(ParseTemplate(text).Append(nil, a, nil))
}

// ExpandURL completes a URL for the address. The values are escaped for a path,
// so that a local part with a question mark or a slash does not lead elsewhere.
func ExpandURL(text string, a Address) string {
	if a.plainInURL() {
		return Expand(text, a)
	}
	return string(ParseTemplate(text).Append(nil, a, func(dst []byte, value string) []byte {
		return append(dst, url.PathEscape(value)...)
	}))
}

// plainInURL reports whether the address can be put into a URL without escapes,
// as the placeholders of AnyAt can.
func (a Address) plainInURL() bool { return a.IsAny() || url.PathEscape(a.local) == a.local }

// Verbatim protects the placeholders in a text: Expand and Template turn the
// result into the text again.
func Verbatim(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	return doubled.Replace(text)
}

var doubled = strings.NewReplacer(
	EmailAddress, "%"+EmailAddress+"%",
	EmailLocalPart, "%"+EmailLocalPart+"%",
	EmailDomain, "%"+EmailDomain+"%",
)

// NamesMailbox reports whether the text has a placeholder for a mailbox, so
// that the domain alone cannot complete it.
func NamesMailbox(text string) bool {
	return strings.Contains(text, EmailAddress) || strings.Contains(text, EmailLocalPart)
}

// Placeholders lists everything in a text that looks like a placeholder,
// %NAME%, known or not, so that a misspelt one can be reported. A name of two
// letters is not reported, because %AB may be an escape in a URL.
func Placeholders(text string) []string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	var names []string
	for {
		_, after, _ := strings.Cut(text, "%")
		name, rest, found := strings.Cut(after, "%")
		if !found {
			return names
		}
		text = after
		if len(name) > 2 && strings.Trim(name, letters) == "" {
			names = append(names, "%"+name+"%")
			text = rest
		}
	}
}

// placeholderAt returns the placeholder that the text begins with, or "".
func placeholderAt(text string) string {
	for _, name := range [...]string{EmailAddress, EmailLocalPart, EmailDomain} {
		if strings.HasPrefix(text, name) {
			return name
		}
	}
	return ""
}
