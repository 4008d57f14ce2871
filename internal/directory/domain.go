package directory

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"signpost/account"
)

// byName finds the provider of a domain: by its name, by its best MX, or the
// one for any domain. It also returns the MX host where that decided.
func (d *Directory) byName(ctx context.Context, domain string) (*account.Provider, string, error) {
	if p, ok := d.byDomain[domain]; ok {
		return p, "", nil
	}
	if len(d.byMX) > 0 {
		hosts, err := d.lookupMX(ctx, domain)
		if err != nil {
			// Not "unknown": a client that is told so goes elsewhere for good.
			return nil, "", fmt.Errorf("looking up the MX record: %w", err)
		}
		for _, mx := range hosts {
			// A host of ours behind a foreign best one is a backup that
			// holds no mailboxes.
			if mx.Preference != hosts[0].Preference {
				break
			}
			if p := d.byMXHost(mx.Host); p != nil {
				return p, mx.Host, nil
			}
		}
	}
	if d.any != nil {
		return d.any, "", nil
	}
	return nil, "", account.ErrUnknownDomain
}

func (d *Directory) byMXHost(host string) *account.Provider {
	if p, ok := d.byMX[host]; ok {
		return p
	}
	for {
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return nil
		}
		if p, ok := d.byMX[host[dot:]]; ok {
			return p
		}
		host = host[dot+1:]
	}
}

// lookup is a domain that clients derive from an MX host when they look for its
// settings at autoconfig.‹domain›.
type lookup struct {
	providers []*account.Provider
}

// addLookups notes what clients derive from the MX host: its name without the
// first label, and its registrable domain (draft-ietf-mailmaint-autoconfig,
// "%MXFULLDOMAIN%" and "%MXBASEDOMAIN%"; Thunderbird's getMX does the same).
// Delta Chat and Evolution's parent walk stay between the two.
func (d *Directory) addLookups(host string, p *account.Provider) {
	name := strings.TrimPrefix(host, "*.")
	base, err := publicsuffix.EffectiveTLDPlusOne(name)
	if err != nil {
		return // the host is itself a public suffix, which no client goes below
	}
	if name == host {
		name = name[min(strings.IndexByte(name, '.')+1, len(name)-len(base)):]
	}
	for {
		l := d.lookups[name]
		if l == nil {
			l = new(lookup)
			d.lookups[name] = l
		}
		l.add(p)
		if name == base {
			return
		}
		name = name[strings.IndexByte(name, '.')+1:]
	}
}

func (l *lookup) add(p *account.Provider) {
	if !l.has(p) {
		l.providers = append(l.providers, p)
	}
}

func (l *lookup) has(p *account.Provider) bool {
	for _, other := range l.providers {
		if other == p {
			return true
		}
	}
	return false
}
