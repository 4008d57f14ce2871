package records

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

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
		providers: append(providers, s.Provider),
		domain:    Domain{Name: s.Address.Domain(), Records: make([]Record, 0, 16)},
	}
	if g.options.Name != "" || len(g.options.Addresses) > 0 {
		b.autoconfig()
		b.autodiscover()
		b.pacc()
	} else {
		b.leaveOut("the configuration has no name for the service, to which they could point",
			"autoconfig", "autodiscover", "ua-auto-config")
		b.domain.leftOut = append(b.domain.leftOut, "_autodiscover._tcp", "_ua-auto-config")
	}
	b.services()
	for _, n := range b.notes {
		b.domain.Notes = append(b.domain.Notes, strings.Join(n.labels, ", ")+": left out, because "+n.why)
	}
	return b.domain
}

// builder collects the records of one domain.
type builder struct {
	*Generator
	settings  account.Settings
	providers []*account.Provider
	domain    Domain
	notes     []note
}

// note says why names are left out.
type note struct {
	why    string
	labels []string
}

// isSilent reports whether nothing was said about the servers of a provider: another
// service has the mailboxes, and answers Autodiscover.
func isSilent(p *account.Provider) bool { return p.AutodiscoverRedirect != nil && len(p.Servers) == 0 }

// fits reports whether DNS allows a name, and leaves it out otherwise.
func (b *builder) fits(labels ...string) bool {
	for _, label := range labels {
		if len(label)+1+len(b.domain.Name) > 253 {
			b.leaveOut("with the domain, the name would be longer than DNS allows", labels...)
			return false
		}
	}
	return true
}

func (b *builder) add(label, recordType, data, reason string) {
	if slices.Contains(b.domain.leftOut, label) || !b.fits(label) {
		return
	}
	record := dns.Record{Name: label + "." + b.domain.Name, TTL: b.options.TTL, Type: recordType, Data: data}
	b.domain.Records = append(b.domain.Records, Record{record, reason})
}

// leaveOut notes why nothing can be said about names.
func (b *builder) leaveOut(why string, labels ...string) {
	b.domain.leftOut = append(b.domain.leftOut, labels...)
	b.note(why, labels...)
}

// note notes why names have no records.
func (b *builder) note(why string, labels ...string) {
	i := slices.IndexFunc(b.notes, func(n note) bool { return n.why == why })
	if i < 0 {
		i = len(b.notes)
		b.notes = append(b.notes, note{why: why})
	}
	b.notes[i].labels = append(b.notes[i].labels, labels...)
}

// autoconfig adds the name that readers of config-v1.1.xml ask, unless no mailbox of
// the domain has servers to tell about.
func (b *builder) autoconfig() {
	if !slices.ContainsFunc(b.providers, func(p *account.Provider) bool { return !isSilent(p) }) {
		b.leaveOut(unsaid, "autoconfig", "ua-auto-config", "_ua-auto-config")
		return
	}
	b.host("autoconfig", "where Thunderbird, Evolution, KMail, FairEmail and Delta Chat ask for config-v1.1.xml")
}

// nothingWithoutAddress is the reason for which settings are kept from clients that
// look them up in DNS, or in a document for the whole domain.
const nothingWithoutAddress = "withoutAddress: nothing keeps the settings from clients that name no address"

// unsaid is the reason for which nothing is said about a silent provider.
const unsaid = "the configuration lists no servers of the service that Autodiscover is handed over to"

// autodiscover adds the names that readers of autodiscover.xml and .json ask.
func (b *builder) autodiscover() {
	switch to := b.settings.Provider.AutodiscoverRedirect; {
	case to == nil || to.Hostname == "":
	case to.IsNameOf(b.domain.Name):
		b.leaveOut(to.Hostname+" is the host of the other service, which you point at it",
			"autodiscover", "_autodiscover._tcp")
		return
	case !to.LeadsBack(b.domain.Name):
		b.handOver(to)
		return
	}
	programs, other := "Outlook, phones and Thunderbird ask for autodiscover.xml and .json", "Outlook and Thunderbird"
	if b.mayHaveExchange() {
		programs = "Outlook, phones, Thunderbird and Exchange programs ask for autodiscover.xml, .json and .svc"
		other = "Outlook, Thunderbird and Exchange programs"
	}
	b.host("autodiscover", "where "+programs)
	target := cmp.Or(b.options.Name, "autodiscover."+b.domain.Name)
	if !b.hasCertificate("autodiscover") && baseOf(target) != baseOf(b.domain.Name) {
		// Thunderbird follows the record then, and asks whether the password may go
		// to another domain: 2.8 s instead of 0.4 s. Outlook follows the redirect that
		// plain HTTP gives, with or without the record.
		b.note("Thunderbird would ask whether the password may go to "+target+
			": without a certificate for autodiscover."+b.domain.Name+" it follows this record", "_autodiscover._tcp")
		return
	}
	b.add("_autodiscover._tcp", "SRV", "0 1 443 "+target+".", "where "+other+" ask when the host names fail")
}

