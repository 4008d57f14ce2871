package service

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"signpost/internal/config"
	"signpost/internal/fault"
)

// fileRest is how long the files must stay unchanged before they are loaded.
const fileRest = 300 * time.Millisecond

// reloads loads the configuration again at each SIGHUP and when files have
// changed, until ctx is done.
func (s *service) reloads(ctx context.Context, hangup <-chan os.Signal) {
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			asked = true
		case <-s.watcher.Changed:
		}
		s.systemd.send(reloading())
		s.reload(ctx, asked)
		s.systemd.send("READY=1\nSTATUS=" + s.status())
	}
}

// reload replaces the configuration by what the files say now. If anything is
// wrong with it, everything stays as it is. asked says that an operator asked for it.
func (s *service) reload(ctx context.Context, asked bool) {
	start := time.Now()
	s.watcher.Refresh()
	l, requestLog, err := s.loadAgain()
	if err != nil {
		// A file that the configuration names may be missing as yet. Watch it from
		// now on, and try again in case it appeared before the watch began.
		earlier := s.loaded.Load()
		s.watch(slices.Concat(earlier.files(), config.Named(earlier.File)))
		s.watcher.Refresh()
		l, requestLog, err = s.loadAgain()
	}
	if err != nil {
		s.metrics.Reloaded(false)
		for line := range strings.SplitSeq(fault.ForLog(err).Error(), "\n") {
			s.log.Error("reload failed, keeping the previous configuration", "fault", line)
		}
		return
	}
	s.requestLog.Store(requestLog)
	earlier := s.loaded.Swap(l)
	if earlier.Signer != l.Signer {
		earlier.Signer.Close()
		l.Signer.Start(ctx)
	}
	l.startSources(asked)
	earlier.leaveSources()
	s.live.Replace(s.options(l, requestLog))
	s.metrics.Reloaded(true)
	s.metrics.Loaded(l.contents())
	s.watch(l.files())
	trimHeap()
	s.logWarnings(l)
	if keys := restartKeys(&s.started, l.Config); len(keys) > 0 {
		s.log.Warn("restart required for changed keys", "keys", strings.Join(keys, ", "))
	}
	c := l.contents()
	s.log.Info("reloaded", "providers", c.Providers, "domains", c.Domains, "accounts", c.Accounts,
		"took", time.Since(start))
}

// loadAgain returns the configuration as it is in the files now, and the log for
// its requests.
func (s *service) loadAgain() (*Loaded, *slog.Logger, error) {
	earlier := s.loaded.Load()
	cfg, err := readConfig(earlier.File)
	if err != nil {
		return nil, nil, err
	}
	l, err := build(earlier.File, cfg, earlier, s.log)
	if err != nil {
		return nil, nil, err
	}
	if faults := lostDomains(earlier, l); len(faults) > 0 {
		l.closeSources()
		return nil, nil, faults
	}
	if s.certs != nil && cfg.TLS != nil {
		// This takes effect at once, so it is the last step that can fail.
		if err := s.certs.SetFiles(cfg.TLS.Certificates); err != nil {
			l.closeSources()
			return nil, nil, located(cfg, err)
		}
	}
	return l, newLog(s.out, cfg.Log), nil
}

// watch watches the files in place of those before.
func (s *service) watch(files []string) {
	if err := s.watcher.Watch(files); err != nil {
		s.log.Warn("cannot watch some files, changes are noticed late", "error", err)
	}
}
