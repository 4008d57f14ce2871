package certs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"signpost/account"
	"signpost/internal/caa"
	"signpost/internal/dns"
)

// testPolicy is a Policy made of functions. A nil function lists no name, allows
// none, or finds that all names lead here.
type testPolicy struct {
	listed    func(name string) bool
	allowed   func(ctx context.Context, name string) error
	leadsHere func(ctx context.Context, name string) error
	recent    bool // no name is gone for long
	caa       func(ctx context.Context, name string) (caa.Set, error)
}

func (p *testPolicy) CAA(ctx context.Context, name string) (caa.Set, error) {
	if p.caa == nil {
		return caa.Set{}, nil
	}
	return p.caa(ctx, name)
}

func (p *testPolicy) Listed(name string) bool { return p.listed != nil && p.listed(name) }

func (p *testPolicy) Allowed(ctx context.Context, name string) error {
	if p.allowed == nil {
		return account.ErrUnknownDomain
	}
	return p.allowed(ctx, name)
}

func (p *testPolicy) Gone(string) bool { return !p.recent }

func (p *testPolicy) LeadsHere(ctx context.Context, name string) error {
	if p.leadsHere == nil {
		return nil
	}
	return p.leadsHere(ctx, name)
}

var errSilent = errors.New("the name server is silent")

// testDomains hosts customer.se and autoconfig.odd.se, lists listed.se and the
// domain of its MX host, mx.se, and cannot tell about silent.se.
type testDomains struct{}

func (testDomains) Lists(domain string) bool { return domain == "listed.se" }

func (testDomains) ListsMX(domain string) bool { return domain == "mx.se" }

func (testDomains) Gone(domain string) bool { return domain != "elsewhere.se" }

func (testDomains) Serves(_ context.Context, domain string) error {
	switch domain {
	case "customer.se", "autoconfig.odd.se", "listed.se":
		return nil
	case "silent.se":
		return fmt.Errorf("looking up the MX record: %w", errSilent)
	case "elsewhere.se":
		return account.ErrAddressRequired
	}
	return account.ErrUnknownDomain
}

func TestAllowed(t *testing.T) {
	const own = "setup.hoster.se"
	const yes, apex, no, unknown = "yes", "yes with Apex", "no", "unknown"
	for name, want := range map[string]string{
		own:                                 yes,
		"autoconfig.customer.se":            yes,
		"autodiscover.customer.se":          yes,
		"ua-auto-config.customer.se":        yes,
		"autoconfig.listed.se":              yes,
		"customer.se":                       apex,
		"www.customer.se":                   no,
		"mta-sts.customer.se":               no,
		"sub.autoconfig.customer.se":        no,
		"autoconfig.sub.customer.se":        no,
		"autoconfig.autoconfig.customer.se": no,
		"autoconfigcustomer.se":             no,
		"xautoconfig.customer.se":           no,
		"autoconfig.se":                     no,
		"autoconfig.stranger.se":            no,
		"autoconfig.elsewhere.se":           no,
		"hoster.se":                         no,
		"autoconfig.setup.hoster.se":        no,
		"autoconfig.silent.se":              unknown,
		"":                                  no,
		// The name of this mail domain begins with one of the prefixes.
		"autoconfig.autoconfig.odd.se": yes,
		"autoconfig.odd.se":            apex,
	} {
		for _, withApex := range []bool{false, true} {
			err := (&Names{Own: own, Apex: withApex, Domains: testDomains{}}).Allowed(t.Context(), name)
			got := map[bool]string{true: no, false: unknown}[account.IsUnknown(err)]
			if err == nil {
				got = yes
			}
			wanted := want
			if want == apex {
				wanted = map[bool]string{true: yes, false: no}[withApex]
			}
			if got != wanted || got == unknown && !errors.Is(err, errSilent) {
				t.Errorf("Allowed(%q) with Apex %v = %v, want %s", name, withApex, err, wanted)
			}
		}
	}
	if err := (&Names{}).Allowed(t.Context(), ""); !account.IsUnknown(err) {
		t.Errorf("Allowed(\"\") without a name of the service = %v, want an unknown domain", err)
	}
	if err := (&Names{Own: own}).Allowed(t.Context(), "autoconfig.customer.se"); !account.IsUnknown(err) {
		t.Errorf("Allowed without any domains = %v, want an unknown domain", err)
	}
}

