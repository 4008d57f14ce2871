package ldapdir

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// definition is what a schema says of an attribute or an object class (RFC 4512 §4.1).
type definition struct {
	equality bool   // there is a rule that compares its values
	superior string // whose rules hold, too
}

// definitions reads definitions by their names and OIDs in lower case.
func definitions(texts []string) map[string]definition {
	all := map[string]definition{}
	for _, text := range texts {
		words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ", "'", " ").Replace(text))
		var d definition
		var names []string
		for i, word := range words {
			switch next := slices.Index(words[i:], ")"); {
			case i == 1:
				names = append(names, word)
			case word == "EQUALITY":
				d.equality = true
			case word == "SUP" && i+1 < len(words):
				d.superior = strings.ToLower(words[i+1])
			case word == "NAME" && i+1 < len(words) && words[i+1] == "(":
				names = append(names, words[i+2:i+next]...)
			case word == "NAME" && i+1 < len(words):
				names = append(names, words[i+1])
			}
		}
		for _, name := range names {
			all[strings.ToLower(name)] = d
		}
	}
	return all
}

// compares reports whether a rule compares the attribute's values.
func compares(all map[string]definition, name string) bool {
	for range 10 { // no schema is as deep
		d, ok := all[name]
		if !ok || d.equality {
			return d.equality
		}
		name = d.superior
	}
	return false
}

// readSchema reads the server's schema, as far as the account may.
func (c *check) readSchema(root *ldap.Entry) {
	if root == nil {
		return
	}
	r := c.exists(firstValue(root, []string{"subschemaSubentry"}))
	r.Filter, r.Attributes = "(objectClass=subschema)", []string{"attributeTypes", "objectClasses"}
	result, err := c.conn.Search(r)
	if err != nil || len(result.Entries) == 0 {
		return
	}
	c.attributes = definitions(valuesOf(result.Entries[0], "attributeTypes"))
	c.classes = definitions(valuesOf(result.Entries[0], "objectClasses"))
}

// knows reports whether the schema has an attribute, or is not known.
func (c *check) knows(name string) bool {
	_, ok := c.attributes[bare(name)]
	return ok || len(c.attributes) == 0
}

// schema looks up each attribute and class of the options in the server's schema. A server
// takes a filter with unknown ones for one that matches nothing, and says no word.
func (c *check) schema() {
	if len(c.attributes) == 0 {
		return
	}
	anyRule := false // Active Directory names none
	for _, d := range c.attributes {
		anyRule = anyRule || d.equality
	}
	comparable := func(f *filter) bool {
		return c.knows(f.name) && (!anyRule || compares(c.attributes, bare(f.name)))
	}
	if !slices.ContainsFunc(c.account.keys, comparable) {
		c.fault(fmt.Sprintf("account: the directory cannot compare %s: its schema has no such "+
			"attribute or no rule for it",
			strings.Join(attributeNames(c.account.keys), ", ")), "")
	}
	var unknown []string
	for _, name := range c.allAttributes() {
		if !c.knows(name) {
			unknown = append(unknown, "attribute "+name)
		}
	}
	for _, name := range c.allClasses() {
		if _, ok := c.classes[strings.ToLower(name)]; !ok && len(c.classes) > 0 {
			unknown = append(unknown, "object class "+name)
		}
	}
	if unknown != nil {
		c.note("the directory's schema has no " + strings.Join(unknown, ", no "))
	}
}

// allAttributes returns the attributes of all options.
func (c *check) allAttributes() []string {
	all := attributeList([]string{"objectClass"}, c.account.asked, c.account.filter.attributes(), c.domain.asked)
	if c.domain.filter != nil {
		all = attributeList(all, c.domain.filter.attributes())
	}
	return all
}

// bare returns the name of an attribute in lower case and without options.
func bare(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(name), ";")
	return name
}

// allClasses returns the object classes of all options.
func (c *check) allClasses() []string {
	var all []string
	var collect func(*filter)
	collect = func(f *filter) {
		if f.equality && strings.EqualFold(f.name, "objectClass") && len(f.value.letters) == 0 {
			all = append(all, f.value.texts[0])
		}
		for _, part := range f.parts {
			collect(part)
		}
	}
	collect(c.account.filter)
	if c.domain.filter != nil {
		collect(c.domain.filter)
	}
	if class := c.account.aliasClass; class != "" {
		all = append(all, class)
	}
	return attributeList(all)
}