// mayHaveExchange reports whether mailboxes of the domain may have a server of Exchange Web
// Services.
func (b *builder) mayHaveExchange() bool {
	return slices.ContainsFunc(b.providers, func(p *account.Provider) bool {
		return slices.ContainsFunc(p.Servers, func(s account.Server) bool { return s.Type == account.EWS })
	})
}

// baseOf returns the part of a name by which Thunderbird tells organisations apart: one
// label more than its public suffix.
func baseOf(name string) string {
	base, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return name // is a public suffix itself
	}
	return base
}

// handOver adds the name for a domain whose Autodiscover another service answers.
// Two ways lead there: a record that leads here, where clients are redirected, and one
// that leads straight to the other service.
//
// Clients that ask by HTTPS alone (Evolution's Exchange accounts) need a certificate
// for the name, and the other service rarely has it. So the record leads here if this
// service has one: all clients that were read follow its 302. If nobody has one, the
// clients that try plain HTTP next (Outlook, Thunderbird, Android, exchangelib)
// follow the other service's redirect as well as ours, and its own instructions, or a
// certificate that it orders for names that lead to it, can only help.
func (b *builder) handOver(to *account.AutodiscoverRedirect) {
	host := redirectAlias(to.Hostname)
	b.domain.redirects = []string{host, to.Hostname}
	reason := "where Outlook and phones ask: straight to " + host
	switch {
	case host == microsoft:
		reason += ", as Microsoft tells its customers"
	case to.AsXML:
		reason += ", as no client that was tried follows answer: xml"
	case b.hasCertificate("autodiscover"):
		b.host("autodiscover", "where Outlook and phones ask, to be redirected to "+host+
			"; straight there, clients that ask by HTTPS alone would stop at its certificate")
		return
	default:
		reason += ", as this service has no certificate for the name"
	}
	b.add("autodiscover", "CNAME", host+".", reason)
}

// hasCertificate reports whether the service has a certificate for a name of the
// domain, or can order it. Where a proxy has the certificates, that is not known, and
// is taken to be so.
func (b *builder) hasCertificate(label string) bool {
	return b.options.Certificate == nil || b.options.Certificate(label+"."+b.domain.Name)
}

// redirectAlias returns the name to which autodiscover.‹domain› points when
// another service answers there. Microsoft 365 serves customers' names at this
// one host only, which redirects them to the others.
func redirectAlias(hostname string) string {
	switch hostname {
	case "autodiscover-s.outlook.com", "outlook.office365.com", "outlook.office.com", "outlook.com":
		return microsoft
	}
	return hostname
}

const microsoft = "autodiscover.outlook.com"

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
	if slices.Contains(b.domain.leftOut, "ua-auto-config") || !b.fits("ua-auto-config", "_ua-auto-config") {
		return
	}
	if b.settings.Provider.NothingWithoutAddress {
		b.note(nothingWithoutAddress, "ua-auto-config", "_ua-auto-config")
		return
	}
	digest, err := b.digest(b.settings)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), autoconfig.ErrNotDescribable.Error()+": ")
		why = strings.Join(strings.Fields(why), " ") // a note is one line
		b.note("PACC has no way to describe the domain: "+why, "ua-auto-config")
		return
	}
	b.host("ua-auto-config", "where clients that know PACC ask for user-agent-configuration.json")
	b.add("_ua-auto-config", "TXT", dns.Quote(digest),
		"vouches for user-agent-configuration.json by its SHA-256 digest")
}
