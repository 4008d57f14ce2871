package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"signpost/internal/certfile"
	"signpost/internal/fault"
)

// ACME says whom to order from and where to keep what comes.
type ACME struct {
	// Email is the operator's, for the ACME server's eyes; may be empty.
	Email string
	// Directory is the URL of the ACME server, Let's Encrypt's when empty. To
	// order from a server is to agree to its terms.
	Directory string
	// Storage is a folder for keys, certificates and the account.
	Storage string
	// CARoot is a file with the roots that the ACME server's own certificate
	// leads to, for a private server; those of the system when empty.
	CARoot string
	// OrdersPerHour bounds the orders of an hour; 90 when zero.
	OrdersPerHour int
}

// maxCertificates bounds the memory for certificates, of about 10 KB each; those
// beyond are read again when asked for.
const maxCertificates = 20_000

// orderer has the certificates that come by ACME.
type orderer struct {
	name      string
	config    *certmagic.Config
	cache     *certmagic.Cache
	storage   *certmagic.FileStorage
	allowed   func(ctx context.Context, name string) error
	listed    func(name string) bool
	leadsHere func(ctx context.Context, name string) error
	limits    *limits
	log       *slog.Logger
	zap       *zap.Logger
	sampler   *sampler
	scrub     *strings.Replacer
	now       func() time.Time
	occupied  occupied
	matching  func(name string) []certmagic.Certificate // in the cache

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	flying sync.WaitGroup

	configured, found *share // of names that are listed, and of those that only DNS knows

	mu      sync.Mutex
	flights map[string]*flight
	known   map[string]int // names whose certificate has been in the cache, each with the number of its loading
	loads   int
	counts  Orders
}

// tuning is what tests set and nobody else.
type tuning struct {
	renewEvery time.Duration // how often to look what must be renewed
	renewRatio float64       // of the lifetime that is left then
	withoutARI bool
	capacity   int // of certificates in memory
}

func init() {
	certmagic.UserAgent = "Signpost"
	// A client waits for the order. Let's Encrypt answers within a second or two
	// and does what takes longer in the background.
	certmagic.HTTPTimeout = 10 * time.Second
}

func newOrderer(options Options, t tuning) (*orderer, error) {
	a := *options.ACME
	if err := usable(a.Storage); err != nil {
		return nil, err
	}
	var roots *x509.CertPool
	if a.CARoot != "" {
		var err error
		if roots, err = certfile.Roots(a.CARoot); err != nil {
			return nil, err
		}
	}
	o := &orderer{
		name:      options.Name,
		storage:   &certmagic.FileStorage{Path: a.Storage},
		allowed:   options.Allowed,
		listed:    options.Listed,
		leadsHere: options.LeadsHere,
		log:       options.Log,
		now:       time.Now,
		limits:    newLimits(a.OrdersPerHour, time.Now),
		sampler:   &sampler{now: time.Now},
		scrub:     strings.NewReplacer(),
		flights:   map[string]*flight{},
		known:     map[string]int{},
	}
	o.configured, o.found = newShares()
	if a.Email != "" {
		o.scrub = strings.NewReplacer(a.Email, "‹email›", strings.ToLower(a.Email), "‹email›")
	}
	var err error
	if o.occupied, err = occupy(); err != nil {
		return nil, err
	}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	o.zap = newZap(o.log, &sampler{now: time.Now}, o.scrub)
	o.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return o.config, nil },
		RenewCheckInterval: t.renewEvery,
		OCSPCheckInterval:  tidyInterval, // nothing is stapled, so nothing is to be checked
		Capacity:           cmp.Or(t.capacity, maxCertificates),
		Logger:             o.zap,
	})
	o.matching = o.cache.AllMatchingCertificates
	o.config = certmagic.New(o.cache, certmagic.Config{
		RenewalWindowRatio: t.renewRatio,
		DisableARI:         t.withoutARI,
		Storage:            o.storage,
		OCSP:               certmagic.OCSPConfig{DisableStapling: true},
		OnEvent:            o.event,
		ShouldEmitFunc:     func(event string) bool { return event != "tls_get_certificate" },
		Logger:             o.zap,
	})
	host, port := o.occupied.at()
	o.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(o.config, certmagic.ACMEIssuer{
		CA: a.Directory,
		// Orders are placed in what certmagic calls its interactive way, once and
		// without retries. A space is an address that it need not ask anybody
		// for and that nothing is left of.
		Email:                     a.Email + " ",
		Agreed:                    true,
		TrustedRoots:              roots,
		ListenHost:                host,
		AltHTTPPort:               port,
		AltTLSALPNPort:            port,
		DisableDistributedSolvers: true,
		CertObtainTimeout:         orderTimeout,
		Logger:                    o.zap,
	})}
	return o, nil
}

