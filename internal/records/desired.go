package records

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/directory"
	"signpost/internal/dns"
)

// DefaultTTL is an hour: a mistake is soon forgotten, and clients ask less often
// than that anyway.
const DefaultTTL = 3600

// Record is a record that a domain should have.
type Record struct {
	dns.Record
	Reason string `json:"reason,omitempty"` // who looks it up, in words
}

// Domain holds the records that one domain should have.
type Domain struct {
	Name    string   `json:"domain"`
	Records []Record `json:"records"`
	// Notes say what the domain cannot have, and why.
	Notes []string `json:"notes,omitempty"`
	// leftOut lists the names, relative to the domain, whose records are not
	// compared, because any records there may be right.
	leftOut []string
	// redirects lists the hosts of the service that answers Autodiscover instead.
	redirects []string
}

// Empty returns what a domain that leaves the service should have: no records.
func Empty(name string) Domain { return Domain{Name: name, Records: []Record{}} }

// records returns the records without their reasons.
func (d *Domain) records() []dns.Record {
	records := make([]dns.Record, len(d.Records))
	for i, r := range d.Records {
		records[i] = r.Record
	}
	return records
}

// Options say where the service is, and what its domains have.
type Options struct {
	// Name is the service's own host name, to which the customers' names point.
	Name string
	// Addresses, if given, are the A and AAAA records that the customers' names
	// get instead of a CNAME.
	Addresses []netip.Addr
	// Certificate reports whether the service has or can order a certificate for a
	// host name. It is nil where a proxy has the certificates.
	Certificate func(host string) bool
	// TTL is the time to live of all records; zero means DefaultTTL.
	TTL uint32
	// Directory knows the domains.
	Directory *directory.Directory
	// Before is the directory of the configuration in use up to now, or nil. Its
	// PACC digests stand beside the new ones while the documents change.
	Before *directory.Directory
}

// Generator works out which records domains should have. It is safe for
// concurrent use.
type Generator struct {
	options   Options
	documents autoconfig.PACCs
	// digest returns the text of the TXT record for a PACC document. Tests
	// replace it.
	digest func(account.Settings) (string, error)
}

// New returns a Generator for the service.
func New(o Options) *Generator {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	g := &Generator{options: o}
	g.digest = g.paccDigest
	return g
}

// paccDigest returns the digest of the domain's PACC document. The error says why
// the format cannot describe the domain.
func (g *Generator) paccDigest(s account.Settings) (string, error) {
	s.Servers, s.Custom = s.Provider.ServersOn(account.PACC, s.Login.Domain(), s.MailHost)
	document, err := g.documents.Document(s)
	if err != nil {
		return "", err
	}
	return autoconfig.Digest(document), nil
}

// Domain returns what a domain should have. The error satisfies account.IsUnknown
// if the domain is not hosted here.
func (g *Generator) Domain(ctx context.Context, name string) (Domain, error) {
	query := account.Query{Address: account.AnyAt(name)}
	settings, err := g.options.Directory.Resolve(ctx, query)
	if err != nil {
		return Domain{}, fmt.Errorf("%s: %w", name, err)
	}
	providers, err := g.options.Directory.ProvidersOf(ctx, name)
	if err != nil {
		return Domain{}, fmt.Errorf("%s: %w", name, err)
	}
	d := g.For(settings, providers...)
	if g.options.Before == nil {
		return d, nil
	}
	switch before, err := g.options.Before.Resolve(ctx, query); {
	case err == nil:
		g.addDigest(&d, before)
	case !account.IsUnknown(err):
		return Domain{}, fmt.Errorf("%s in the configuration before: %w", name, err)
	}
	return d, nil
}

// addDigest puts the digest of an older PACC document beside the one that the
// domain has, if they differ.
func (g *Generator) addDigest(d *Domain, before account.Settings) {
	digest, err := g.digest(before)
	if err != nil {
		return // the format could not describe the domain before
	}
	for i, r := range d.Records {
		if strings.HasPrefix(r.Name, "_ua-auto-config.") && r.Data != dns.Quote(digest) {
			r.Data, r.Reason = dns.Quote(digest), "vouches for the document up to the change"
			d.Records = append(d.Records[:i+1], append([]Record{r}, d.Records[i+1:]...)...)
			return
		}
	}
}
