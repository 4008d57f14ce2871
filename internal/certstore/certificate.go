package certstore

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// certificate is a certificate with its key and what certmagic knows about it.
type certificate struct {
	parts parts
	// since is when its order began. What another machine has stored later is newer.
	since time.Time
	// refused is when the database last refused it; zero if it was only away.
	refused time.Time
}

// parts are the values of a certificate as they are written, by key.
type parts map[string]string

// maxKept is how many certificates are kept while they cannot be written, about 10 KB each. A
// machine orders at most some hundred in an hour.
const maxKept = 1000

// lastPart ends the key that certmagic stores last, behind ".key" and ".crt"
// (Config.saveCertResource), and alone when only what it knows has changed.
const lastPart = ".json"

// siteOf returns the prefix below which the parts of a certificate are, if the key is one of them:
// certmagic's StorageKeys.SiteCert, SitePrivateKey and SiteMeta.
func siteOf(key string) (site string, ok bool) {
	site, extension := path.Dir(key), path.Ext(key)
	ok = strings.HasPrefix(key, "certificates/") && key == path.Join(site, path.Base(site)+extension) &&
		slices.Contains([]string{".key", ".crt", lastPart}, extension)
	return site, ok
}

// lockOf returns the name of certmagic's lock of the order of a site (Config.lockKey).
func lockOf(site string) string { return "issue_cert_" + path.Base(site) }

// storePart stores a part of a certificate. It is written with the last one.
func (s *Store) storePart(ctx context.Context, site, key, text string) error {
	s.mu.Lock()
	if s.parts[site] == nil {
		s.parts[site] = parts{}
	}
	s.parts[site][key] = text
	if path.Ext(key) != lastPart {
		s.mu.Unlock()
		return nil
	}
	c := &certificate{parts: s.parts[site], since: time.Now()}
	delete(s.parts, site)
	if l := s.leases[lockOf(site)]; l != nil {
		c.since = l.taken
	}
	waiting := s.kept[site]
	s.mu.Unlock()
	var err error
	if waiting == nil {
		// The certificate is there, whoever still waits for it.
		if err = s.writeCertificate(context.WithoutCancel(ctx), site, c); err == nil {
			return nil
		}
	}
	return s.keepCertificate(site, c, err)
}

// keepCertificate keeps a certificate that could not be written, with what waits already.
func (s *Store) keepCertificate(site string, c *certificate, reason error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.kept[site]; before != nil {
		all := maps.Clone(before.parts)
		maps.Copy(all, c.parts)
		if _, isWhole := c.parts[chainOf(site)]; !isWhole { // it is about the certificate before
			c.since, c.refused = before.since, before.refused
		}
		c.parts = all
	} else if len(s.kept) >= maxKept {
		c.parts = maps.Clone(c.parts)
		maps.DeleteFunc(c.parts, func(key, _ string) bool { return path.Ext(key) == lastPart })
		s.parts[site] = c.parts // certmagic deletes them
		return fmt.Errorf("%d certificates wait to be stored already: %w", maxKept, reason)
	} else {
		s.log.Warn("a certificate is kept in memory until it can be stored", "name", path.Base(site), "reason", reason)
	}
	s.kept[site] = c
	return nil
}

// writeCertificate writes a certificate, unless there is a newer one.
func (s *Store) writeCertificate(ctx context.Context, site string, c *certificate) error {
	chain, isWhole := c.parts[chainOf(site)]
	if !isWhole {
		return s.write(ctx, c.parts)
	}
	stored, err := s.rows(ctx, "SELECT value, "+rowAge[s.control.Scheme()]+
		" FROM signpost_certificates WHERE name = ?", chainOf(site))
	if err != nil {
		return err
	}
	// The same one is there if its writing was not confirmed.
	if len(stored) == 0 || stored[0][0] == chain {
		return s.write(ctx, c.parts)
	}
	age, err := microseconds(stored[0][1])
	if err != nil {
		return err
	}
	// If the statement was slow, what is stored counts as newer.
	if age < time.Since(c.since) {
		s.log.Info("another machine has stored a newer certificate", "name", path.Base(site))
		return nil
	}
	return s.write(ctx, c.parts)
}

// chainOf returns the key of the chain of a certificate.
func chainOf(site string) string { return path.Join(site, path.Base(site)+".crt") }

// flush writes what waits, and stops when the database is away or takes no writing, which is the error.
func (s *Store) flush(ctx context.Context) error {
	s.mu.Lock()
	waiting := maps.Clone(s.kept)
	s.mu.Unlock()
	for site, c := range waiting {
		if !c.refused.IsZero() && time.Since(c.refused) < s.times.retry && s.ctx.Err() == nil {
			continue
		}
		err := s.writeCertificate(ctx, site, c)
		if isUnanswered(err) || ctx.Err() != nil {
			return err
		}
		if err != nil {
			if c.refused.IsZero() {
				s.log.Error("cannot store", "key", site, "reason", err)
			}
			c.refused = time.Now()
			continue
		}
		s.written(site, c)
	}
	return nil
}

// written forgets a certificate that was kept, and its lock.
func (s *Store) written(site string, c *certificate) {
	s.mu.Lock()
	if s.kept[site] != c { // it has changed meanwhile
		s.mu.Unlock()
		return
	}
	delete(s.kept, site)
	l := s.leases[lockOf(site)]
	ended := l != nil && l.released
	if ended {
		delete(s.leases, lockOf(site))
	}
	s.mu.Unlock()
	if ended {
		s.giveUp(l.owner)
	}
}

// keeps reports whether a certificate is kept whose order has a lock. The caller has s.mu.
func (s *Store) keeps(lock string) bool {
	for site := range s.kept {
		if lockOf(site) == lock {
			return true
		}
	}
	return false
}

// keptPart returns a value that waits to be written.
func (s *Store) keptPart(key string) (text string, ok bool) {
	site, ok := siteOf(key)
	if !ok {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.kept[site]; c != nil {
		text, ok = c.parts[key]
		return text, ok
	}
	return "", false
}

// dropParts forgets what is not written yet of a key and of what is below it. It reports whether
// the key is a part of a certificate that certmagic could not store: what is in the database is
// the certificate before, and stays.
func (s *Store) dropParts(key string) (wasPart bool) {
	site, isPart := siteOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !isPart {
		maps.DeleteFunc(s.kept, func(site string, _ *certificate) bool {
			return site == key || strings.HasPrefix(site, key+"/")
		})
		return false
	}
	if _, wasPart = s.parts[site][key]; wasPart {
		if delete(s.parts[site], key); len(s.parts[site]) == 0 {
			delete(s.parts, site)
		}
		return true
	}
	delete(s.kept, site)
	return false
}
