package machine

import (
	"slices"
	"strings"
)

// defaults of Postfix, which postconf -n does not print (postconf -d of 3.7). What is not
// here is empty.
var defaults = map[string]string{
	"inet_interfaces":                 "all",
	"mydestination":                   "$myhostname, localhost.$mydomain, localhost",
	"myorigin":                        "$myhostname",
	"smtpd_sasl_auth_enable":          "no",
	"smtpd_sasl_type":                 "cyrus",
	"smtpd_sasl_security_options":     "noanonymous",
	"smtpd_sasl_tls_security_options": "$smtpd_sasl_security_options",
	"smtpd_tls_auth_only":             "no",
	"smtpd_tls_wrappermode":           "no",
	"virtual_alias_domains":           "$virtual_alias_maps",
	"virtual_alias_maps":              "$virtual_maps",
	"virtual_mailbox_domains":         "$virtual_mailbox_maps",
}

// maxExpanded bounds a value that is expanded.
const maxExpanded = 1 << 20

// get returns the value of a parameter for a service, which may be nil, and where it is
// set. References to other parameters are expanded.
func (p *postfix) get(name string, s *service) setting {
	found := p.raw(name, s)
	steps := 10_000
	found.value = p.expand(found.value, s, 0, &steps)
	return found
}

// raw returns a value as it is written.
func (p *postfix) raw(name string, s *service) setting {
	if s != nil {
		if v, ok := s.options[name]; ok {
			return v
		}
	}
	if v, ok := p.main[name]; ok {
		return v
	}
	if name == "mydomain" { // all behind the first dot of myhostname
		if _, domain, ok := strings.Cut(p.main["myhostname"].value, "."); ok {
			return setting{value: domain}
		}
	}
	return setting{value: defaults[name]}
}

// expand replaces $name, ${name}, $(name), ${name?value} and ${name:value} (postconf(5)).
// Other forms, which compare, are left as they are. Steps bounds the work.
func (p *postfix) expand(text string, s *service, depth int, steps *int) string {
	if depth > 20 || !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for text != "" && b.Len() < maxExpanded && *steps > 0 {
		*steps--
		before, after, ok := strings.Cut(text, "$")
		b.WriteString(before)
		if !ok {
			break
		}
		if strings.HasPrefix(after, "$") {
			b.WriteByte('$')
			text = after[1:]
			continue
		}
		var inside string
		inside, text = reference(after)
		end := strings.IndexFunc(inside, func(r rune) bool { return r == '?' || r == ':' })
		name := inside
		if end >= 0 {
			name = inside[:end]
		}
		if !isName(name) {
			b.WriteString(strings.TrimSuffix("$"+after, text))
			continue
		}
		value := p.expand(p.raw(name, s).value, s, depth+1, steps)
		if end >= 0 {
			yes, no, _ := strings.Cut(inside[end+1:], "}:")
			if inside[end] == ':' {
				yes, no = "", inside[end+1:]
			}
			chosen := no
			if value != "" {
				chosen = yes
			}
			value = p.expand(strings.TrimSpace(strings.Trim(strings.TrimSpace(chosen), "{}")), s, depth+1, steps)
		}
		b.WriteString(value)
	}
	return b.String()
}

// reference returns what a $ refers to, and the rest of the text.
func reference(text string) (inside, rest string) {
	if text != "" && (text[0] == '{' || text[0] == '(') {
		opening, closing, depth := text[0], byte('}'), 0
		if opening == '(' {
			closing = ')'
		}
		for i := 0; i < len(text); i++ {
			switch text[i] {
			case opening:
				depth++
			case closing:
				if depth--; depth == 0 {
					return strings.TrimSpace(text[1:i]), text[i+1:]
				}
			}
		}
		return "", ""
	}
	end := strings.IndexFunc(text, func(r rune) bool { return r == '.' || r == '-' || !isName(string(r)) })
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}

// is reports whether a parameter is yes.
func (p *postfix) is(name string, s *service) bool {
	return strings.EqualFold(p.get(name, s).value, "yes")
}

// list splits a list of main.cf: at commas and blanks, and not inside of braces.
func list(value string) []string {
	depth := 0
	all := strings.FieldsFunc(value, func(r rune) bool {
		switch r {
		case '{':
			depth++
		case '}':
			depth = max(0, depth-1)
		}
		return depth == 0 && (r == ',' || r == ' ' || r == '\t')
	})
	return slices.DeleteFunc(all, func(word string) bool { return word == "" })
}
