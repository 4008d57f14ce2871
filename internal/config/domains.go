package config

import (
	"fmt"
	"strings"

	"signpost/account"
)

// maxDomainFile is room for some three million domains.
const maxDomainFile = 64 << 20

// maxFileFaults is how many faults of one domain file are told: an export that
// went wrong is wrong in every line.
const maxFileFaults = 20

// origin is where a domain or MX was first named. It is small because there
// are as many as there are domains.
type origin struct{ provider, file, line int32 }

var domainFileKeys = keys[string]{
	"file": func(file *string, v *value) { *file, _ = v.text("the path of a file with one domain a line") },
}

// readDomains reads the hosted domains: names, "*", and files with names.
func readDomains(p *provider, v *value) {
	if v.kind == mapping {
		readDomainFileKey(p, v)
		return
	}
	for item := range v.list("domains, or a mapping with the key file") {
		if item.kind == mapping {
			readDomainFileKey(p, item)
			continue
		}
		text, ok := item.text("a domain name")
		if !ok {
			continue
		}
		name, problem := hostedDomain(text)
		if text == "*" {
			name, problem = "*", ""
		}
		if problem != "" {
			item.fault("%s %s", quote(text), problem)
			continue
		}
		switch first, isNew := p.claim(item.l, name, 0, item.line); {
		case isNew:
			p.domains = append(p.domains, name)
		case name == "*":
			item.fault(`"*" can stand only once, and is %s`, item.l.where(first))
		case first.provider == int32(p.at.pos):
			item.warn("%s is %s", name, item.l.where(first))
		default:
			item.fault("%s is %s", name, item.l.where(first))
		}
	}
}

func readDomainFileKey(p *provider, v *value) {
	var name string
	has, ok := domainFileKeys.read(v, &name)
	if !ok {
		return
	}
	v.require(has, "file")
	if name == "" {
		return
	}
	file := v.l.beside(name)
	text, err := readText(file)
	if err != nil {
		has["file"].fault("cannot read %s: %v", quote(file), err)
		return
	}
	v.l.files = append(v.l.files, file)
	readDomainFile(p, v.l, file, text)
}

// readDomainFile reads one name a line, as a nightly export gives them. The
// names are parts of the one text, so that 100,000 of them cost no more than
// the text and its index. A line that is no domain is a fault, and so is a file
// without any: an export that broke off must not take customers out of service.
func readDomainFile(p *provider, l *loader, file, text string) {
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		l.faultIn(file, 0, "the file is in UTF-16; save it as UTF-8")
		return
	}
	number, faults, twice, before := 0, 0, 0, len(p.domains)
	fault := func(text string) {
		if faults++; faults <= maxFileFaults {
			l.faultIn(file, number, text)
		}
	}
	lines := strings.Count(text, "\n") + 1
	p.domains = append(make([]string, 0, before+lines), p.domains...)
	if len(l.hosted) == 0 {
		l.hosted = make(map[string]origin, lines)
	}
	for line := range strings.Lines(text) {
		number++
		if hash := strings.IndexByte(line, '#'); hash >= 0 {
			line = line[:hash]
		}
		line = strings.Trim(line, " \t\r\n")
		if line == "" {
			continue
		}
		name, problem := hostedDomain(line)
		if problem != "" {
			fault(quote(line) + " " + problem)
			continue
		}
		first, isNew := p.claim(l, name, len(l.files)-1, number)
		switch {
		case isNew:
			p.domains = append(p.domains, name)
		case first.provider == int32(p.at.pos):
			if twice++; twice <= maxFileFaults {
				l.warnIn(file, number, name+" is "+l.where(first))
			}
		default:
			fault(name + " is " + l.where(first))
		}
	}
	if faults > maxFileFaults {
		l.faultIn(file, number, fmt.Sprintf("and %d more lines like these", faults-maxFileFaults))
	}
	if twice > maxFileFaults {
		l.warnIn(file, number, fmt.Sprintf("and %d more domains that are already listed", twice-maxFileFaults))
	}
	if len(p.domains) == before && faults+twice == 0 {
		l.faultIn(file, 0, "the file holds no domain")
	}
}

// hostedDomain reads the name of a domain that has mailboxes. A name without a
// dot has none on the internet and is mostly the heading of an export.
func hostedDomain(text string) (name, problem string) {
	name, err := account.ParseDomain(text)
	switch {
	case text == "*":
		return "", "stands for any domain and cannot be in a file"
	case err != nil && strings.ContainsAny(text, "@/:*"):
		return "", "is not a domain name; write the name only, such as example.com"
	case err != nil && domainProblem(err) != "is not a domain name":
		return "", "is not a domain name: it " + domainProblem(err)
	case err != nil:
		return "", "is not a domain name"
	case !strings.Contains(name, "."):
		return "", "is not a domain name: it has no dot"
	}
	return name, ""
}

// claim records that the provider hosts the domain, unless one does already.
func (p *provider) claim(l *loader, name string, file, line int) (first origin, isNew bool) {
	if first, taken := l.hosted[name]; taken {
		return first, false
	}
	l.hosted[name] = origin{int32(p.at.pos), int32(file), int32(line)}
	return origin{}, true
}

// where says in words where something was named first.
func (l *loader) where(first origin) string {
	return fmt.Sprintf("already listed for providers[%d] in %s:%d", first.provider, l.files[first.file], first.line)
}

// readMX reads MX hosts, and "*.suffix" for all below a name.
func readMX(p *provider, v *value) {
	for item := range v.list("MX host names") {
		text, ok := item.text("an MX host name")
		if !ok {
			continue
		}
		suffix, below := strings.CutPrefix(text, "*.")
		name, ok := item.hostText(suffix, false)
		if !ok {
			continue
		}
		if below {
			name = "*." + name
		}
		if first, taken := v.l.mx[name]; taken {
			item.fault("%s is %s", name, v.l.where(first))
			continue
		}
		v.l.mx[name] = origin{int32(p.at.pos), 0, int32(item.line)}
		p.mx = append(p.mx, name)
	}
}
