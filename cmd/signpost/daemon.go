package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"signpost/internal/certs"
	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/filewatch"
	"signpost/internal/server"

	"signpost/internal/fault"
)

// daemon is the running service: what stays while configurations come and go.
type daemon struct {
	stderr  io.Writer
	log     *slog.Logger // of all that stays
	written changingLog  // what is behind it
	systemd notifier
	live    *server.Live
	limiter *server.Limiter
	metrics *server.Metrics
	watcher *filewatch.Watcher // nil where the system cannot watch files
	certs   *certs.Manager     // nil where a proxy in front ends TLS

	service atomic.Pointer[service]
	started config.Config // with which the listeners were opened
}

// newDaemon loads the configuration that the service starts with.
func newDaemon(ctx context.Context, stderr io.Writer, file string) (*daemon, error) {
	file, err := findConfig(file)
	if err != nil {
		return nil, err
	}
	d := &daemon{stderr: stderr, limiter: server.NewLimiter()}
	version, goVersion := buildVersion()
	d.metrics = server.NewMetrics(version, goVersion)
	watcher, unwatched := filewatch.New(ctx, fileRest)
	if unwatched == nil {
		d.watcher = watcher
		watcher.Watch([]string{file}) // from before it is read
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return nil, err
	}
	access := newLog(stderr, cfg.Log)
	d.written = newChangingLog(access)
	d.log = slog.New(d.written)
	if unwatched != nil {
		d.log.Warn("changed files are not noticed; SIGHUP loads them", "error", unwatched)
	}
	s, err := newService(file, cfg, nil, d.log)
	if err != nil {
		return nil, err
	}
	s.printWarnings(stderr)
	d.service.Store(s)
	d.started = *cfg
	if d.certs, err = d.newCertificates(cfg); err != nil {
		return nil, err
	}
	d.live = server.NewLive(d.options(s, access))
	d.metrics.Loaded(s.contents())
	d.metrics.WatchDNSCache(func() server.DNSCache { return server.DNSCache(d.service.Load().resolver.Stats()) })
	d.watch(s.files())
	return d, nil
}

// options is how the configuration is served.
func (d *daemon) options(s *service, access *slog.Logger) server.Options {
	o := s.options(access)
	o.Limiter, o.Metrics = d.limiter, d.metrics
	o.HTTPS = d.started.TLS != nil
	return o
}

func (d *daemon) watch(files []string) {
	if d.watcher == nil {
		return
	}
	if err := d.watcher.Watch(files); err != nil {
		d.log.Warn("changed files are noticed late", "error", err)
	}
}

// reloads loads the configuration again at SIGHUP and when files have changed,
// until ctx is done.
func (d *daemon) reloads(ctx context.Context, hangup <-chan os.Signal) {
	var changed <-chan struct{}
	if d.watcher != nil {
		changed = d.watcher.Changed
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		case <-changed:
		}
		d.systemd.say(reloading())
		d.reload()
		d.systemd.say("READY=1\nSTATUS=" + d.status())
	}
}

// reload takes over the whole configuration as it is now in the files, or, when
// something is wrong with it, nothing.
func (d *daemon) reload() {
	start := time.Now()
	if d.watcher != nil {
		d.watcher.Look()
	}
	s, access, err := d.reloaded()
	if err != nil && d.watcher != nil {
		// Perhaps a file that it names is still to come. It is watched from now
		// on, and may have come since it was missed.
		earlier := d.service.Load()
		d.watch(slices.Concat(earlier.files(), config.Named(earlier.file)))
		d.watcher.Look()
		s, access, err = d.reloaded()
	}
	if err != nil {
		d.metrics.Reloaded(false)
		for line := range strings.Lines(err.Error()) {
			d.log.Error("not reloaded, the configuration from before stays", "fault", strings.TrimSuffix(line, "\n"))
		}
		return
	}
	d.written.use(access)
	d.service.Store(s)
	d.live.Use(d.options(s, access))
	d.metrics.Reloaded(true)
	d.metrics.Loaded(s.contents())
	d.watch(s.files())
	settle()
	for _, warning := range s.config.Warnings {
		d.log.Warn("suspicious", "where", warning.String())
	}
	if keys := restart(&d.started, s.config); len(keys) > 0 {
		d.log.Warn("what has changed of the listeners needs a restart", "keys", strings.Join(keys, ", "))
	}
	c := s.contents()
	d.log.Info("reloaded", "providers", c.Providers, "domains", c.Domains, "accounts", c.Accounts, "took", time.Since(start))
}

// reloaded is the configuration as it is now, and the log that its requests want.
func (d *daemon) reloaded() (*service, *slog.Logger, error) {
	earlier := d.service.Load()
	cfg, err := loadConfig(earlier.file)
	if err != nil {
		return nil, nil, err
	}
	s, err := newService(earlier.file, cfg, earlier, d.log)
	if err != nil {
		return nil, nil, err
	}
	if d.certs != nil && cfg.TLS != nil {
		// The last that can fail.
		err = located(earlier.file, cfg.TLS, d.certs.SetFiles(pairs(cfg.TLS)))
	}
	return s, newLog(d.stderr, cfg.Log), err
}

// contents is how much the configuration has.
func (s *service) contents() server.Contents {
	c := server.Contents{Providers: len(s.config.Providers)}
	for _, p := range s.config.Providers {
		c.Domains += len(p.Domains)
	}
	for _, source := range s.config.Accounts {
		if list, ok := source.(directory.List); ok {
			c.Accounts += len(list)
		}
	}
	return c
}

// status is for systemctl status.
func (d *daemon) status() string {
	c := d.service.Load().contents()
	return fmt.Sprintf("%d providers, %d domains, %d accounts", c.Providers, c.Domains, c.Accounts)
}

// loadConfig reads the file. What is wrong with it says its own cure.
func loadConfig(file string) (*config.Config, error) {
	cfg, err := config.Load(file)
	var faults fault.List
	if err != nil && !errors.As(err, &faults) {
		return nil, &hintError{err, "-config FILE names another file"}
	}
	return cfg, err
}