func TestListed(t *testing.T) {
	n := &Names{Own: "setup.hoster.se", Domains: testDomains{}}
	for name, want := range map[string]bool{
		"setup.hoster.se":          true,
		"autoconfig.listed.se":     true,
		"autodiscover.listed.se":   true,
		"ua-auto-config.listed.se": true,
		"autoconfig.mx.se":         true,
		"listed.se":                false, // without Apex
		"www.listed.se":            false,
		"autoconfig.customer.se":   false,
		"autoconfig.silent.se":     false,
		"":                         false,
	} {
		if got := n.Listed(name); got != want {
			t.Errorf("Listed(%q) = %v, want %v", name, got, want)
		}
	}
	// Whether the names of an MX host's domain lead here must be known.
	for _, test := range []struct {
		own       string
		addresses []netip.Addr
		want      bool
	}{
		{"", nil, false},
		{"setup.hoster.se", nil, true},
		{"", []netip.Addr{netip.MustParseAddr("192.0.2.1")}, true},
	} {
		n := &Names{Own: test.own, Addresses: test.addresses, Domains: testDomains{}}
		listed, err := n.Listed("autoconfig.mx.se"), n.Allowed(t.Context(), "autoconfig.mx.se")
		if listed != test.want || (err == nil) != test.want {
			t.Errorf("name of an MX host's domain, with own name %q and addresses %v: Listed = %v, Allowed = %v, want %v",
				test.own, test.addresses, listed, err, test.want)
		}
	}
	if (&Names{}).Listed("autoconfig.listed.se") {
		t.Error("Listed without any domains = true")
	}
}

func TestLeadsHere(t *testing.T) {
	addresses := map[string][]string{
		"setup.hoster.se":          {"192.0.2.1", "2001:db8::1"},
		"autoconfig.customer.se":   {"192.0.2.1"},
		"autodiscover.customer.se": {"198.51.100.1", "2001:db8::1"},
		"autoconfig.dns64.se":      {"192.0.2.9", "64:ff9b::c000:209"},
		"autoconfig.nat64.se":      {"64:ff9b::c000:201"},
		"autoconfig.alias.se":      {"203.0.113.1"},
		"autoconfig.both.se":       {"203.0.113.1", "2001:db8::9"},
		"autoconfig.hostile.se":    {"203.0.113.1", "2001:db8::9"}, // an alias for IPv4 only
		"autoconfig.six.se":        {"192.0.2.1", "2001:db8::1"},
		"half.hoster.se":           {"192.0.2.1"}, // the other kind of address cannot be looked up
		"autoconfig.elsewhere.se":  {"198.51.100.1"},
		"autoconfig.away.se":       {"192.0.2.9"},
		"autoconfig.nowhere.se":    nil,
	}
	lookup := func(_ context.Context, host string) ([]netip.Addr, error) {
		found, ok := addresses[host]
		if !ok {
			return nil, errSilent
		}
		var all []netip.Addr
		for _, address := range found {
			all = append(all, netip.MustParseAddr(address))
		}
		return all, nil
	}
	const own, lost = "setup.hoster.se", "lost.hoster.se" // DNS does not answer for the second
	more := []netip.Addr{netip.MustParseAddr("198.51.100.1")}
	for _, test := range []struct {
		own       string
		addresses []netip.Addr
		name      string
		want      string // error
		elsewhere bool   // the error says that DNS leads elsewhere
	}{
		{own, nil, own, "", false},
		{own, nil, "autoconfig.customer.se", "", false},
		{own, nil, "autodiscover.customer.se",
			"it is also at [198.51.100.1], and setup.hoster.se at [192.0.2.1 2001:db8::1]: all of its addresses must lead here", true},
		{own, more, "autodiscover.customer.se", "", false},
		{"", more, "autodiscover.customer.se",
			"it is also at [2001:db8::1], and this service at [198.51.100.1]: all of its addresses must lead here", true},
		{"", []netip.Addr{netip.MustParseAddr("192.0.2.9")}, "autoconfig.dns64.se", "", false},
		{own, nil, "autoconfig.nat64.se",
			"it is at [64:ff9b::c000:201], and setup.hoster.se at [192.0.2.1 2001:db8::1]", true},
		{own, nil, "autoconfig.alias.se", "", false}, // a CNAME for the own name, whose addresses change
		{own, nil, "autoconfig.both.se", "", false},
		{own, nil, "autoconfig.hostile.se",
			"it is at [203.0.113.1 2001:db8::9], and setup.hoster.se at [192.0.2.1 2001:db8::1]", true},
		{own, append(more, netip.MustParseAddr("192.0.2.1")), "autoconfig.away.se",
			"it is at [192.0.2.9], and setup.hoster.se at [192.0.2.1 2001:db8::1 198.51.100.1]", true}, // each once
		{"half.hoster.se", nil, "autoconfig.customer.se", "", false},
		{"half.hoster.se", nil, "autoconfig.six.se", errSilent.Error(), false},
		{"half.hoster.se", nil, "autoconfig.elsewhere.se", "it is at [198.51.100.1], and half.hoster.se at [192.0.2.1]", true},
		{own, nil, "autoconfig.elsewhere.se", "it is at [198.51.100.1], and setup.hoster.se at [192.0.2.1 2001:db8::1]",
			true},
		{own, nil, "autoconfig.nowhere.se", "it has no address", true},
		{own, nil, "autoconfig.silent.se", errSilent.Error(), false},
		{lost, nil, "autoconfig.customer.se", "lost.hoster.se: " + errSilent.Error(), false},
		{own, more, "autoconfig.elsewhere.se", "", false},
		{lost, more, "autoconfig.elsewhere.se", "", false},
		{"", more, "autoconfig.elsewhere.se", "", false},
		{own, more, "autoconfig.away.se", "it is at [192.0.2.9], and setup.hoster.se at [192.0.2.1 2001:db8::1 198.51.100.1]", true},
		{"", more, "autoconfig.away.se", "it is at [192.0.2.9], and this service at [198.51.100.1]", true},
		{"", nil, "autoconfig.elsewhere.se", "", false},
	} {
		n := &Names{Own: test.own, Addresses: test.addresses, LookupAddresses: lookup, Lookup: func(_ context.Context, name, recordType string) (dns.Answer, error) {
			switch {
			case name == "ipv4only.arpa": // the resolver has DNS64
				return dns.Answer{Records: []dns.Record{{Name: name, Type: "AAAA", Data: "64:ff9b::c000:aa"}}}, nil
			case name == "autoconfig.alias.se" && recordType == "A", name == "autoconfig.both.se",
				name == "autoconfig.hostile.se" && recordType == "A":
				return dns.Answer{Records: []dns.Record{{Name: name, Type: "CNAME", Data: "Setup.hoster.se."}}}, nil
			case name == "half.hoster.se" && recordType == "AAAA":
				return dns.Answer{}, errSilent
			}
			return dns.Answer{}, nil
		}}
		err := n.LeadsHere(t.Context(), test.name)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if _, elsewhere := errors.AsType[*elsewhereError](err); text != test.want || elsewhere != test.elsewhere {
			t.Errorf("LeadsHere(%q) of %q with %v = %v, want %q", test.name, test.own, test.addresses, err, test.want)
		}
	}
}

