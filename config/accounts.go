package config

import (
	"strings"

	"signpost/account"
	"signpost/directory"
)

// entry is an account while the accounts are being compared.
type entry struct {
	address account.Address
	record  directory.Record
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
	"inactive":    func(e *entry, v *value) { e.record.Inactive = v.boolean() },
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
		case len(has) == 0 && len(item.items) == 0:
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
		e := &entry{at: item}
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
		item.node.line = key.line
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
			e.at.fault("this mailbox is already listed on line %d", first.at.line)
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
			l.compareDomain(e.at, e.address)
		}
	}
}

// compareAlias looks at where an alias leads. What a person gets and signs in
// with is the mailbox's, so that an alias has nothing of its own but a name.
func (l *loader) compareAlias(e *entry, alias *value, byKey map[string]*entry) {
	for _, key := range []string{"provider", "username"} {
		if own := e.given[key]; own != nil {
			own.fault("an alias has none of its own; write it at the mailbox behind it")
		}
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
		alias.fault("%s is an alias too (line %d); name the mailbox itself", quote(target.String()), mailbox.at.line)
	case mailbox == nil || mailbox.given["provider"] == nil:
		l.compareDomain(alias, target)
	}
}

// compareDomain says when no provider hosts the domain of an address.
func (l *loader) compareDomain(at *value, address account.Address) {
	if _, any := l.hosted["*"]; any || l.hosts(address.Domain()) {
		return
	}
	if len(l.mx) > 0 {
		at.warn("no provider lists the domain %s; it is found only while its MX record says so", address.Domain())
		return
	}
	var names []string
	if len(l.hosted) <= 1000 {
		for name := range l.hosted {
			names = append(names, name)
		}
	}
	hint := "; list it under a provider's domains"
	if right := nearest(address.Domain(), names); right != "" {
		hint = ", did you mean " + quote(right) + "?"
	}
	at.fault("no provider hosts the domain %s%s", address.Domain(), hint)
}

func (l *loader) hosts(domain string) bool {
	_, listed := l.hosted[domain]
	return listed
}
