package ldapdir

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// filter is a search filter (RFC 4515), or a part of one, with placeholders.
type filter struct {
	op       byte // & | ! or, of a comparison, 0
	parts    []*filter
	text     template // of a comparison: as it is sent, with its brackets
	name     string   // of a comparison: the attribute
	value    template // of a comparison for equality: what is compared, without escapes
	equality bool
}

// parseFilter reads a filter with the allowed placeholders.
func parseFilter(text, allowed string) (*filter, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "(") {
		text = "(" + text + ")"
	}
	// An escaped percent sign must not become one of a placeholder.
	packet, err := ldap.CompileFilter(strings.ReplaceAll(text, `\25`, "%%"))
	if err != nil {
		return nil, errors.New(withoutCode(err))
	}
	f, err := newFilter(packet, allowed)
	if err != nil {
		return nil, err
	}
	dummy := key{"nobody@example.com", "nobody", "example.com"}
	if _, err := ldap.CompileFilter(f.expand([]key{dummy})); err != nil {
		return nil, errors.New(withoutCode(err))
	}
	return f, nil
}

// withoutCode returns the text of an error of package ldap without its prefixes.
func withoutCode(err error) string {
	if e, ok := errors.AsType[*ldap.Error](err); ok {
		err = e.Err
	}
	return strings.TrimPrefix(err.Error(), "ldap: ")
}

func newFilter(packet *ber.Packet, allowed string) (*filter, error) {
	f := new(filter)
	switch packet.Tag {
	case ldap.FilterAnd, ldap.FilterOr, ldap.FilterNot:
		f.op = "&|!"[packet.Tag]
		for _, child := range packet.Children {
			part, err := newFilter(child, allowed)
			if err != nil {
				return nil, err
			}
			f.parts = append(f.parts, part)
		}
		return f, nil
	}
	text, err := ldap.DecompileFilter(packet)
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	if f.text, err = parseTemplate(text, allowed); err != nil {
		return nil, err
	}
	switch packet.Tag {
	case ldap.FilterEqualityMatch:
		f.equality = true
		f.name = packet.Children[0].Data.String()
		if f.value, err = parseTemplate(packet.Children[1].Data.String(), allowed); err != nil {
			return nil, err
		}
	case ldap.FilterPresent:
		f.name = packet.Data.String()
	case ldap.FilterExtensibleMatch:
		// An attribute, a rule or both, which may be OIDs: (userAccountControl:1.2.840.113556.1.4.803:=2).
		f.name, _, _ = strings.Cut(text[1:], ":")
		if f.name == "" {
			return f, nil
		}
	default:
		f.name = packet.Children[0].Data.String()
		if packet.Tag == ldap.FilterSubstrings && len(packet.Children[1].Children) == 0 {
			return nil, fmt.Errorf("%q: one asterisk is enough for any value", f.name)
		}
	}
	if !isAttribute(f.name) {
		return nil, fmt.Errorf("%q is not the name of an attribute", f.name)
	}
	return f, nil
}

// expand returns the filter for a key in one or two spellings. A comparison with the key
// holds if it holds for one of them.
func (f *filter) expand(keys []key) string {
	var text strings.Builder
	f.write(&text, keys)
	return text.String()
}

func (f *filter) write(text *strings.Builder, keys []key) {
	switch {
	case f.op != 0:
		text.WriteByte('(')
		text.WriteByte(f.op)
		for _, part := range f.parts {
			part.write(text, keys)
		}
		text.WriteByte(')')
	case len(f.text.letters) == 0:
		text.WriteString(f.text.texts[0])
	case len(keys) == 1:
		text.WriteString(f.text.expand(keys[0], ldap.EscapeFilter))
	default:
		text.WriteString("(|")
		for _, k := range keys {
			text.WriteString(f.text.expand(k, ldap.EscapeFilter))
		}
		text.WriteByte(')')
	}
}

// comparisons returns the comparisons that hold a placeholder and are not negated.
func (f *filter) comparisons() (all []*filter) {
	switch {
	case f.op == '!':
		return nil
	case f.op != 0:
		for _, part := range f.parts {
			all = append(all, part.comparisons()...)
		}
		return all
	case len(f.text.letters) > 0:
		return []*filter{f}
	}
	return nil
}

// attributes returns the names of all attributes of the filter.
func (f *filter) attributes() (all []string) {
	if f.op == 0 && f.name != "" {
		all = []string{f.name}
	}
	for _, part := range f.parts {
		all = append(all, part.attributes()...)
	}
	return all
}

// keyAttributes returns the attributes that are compared with the key for equality. It is
// an error if there is none, or if the key is compared in another way: then nothing shows
// whether an entry is the one that was asked for.
func (f *filter) keyAttributes() ([]*filter, error) {
	all := f.comparisons()
	if len(all) == 0 {
		return nil, errors.New("it compares no attribute with %s")
	}
	for _, c := range all {
		if !c.equality {
			return nil, fmt.Errorf("%q is compared with a placeholder in another way than with = and no asterisk",
				c.name)
		}
	}
	return all, nil
}

// list is a filter that finds all domains which have their name in one attribute.
type list struct {
	filter string
	name   string
}

// lists returns, for each attribute that is compared with the key, the filter for the
// entries in which that comparison can hold. It returns none unless all comparisons with
// placeholders are for equality with the whole key.
func (f *filter) lists() (all []list) {
	comparisons := f.comparisons()
	for _, c := range comparisons {
		if !c.equality || !c.value.isKey() {
			return nil
		}
		only, result := f.only(c)
		if result == maybe {
			all = append(all, list{only.expand(nil), c.name})
		}
	}
	return all
}

// outcome is what a filter comes to whatever the entry is.
type outcome int

const (
	maybe outcome = iota
	always
	never
)

// only returns the filter in which the comparison chosen holds for any value, and no other
// one with a placeholder holds.
func (f *filter) only(chosen *filter) (*filter, outcome) {
	switch {
	case f == chosen:
		return &filter{text: template{texts: []string{"(" + f.name + "=*)"}}, name: f.name}, maybe
	case f.op == 0 && len(f.text.letters) > 0:
		return nil, never
	case f.op == 0:
		return f, maybe
	case f.op == '!':
		part, result := f.parts[0].only(chosen)
		switch result {
		case never:
			return nil, always
		case always:
			return nil, never
		}
		return &filter{op: '!', parts: []*filter{part}}, maybe
	}
	// One part decides & and | alike; parts that decide nothing are left out.
	decides, idle := never, always
	if f.op == '|' {
		decides, idle = always, never
	}
	g := &filter{op: f.op}
	for _, part := range f.parts {
		part, result := part.only(chosen)
		if result == decides {
			return nil, decides
		}
		if result == maybe {
			g.parts = append(g.parts, part)
		}
	}
	switch len(g.parts) {
	case 0:
		return nil, idle
	case 1:
		return g.parts[0], maybe
	}
	return g, maybe
}

// attributeList returns the names without those that come twice, for a search.
func attributeList(lists ...[]string) (all []string) {
	for _, name := range slices.Concat(lists...) {
		if !slices.ContainsFunc(all, func(n string) bool { return strings.EqualFold(n, name) }) {
			all = append(all, name)
		}
	}
	return all
}
