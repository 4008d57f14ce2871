package main

import (
	"context"
	"net/netip"
	"time"

	"signpost/account"
	"signpost/certs"
	"signpost/config"
	"signpost/server"
)

// newCertificates makes the manager of the certificates, nil where a proxy in
// front ends TLS.
func (d *daemon) newCertificates(cfg *config.Config) (*certs.Manager, error) {
	if cfg.TLS == nil {
		return nil, nil
	}
	o := certs.Options{Name: cfg.Name, Files: pairs(cfg.TLS), Allowed: d.mayHaveCertificate, Log: d.log}
	if acme := cfg.TLS.ACME; acme != nil {
		o.ACME = &certs.ACME{Email: acme.Email, Directory: acme.Directory, Storage: acme.Storage, CARoot: acme.CARoot, OrdersPerHour: acme.OrdersPerHour}
		if cfg.Name != "" {
			o.LeadsHere = certs.LeadsTo(cfg.Name, d.addresses)
		}
	}
	m, err := certs.New(o)
	if err != nil {
		return nil, &hintError{err, "tls.certificates and tls.acme in the configuration say where certificates are kept"}
	}
	d.metrics.WatchCertificates(func() server.Certificates { return certificateState(m.Status()) })
	return m, nil
}

func pairs(t *config.TLS) []certs.Pair {
	var pairs []certs.Pair
	for _, files := range t.Certificates {
		pairs = append(pairs, certs.Pair(files))
	}
	return pairs
}

// mayHaveCertificate decides by the configuration in use.
func (d *daemon) mayHaveCertificate(ctx context.Context, name string) error {
	s := d.service.Load()
	apex := s.config.TLS != nil && s.config.TLS.ACME != nil && s.config.TLS.ACME.Apex
	return certs.Allow(s.config.Name, apex, s.serves)(ctx, name)
}

// serves reports whether a domain is hosted here: by its name or by its MX
// record. A provider for any domain hosts none.
func (s *service) serves(ctx context.Context, domain string) error {
	if s.directory.Hosts(domain) {
		return nil
	}
	settings, err := s.directory.Resolve(ctx, account.Query{Address: account.AnyAt(domain)})
	if err == nil && settings.Standing.ByMX == "" {
		return account.ErrUnknownDomain
	}
	return err
}

// addresses asks DNS for the addresses of a host.
func (d *daemon) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	resolver := d.service.Load().resolver
	var all []netip.Addr
	for _, recordType := range []string{"A", "AAAA"} {
		answer, err := resolver.Lookup(ctx, host, recordType)
		if err != nil {
			return nil, err
		}
		for _, record := range answer.Records {
			if record.Type != recordType {
				continue // a CNAME on the way
			}
			if addr, err := netip.ParseAddr(record.Data); err == nil {
				all = append(all, addr)
			}
		}
	}
	return all, nil
}

func certificateState(s certs.Status) server.Certificates {
	c := server.Certificates{
		ByState:    make(map[string]int, len(certs.States)),
		NextExpiry: s.NextExpiry(),
		Obtained:   s.Orders.Obtained,
		Failed:     s.Orders.Failed,
	}
	for _, state := range certs.States {
		c.ByState[string(state)] = s.Count(state)
	}
	if !s.Orders.StoppedUntil.IsZero() && time.Now().Before(s.Orders.StoppedUntil) {
		c.Stopped = true
	}
	return c
}
