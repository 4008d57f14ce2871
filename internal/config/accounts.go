package config

import (
	"maps"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/directory"
)

// entry is an account while the accounts are being compared.
type entry struct {
	address account.Address
	record  directory.Record
	line    int // of the address
	at      *value
	given   given
}

var entryKeys = keys[entry]{
	"provider": func(e *entry, v *value) { e.record.Provider, _ = v.word() },
	"alias": func(e *entry, v *value) {
		if text, ok := v.text("the address of the mailbox"); ok {
			e.record.Alias, _ = v.address(text, v.line)
		}
	},
	"inactive":    func(e *entry, v *value) { v.boolean(&e.record.Inactive) },
	"username":    func(e *entry, v *value) { e.record.Username, _ = v.username() },
	"displayName": func(e *entry, v *value) { e.record.DisplayName, _ = v.text("a name") },
}

// source is an account source while it is being read.
type source struct {
	list    directory.List
	entries []*entry
}

// sourceKeys are the kinds of sources. Each source has exactly one of them.
var sourceKeys = keys[source]{"list": readList}

// readAccounts reads the account sources, in the order in which they are asked.
func readAccounts(l *loader, v *value) {
	for item := range v.list("account sources, such as - list: …") {
		var s source
		has, ok := sourceKeys.read(item, &s)
		switch {
		case !ok:
		case len(item.items) == 0:
			item.fault("names no source; known here: %s", strings.Join(sourceKeys.names(), ", "))
		case len(has) > 1:
			item.fault("names more than one source; begin each with a - of its own")
		}
		if s.list != nil {
			l.accounts = append(l.accounts, s.list)
		}
		l.entries = append(l.entries, s.entries...)
	}
}

// readList reads accounts that stand in the configuration itself.
func readList(s *source, v *value) {
	if !v.is(mapping, "a mapping of addresses to accounts") {
		return
	}
	s.list = make(directory.List, len(v.items)/2)
	for key, item := range v.entries() {
		e := &entry{at: item, line: key.line}
		var ok bool
		if e.address, ok = item.address(key.text, key.line); !ok {
			continue
		}
		if item.kind == nothing {
			item.fault("has no value; write {} for an account with nothing of its own")
			continue
		}
		if e.given, ok = entryKeys.read(item, e); !ok {
			continue
		}
		s.list[e.address.Key()] = e.record
		s.entries = append(s.entries, e)
	}
}

// address reads a mail address.
func (v *value) address(text string, line int) (account.Address, bool) {
	address, err := account.ParseAddress(text)
	if err != nil {
		v.faultAt(line, "%s is %v", quote(text), err)
	}
	return address, err == nil
}

// compareAccounts finds what is wrong between accounts, and between accounts
// and providers, once all are read.
func (l *loader) compareAccounts() {
	byKey := make(map[string]*entry, len(l.entries))
	for _, e := range l.entries {
		if first := byKey[e.address.Key()]; first != nil {
			e.at.faultAt(e.line, "this mailbox is already listed on line %d", first.line)
			continue
		}
		byKey[e.address.Key()] = e
	}
	for _, e := range l.entries {
		if name := e.given["provider"]; name != nil && e.record.Provider != "" && l.byID[e.record.Provider] == nil {
			name.fault("there is no provider %s%s", quote(e.record.Provider), didYouMean(e.record.Provider, l.ids()))
		}
		if alias := e.given["alias"]; alias != nil {
			l.compareAlias(e, alias, byKey)
		} else if e.given["provider"] == nil {
			l.compareDomain(e.at, e.line, e.address)
		}
	}
}

// compareAlias looks at where an alias leads: what a person gets is the
// mailbox's, and the mailbox must be one.
func (l *loader) compareAlias(e *entry, alias *value, byKey map[string]*entry) {
	if own := e.given["provider"]; own != nil {
		own.fault("an alias has the provider of the mailbox behind it; write it there")
	}
	target := e.record.Alias
	if target.IsZero() {
		return
	}
	mailbox := byKey[target.Key()]
	switch {
	case target.Key() == e.address.Key():
		alias.fault("is an alias of itself")
	case mailbox != nil && mailbox.given["alias"] != nil:
		alias.fault("%s is an alias too (line %d); name the mailbox itself", quote(target.String()), mailbox.line)
	case mailbox == nil || mailbox.given["provider"] == nil:
		l.compareDomain(alias, alias.line, target)
	}
}

// compareDomain says when no provider hosts the domain of an address.
func (l *loader) compareDomain(at *value, line int, address account.Address) {
	if _, any := l.hosted["*"]; any || l.hosts(address.Domain()) {
		return
	}
	if len(l.mx) > 0 {
		at.warn("no provider lists the domain %s; it is found only while its MX record says so", address.Domain())
		return
	}
	var names []string
	if len(l.hosted) <= 1000 {
		names = slices.Sorted(maps.Keys(l.hosted))
	}
	hint := "; list it under a provider's domains"
	if right := nearest(address.Domain(), names); right != "" {
		hint = ", did you mean " + quote(right) + "?"
	}
	at.faultAt(line, "no provider hosts the domain %s%s", address.Domain(), hint)
}

func (l *loader) hosts(domain string) bool {
	_, listed := l.hosted[domain]
	return listed
}
