package certs

import (
	"context"
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"signpost/internal/certfile"
	"signpost/internal/filewatch"
)

// PairError reports that a pair of files cannot be used.
type PairError struct {
	Index int // of the pair in Options.Files, or in the argument of SetFiles
	Err   error
}

func (e *PairError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PairError) Unwrap() error { return e.Err }

// files holds the certificates that the operator keeps in files.
type files struct {
	log     *slog.Logger
	watcher *filewatch.Watcher
	close   context.CancelFunc
	table   atomic.Pointer[table]

	mu     sync.Mutex
	pairs  []certfile.Pair
	loaded []*loadedPair // of the pairs
}

// loadedPair is a pair of files with the last certificate that could be used.
type loadedPair struct {
	certfile.Pair
	certificate *tls.Certificate
	failures    int // consecutive attempts to load the files that failed since
}

const (
	restTime      = 300 * time.Millisecond // a certificate and its key are replaced one after the other
	retryInterval = time.Second
)

func newFiles(pairs []certfile.Pair, log *slog.Logger) (*files, error) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &files{log: log, watcher: filewatch.New(ctx, restTime), close: cancel}
	if err := f.set(pairs); err != nil {
		cancel()
		return nil, err
	}
	return f, nil
}

// set loads the pairs. A pair that is already loaded keeps its certificate, even
// if its files have become unusable, which reload logs.
func (f *files) set(pairs []certfile.Pair) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	// The watch begins before the files are read and ends when the new pairs are
	// in use, so that no change is missed whether or not there is an error.
	f.watcher.Watch(paths(slices.Concat(f.pairs, pairs)))
	var next, added []*loadedPair
	for i, pair := range pairs {
		if at := slices.Index(f.pairs, pair); at >= 0 {
			next = append(next, f.loaded[at])
			continue
		}
		c, err := pair.LoadTLS()
		if err != nil {
			f.watcher.Watch(paths(f.pairs))
			return &PairError{i, err}
		}
		l := &loadedPair{Pair: pair, certificate: c}
		next, added = append(next, l), append(added, l)
	}
	for _, l := range added {
		f.logLoaded(l)
	}
	f.pairs, f.loaded = slices.Clone(pairs), next
	f.publish()
	if err := f.watcher.Watch(paths(pairs)); err != nil {
		f.log.Warn("cannot watch some files, changes are noticed late", "error", err)
	}
	return nil
}

func paths(pairs []certfile.Pair) []string {
	var all []string
	for _, p := range pairs {
		all = append(all, p.Certificate, p.Key)
	}
	return all
}

// watch reloads files that have changed, until ctx is done.
func (f *files) watch(ctx context.Context) {
	retry := time.NewTicker(retryInterval)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.watcher.Changed:
			f.reload()
		case <-retry.C:
			f.load(nil)
		}
	}
}

// reload loads the files that have changed.
func (f *files) reload() { f.load(f.watcher.Refresh()) }

// load loads the pairs with a changed file, and those that could not be used the
// last time: they may be readable now without having changed.
func (f *files) load(changed []string) {
	isChanged := make(map[string]bool, len(changed))
	for _, path := range changed {
		isChanged[path] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	replaced := false
	for _, l := range f.loaded {
		if l.failures == 0 && !isChanged[filepath.Clean(l.Certificate)] && !isChanged[filepath.Clean(l.Key)] {
			continue
		}
		c, err := l.LoadTLS()
		if err != nil {
			// A renewal replaces two files, one after the other. A failure
			// between the two is nothing to report.
			if l.failures++; l.failures == 2 {
				f.log.Warn("changed certificate unusable, keeping the previous one", "reason", err,
					"names", someNames(l.certificate), "until", l.certificate.Leaf.NotAfter)
			}
			continue
		}
		l.failures = 0
		if slices.EqualFunc(c.Certificate, l.certificate.Certificate, slices.Equal) {
			continue
		}
		l.certificate, replaced = c, true
		f.logLoaded(l)
	}
	if replaced {
		f.publish()
	}
}

// publish brings what is loaded into use.
func (f *files) publish() {
	certificates := make([]*tls.Certificate, len(f.loaded))
	for i, l := range f.loaded {
		certificates[i] = l.certificate
	}
	f.table.Store(newTable(certificates))
}

func (f *files) logLoaded(l *loadedPair) {
	leaf := l.certificate.Leaf
	attrs := []any{"file", l.Certificate, "names", someNames(l.certificate), "until", leaf.NotAfter}
	switch now := time.Now(); {
	case now.After(leaf.NotAfter):
		f.log.Warn("certificate has expired", attrs...)
	case now.Before(leaf.NotBefore):
		f.log.Warn("certificate is not valid yet", append(attrs, "from", leaf.NotBefore)...)
	default:
		f.log.Info("certificate loaded", attrs...)
	}
}

// someNames returns the first names of a certificate for the log; there may be a
// hundred.
func someNames(c *tls.Certificate) []string {
	const most = 5
	if names := c.Leaf.DNSNames; len(names) > most {
		return append(slices.Clone(names[:most]), "…")
	}
	return c.Leaf.DNSNames
}
