package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"

	"signpost/internal/fault"
)

const (
	// tidyInterval is the interval between removals of what expired long ago.
	tidyInterval = 24 * time.Hour
	// tidyRetry is when a removal that failed is tried again.
	tidyRetry = 10 * time.Minute
)

// tidy removes certificates that expired long ago from storage, and names that /ask granted so
// long ago that it does not count any more, now and regularly until ctx is done.
func (a *acmeIssuer) tidy(ctx context.Context) {
	for {
		err := certmagic.CleanStorage(ctx, a.storage, certmagic.CleanStorageOptions{
			Logger:                 a.zap,
			Interval:               tidyInterval,
			ExpiredCerts:           true,
			ExpiredCertGracePeriod: 30 * 24 * time.Hour,
		})
		if err == nil {
			err = a.storage.DeleteOlder(ctx, askedPrefix, grantedFor)
		}
		wait := tidyInterval
		if err != nil && ctx.Err() == nil {
			if a.isDatabase {
				a.log.Warn("cannot remove expired certificates", "reason", err)
			} else {
				a.log.Warn("cannot remove expired certificates", "directory", a.directory, "reason", err)
			}
			wait = tidyRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// cached returns the certificate of a name in memory, or nil if there is none that
// is still valid.
func (a *acmeIssuer) cached(name string) *tls.Certificate {
	all := a.cache.AllMatchingCertificates(name)
	slices.SortFunc(all, func(x, y certmagic.Certificate) int { return y.Leaf.NotAfter.Compare(x.Leaf.NotAfter) })
	if len(all) == 0 || time.Now().After(all[0].Leaf.NotAfter) {
		return nil
	}
	return &all[0].Certificate
}

var (
	errNotStored = errors.New("no certificate is stored")
	errExpired   = errors.New("the certificate has expired")
)

// errAway is the reason why nothing is ordered while the storage is away: a certificate that cannot
// be read may well be there, and a new one could not be stored.
var errAway = &refusal{"no order, because the store of certificates cannot be used now"}

// errUnreadable is the reason why nothing is ordered for a name whose certificate cannot be read.
var errUnreadable = &refusal{"no order, because the certificate that may be stored cannot be read"}

// stored returns the chain of the certificate of a name in storage. The error is fs.ErrNotExist
// if it or something that belongs to it is missing.
func (a *acmeIssuer) stored(ctx context.Context, name string) (chain []byte, err error) {
	issuer := a.config.Issuers[0].IssuerKey()
	for _, key := range []string{
		certmagic.StorageKeys.SiteMeta(issuer, name),
		certmagic.StorageKeys.SitePrivateKey(issuer, name),
		certmagic.StorageKeys.SiteCert(issuer, name),
	} {
		if chain, err = a.storage.Load(ctx, key); err != nil {
			return nil, err
		}
	}
	return chain, nil
}

// load reads the certificate of a name from storage into memory. The error is
// errNotStored, errExpired, or why the stored certificate cannot be used.
func (a *acmeIssuer) load(ctx context.Context, name string) (*tls.Certificate, error) {
	if _, err := a.config.CacheManagedCertificate(ctx, name); errors.Is(err, fs.ErrNotExist) {
		return nil, errNotStored
	} else if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.loads++
	a.loaded[name] = a.loads
	tooMany := len(a.loaded) > 2*maxCertificates
	a.mu.Unlock()
	if tooMany {
		a.inMemory()
	}
	if c := a.cached(name); c != nil {
		return c, nil
	}
	// Otherwise certmagic would try to renew a certificate that may never be
	// requested again.
	a.drop(name)
	return nil, errExpired
}

// drop removes the certificate of a name from memory.
func (a *acmeIssuer) drop(name string) {
	a.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: name}})
}

// erase removes the certificate of a name from storage and then from memory. In
// the opposite order, a handshake between the two steps would load it again.
func (a *acmeIssuer) erase(ctx context.Context, name string) {
	for _, issuer := range a.config.Issuers {
		err := a.storage.Delete(ctx, certmagic.StorageKeys.CertsSitePrefix(issuer.IssuerKey(), name))
		if err != nil {
			a.log.Warn("cannot remove certificate", "name", name, "reason", fault.WithoutPath(err))
		}
	}
	a.drop(name)
}

// inMemory returns the certificates in the cache by name, and forgets the names
// that the cache has evicted. Handshakes do not wait for it.
func (a *acmeIssuer) inMemory() map[string]certmagic.Certificate {
	a.mu.Lock()
	loaded := maps.Clone(a.loaded)
	a.mu.Unlock()
	all := make(map[string]certmagic.Certificate, len(loaded))
	for name := range loaded {
		if found := a.matching(name); len(found) > 0 {
			all[name] = found[0]
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, number := range loaded {
		if _, ok := all[name]; !ok && a.loaded[name] == number { // not loaded again meanwhile
			delete(a.loaded, name)
		}
	}
	return all
}
