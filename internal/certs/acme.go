package certs

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"signpost/internal/caa"
	"signpost/internal/certfile"
	"signpost/internal/fair"
	"signpost/internal/fault"
)

// ACME says where certificates are ordered and where they are stored.
type ACME struct {
	// Email is the operator's address for the ACME server. It may be empty.
	Email string
	// Directory is the URL of the ACME server; empty means Let's Encrypt. Ordering
	// from a server implies agreement to its terms.
	Directory string
	// Storage is a directory for keys, certificates and the account, unless they are in a
	// database (Options.Shared).
	Storage string
	// CARoot is a file with the roots that verify the ACME server's own
	// certificate, for a private server. If it is empty, the roots of the system do.
	CARoot string
	// OrdersPerHour limits the orders within an hour; 0 means 90.
	OrdersPerHour int
}

// maxCertificates limits the certificates in memory, about 10 KB each. The others
// are read from storage again when a client asks for them.
const maxCertificates = 20_000

// acmeIssuer provides certificates by ACME.
type acmeIssuer struct {
	name      string // the service's own
	policy    Policy
	authority caa.Authority // that certificates are ordered from
	limits    *limits
	caller    func(net.Addr) fair.Caller
	log       *slog.Logger
	scrub     *strings.Replacer // hides the operator's address in texts of the ACME server

	config  *certmagic.Config
	cache   *certmagic.Cache
	storage Shared
	// directory is that of the storage; empty if it is a database.
	directory string
	// isDatabase is set if the storage is a database: then reading takes a place, and the
	// keys of session tickets are there.
	isDatabase bool
	tickets    *tickets
	zap        *zap.Logger
	dummy      net.Listener
	// matching returns the certificates of a name in the cache.
	matching func(name string) []certmagic.Certificate

	ctx     context.Context // done when the issuer is closed
	cancel  context.CancelFunc
	lookups sync.WaitGroup

	listed, unlisted *quota

	mu     sync.Mutex
	calls  map[string]*call // lookups under way, by name
	loaded map[string]int   // names whose certificate was put into the cache: the number of the last time
	loads  int
	counts Orders
}

// tuning is set by tests only.
type tuning struct {
	renewEvery time.Duration // interval between checks for due renewals
	renewRatio float64       // part of the lifetime that is left when a renewal is due
	withoutARI bool
	capacity   int // of the cache
}

func init() {
	certmagic.UserAgent = "Signpost"
	// A client waits for the order. Let's Encrypt answers within a second or two
	// and finishes slower work in the background.
	certmagic.HTTPTimeout = 10 * time.Second
}

func newACMEIssuer(o Options, t tuning) (*acmeIssuer, error) {
	storage, directory := o.Shared, ""
	if o.Shared == nil {
		if err := prepareStorage(o.ACME.Storage); err != nil {
			return nil, err
		}
		storage, directory = disk{&certmagic.FileStorage{Path: o.ACME.Storage}}, filepath.Clean(o.ACME.Storage)
	}
	var roots *x509.CertPool
	if o.ACME.CARoot != "" {
		var err error
		if roots, err = certfile.Roots(o.ACME.CARoot); err != nil {
			return nil, err
		}
	}
	dummy, err := listenDummy()
	if err != nil {
		return nil, err
	}
	scrub := strings.NewReplacer()
	if email := o.ACME.Email; email != "" {
		scrub = strings.NewReplacer(email, "‹email›", strings.ToLower(email), "‹email›")
	}
	a := &acmeIssuer{
		name:       o.Name,
		policy:     o.Policy,
		limits:     newLimits(o.ACME.OrdersPerHour),
		authority:  o.ACME.Authority(o.CAAIdentities),
		caller:     o.Caller,
		log:        o.Log,
		scrub:      scrub,
		storage:    storage,
		directory:  directory,
		isDatabase: o.Shared != nil,
		zap:        newZap(o.Log, &sampler{}, scrub),
		dummy:      dummy,
		listed:     newQuota(fair.Listed, listedRoom, listedShare),
		unlisted:   newQuota(fair.Handshake, unlistedRoom, unlistedShare),
		calls:      map[string]*call{},
		loaded:     map[string]int{},
	}
	a.limits.ledger = newLedger[entries](storage, ordersKey, o.Log)
	if a.isDatabase {
		// Whoever has these keys can read recorded sessions, so they are not written into the
		// directory of one machine, where a backup finds them.
		a.tickets = &tickets{storage: storage, log: o.Log}
	} else {
		a.limits.forgetFailures()
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.configure(o.ACME, roots, t)
	return a, nil
}

// configure sets certmagic up.
func (a *acmeIssuer) configure(o *ACME, roots *x509.CertPool, t tuning) {
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   a.configNow,
		RenewCheckInterval: t.renewEvery,
		OCSPCheckInterval:  tidyInterval, // without stapling there is nothing to check
		Capacity:           cmp.Or(t.capacity, maxCertificates),
		Logger:             a.zap,
	})
	a.matching = a.cache.AllMatchingCertificates
	a.config = certmagic.New(a.cache, certmagic.Config{
		RenewalWindowRatio: t.renewRatio,
		DisableARI:         t.withoutARI,
		Storage:            a.storage,
		OCSP:               certmagic.OCSPConfig{DisableStapling: true},
		OnEvent:            a.onEvent,
		Logger:             a.zap,
	})
	dummy := a.dummy.Addr().(*net.TCPAddr)
	a.config.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: o.Directory,
		// Orders are placed with ObtainCertSync and RenewCertSync, which try once.
		// certmagic takes that for interactive mode, in which it prompts for an
		// empty e-mail address on the terminal. A trailing space avoids the
		// prompt and is trimmed later.
		Email:             o.Email + " ",
		Agreed:            true,
		TrustedRoots:      roots,
		ListenHost:        dummy.IP.String(),
		AltHTTPPort:       dummy.Port,
		AltTLSALPNPort:    dummy.Port,
		CertObtainTimeout: orderTimeout,
		Logger:            a.zap,
	})}
}

// configNow returns the configuration for the maintenance of a certificate, or an error while the
// storage is away. certmagic then leaves the certificate alone until its next check, while after a
// renewal that fails it would wait for minutes, and for up to six hours when several have failed.
func (a *acmeIssuer) configNow(certmagic.Certificate) (*certmagic.Config, error) {
	if a.storage.Away() {
		return nil, errAway
	}
	return a.config, nil
}

// prepareStorage creates the storage directory and checks that it is writable:
// better now than after the first order.
func prepareStorage(dir string) error {
	if dir == "" {
		return errors.New("no directory for certificates is configured")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("%s: %w", dir, fault.WithoutPath(err))
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("%s: %w", dir, fault.WithoutPath(err))
	}
	_, err = io.WriteString(probe, "signpost\n")
	return errors.Join(err, probe.Close(), os.Remove(probe.Name()))
}

// close ends everything that is under way.
func (a *acmeIssuer) close() {
	a.mu.Lock() // no lookup begins after this
	a.cancel()
	a.mu.Unlock()
	a.lookups.Wait()
	a.dummy.Close()
	stopped := make(chan struct{})
	go func() {
		a.cache.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(time.Second):
		// certmagic asks the ACME server when to renew, one certificate after the
		// other, and cannot be interrupted.
	}
}
