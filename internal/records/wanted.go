package records

import (
	"net/netip"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/dns"
)

// For returns what the domain of the settings should have. The settings are those
// of any mailbox there (account.AnyAt) and of no client in particular. The
// providers are all that mailboxes of the domain may have. A service that one of
// them offers is not denied, as the product belongs to the account.
func (g *Generator) For(s account.Settings, providers ...*account.Provider) Domain {
	b := builder{
		Generator: g,
		settings:  s,
		domain:    Domain{Name: s.Address.Domain(), Records: make([]Record, 0, 16)},
	}
	if g.options.Name != "" || len(g.options.Addresses) > 0 {
		b.hosts()
		b.pacc()
	} else {
		b.leaveOut("the configuration has no name for the service, to which they could point",
			"autoconfig", "autodiscover", "ua-auto-config")
		b.domain.leftOut = append(b.domain.leftOut, "_autodiscover._tcp", "_ua-auto-config")
	}
	b.services(providers)
	return b.domain
}

// builder collects the records of one domain.
type builder struct {
	*Generator
	settings account.Settings
	domain   Domain
}

func (b *builder) add(label, recordType, data, reason string) {
	name := label + "." + b.domain.Name
	if len(name) > 253 {
		if !slices.Contains(b.domain.leftOut, label) {
			b.leaveOut("with the domain, the name would be longer than DNS allows", label)
		}
		return
	}
	record := dns.Record{Name: name, TTL: b.options.TTL, Type: recordType, Data: data}
	b.domain.Records = append(b.domain.Records, Record{record, reason})
}

// leaveOut notes why nothing can be said about names.
func (b *builder) leaveOut(why string, labels ...string) {
	b.domain.leftOut = append(b.domain.leftOut, labels...)
	b.domain.Notes = append(b.domain.Notes, strings.Join(labels, ", ")+": left out, because "+why)
}

// hosts adds the names that clients ask over HTTP.
func (b *builder) hosts() {
	b.host("autoconfig", "where Thunderbird, Evolution, KMail, FairEmail and Delta Chat ask for config-v1.1.xml")
	if to := b.settings.Provider.AutodiscoverRedirect; to != nil && to.Hostname != "" {
		alias := redirectAlias(to.Hostname)
		b.domain.redirects = []string{alias, to.Hostname}
		b.add("autodiscover", "CNAME", alias+".", "where Outlook and phones ask: answered by the service that has the mailboxes")
		return
	}
	b.host("autodiscover", "where Outlook, phones and Thunderbird ask for autodiscover.xml and .json")
	target := b.options.Name
	if target == "" {
		target = "autodiscover." + b.domain.Name
	}
	b.add("_autodiscover._tcp", "SRV", "0 1 443 "+target+".", "where Outlook and Thunderbird ask when the host names fail")
}

// redirectAlias returns the name to which autodiscover.‹domain› points when
// another service answers there. Microsoft 365 serves customers' names at this
// one host only, which redirects them to the others.
func redirectAlias(hostname string) string {
	switch hostname {
	case "autodiscover-s.outlook.com", "outlook.office365.com", "outlook.office.com", "outlook.com":
		return "autodiscover.outlook.com"
	}
	return hostname
}

// host points a name at the service.
func (b *builder) host(label, reason string) {
	switch {
	case label+"."+b.domain.Name == b.options.Name:
		b.leaveOut(b.options.Name+" is the service's own name, which you point at it", label)
	case len(b.options.Addresses) > 0:
		for _, address := range b.options.Addresses {
			b.add(label, addressType(address), address.String(), reason)
		}
	default:
		b.add(label, "CNAME", b.options.Name+".", reason)
	}
}

func addressType(a netip.Addr) string {
	if a.Is6() {
		return "AAAA"
	}
	return "A"
}

// pacc adds the two names of PACC where the format can describe the domain.
// Clients fetch the document from the one and check it against the other
// (draft-ietf-mailmaint-pacc).
func (b *builder) pacc() {
	digest, err := b.digest(b.settings)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), autoconfig.ErrNotDescribable.Error()+": ")
		why = strings.Join(strings.Fields(why), " ") // a note is one line
		b.domain.Notes = append(b.domain.Notes, "ua-auto-config: left out, because PACC has no way to describe the domain: "+why)
		return
	}
	b.host("ua-auto-config", "where clients that know PACC ask for user-agent-configuration.json")
	b.add("_ua-auto-config", "TXT", dns.Quote(digest), "vouches for user-agent-configuration.json by its SHA-256 digest")
}
