package service

import (
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"signpost/internal/config"
	"signpost/internal/directory"
	"signpost/internal/sources"
)

// openSources makes the directory, with the stores that the configuration names. A
// source that asks the same store as one of the earlier configuration, which may be nil,
// has all that is known of it. Any other has the list of domains of the one that it
// replaces, until it has read its own.
func (l *Loaded) openSources(earlier *Loaded, log *slog.Logger) {
	var before []*sources.Source
	if earlier != nil {
		before = slices.Clone(earlier.Sources)
	}
	var options []sources.Options
	var stores []directory.Store
	for _, entry := range l.Config.Accounts {
		if entry.Store != nil {
			o := storeOptions(l.Config, *entry.Store)
			options = append(options, o)
			l.Sources = append(l.Sources, sameSource(o, before))
		}
	}
	before = slices.DeleteFunc(before, func(b *sources.Source) bool {
		return slices.ContainsFunc(l.Sources,
			func(s *sources.Source) bool { return s != nil && s.Backend() == b.Backend() })
	})
	for i, s := range l.Sources {
		if s == nil {
			s = sources.New(options[i], log)
			if at := mostAlike(s, before); at >= 0 {
				s.Adopt(before[at])
				before = slices.Delete(before, at, at+1)
			}
			l.Sources[i] = s
		}
		stores = append(stores, s)
	}
	l.Directory = directory.New(l.Config.Providers, l.Config.Lists(), l.Resolver.LookupMX, stores...)
}

// storeOptions returns the options of a store, whose words are ids of providers and those
// that it has for them.
func storeOptions(c *config.Config, o sources.Options) sources.Options {
	words := make(map[string]string, len(c.Providers)+len(o.Providers))
	for _, p := range c.Providers {
		words[p.ID] = p.ID
	}
	maps.Copy(words, o.Providers)
	o.Providers = words
	return o
}

// sameSource returns a source for the options that has all that is known to one of those
// before, or nil if none of them asks the same store in the same way.
func sameSource(o sources.Options, before []*sources.Source) *sources.Source {
	for _, b := range before {
		if same := b.With(o); same != nil {
			return same
		}
	}
	return nil
}

// mostAlike returns which of the sources before is the one that s replaces, or -1 for
// none: one of its kind, and of these one of the same preset with the most settings in
// common. Its place in the file, and so the number in its name, may have changed.
func mostAlike(s *sources.Source, before []*sources.Source) int {
	most, at := -1, -1
	for i, b := range before {
		if alike := likeness(s, b); alike > most {
			most, at = alike, i
		}
	}
	return at
}

// likeness returns how many settings of two sources are equal, and a lot more if they are
// of the same preset; it is negative if their stores are of different kinds.
func likeness(a, b *sources.Source) (alike int) {
	x, y := reflect.ValueOf(a.Backend().Settings()), reflect.ValueOf(b.Backend().Settings())
	if x.Type() != y.Type() {
		return -1
	}
	if x.Kind() == reflect.Struct {
		for i := range x.NumField() {
			if x.Type().Field(i).IsExported() && reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
				alike++
			}
		}
	}
	if preset(a) == preset(b) {
		alike += 1000
	}
	return alike
}

// preset returns the name of a source without its number.
func preset(s *sources.Source) string {
	_, name, _ := strings.Cut(s.Name(), "-")
	return name
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
