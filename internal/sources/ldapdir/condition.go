package ldapdir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// condition is one of ATTR=VALUE, ATTR!=VALUE and ATTR&BIT.
type condition struct {
	name  string
	op    byte // = ! &
	value string
	bits  int64
}

func parseConditions(what string, texts []string) (all []condition, err error) {
	for _, text := range texts {
		c, err := parseCondition(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func parseCondition(text string) (c condition, err error) {
	at := strings.IndexAny(text, "=!&")
	if at < 0 {
		return c, fmt.Errorf("%q is none of ATTR=VALUE, ATTR!=VALUE and ATTR&BIT", text)
	}
	c = condition{name: strings.TrimSpace(text[:at]), op: text[at], value: text[at+1:]}
	if c.op == '!' {
		var ok bool
		if c.value, ok = strings.CutPrefix(c.value, "="); !ok {
			return c, fmt.Errorf("%q has a ! without a =", text)
		}
	}
	c.value = strings.TrimSpace(c.value)
	switch {
	case !isAttribute(c.name):
		return c, fmt.Errorf("%q is not the name of an attribute", c.name)
	case c.value == "":
		return c, fmt.Errorf("%q has no value", text)
	case c.op == '&':
		if c.bits, err = strconv.ParseInt(c.value, 0, 64); err != nil || c.bits <= 0 {
			return c, fmt.Errorf("%q: %q is not a number of bits", text, c.value)
		}
	}
	return c, nil
}

// holds reports whether the entry meets the condition. An entry without the attribute
// meets none, so that a right that is taken away makes nothing inactive.
func (c condition) holds(e *ldap.Entry) bool {
	values := valuesOf(e, c.name)
	if len(values) == 0 {
		return false
	}
	switch c.op {
	case '&':
		return slices.ContainsFunc(values, func(v string) bool {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return err == nil && n&c.bits != 0
		})
	case '!':
		return !containsFold(values, c.value)
	}
	return containsFold(values, c.value)
}

// anyHolds reports whether the entry meets one of the conditions.
func anyHolds(all []condition, e *ldap.Entry) bool {
	return slices.ContainsFunc(all, func(c condition) bool { return c.holds(e) })
}

// attributesOf returns the attributes that the conditions ask for.
func attributesOf(all []condition) (names []string) {
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}

// valuesOf returns the values of an attribute, also of those with options (cn;lang-sv).
func valuesOf(e *ldap.Entry, name string) (values []string) {
	for _, a := range e.Attributes {
		if base, _, _ := strings.Cut(a.Name, ";"); strings.EqualFold(a.Name, name) || strings.EqualFold(base, name) {
			values = append(values, a.Values...)
		}
	}
	return values
}

// containsFold reports whether one of the values is text, in any case.
func containsFold(values []string, text string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, text) })
}
