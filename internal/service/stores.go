package service

import (
	"log/slog"
	"slices"

	"signpost/internal/directory"
	"signpost/internal/sources"
)

// openSources makes the directory, with the stores that the configuration names. A
// source that would do the same as one of the earlier configuration is that one, with
// what it knows.
func (l *Loaded) openSources(earlier *Loaded, log *slog.Logger) {
	var stores []directory.Store
	for _, source := range l.Config.Accounts {
		if source.Store == nil {
			continue
		}
		opened := earlier.source(*source.Store)
		if opened == nil {
			opened = sources.New(*source.Store, log)
		} else if source.Store.Backend != opened.Backend() {
			source.Store.Backend.Close()
		}
		l.Sources = append(l.Sources, opened)
		stores = append(stores, opened)
	}
	l.Directory = directory.New(l.Config.Providers, l.Config.Lists(), l.Resolver.LookupMX, stores...)
}

// source returns the source of the configuration that does what the options say, or nil.
func (l *Loaded) source(o sources.Options) *sources.Source {
	if l == nil {
		return nil
	}
	if i := slices.IndexFunc(l.Sources, func(s *sources.Source) bool { return s.Is(o) }); i >= 0 {
		return l.Sources[i]
	}
	return nil
}

// startSources starts the sources that the earlier configuration, which may be nil, did
// not have.
func (l *Loaded) startSources(earlier *Loaded) {
	for _, s := range l.Sources {
		if earlier == nil || !slices.Contains(earlier.Sources, s) {
			s.Start()
		}
	}
}

// closeSources closes the sources that the other configuration does not have.
func (l *Loaded) closeSources(other *Loaded) {
	for _, s := range l.Sources {
		if other == nil || !slices.Contains(other.Sources, s) {
			s.Close()
		}
	}
}
