package service

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"signpost/internal/certs"
	"signpost/internal/config"
	"signpost/internal/fault"
)

// newCertificates returns the manager of the certificates, nil if a proxy in front
// terminates TLS.
func (s *service) newCertificates(cfg *config.Config) (*certs.Manager, error) {
	if cfg.TLS == nil {
		return nil, nil
	}
	m, err := certs.New(certs.Options{
		Name: cfg.Name, Files: cfg.TLS.Certificates, ACME: cfg.TLS.ACME, Policy: policy{&s.loaded}, Log: s.log,
	})
	if err != nil {
		return nil, fault.WithHint(located(cfg, err),
			"tls.certificates and tls.acme in the configuration say where certificates are kept")
	}
	s.metrics.WatchCertificates(m.Status)
	return m, nil
}

// located adds the place in the configuration to an error about a certificate file.
func located(cfg *config.Config, err error) error {
	if bad, ok := errors.AsType[*certs.PairError](err); ok {
		return fault.List{cfg.Fault(fmt.Sprintf("tls.certificates[%d]", bad.Index), err)}
	}
	return err
}

// policy is the certs.Policy of the configuration in use, for orders of our own and
// those of a proxy alike.
type policy struct{ loaded *atomic.Pointer[Loaded] }

// Listed implements certs.Policy.
func (p policy) Listed(name string) bool { return p.loaded.Load().names().Listed(name) }

// Allowed implements certs.Policy.
func (p policy) Allowed(ctx context.Context, name string) error {
	return p.loaded.Load().names().Allowed(ctx, name)
}

// LeadsHere implements certs.Policy.
func (p policy) LeadsHere(ctx context.Context, name string) error {
	return p.loaded.Load().names().LeadsHere(ctx, name)
}

// names returns which names may have a certificate.
func (l *Loaded) names() *certs.Names {
	return &certs.Names{
		Own:             l.Config.Name,
		Apex:            l.Config.ApexCertificates,
		Domains:         l.Directory,
		Addresses:       l.Config.DNS.Addresses,
		LookupAddresses: l.Resolver.LookupAddresses,
	}
}
