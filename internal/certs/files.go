package certs

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"signpost/internal/certfile"
)

// PairError is why a pair of the configuration cannot be used.
type PairError struct {
	Pair certfile.Pair
	Err  error
}

func (e *PairError) Error() string { return e.Err.Error() }

// Unwrap is for errors.As and errors.Is.
func (e *PairError) Unwrap() error { return e.Err }

func isECDSA(c *tls.Certificate) bool {
	_, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey)
	return ok
}

// files are the certificates that the operator keeps in files.
type files struct {
	log   *slog.Logger
	now   func() time.Time
	table atomic.Pointer[table]

	mu     sync.Mutex
	loaded []*loaded
}

// loaded is a pair as it was when last it could be used.
type loaded struct {
	certfile.Pair
	certificate *tls.Certificate
	seen        [2]os.FileInfo // the files that were last read
	failed      int            // looks in a row at which they could not be used
}

// table finds a certificate by name. It never changes; a new one takes its place.
type table struct {
	byName map[string][]*tls.Certificate // "*.example.com" for a wildcard
	all    []*tls.Certificate            // in the order of configuration
}

func newFiles(pairs []certfile.Pair, log *slog.Logger) (*files, error) {
	f := &files{log: log, now: time.Now}
	return f, f.set(pairs)
}

// set loads the pairs. Those that stay keep the certificate that they have, even
// if their files are broken by now: to say that is the business of look.
func (f *files) set(pairs []certfile.Pair) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := make([]*loaded, len(pairs))
	for i, pair := range pairs {
		if at := slices.IndexFunc(f.loaded, func(l *loaded) bool { return l.Pair == pair }); at >= 0 {
			next[i] = f.loaded[at]
			continue
		}
		l := &loaded{Pair: pair, seen: stat(pair)}
		var err error
		if l.certificate, err = pair.LoadTLS(); err != nil {
			return &PairError{pair, err}
		}
		next[i] = l
	}
	for _, l := range next {
		if !slices.Contains(f.loaded, l) {
			f.tell(l)
		}
	}
	f.loaded = next
	f.publish()
	return nil
}

// watch looks at the files until ctx is done: every second, less often where
// there are thousands.
func (f *files) watch(ctx context.Context) {
	for {
		f.mu.Lock()
		pause := max(time.Second, time.Duration(len(f.loaded))*time.Millisecond)
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			f.look()
		}
	}
}

// look reads what has changed. What could not be used is read again each time: a
// permission may have been given since.
func (f *files) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := false
	for _, l := range f.loaded {
		// Before reading: a change in between is seen the next time.
		found := stat(l.Pair)
		if l.failed == 0 && same(found[0], l.seen[0]) && same(found[1], l.seen[1]) {
			continue
		}
		l.seen = found
		c, err := l.LoadTLS()
		if err != nil {
			// Whoever renews replaces two files one after the other; what is
			// broken only between the two needs nobody's attention.
			if l.failed++; l.failed == 2 {
				f.log.Warn("the changed certificate cannot be used, the old one stays", "reason", err,
					"names", names(l.certificate), "until", l.certificate.Leaf.NotAfter)
			}
			continue
		}
		l.failed = 0
		if slices.EqualFunc(c.Certificate, l.certificate.Certificate, slices.Equal) {
			continue
		}
		l.certificate, changed = c, true
		f.tell(l)
	}
	if changed {
		f.publish()
	}
}

func (f *files) tell(l *loaded) {
	leaf := l.certificate.Leaf
	attrs := []any{"file", l.Certificate, "names", names(l.certificate), "until", leaf.NotAfter}
	switch now := f.now(); {
	case now.After(leaf.NotAfter):
		f.log.Warn("the certificate has expired", attrs...)
	case now.Before(leaf.NotBefore):
		f.log.Warn("the certificate is not valid yet", append(attrs, "from", leaf.NotBefore)...)
	default:
		f.log.Info("certificate loaded", attrs...)
	}
}

// names are what a log line shows of a certificate that may have a hundred.
func names(c *tls.Certificate) []string {
	const most = 5
	if all := c.Leaf.DNSNames; len(all) > most {
		return append(slices.Clone(all[:most]), "…")
	}
	return c.Leaf.DNSNames
}

func stat(p certfile.Pair) (found [2]os.FileInfo) {
	for i, name := range []string{p.Certificate, p.Key} {
		found[i], _ = os.Stat(name)
	}
	return found
}

func same(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// publish makes the table of what is loaded, the better certificate of a name
// first: ECDSA before RSA, as its handshake costs a tenth, and then the one that
// is valid longer.
func (f *files) publish() {
	t := &table{byName: map[string][]*tls.Certificate{}}
	for _, l := range f.loaded {
		t.all = append(t.all, l.certificate)
		for _, name := range l.certificate.Leaf.DNSNames {
			name = strings.ToLower(name)
			t.byName[name] = append(t.byName[name], l.certificate)
		}
	}
	for _, list := range t.byName {
		slices.SortStableFunc(list, func(a, b *tls.Certificate) int {
			if ecdsa := isECDSA(a); ecdsa != isECDSA(b) {
				if ecdsa {
					return -1
				}
				return 1
			}
			return b.Leaf.NotAfter.Compare(a.Leaf.NotAfter)
		})
	}
	f.table.Store(t)
}

// find is the certificate for a name in lower case, or nil. A wildcard stands
// for one label (RFC 9525 §6.3).
func (f *files) find(hello *tls.ClientHelloInfo, name string) *tls.Certificate {
	t := f.table.Load()
	if len(t.byName) == 0 {
		return nil
	}
	if list := t.byName[name]; list != nil {
		return f.choose(hello, list)
	}
	if dot := strings.IndexByte(name, '.'); dot > 0 {
		if list := t.byName["*"+name[dot:]]; list != nil {
			return f.choose(hello, list)
		}
	}
	return nil
}

// any is the first certificate of the configuration, for who names none.
func (f *files) any(hello *tls.ClientHelloInfo) *tls.Certificate {
	all := f.table.Load().all
	if len(all) == 0 {
		return nil
	}
	if list := f.table.Load().byName[strings.ToLower(all[0].Leaf.DNSNames[0])]; len(list) > 0 {
		return f.choose(hello, list) // the same name may have one for each kind of key
	}
	return all[0]
}

// choose prefers what the client can use and what has not expired.
func (f *files) choose(hello *tls.ClientHelloInfo, list []*tls.Certificate) *tls.Certificate {
	if len(list) == 1 {
		return list[0]
	}
	now := f.now()
	var usable *tls.Certificate
	for _, c := range list {
		if hello.SupportsCertificate(c) != nil {
			continue
		}
		if now.Before(c.Leaf.NotAfter) {
			return c
		}
		if usable == nil {
			usable = c
		}
	}
	if usable == nil {
		return list[0]
	}
	return usable
}
