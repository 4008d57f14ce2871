package certs

import (
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
			if ecdsa := isECDSA(a); ecdsa != isECDSA(b) {
				if ecdsa {
					return -1
				}
				return 1
			}
			return b.Leaf.NotAfter.Compare(a.Leaf.NotAfter)
		})
	}
	return t
}

func isECDSA(c *tls.Certificate) bool {
	_, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey)
	return ok
}

// find returns the certificate for a name in lower case, or nil. A wildcard stands
// for one label (RFC 9525 §6.3).
func (t *table) find(hello *tls.ClientHelloInfo, name string) *tls.Certificate {
	if list := t.byName[name]; list != nil {
		return best(hello, list)
	}
	if dot := strings.IndexByte(name, '.'); dot > 0 {
		if list := t.byName["*"+name[dot:]]; list != nil {
			return best(hello, list)
		}
	}
	return nil
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
	if len(list) == 1 {
		return list[0]
	}
	now := time.Now()
	var supported *tls.Certificate
	for _, c := range list {
		if hello.SupportsCertificate(c) != nil {
			continue
		}
		if now.Before(c.Leaf.NotAfter) {
			return c
		}
		if supported == nil {
			supported = c
		}
	}
	if supported == nil {
		return list[0]
	}
	return supported
}
