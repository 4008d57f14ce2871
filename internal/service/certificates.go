package service

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"signpost/account"
	"signpost/internal/certs"
	"signpost/internal/config"
	"signpost/internal/fault"
)

// newCertificates makes the manager of the certificates, nil where a proxy in
// front ends TLS.
func (s *service) newCertificates(cfg *config.Config) (*certs.Manager, error) {
	if cfg.TLS == nil {
		return nil, nil
	}
	o := certs.Options{Name: cfg.Name, Files: cfg.TLS.Certificates, Policy: s.policy(), Log: s.log}
	if acme := cfg.TLS.ACME; acme != nil {
		o.ACME = &certs.ACME{Email: acme.Email, Directory: acme.Directory, Storage: acme.Storage, CARoot: acme.CARoot, OrdersPerHour: acme.OrdersPerHour}
	}
	m, err := certs.New(o)
	if err != nil {
		return nil, fault.WithHint(located(cfg, err),
			"tls.certificates and tls.acme in the configuration say where certificates are kept")
	}
	s.metrics.WatchCertificates(m.Status)
	return m, nil
}

// located adds the place in the configuration to an error about a certificate file.
func located(cfg *config.Config, err error) error {
	unusable, ok := errors.AsType[*certs.PairError](err)
	if !ok {
		return err
	}
	at := slices.Index(cfg.TLS.Certificates, unusable.Pair)
	if at < 0 {
		return err
	}
	return fault.List{cfg.Fault(fmt.Sprintf("tls.certificates[%d]", at), err)}
}

// policy decides by the configuration in use, for orders of our own and those of
// a proxy alike.
func (s *service) policy() certs.Policy {
	return certs.Policy{
		Allowed: func(ctx context.Context, name string) error {
			l := s.loaded.Load()
			return certs.Allow(l.Config.Name, l.Config.ApexCertificates, l.serves)(ctx, name)
		},
		Listed: func(name string) bool {
			l := s.loaded.Load()
			return certs.Allow(l.Config.Name, l.Config.ApexCertificates, l.lists)(context.Background(), name) == nil
		},
		LeadsHere: func(ctx context.Context, name string) error {
			l := s.loaded.Load()
			return certs.LeadsTo(l.Config.Name, l.Config.DNS.Addresses, l.Resolver.LookupAddresses)(ctx, name)
		},
	}
}

// lists reports whether the configuration has a domain. One that clients derive
// from an MX host may be anybody's, as protection.outlook.com is; such a name is
// ours where DNS leads it here, which must be known.
func (l *Loaded) lists(_ context.Context, domain string) error {
	known := l.Config.Name != "" || len(l.Config.DNS.Addresses) > 0
	if l.Directory.Lists(domain) || known && l.Directory.ListsMX(domain) {
		return nil
	}
	return account.ErrUnknownDomain
}

// serves reports whether a domain is hosted here: by its name or by its MX
// record. A provider for any domain hosts none.
func (l *Loaded) serves(ctx context.Context, domain string) error {
	if l.lists(ctx, domain) == nil {
		return nil
	}
	return l.Directory.Serves(ctx, domain)
}
