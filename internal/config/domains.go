package config

import (
	"fmt"
	"strings"

	"signpost/account"
)

// maxDomainFile is the largest domain file in bytes. It has room for about three
// million domains.
const maxDomainFile = 64 << 20

// defaultMaxLoss is the percentage of a file's domains that a reload may lose. An
// export that is read while it is being written loses more.
const defaultMaxLoss = 10

// DomainFile is a file with names of domains.
type DomainFile struct {
	Path    string
	Domains []string // without those that another entry has
	MaxLoss int      // the percentage of them that a reload may lose
}

// fileDomains says which domains of a provider are from a file.
type fileDomains struct {
	path       string
	begin, end int // in the provider's domains
	maxLoss    int
}

// maxFileFaults is how many faults of one domain file are reported. A broken export
// is usually wrong on every line.
const maxFileFaults = 20

// origin says where a domain or MX host was first named. It is small, because there
// are as many origins as domains.
type origin struct{ provider, file, line int32 }

// readDomains reads the hosted domains: names, "*", files with names, and other names
// of domains. A domain that is both listed and another name of a domain is the latter,
// in whatever order the two stand.
func readDomains(p *provider, v *value) {
	if v.kind == mapping {
		readDomainItem(p, v)
		return
	}
	for item := range v.list("domains, or a mapping with the key file") {
		if item.kind == mapping {
			readDomainItem(p, item)
			continue
		}
		if item.isWord("*") {
			item.claim(p, "*")
		} else if name := item.domain(); name != "" && p.aliases[name] == "" {
			item.claim(p, name)
		}
	}
}

// readDomainFile reads a file with one domain per line, such as a nightly export. A
// line that begins with no domain is a fault, and so is a file without domains, so that a
// broken export does not take customers out of service.
func readDomainFile(p *provider, v *value, maxLoss int) {
	path, text := v.content("the path of a file with one domain per line", maxDomainFile)
	if path == "" {
		return
	}
	l := v.l
	if text = strings.TrimPrefix(text, "\ufeff"); isUTF16(text) {
		l.fault(path, 0, "the file is in UTF-16; save it as UTF-8")
		return
	}
	// The names are parts of text, so that 100,000 of them need no more memory than
	// text and the index.
	lines := strings.Count(text, "\n") + 1
	before := len(p.domains)
	p.domains = append(make([]string, 0, before+lines), p.domains...)
	if len(l.hosted) == 0 {
		l.hosted = make(map[string]origin, lines)
	}
	number, faults, repeated, warned := 0, 0, 0, 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		line = strings.Trim(line, " \t\r\n")
		if line == "" || strings.HasPrefix(line, "*:") {
			continue
		}
		name, problem := firstDomain(line)
		if problem == "" {
			first, isNew := p.claim(l, name, len(l.files)-1, number)
			switch {
			case isNew:
				continue
			case first.provider == int32(p.at.pos):
				repeated++
				if l.aliasOf[name] != "" {
					continue
				}
				if warned++; warned <= maxFileFaults {
					l.warn(path, number, name+" is "+l.listed(first))
				}
				continue
			}
			line, problem = name, "is "+l.listed(first)
		} else {
			line = quote(line)
		}
		if faults++; faults <= maxFileFaults {
			l.fault(path, number, "%s %s", line, problem)
		}
	}
	if faults > maxFileFaults {
		l.fault(path, number, "and %d more lines like these", faults-maxFileFaults)
	}
	if warned > maxFileFaults {
		l.warn(path, number, fmt.Sprintf("and %d more domains that are already listed", warned-maxFileFaults))
	}
	p.files = append(p.files, fileDomains{path, before, len(p.domains), maxLoss})
	if len(p.domains) == before && faults+repeated == 0 {
		l.fault(path, 0, "the file contains no domain")
	}
}

// firstDomain parses a line that begins with a domain. Maps of Postfix have white space
// and a value after the name, which means nothing here; cPanel's userdomains has a
// colon and the owner.
func firstDomain(line string) (name, problem string) {
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return hostedDomain(line)
	}
	name, problem = hostedDomain(strings.TrimSuffix(line[:end], ":"))
	if problem != "" {
		return "", "does not begin with a domain name"
	}
	return name, ""
}

// hostedDomain parses the name of a domain that has mailboxes. A name without a dot
// has none on the internet and is usually the heading of an export.
func hostedDomain(text string) (name, problem string) {
	name, err := account.ParseDomain(text)
	switch {
	case text == "*":
		return "", "matches any domain and cannot be used in a file"
	case err != nil && strings.ContainsAny(text, "@/:*"):
		return "", "is not a domain name; write the name only, such as example.com"
	case err != nil:
		return "", isNot("a domain name", err)
	case !strings.Contains(name, "."):
		return "", "is not a domain name: it has no dot"
	}
	return name, ""
}

// claim adds a domain to the provider, unless another entry has it. In that case it
// returns the other entry.
func (p *provider) claim(l *loader, name string, file, line int) (first origin, isNew bool) {
	if first, claimed := l.hosted[name]; claimed {
		return first, false
	}
	l.hosted[name] = origin{int32(p.at.pos), int32(file), int32(line)}
	p.domains = append(p.domains, name)
	return origin{}, true
}

// hostedBy returns where the domain, or any domain, was named.
func (l *loader) hostedBy(domain string) (origin, bool) {
	first, ok := l.hosted[domain]
	if !ok {
		first, ok = l.hosted["*"]
	}
	return first, ok
}

// listed says where something was named first.
func (l *loader) listed(first origin) string {
	return fmt.Sprintf("already listed for providers[%d] in %s:%d", first.provider, l.files[first.file], first.line)
}

// readMX reads MX hosts, and "*.suffix" for all hosts below a name.
func readMX(p *provider, v *value) {
	for item := range v.list("MX host names") {
		suffix, wildcard := strings.CutPrefix(item.text("an MX host name"), "*.")
		name := item.hostText(suffix)
		if name == "" {
			continue
		}
		if wildcard {
			name = "*." + name
		}
		if first, claimed := v.l.mx[name]; claimed {
			item.fault("%s is %s", name, v.l.listed(first))
			continue
		}
		v.l.mx[name] = origin{int32(p.at.pos), 0, int32(item.line)}
		p.mx = append(p.mx, name)
	}
}
