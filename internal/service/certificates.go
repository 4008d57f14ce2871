package service

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"signpost/account"
	"signpost/internal/certfile"
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
	o := certs.Options{Name: cfg.Name, Files: pairs(cfg.TLS), Policy: s.policy(), Log: s.log}
	if acme := cfg.TLS.ACME; acme != nil {
		o.ACME = &certs.ACME{Email: acme.Email, Directory: acme.Directory, Storage: acme.Storage, CARoot: acme.CARoot, OrdersPerHour: acme.OrdersPerHour}
	}
	m, err := certs.New(o)
	if err != nil {
		return nil, fault.WithHint(located(s.loaded.Load().File, cfg.TLS, err),
			"tls.certificates and tls.acme in the configuration say where certificates are kept")
	}
	s.metrics.WatchCertificates(m.Status)
	return m, nil
}

func pairs(t *config.TLS) []certfile.Pair {
	var pairs []certfile.Pair
	for _, files := range t.Certificates {
		pairs = append(pairs, pairOf(files))
	}
	return pairs
}

func pairOf(files config.KeyFiles) certfile.Pair {
	return certfile.Pair{Certificate: files.Certificate, Key: files.Key}
}

// located says where in the configuration file a pair stands that cannot be used.
func located(file string, t *config.TLS, err error) error {
	var unusable *certs.PairError
	if !errors.As(err, &unusable) {
		return err
	}
	at := slices.IndexFunc(t.Certificates, func(files config.KeyFiles) bool { return pairOf(files) == unusable.Pair })
	if at < 0 {
		return err
	}
	return fault.List{{File: file, Line: t.Certificates[at].Line, Text: fmt.Sprintf("tls.certificates[%d]: %v", at, err)}}
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
	if l.Directory.Names(domain) || known && l.Directory.Hosts(domain) {
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
	settings, err := l.Directory.Resolve(ctx, account.Query{Address: account.AnyAt(domain)})
	if err == nil && settings.Account.ByMX == "" {
		return account.ErrUnknownDomain
	}
	return err
}
