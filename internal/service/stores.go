package service

import (
	"log/slog"
	"time"

	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/sources"
)

// openSources makes the directory, with the stores that the configuration names. A
// source that asks the same store as one of the earlier configuration, which may be nil,
// has all that is known of it.
func (l *Loaded) openSources(earlier *Loaded, log *slog.Logger) {
	var stores []directory.Store
	for _, entry := range l.Config.Accounts {
		if entry.Store == nil {
			continue
		}
		s := openSource(storeOptions(l.Config, *entry.Store), earlier, log)
		l.Sources = append(l.Sources, s)
		stores = append(stores, s)
	}
	l.Directory = directory.New(l.Config.Providers, l.Config.Lists(), l.Resolver.LookupMX, stores...)
}

// storeOptions returns the options of a store, whose words are ids of providers unless
// they say otherwise.
func storeOptions(c *config.Config, o sources.Options) sources.Options {
	if len(o.Providers) > 0 {
		return o
	}
	o.Providers = make(map[string]string, len(c.Providers))
	for _, p := range c.Providers {
		o.Providers[p.ID] = p.ID
	}
	return o
}

func openSource(o sources.Options, earlier *Loaded, log *slog.Logger) *sources.Source {
	if earlier == nil {
		return sources.New(o, log)
	}
	for _, s := range earlier.Sources {
		if same := s.With(o); same != nil {
			return same
		}
	}
	s := sources.New(o, log)
	for _, before := range earlier.Sources {
		if before.Name() == o.Name {
			s.Adopt(before)
		}
	}
	return s
}

// startSources has the sources read their domains. asked says that an operator asked for
// that, and not a file that changed.
func (l *Loaded) startSources(asked bool) {
	for _, s := range l.Sources {
		s.Start(asked)
	}
}

// closeSources closes the sources, but for what those of another configuration share.
func (l *Loaded) closeSources() {
	for _, s := range l.Sources {
		s.Close()
	}
}

// leaveTime is how long requests may take that began before a reload.
const leaveTime = 5 * time.Second

// leaveSources closes the sources when the requests that use them have ended.
func (l *Loaded) leaveSources() {
	if len(l.Sources) > 0 {
		time.AfterFunc(leaveTime, l.closeSources)
	}
}
