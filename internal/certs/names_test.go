package certs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"signpost/account"
)

var errSilent = errors.New("the name server is silent")

// serves knows customer.se, and of silent.se nothing at the moment.
func serves(_ context.Context, domain string) error {
	switch domain {
	case "customer.se", "autoconfig.odd.se":
		return nil
	case "silent.se":
		return fmt.Errorf("looking up the MX record: %w", errSilent)
	}
	return account.ErrUnknownDomain
}

func TestAllow(t *testing.T) {
	const yes, apex, no, unknown = "yes", "with apex", "no", "unknown"
	for name, want := range map[string]string{
		"setup.hoster.se":                   yes,
		"autoconfig.customer.se":            yes,
		"autodiscover.customer.se":          yes,
		"ua-auto-config.customer.se":        yes,
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
		"hoster.se":                         no,
		"autoconfig.setup.hoster.se":        no,
		"autoconfig.silent.se":              unknown,
		"":                                  no,
		// A mail domain that is called like one of the prefixes.
		"autoconfig.autoconfig.odd.se": yes,
		"autoconfig.odd.se":            apex,
	} {
		for _, withApex := range []bool{false, true} {
			err := Allow("setup.hoster.se", withApex, serves)(t.Context(), name)
			wanted := want
			if want == apex {
				wanted = map[bool]string{true: yes, false: no}[withApex]
			}
			switch {
			case err == nil && wanted == yes, errors.Is(err, account.ErrUnknownDomain) && wanted == no, errors.Is(err, errSilent) && wanted == unknown:
			default:
				t.Errorf("%q, apex %v: got %v, want %s", name, withApex, err, wanted)
			}
		}
	}
	if err := Allow("", false, nil)(t.Context(), ""); !errors.Is(err, account.ErrUnknownDomain) {
		t.Errorf("without a name of its own: %v", err)
	}
}

func TestLeadsTo(t *testing.T) {
	addresses := map[string][]string{
		"setup.hoster.se":          {"192.0.2.1", "2001:db8::1"},
		"autoconfig.customer.se":   {"192.0.2.1"},
		"autodiscover.customer.se": {"198.51.100.1", "2001:db8::1"},
		"autoconfig.elsewhere.se":  {"198.51.100.1"},
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
	for name, want := range map[string]string{
		"setup.hoster.se":          "",
		"autoconfig.customer.se":   "",
		"autodiscover.customer.se": "",
		"autoconfig.elsewhere.se":  "it is at [198.51.100.1], and setup.hoster.se at [192.0.2.1 2001:db8::1]",
		"autoconfig.nowhere.se":    "it has no address",
		"autoconfig.silent.se":     errSilent.Error(),
	} {
		if err := LeadsTo("setup.hoster.se", nil, lookup)(t.Context(), name); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := LeadsTo("lost.hoster.se", nil, lookup)(t.Context(), "autoconfig.customer.se"); !errors.Is(err, errSilent) {
		t.Errorf("our own name is not found: %v", err)
	}
	// Other addresses of ours may be named, with the service's own name or instead.
	ours := []netip.Addr{netip.MustParseAddr("198.51.100.1")}
	for _, own := range []string{"setup.hoster.se", "lost.hoster.se", ""} {
		if err := LeadsTo(own, ours, lookup)(t.Context(), "autoconfig.elsewhere.se"); err != nil {
			t.Errorf("%q with an address: %v", own, err)
		}
	}
	for own, want := range map[string]string{
		"setup.hoster.se": "it is at [192.0.2.9], and setup.hoster.se at [192.0.2.1 2001:db8::1 198.51.100.1]",
		"":                "it is at [192.0.2.9], and this service at [198.51.100.1]",
	} {
		addresses["autoconfig.away.se"] = []string{"192.0.2.9"}
		err := LeadsTo(own, ours, lookup)(t.Context(), "autoconfig.away.se")
		if away := new(elsewhere); !errors.As(err, &away) || err.Error() != want {
			t.Errorf("%q with an address: %v", own, err)
		}
	}
	if err := LeadsTo("", nil, lookup)(t.Context(), "autoconfig.elsewhere.se"); err != nil {
		t.Errorf("where nothing is known: %v", err)
	}
}
