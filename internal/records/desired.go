package records

import (
	"net/netip"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
)

// DefaultTTL is an hour: a mistake is forgotten soon, and no client asks more
// often than that.
const DefaultTTL = 3600

// Options say where the service is.
type Options struct {
	// Name is the service's own host name, to which the customers' names point.
	Name string
	// Addresses, where given, are what the customers' names get as A and AAAA
	// instead of a CNAME.
	Addresses []netip.Addr
	// TTL of all records, DefaultTTL if zero.
	TTL uint32
	// Digest is the text of the TXT record that vouches for the PACC document
	// of a domain, autoconfig.Digest of what autoconfig.PACCs wrote. It is asked
	// for every domain. An error says why the format cannot describe the
	// domain, which then gets no such record.
	Digest func(account.Settings) (string, error)
	// OldDigest is the same by the configuration in use up to now, so that
	// both stand side by side while the document changes; mostly nil.
	OldDigest func(account.Settings) (string, error)
	// Others are providers that mailboxes may have whose domains have another
	// one by default, as the product belongs to the account: all that sources
	// of accounts may name. Of a service that one of them offers, no domain's
	// records say that it does not exist. One too many does no harm beyond that.
	Others []*account.Provider
}

// Guide says what domains should have in DNS. It is safe for concurrent use.
type Guide struct {
	options Options
	// elsewhere are the services that other providers offer.
	elsewhere map[*service]bool
}

// New makes a guide to the service.
func New(o Options) *Guide {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	g := &Guide{options: o, elsewhere: map[*service]bool{}}
	for _, provider := range o.Others {
		for _, server := range provider.Servers {
			g.elsewhere[serviceOf(server)] = true
		}
	}
	return g
}

// Record is a record that a domain should have.
type Record struct {
	dns.Record
	Reason string `json:"reason,omitempty"` // who looks it up, in words
}

// Domain is what one domain should have.
type Domain struct {
	Name    string   `json:"domain"`
	Records []Record `json:"records"`
	// Notes say what the domain cannot have, and why.
	Notes []string `json:"notes,omitempty"`
	// leftOut are the names, given below the domain, of which nothing can be
	// said: what stands there may be right.
	leftOut []string
	// handOver are the hosts of the service that answers Autodiscover instead.
	redirects []string
}

// records returns the records without their reasons.
func (d *Domain) records() []dns.Record {
	records := make([]dns.Record, len(d.Records))
	for i, r := range d.Records {
		records[i] = r.Record
	}
	return records
}

// Remove stands for a domain that leaves: it should have none of the records.
func Remove(name string) Domain { return Domain{Name: name, Records: []Record{}} }

// For says what the domain of the settings should have. The settings are those
// of any mailbox there (account.AnyAt) and of no client in particular.
func (g *Guide) For(s account.Settings) Domain {
	b := builder{
		guide:    g,
		settings: s,
		domain:   Domain{Name: s.Address.Domain(), Records: make([]Record, 0, 16)},
	}
	if b.guide.options.Name != "" || len(b.guide.options.Addresses) > 0 {
		b.hosts()
		b.pacc()
	} else {
		b.leaveOut("the configuration has no name for the service, to which they could point", "autoconfig", "autodiscover", "ua-auto-config")
		b.domain.leftOut = append(b.domain.leftOut, "_autodiscover._tcp", "_ua-auto-config")
	}
	b.services()
	return b.domain
}

// builder collects the records of one domain.
type builder struct {
	guide    *Guide
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
	b.domain.Records = append(b.domain.Records, Record{dns.Record{Name: name, TTL: b.guide.options.TTL, Type: recordType, Data: data}, reason})
}

// leaveOut notes why nothing can be said of names.
func (b *builder) leaveOut(why string, labels ...string) {
	b.domain.leftOut = append(b.domain.leftOut, labels...)
	b.domain.Notes = append(b.domain.Notes, strings.Join(labels, ", ")+": left out, because "+why)
}

// hosts adds the names that clients ask over HTTP.
func (b *builder) hosts() {
	o := &b.guide.options
	b.host("autoconfig", "where Thunderbird, Evolution, KMail, FairEmail and Delta Chat ask for config-v1.1.xml")
	if to := b.settings.Provider.AutodiscoverRedirect; to != nil && to.Hostname != "" {
		b.domain.redirects = []string{handOverAlias(to.Hostname), to.Hostname}
		b.add("autodiscover", "CNAME", handOverAlias(to.Hostname)+".", "where Outlook and phones ask: answered by the service that has the mailboxes")
		return
	}
	b.host("autodiscover", "where Outlook, phones and Thunderbird ask for autodiscover.xml and .json")
	target := o.Name
	if target == "" {
		target = "autodiscover." + b.domain.Name
	}
	b.add("_autodiscover._tcp", "SRV", "0 1 443 "+target+".", "where Outlook and Thunderbird ask when the host names fail")
}

// handOverAlias is the name to which autodiscover.‹domain› points when another
// service answers there. Microsoft 365 serves customers' names at this one host
// only, which redirects them to the others.
func handOverAlias(hostname string) string {
	switch hostname {
	case "autodiscover-s.outlook.com", "outlook.office365.com", "outlook.office.com", "outlook.com":
		return "autodiscover.outlook.com"
	}
	return hostname
}

// host points a name at the service.
func (b *builder) host(label, reason string) {
	o := &b.guide.options
	switch {
	case label+"."+b.domain.Name == o.Name:
		b.leaveOut(o.Name+" is the service's own name, which you point at it", label)
	case len(o.Addresses) > 0:
		for _, address := range o.Addresses {
			recordType := "A"
			if address.Is6() {
				recordType = "AAAA"
			}
			b.add(label, recordType, address.String(), reason)
		}
	default:
		b.add(label, "CNAME", o.Name+".", reason)
	}
}

// pacc adds the two names of PACC where the format can describe the domain:
// draft-ietf-mailmaint-pacc has clients fetch the document from the one and
// check it against the other.
func (b *builder) pacc() {
	o := &b.guide.options
	if o.Digest == nil {
		b.domain.leftOut = append(b.domain.leftOut, "ua-auto-config", "_ua-auto-config")
		return
	}
	digest, err := o.Digest(b.settings)
	if err != nil {
		why := strings.Join(strings.Fields(err.Error()), " ") // a note is one line
		b.domain.Notes = append(b.domain.Notes, "ua-auto-config: left out, because PACC has no way to describe the domain: "+why)
		return
	}
	b.host("ua-auto-config", "where clients that know PACC ask for user-agent-configuration.json")
	b.add("_ua-auto-config", "TXT", dns.Quote(digest), "vouches for user-agent-configuration.json by its SHA-256 digest")
	if o.OldDigest == nil {
		return
	}
	if old, err := o.OldDigest(b.settings); err == nil && old != digest {
		b.add("_ua-auto-config", "TXT", dns.Quote(old), "vouches for the document up to the change")
	}
}
