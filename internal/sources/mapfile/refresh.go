package mapfile

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

const (
	lookEvery = 2 * time.Second // between two looks at the files, if accounts are asked for
	// rest is how long a changed file must have been left alone before it is read:
	// it may be half written.
	rest = time.Second
	// keepLost is how long accounts stay that files have lost, unless they come back.
	keepLost = time.Hour
)

// look sees to it that the files are looked at, and read if they have changed. It waits
// for that if now is set or nothing is known yet. Otherwise the files are read while
// what is known is answered, so that a slow disk delays nobody.
func (s *Source) look(ctx context.Context, now bool) {
	s.mu.Lock()
	if s.running == nil && (now || s.latest == nil || time.Since(s.looked) >= lookEvery) {
		s.running = make(chan struct{})
		go s.refresh()
	}
	running, wait := s.running, now || s.latest == nil
	s.mu.Unlock()
	if running == nil || !wait {
		return
	}
	select {
	case <-running:
	case <-ctx.Done():
	}
}

// refresh reads the files if they have changed, and takes what they say.
func (s *Source) refresh() {
	s.mu.Lock()
	before, first := s.read, s.latest == nil
	s.mu.Unlock()
	stamps, c, err := s.changed(before, first)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = time.Now()
	switch {
	case err != nil:
		s.err = err
	case c != nil:
		s.read, s.latest, s.err = stamps, c, nil
	case stamps != nil:
		s.err = nil // as they were when they were last read
	}
	s.takeAccounts()
	close(s.running)
	s.running = nil
}

// changed reads the files if they are not as before. It returns no stamps if they
// should be looked at again later.
func (s *Source) changed(before []stamp, first bool) ([]stamp, *content, error) {
	now, err := s.stamps()
	if err != nil || slices.EqualFunc(now, before, stamp.equal) {
		return now, nil, err
	}
	if !first && slices.ContainsFunc(now, stamp.young) {
		time.Sleep(rest)
		if now, err = s.stamps(); err != nil || slices.ContainsFunc(now, stamp.young) {
			return nil, nil, err
		}
	}
	c, err := s.readAll()
	if err != nil {
		return nil, nil, err
	}
	if after, err := s.stamps(); err != nil || !slices.EqualFunc(now, after, stamp.equal) && !first {
		return nil, nil, err
	}
	return now, c, nil
}

// takeAccounts answers accounts from what the files say now, unless one of them has
// lost so much that it is most likely being written.
func (s *Source) takeAccounts() {
	if s.accounts == s.latest {
		return
	}
	if s.accounts != nil && lessThanHalf(s.latest.counts, s.accounts.counts) {
		if s.lost.IsZero() {
			s.lost = time.Now()
		}
		if time.Since(s.lost) < keepLost {
			return
		}
	}
	s.accounts, s.lost = s.latest, time.Time{}
}

// fewLost is how many entries a small file may always lose, if some are left.
const fewLost = 5

// lessThanHalf reports whether a file has nothing left, or less than half of before.
func lessThanHalf(now, before []int) bool {
	for i, n := range now {
		if n == 0 && before[i] > 0 || 2*n < before[i] && before[i]-n > fewLost {
			return true
		}
	}
	return false
}

// stamp is the state of a file; the zero value is a file that does not exist.
type stamp struct{ info fs.FileInfo }

func (s *Source) stamps() ([]stamp, error) {
	all := make([]stamp, len(s.files))
	for i, f := range s.files {
		info, err := os.Stat(f.path)
		if err != nil && !f.missing(err) {
			return nil, f.failed(err)
		}
		if err == nil {
			all[i].info = info
		}
	}
	return all, nil
}

func (s stamp) equal(other stamp) bool {
	a, b := s.info, other.info
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// young reports whether the file has been written to within the time of rest.
func (s stamp) young() bool {
	if s.info == nil {
		return false
	}
	age := time.Since(s.info.ModTime())
	return 0 <= age && age < rest
}

func (f *file) failed(err error) error { return fmt.Errorf("%s: %w", f.path, withoutPath(err)) }
