package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"signpost/internal/certs"
	"signpost/internal/certstore"
	"signpost/internal/config"
	"signpost/internal/conn"
	"signpost/internal/dns"
	"signpost/internal/doctor/page"
	"signpost/internal/fault"
	"signpost/internal/filewatch"
	"signpost/internal/server"
	"signpost/internal/sources"
)

// Options says what to serve, and how.
type Options struct {
	File   string // configuration; empty for the default files
	Listen string // address of plain HTTP in place of the configured one; may be empty
	// Version and GoVersion appear in a metric.
	Version, GoVersion string
	// Log is where log lines are written.
	Log io.Writer
}

// Run serves until ctx is done. Then it finishes the requests in flight.
//
// The order matters: listeners are opened before systemd is notified that the
// service is ready, and orders of certificates start when the listeners are open,
// because the ACME server connects to them.
func Run(ctx context.Context, o Options) error {
	// A SIGHUP during the start must not end the program.
	hangup, stop := notifyHangup()
	defer stop()

	s, err := newService(ctx, o)
	if err != nil {
		return fault.ForLog(err) // it is printed where the log goes
	}
	defer func() { s.loaded.Load().closeSources() }()
	if s.certs != nil {
		defer s.closeCertificates()
	}
	listeners, err := s.listen(o.Listen)
	if err != nil {
		return err
	}
	if s.certs != nil {
		s.certs.Start(ctx)
	}
	srv := s.server(ctx, listeners)
	s.systemd.send("READY=1\nSTATUS=" + s.status())
	notified := make(chan struct{})
	unregister := context.AfterFunc(ctx, func() {
		defer close(notified)
		s.systemd.stopping(s.started.Limits.Drain + s.started.Limits.Stop + closeTime)
	})
	defer func() {
		if !unregister() {
			<-notified // Serve may return before the message has been sent
		}
	}()
	trimHeap()
	go s.systemd.watchdog(ctx, s.metrics.Gather)
	go s.reloads(ctx, hangup)
	return srv.Serve(ctx, listeners)
}

// closeCertificates ends the work on certificates, and then the store in which it ends.
func (s *service) closeCertificates() {
	s.certs.Close()
	if s.store != nil {
		s.store.Close()
	}
}

// closeTime is how long the stop may take after the last request: certificate
// orders under way are cancelled.
const closeTime = 10 * time.Second

// service is the running service: the parts that outlive a reload, and the
// configuration in use.
type service struct {
	out     io.Writer
	version string
	log     *slog.Logger // for everything that outlives a reload; follows requestLog
	systemd notifier
	live    *server.Live
	limiter *server.Limiter
	metrics *server.Metrics
	watcher *filewatch.Watcher
	certs   *certs.Manager   // nil if a proxy in front terminates TLS
	store   *certstore.Store // where several machines keep certificates; nil if this one has its own

	loaded     atomic.Pointer[Loaded]
	requestLog atomic.Pointer[slog.Logger] // of the loaded configuration
	started    config.Config               // the configuration that the listeners were opened with
}

// newService loads the configuration that the service starts with.
func newService(ctx context.Context, o Options) (*service, error) {
	file, err := findConfig(o.File)
	if err != nil {
		return nil, err
	}
	s := &service{out: o.Log, version: o.Version, limiter: server.NewLimiter(),
		metrics: server.NewMetrics(o.Version, o.GoVersion)}
	s.watcher = filewatch.New(ctx, fileRest)
	s.watcher.Watch([]string{file}) // before it is read, so that no change is missed
	cfg, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	requestLog := newLog(o.Log, cfg.Log)
	s.requestLog.Store(requestLog)
	s.log = slog.New(followingLog{current: &s.requestLog})
	l, err := build(file, cfg, nil, s.log)
	if err != nil {
		return nil, err
	}
	s.loaded.Store(l)
	l.Signer.Start(ctx)
	l.startSources(false)
	s.started = *cfg
	s.logWarnings(l)
	if s.certs, err = s.newCertificates(cfg); err != nil {
		return nil, err
	}
	s.live = server.NewLive(s.options(l, requestLog))
	s.metrics.Loaded(l.contents())
	s.metrics.WatchDNSCache(func() dns.Stats { return s.loaded.Load().Resolver.Stats() })
	s.metrics.WatchStore(s.storeStatus)
	s.metrics.WatchSources(func() []*sources.Source { return s.loaded.Load().Sources })
	s.watch(l.files())
	return s, nil
}

func (s *service) logWarnings(l *Loaded) {
	for _, warning := range l.Warnings() {
		s.log.Warn("configuration warning", "fault", warning.ForLog())
	}
}

// options returns the options of the handler for a configuration.
func (s *service) options(l *Loaded, log *slog.Logger) server.Options {
	return server.Options{
		Resolve:   l.Directory.Resolve,
		Name:      l.Config.Name,
		Exchange:  l.Config.HasExchange(),
		Signer:    l.Signer,
		HSTS:      l.Config.HSTS,
		Branding:  l.Config.Branding,
		Templates: l.templates,
		Proxies:   l.Config.Proxies,
		Rate:      server.RateOf(l.Config.Limits.Requests, l.Config.Limits.Burst),
		Log:       log,
		Logged:    l.Config.Log.Requests,
		HTTPS:     s.started.TLS != nil,
		Limiter:   s.limiter,
		Metrics:   s.metrics,
	}
}

// server returns the HTTP service, with everything that only a restart changes.
func (s *service) server(ctx context.Context, listeners *conn.Listeners) *server.Service {
	cfg := &s.started
	srv := &server.Service{
		Handler: s.live,
		Admin: server.Admin{
			Metrics: s.metrics,
			Pprof:   cfg.Admin.Pprof,
			Doctor:  page.Handler(ctx, s.diagnose(listeners), page.Options{Accent: cfg.Branding.Accent}),
			Ask:     certs.AskHandler(policy{&s.loaded}, s.proxyAuthority(), cfg.Admin.AskPerHour, s.shared(), s.log),
			Ready: func() error {
				if ctx.Err() != nil {
					return errors.New("stopping")
				}
				return s.isReady()
			},
			// A source or store that does not answer leaves the rest of the service ready: were
			// it not, a load balancer would take every machine away at once.
			Remarks: func() string {
				return strings.TrimSpace(s.loaded.Load().sourceStates() + "\n" + s.storeState())
			},
		}.Handler(),
		Timeouts:      cfg.Limits.Timeouts,
		Connections:   cfg.Limits.Connections,
		PerAddress:    cfg.Limits.PerAddress,
		Rate:          s.live.Rate,
		Counts:        server.NewLimiter(),
		Trusts:        s.live.Trusts,
		ProxyProtocol: cfg.Proxies.Protocol,
		Log:           s.log,
		Metrics:       s.metrics,
	}
	if s.certs != nil {
		srv.Handler, srv.TLS = s.certs.HTTPChallenge(s.live), s.certs.TLSConfig()
		srv.Ordering = s.certs.Ordering
	}
	return srv
}

// status returns the line that systemctl status shows.
func (s *service) status() string {
	l := s.loaded.Load()
	c := l.contents()
	text := fmt.Sprintf("%d providers, %d domains, %d accounts", c.Providers, c.Domains, c.Accounts)
	if n := len(l.Sources); n > 0 {
		text += fmt.Sprintf(", %d account sources", n)
	}
	return text
}
