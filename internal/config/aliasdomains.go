package config

import "strings"

// domainItem is a mapping among the hosted domains of a provider: a file with names, or
// other names of a domain.
type domainItem struct {
	*provider
	file    *value
	maxLoss int
	names   []*value
	of      string
	at      *value // of the key of
}

var domainKeys = keys[domainItem]{
	"file":    func(d *domainItem, v *value) { d.file = v },
	"maxLoss": func(d *domainItem, v *value) { d.maxLoss = v.number(0, 100) },
	"alias": func(d *domainItem, v *value) {
		d.names = each(v.oneOrList("domain names"), func(item *value) *value { return item })
	},
	"of": func(d *domainItem, v *value) { d.of, d.at = v.domain(), v },
}

// readDomainItem reads a mapping among the hosted domains.
func readDomainItem(p *provider, v *value) {
	d := domainItem{provider: p, maxLoss: defaultMaxLoss}
	has := domainKeys.read(v, &d)
	switch file, alias, of := has["file"], has["alias"], has["of"]; {
	case has == nil:
	case d.file != nil && alias == nil && of == nil:
		readDomainFile(p, d.file, d.maxLoss)
	case file == nil && alias == nil:
		v.fault("needs file, or alias and of")
	case file != nil && (alias != nil || of != nil):
		v.fault("has both file and alias; make them two items of the list")
	case alias != nil && has["maxLoss"] != nil:
		has["maxLoss"].fault("belongs to a file")
	case alias != nil && of == nil:
		v.fault("of is missing, the domain that alias is another name of")
	case alias != nil:
		p.addAliases(d)
	}
}

// addAliases adds the other names of a domain to the hosted domains.
func (p *provider) addAliases(d domainItem) {
	if p.aliases == nil {
		p.aliases = map[string]string{}
	}
	for _, item := range d.names {
		name := item.domain()
		if name == "" {
			continue
		}
		// A list or a file of all domains of the provider may hold the alias, too.
		first, listed := item.l.hosted[name]
		if item.l.aliasOf[name] == "" && listed && first.provider == int32(p.at.pos) || item.claim(p, name) {
			p.aliases[name] = d.of
			item.l.aliasOf[name] = d.of
		}
	}
	p.aliasItems = append(p.aliasItems, d)
}

// domain reads the name of a domain that has mailboxes.
func (v *value) domain() string {
	text := v.text("a domain name")
	if text == "" {
		return ""
	}
	if text == "*" {
		return v.refuse(`"*" stands for any domain; name one domain`)
	}
	name, problem := hostedDomain(text)
	if problem != "" {
		return v.refuse("%s %s", quote(text), problem)
	}
	return name
}

// claim adds the domain to the provider and reports whether that could be done. If not,
// a message says where the domain is listed.
func (v *value) claim(p *provider, name string) bool {
	switch first, isNew := p.claim(v.l, name, 0, v.line); {
	case isNew:
		return true
	case name != "*" && first.provider == int32(p.at.pos):
		v.warn("%s is %s", name, v.l.listed(first))
	default:
		v.fault("%s is %s", strings.Replace(name, "*", `"*"`, 1), v.l.listed(first))
	}
	return false
}

// compareAliasDomains checks that each alias names a domain of its provider that is no
// alias itself.
func (l *loader) compareAliasDomains(p *provider) {
	for _, d := range p.aliasItems {
		first, hosted := l.hosted[d.of]
		switch other := l.aliasOf[d.of]; {
		case d.of == "":
		case other == d.of:
			d.at.fault("%s is another name of itself", d.of)
		case other != "":
			d.at.fault("%s is another name of %s; name that domain", d.of, other)
		case !hosted:
			d.at.fault("%s is not among the domains of this provider; list it, too", d.of)
		case first.provider != int32(p.at.pos):
			d.at.fault("%s is %s; list its aliases there", d.of, l.listed(first))
		}
	}
}
