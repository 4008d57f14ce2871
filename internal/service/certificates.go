package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"signpost/internal/caa"
	"signpost/internal/certs"
	"signpost/internal/certstore"
	"signpost/internal/config"
	"signpost/internal/conn"
	"signpost/internal/fair"
	"signpost/internal/fault"
	"signpost/internal/server"
	"signpost/internal/sources/sqldb"
)

// newCertificates returns the manager of the certificates, nil if a proxy in front
// terminates TLS.
func (s *service) newCertificates(cfg *config.Config) (*certs.Manager, error) {
	if cfg.TLS == nil {
		return nil, nil
	}
	if err := s.openStore(cfg.TLS.Store); err != nil {
		return nil, err
	}
	m, err := certs.New(certs.Options{
		Shared:        s.shared(),
		CAAIdentities: func() []string { return s.loaded.Load().Config.DNS.CAAIdentities },
		Name:          cfg.Name, Files: cfg.TLS.Certificates, ACME: cfg.TLS.ACME, Policy: policy{&s.loaded},
		Caller: s.handshakeCaller, Log: s.log,
	})
	if err != nil {
		return nil, fault.WithHint(located(cfg, err),
			"tls.certificates and tls.acme in the configuration say where certificates are kept")
	}
	s.metrics.WatchCertificates(m.Status)
	return m, nil
}

// storeTimeout is how long a start waits for the database of certificates.
const storeTimeout = 3 * time.Second

// probeTimeout is enough to look at all private keys.
const probeTimeout = 10 * time.Second

// openStore opens the database in which several machines keep certificates. While it is away, the
// service starts and is not ready. If it cannot be used, the service does not start.
func (s *service) openStore(o *certstore.Options) error {
	if o == nil {
		return nil
	}
	store, err := certstore.New(*o, s.log)
	if err != nil {
		return fmt.Errorf("tls.acme.storage: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	if err := storeError(store.Check(ctx)); err != nil && !sqldb.IsAway(err) && ctx.Err() == nil {
		store.Close()
		return err
	}
	s.store = store
	return nil
}

// shared returns the storage that several machines share, nil if there is none.
func (s *service) shared() certs.Shared {
	if s.store == nil {
		return nil
	}
	return s.store
}

// isReady returns why the database of certificates could not be used since the start. Without it, a
// machine has no certificate, and a load balancer must not have it take the place of those that
// have some. They stay ready when the database is away or fails later: were they not, a balancer would
// take every machine away at once.
func (s *service) isReady() error {
	if s.store == nil {
		return nil
	}
	return storeError(s.store.Ready())
}

// storeStatus returns whether the database of certificates fails, and how many certificates wait to be
// written into it.
func (s *service) storeStatus() (failing bool, waiting int) {
	if s.store == nil {
		return false, 0
	}
	status := s.store.Status()
	return status.Failing != nil, status.Waiting
}

// storeState returns a line about the database of certificates if it fails.
func (s *service) storeState() string {
	if s.store == nil {
		return ""
	}
	status := s.store.Status()
	if status.Failing == nil {
		return ""
	}
	text := fmt.Sprintf("store of certificates: %v", status.Failing)
	if status.Waiting > 0 {
		text += fmt.Sprintf("; certificates that wait to be stored: %d", status.Waiting)
	}
	return text
}

// CheckStore returns why the database in which several machines keep certificates cannot be
// used now, if there is one, or what is left to do there. It writes nothing.
func (l *Loaded) CheckStore(ctx context.Context) (warning string, err error) {
	if l.Config.TLS == nil || l.Config.TLS.Store == nil {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	old, err := certstore.Probe(ctx, *l.Config.TLS.Store)
	if old > 0 {
		warning = fmt.Sprintf("tls.acme.sealFile: values in the database that are not sealed with its first "+
			"key yet: %d; keep the other keys", old)
	}
	return warning, storeError(err)
}

// storeError adds to an error of the database where it is configured.
func storeError(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("tls.acme.storage: %w", err)
	if sqldb.LacksRight(err) && fault.Hint(err) == "" {
		return fault.WithHint(err, "the user of the database needs the right to create tables, once, and to read "+
			"and write them; signpost check says which are missing")
	}
	return err
}

// handshakeCaller returns on whose behalf a handshake asks DNS: what it asks comes from
// the budget that the client's requests have. A trusted proxy stands for many clients.
func (s *service) handshakeCaller(peer net.Addr) fair.Caller {
	addr := conn.PeerAddr(peer.String())
	if !addr.IsValid() || s.live.Trusts(addr) {
		return fair.Caller{}
	}
	limits := &s.loaded.Load().Config.Limits
	rate := server.RateOf(limits.Requests, limits.Burst)
	return fair.Caller{
		Block: uint64(conn.BlockOf(addr)),
		Wide:  uint64(conn.WideBlockOf(addr)),
		Pay:   func() bool { return s.limiter.Allow(addr, rate) },
	}
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

// Gone implements certs.Policy.
func (p policy) Gone(name string) bool { return p.loaded.Load().names().Gone(name) }

// LeadsHere implements certs.Policy.
func (p policy) LeadsHere(ctx context.Context, name string) error {
	return p.loaded.Load().names().LeadsHere(ctx, name)
}

// CAA implements certs.Policy.
func (p policy) CAA(ctx context.Context, name string) (caa.Set, error) {
	return p.loaded.Load().names().CAA(ctx, name)
}

// proxyAuthority returns the authority that a proxy in front orders from.
func (s *service) proxyAuthority() caa.Authority {
	return caa.Authority{Identities: func(context.Context) ([]string, error) {
		return s.loaded.Load().Config.ProxyIdentities(), nil
	}}
}

// names returns which names may have a certificate.
func (l *Loaded) names() *certs.Names {
	return &certs.Names{
		Own:             l.Config.Name,
		Apex:            l.Config.ApexCertificates,
		Domains:         l.Directory,
		Addresses:       l.Config.DNS.Addresses,
		LookupAddresses: l.Resolver.LookupAddresses,
		Lookup:          l.Resolver.Lookup,
	}
}