// usable makes the storage folder and tries whether it can be written to, which
// is better known now than after the first order.
func usable(folder string) error {
	if folder == "" {
		return errors.New("there is no folder for certificates in the configuration")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("%s: %w", folder, fault.WithoutPath(err))
	}
	probe, err := os.CreateTemp(folder, ".writable-*")
	if err != nil {
		return fmt.Errorf("%s: %w", folder, fault.WithoutPath(err))
	}
	name := probe.Name()
	_, err = io.WriteString(probe, "signpost\n")
	return errors.Join(err, probe.Close(), os.Remove(name))
}

// close ends all that is under way.
func (o *orderer) close() {
	o.mu.Lock() // no flight begins after
	o.cancel()
	o.mu.Unlock()
	o.flying.Wait()
	o.occupied.Close()
	stopped := make(chan struct{})
	go func() {
		o.cache.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(time.Second):
		// certmagic is asking the ACME server when to renew, one certificate
		// after the other, and does not let itself be interrupted.
	}
}

// tidyInterval is how often what expired long ago is cleared away.
const tidyInterval = 24 * time.Hour

// tidy removes what expired long ago, now and then until ctx is done.
func (o *orderer) tidy(ctx context.Context) {
	for {
		err := certmagic.CleanStorage(ctx, o.storage, certmagic.CleanStorageOptions{
			Logger:                 o.zap,
			Interval:               tidyInterval,
			ExpiredCerts:           true,
			ExpiredCertGracePeriod: 30 * 24 * time.Hour,
		})
		if err != nil && ctx.Err() == nil {
			o.log.Warn("the folder of certificates cannot be cleared", "folder", filepath.Clean(o.storage.Path), "reason", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tidyInterval):
		}
	}
}

// cached is the certificate of a name in memory, unless it has expired.
func (o *orderer) cached(name string) *tls.Certificate {
	all := o.cache.AllMatchingCertificates(name)
	now := o.now()
	best := -1
	for i := range all {
		leaf := all[i].Leaf
		if leaf == nil || now.After(leaf.NotAfter) || best >= 0 && !leaf.NotAfter.After(all[best].Leaf.NotAfter) {
			continue
		}
		best = i
	}
	if best < 0 {
		return nil
	}
	return &all[best].Certificate
}

var (
	errNone  = errors.New("there is no certificate yet")
	errStale = errors.New("the certificate has expired")
)

// load brings the certificate of a name from storage into memory. The error is
// errNone, errStale, or why what is stored cannot be used.
func (o *orderer) load(ctx context.Context, name string) (*tls.Certificate, error) {
	if _, err := o.config.CacheManagedCertificate(ctx, name); errors.Is(err, fs.ErrNotExist) {
		return nil, errNone
	} else if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.loads++
	o.known[name] = o.loads
	many := len(o.known) > 2*maxCertificates
	o.mu.Unlock()
	if many {
		o.inMemory()
	}
	if c := o.cached(name); c != nil {
		return c, nil
	}
	o.drop(name) // lest certmagic try to renew what nobody may ever ask for again
	return nil, errStale
}

// drop takes the certificate of a name out of memory.
func (o *orderer) drop(name string) {
	o.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: name}})
}

// erase takes the certificate of a name out of storage and then out of memory:
// the other way round a handshake between the two would bring it back.
func (o *orderer) erase(ctx context.Context, name string) {
	for _, issuer := range o.config.Issuers {
		err := o.storage.Delete(ctx, certmagic.StorageKeys.CertsSitePrefix(issuer.IssuerKey(), name))
		if err != nil {
			o.log.Warn("a certificate cannot be removed", "name", name, "reason", fault.WithoutPath(err))
		}
	}
	o.drop(name)
}

// inMemory are the certificates in the cache by name. It forgets the names that
// have been crowded out of there. Handshakes do not wait for it.
func (o *orderer) inMemory() map[string]certmagic.Certificate {
	o.mu.Lock()
	known := maps.Clone(o.known)
	o.mu.Unlock()
	all := make(map[string]certmagic.Certificate, len(known))
	for name := range known {
		if found := o.matching(name); len(found) > 0 {
			all[name] = found[0]
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, number := range known {
		if _, has := all[name]; !has && o.known[name] == number { // not loaded again meanwhile
			delete(o.known, name)
		}
	}
	return all
}
