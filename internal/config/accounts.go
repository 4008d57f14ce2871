package config

import (
	"maps"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/directory"
)

// entry is a listed account while the accounts are being compared.
type entry struct {
	address account.Address
	record  directory.Record
	line    int // of the address
	at      *value
	has     present
}

var entryKeys = keys[entry]{
	"provider": func(e *entry, v *value) { e.record.Provider = v.word() },
	"alias": func(e *entry, v *value) {
		e.record.Alias = v.address(v.text("the address of the mailbox"), v.line)
	},
	"inactive":    func(e *entry, v *value) { e.record.Inactive = v.boolean() },
	"username":    func(e *entry, v *value) { e.record.Username = v.username() },
	"displayName": func(e *entry, v *value) { e.record.DisplayName = v.text("a name") },
}

// readAccounts reads the account sources in the order in which they are asked.
func readAccounts(l *loader, v *value) {
	for item := range v.list("account sources, such as - list: …") {
		if !item.is(mapping, "a mapping (key: value)") {
			continue
		}
		found := 0
		for key, source := range item.entries() {
			if found++; found == 2 {
				item.fault("names more than one account source; begin each with a - of its own")
				break
			}
			readSource(l, item, key, source)
		}
		if len(item.items) == 0 {
			item.fault("names no account source; valid here: %s, or a preset (signpost presets lists them)",
				strings.Join(sourceKinds(), ", "))
		}
	}
}

// sourceKinds returns the kinds of account sources that are no preset.
func sourceKinds() []string { return append([]string{"list"}, slices.Sorted(maps.Keys(storeKinds))...) }

// readSource reads a source by its key: a kind or a preset.
func readSource(l *loader, item *value, key *node, source *value) {
	kind, isKind := storeKinds[key.text]
	switch presets := presetNames(); {
	case key.text == "list":
		readList(l, source)
	case slices.Contains(presets, key.text):
		readPreset(l, source, key.text)
	case isKind:
		readStore(l, source, key.text, "", kind)
	default:
		hint := didYouMean(key.text, append(sourceKinds(), presets...))
		if hint == "" {
			hint = "; valid here: " + strings.Join(sourceKinds(), ", ") + ", or a preset (signpost presets lists them)"
		}
		item.faultAt(key.line, "unknown key %s%s", quote(key.text), hint)
	}
}

// readList reads accounts that the configuration itself lists.
func readList(l *loader, v *value) {
	if !v.is(mapping, "a mapping of addresses to accounts") {
		return
	}
	v.people = true
	accounts := make(directory.List, len(v.items)/2)
	for key, item := range v.entries() {
		e := &entry{address: item.address(key.text, key.line), at: item, line: key.line}
		switch {
		case key.text == "":
			item.faultAt(key.line, "a mail address is missing before the colon")
			continue
		case e.address.IsZero():
			continue
		case item.kind == nothing:
			item.fault("has no value; write {} for an account without settings of its own")
			continue
		}
		if e.has = entryKeys.read(item, e); e.has != nil {
			accounts[e.address.Key()] = e.record
			l.entries = append(l.entries, e)
		}
	}
	l.Accounts = append(l.Accounts, AccountSource{List: accounts})
}

// compareAccounts finds accounts that contradict each other or the providers.
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
		if of := l.aliasOf[e.address.Domain()]; of != "" {
			e.at.faultAt(e.line, "%s is another name of %s; list the account there", e.address.Domain(), of)
		}
		id := e.record.Provider
		if name := e.has["provider"]; name != nil && id != "" && l.byID[id] == nil {
			name.fault("there is no provider %s%s", quote(id), didYouMean(id, slices.Sorted(maps.Keys(l.byID))))
		}
		if e.has["alias"] != nil {
			l.compareAlias(e, byKey)
		} else if e.has["provider"] == nil {
			l.requireHosted(e.address, e.at, e.line)
		}
	}
}

// compareAlias checks that an alias leads to a mailbox, whose settings its owner gets.
func (l *loader) compareAlias(e *entry, byKey map[string]*entry) {
	if provider := e.has["provider"]; provider != nil {
		provider.fault("an alias gets the provider of its mailbox; set the provider there")
	}
	alias, target := e.has["alias"], e.record.Alias
	if target.IsZero() {
		return
	}
	mailbox := byKey[target.Key()]
	switch {
	case target.Key() == e.address.Key():
		alias.fault("is an alias of itself")
	case mailbox != nil && mailbox.has["alias"] != nil:
		alias.fault("%s is an alias too (line %d); name the mailbox itself", quote(target.String()), mailbox.line)
	case mailbox == nil || mailbox.has["provider"] == nil:
		if _, named := l.hosted[target.Domain()]; !named && len(l.mx) > 0 {
			alias.warn("no provider lists the domain %s, and DNS is not asked about an alias: it gets what any "+
				"address of %s gets; list that mailbox with its provider, or its domain",
				target.Domain(), e.address.Domain())
			return
		}
		l.requireHosted(target, alias, alias.line)
	}
}

// requireHosted records a fault if no provider can host the domain of the address,
// and a warning if only an MX record decides.
func (l *loader) requireHosted(address account.Address, at *value, line int) {
	domain := address.Domain()
	if _, hosted := l.hostedBy(domain); hosted || l.storesHaveDomains() {
		return
	}
	if len(l.mx) > 0 {
		at.warn("no provider lists the domain %s; it is found only while its MX record names a provider", domain)
		return
	}
	var names []string
	if len(l.hosted) <= 1000 {
		names = slices.Sorted(maps.Keys(l.hosted))
	}
	hint := "; list it under a provider's domains"
	if name := suggest(domain, names); name != "" {
		hint = ", did you mean " + quote(name) + "?"
	}
	at.faultAt(line, "no provider hosts the domain %s%s", domain, hint)
}