// TestLeadsHereWithoutDNS64 checks that the addresses that DNS64 makes are foreign where no
// resolver makes them, whoever published them, and that this must be known.
func TestLeadsHereWithoutDNS64(t *testing.T) {
	const name = "autoconfig.customer.se"
	for _, test := range []struct {
		made  string // address of ipv4only.arpa
		err   error
		found []string
		want  string
	}{
		{"", nil, []string{"192.0.2.1", "64:ff9b::c000:201"},
			"it is also at [64:ff9b::c000:201], and this service at [192.0.2.1]: all of its addresses must lead here"},
		{"64:ff9b::c000:aa", nil, []string{"192.0.2.1", "64:ff9b::c000:201"}, ""},
		{"64:ff9b::c000:aa", nil, []string{"64:ff9b::c000:201"},
			"it is at [64:ff9b::c000:201], and this service at [192.0.2.1]"},
		{"", errSilent, []string{"192.0.2.1", "64:ff9b::c000:201"}, errSilent.Error()},
		{"", errSilent, []string{"192.0.2.1"}, ""}, // the question does not matter
	} {
		n := &Names{
			Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
			LookupAddresses: func(context.Context, string) (found []netip.Addr, err error) {
				for _, address := range test.found {
					found = append(found, netip.MustParseAddr(address))
				}
				return found, nil
			},
			Lookup: func(_ context.Context, name, recordType string) (answer dns.Answer, err error) {
				if test.made != "" && name == "ipv4only.arpa" && recordType == "AAAA" {
					answer.Records = []dns.Record{{Name: name, Type: "AAAA", Data: test.made}}
				}
				return answer, test.err
			},
		}
		text := ""
		if err := n.LeadsHere(t.Context(), name); err != nil {
			text = err.Error()
		}
		if text != test.want {
			t.Errorf("LeadsHere of a name at %v, ipv4only.arpa at %q (%v) = %q, want %q",
				test.found, test.made, test.err, text, test.want)
		}
	}
}

// TestGone checks that a name is gone only if all domains are that it may belong to.
func TestGone(t *testing.T) {
	n := &Names{Own: "setup.hoster.se", Domains: testDomains{}}
	for name, want := range map[string]bool{
		"setup.hoster.se":           false,
		"autoconfig.left.se":        true,
		"autodiscover.elsewhere.se": false, // missing as of late
		"www.left.se":               true,
	} {
		if got := n.Gone(name); got != want {
			t.Errorf("Gone(%s) = %v, want %v", name, got, want)
		}
	}
	if !(&Names{}).Gone("autoconfig.left.se") {
		t.Error("Gone without domains = false, want true")
	}
}

// TestOwnCAA checks that the own name does not wait for DNS, and that every other does.
func TestOwnCAA(t *testing.T) {
	silent := func(context.Context, string, string) (dns.Answer, error) { return dns.Answer{}, errSilent }
	n := &Names{Own: "setup.hoster.se", Lookup: silent}
	if _, err := n.CAA(t.Context(), "setup.hoster.se"); err != nil {
		t.Errorf("CAA of the own name while DNS is silent = %v, want none and no error", err)
	}
	if _, err := n.CAA(t.Context(), "autoconfig.customer.se"); !errors.Is(err, errSilent) {
		t.Errorf("CAA of a customer's name while DNS is silent = %v, want %v", err, errSilent)
	}
}
