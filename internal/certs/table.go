package certs

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/tls"
	"slices"
	"strings"
	"time"
)

// table finds certificates by name. It never changes; a new one replaces it.
type table struct {
	byName map[string][]*tls.Certificate // "*.example.com" for a wildcard
	all    []*tls.Certificate            // in the order of the configuration
}

// newTable lists the best certificate of a name first: ECDSA before RSA, because
// its handshake costs a tenth, and then the one that is valid longer.
func newTable(all []*tls.Certificate) *table {
	t := &table{byName: map[string][]*tls.Certificate{}, all: all}
	for _, c := range all {
		for _, name := range c.Leaf.DNSNames {
			name = strings.ToLower(name)
			t.byName[name] = append(t.byName[name], c)
		}
	}
	for _, list := range t.byName {
		slices.SortStableFunc(list, func(a, b *tls.Certificate) int {
			return cmp.Or(handshakeCost(a)-handshakeCost(b), b.Leaf.NotAfter.Compare(a.Leaf.NotAfter))
		})
	}
	return t
}

// handshakeCost returns what a handshake costs relative to others.
func handshakeCost(c *tls.Certificate) int {
	if _, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey); ok {
		return 1
	}
	return 10
}

// find returns the certificate for a name in lower case, or nil. A wildcard stands
// for one label (RFC 9525 §6.3).
func (t *table) find(hello *tls.ClientHelloInfo, name string) *tls.Certificate {
	list := t.byName[name]
	if dot := strings.IndexByte(name, '.'); list == nil && dot > 0 {
		list = t.byName["*"+name[dot:]]
	}
	return best(hello, list)
}

// first returns the first certificate of the configuration, or nil. If its name
// has one for each kind of key, the client gets the best of them.
func (t *table) first(hello *tls.ClientHelloInfo) *tls.Certificate {
	if len(t.all) == 0 {
		return nil
	}
	return best(hello, t.byName[strings.ToLower(t.all[0].Leaf.DNSNames[0])])
}

// best returns the first certificate of the list that the client supports and that
// has not expired, then the first that it supports, then the first.
func best(hello *tls.ClientHelloInfo, list []*tls.Certificate) *tls.Certificate {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	now := time.Now()
	supported := func(c *tls.Certificate) bool { return hello.SupportsCertificate(c) == nil }
	i := slices.IndexFunc(list, func(c *tls.Certificate) bool { return supported(c) && now.Before(c.Leaf.NotAfter) })
	if i < 0 {
		i = slices.IndexFunc(list, supported)
	}
	return list[max(i, 0)]
}
