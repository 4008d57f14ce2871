package account

import (
	"net/url"
	"strings"
)

// The placeholders of the autoconfig format (draft-ietf-mailmaint-autoconfig,
// "Placeholders"). They may stand in host names, URLs and user names.
const (
	EmailAddress   = "%EMAILADDRESS%"
	EmailLocalPart = "%EMAILLOCALPART%"
	EmailDomain    = "%EMAILDOMAIN%"
)

// Template is a text with placeholders, taken apart once so that it can be
// completed for many addresses: a host name, a user name, or a whole answer
// that was prepared when the configuration was loaded. A placeholder written
// with doubled percent signs, %%EMAILADDRESS%%, stands for itself.
//
// The zero value is the empty text.
type Template struct{ parts []part }

// part is a literal text followed by what replaces a placeholder, if anything.
type part struct {
	literal string
	hole    string // EmailAddress, EmailLocalPart, EmailDomain or ""
}

// ParseTemplate takes the text apart. Anything that is not one of the three
// placeholders is literal text.
func ParseTemplate(text string) Template {
	var t Template
	literal := 0 // where the literal text under way begins
	for i := 0; ; {
		percent := strings.IndexByte(text[i:], '%')
		if percent < 0 {
			break
		}
		i += percent
		if name := placeholderAt(text[i:]); name != "" {
			t.parts = append(t.parts, part{text[literal:i], name})
			i += len(name)
			literal = i
		} else if name := placeholderAt(text[i+1:]); name != "" && strings.HasPrefix(text[i+1+len(name):], "%") {
			t.parts = append(t.parts, part{text[literal:i] + name, ""})
			i += 1 + len(name) + 1
			literal = i
		} else {
			i++
		}
	}
	if literal < len(text) {
		t.parts = append(t.parts, part{text[literal:], ""})
	}
	return t
}

// Append completes the template for the address and appends it to dst. What
// replaces a placeholder goes through escape, the template's own text does not;
// a nil escape copies. What was filled in is not looked at again: an address
// whose local part reads %EMAILDOMAIN% stays what it is.
func (t Template) Append(dst []byte, a Address, escape func(dst []byte, text string) []byte) []byte {
	for _, p := range t.parts {
		dst = append(dst, p.literal...)
		var value string
		switch p.hole {
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

// Expand completes a text for the address. For AnyAt, what belongs to a mailbox
// stays a placeholder.
func Expand(text string, a Address) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	if text == EmailAddress {
		return a.whole
	}
	return string(ParseTemplate(text).Append(nil, a, nil))
}

// ExpandURL completes a URL for the address. What belongs to the mailbox is
// escaped for a path, so that a local part with a question mark or a slash does
// not lead elsewhere.
func ExpandURL(text string, a Address) string {
	if a.IsAny() || a.plainInURL() {
		return Expand(text, a)
	}
	return string(ParseTemplate(text).Append(nil, a, func(dst []byte, value string) []byte {
		return append(dst, url.PathEscape(value)...)
	}))
}

// plainInURL reports whether the address stands in a URL as it is.
func (a Address) plainInURL() bool { return url.PathEscape(a.local) == a.local }

// Verbatim is a text that comes out of a Template as it went in, placeholders
// and all.
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

// Placeholders lists what looks like a placeholder in a text, %NAME%, known or
// not, so that a misspelt one can be named. Two letters are an escape of a URL.
func Placeholders(text string) []string {
	var names []string
	for {
		start := strings.IndexByte(text, '%')
		if start < 0 {
			return names
		}
		text = text[start+1:]
		end := strings.IndexByte(text, '%')
		if end < 0 {
			return names
		}
		if name := text[:end]; len(name) > 2 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") == "" {
			names = append(names, "%"+name+"%")
			text = text[end+1:]
		}
	}
}

func placeholderAt(text string) string {
	for _, name := range [...]string{EmailAddress, EmailLocalPart, EmailDomain} {
		if strings.HasPrefix(text, name) {
			return name
		}
	}
	return ""
}
