// Package signer signs configuration profiles with the operator's certificate.
package signer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"signpost/internal/certfile"
	"signpost/internal/fault"
	"signpost/internal/filewatch"
)

// Signer signs profiles with a certificate and key from files. An Apple device
// shows a green "Verified" for a signature whose chain it trusts; the certificate
// of a web server is good enough. Without a signature it shows a red "Not Signed",
// and for anything in between a red "Not Verified", which is worse. So a Signer
// that cannot make a good signature makes none, and logs why, once per change.
//
// A nil Signer never signs and has no problems.
type Signer struct {
	files certfile.Pair
	log   *slog.Logger

	mu      sync.Mutex
	key     *signingKey
	problem error  // why key is nil
	logged  string // the last state that was logged

	stop    context.CancelFunc
	running sync.WaitGroup
}

// New returns a Signer with the key and certificate of the files. What is wrong
// with them is logged and is not an error, because the files may appear later.
// New returns nil if no file is named.
func New(files certfile.Pair, log *slog.Logger) *Signer {
	if files == (certfile.Pair{}) {
		return nil
	}
	s := &Signer{files: files, log: log, stop: func() {}}
	s.reload()
	return s
}

const (
	restTime      = 300 * time.Millisecond // a certificate and its key are replaced one after the other
	retryInterval = time.Second
)

// Start reloads the files whenever they change, until ctx is done or Close is
// called.
func (s *Signer) Start(ctx context.Context) {
	if s == nil {
		return
	}
	ctx, s.stop = context.WithCancel(ctx)
	watcher := filewatch.New(ctx, restTime)
	if err := watcher.Watch([]string{s.files.Certificate, s.files.Key}); err != nil {
		s.log.Warn("cannot watch some files, changes are noticed late", "error", err)
	}
	s.reload() // the files may have changed since New
	s.running.Go(func() {
		retry := time.Tick(retryInterval)
		for {
			select {
			case <-ctx.Done():
				return
			case <-watcher.Changed:
				watcher.Refresh()
				s.reload()
			case <-retry:
				s.retry()
			}
		}
	})
}

// Close ends what Start has begun.
func (s *Signer) Close() {
	if s == nil {
		return
	}
	s.stop()
	s.running.Wait()
}

// Sign returns the document signed as CMS SignedData that contains it (RFC 5652
// §5), or the document itself if a good signature cannot be made.
func (s *Signer) Sign(document []byte) []byte {
	key, _ := s.current()
	if key == nil {
		return document
	}
	signed, err := key.sign(document)
	if err != nil {
		s.log.Warn("profile not signed", "reason", err)
		return document
	}
	return signed
}

// CanSign reports whether profiles are signed at present.
func (s *Signer) CanSign() bool {
	key, _ := s.current()
	return key != nil
}

// Trusted reports whether devices know the authority of the signature, as far as this
// machine can tell.
func (s *Signer) Trusted() bool {
	key, _ := s.current()
	return key != nil && key.trusted
}

// Check returns the problem that the operator should fix: why profiles are not
// signed, or why devices may not trust the signature.
func (s *Signer) Check() error {
	key, err := s.current()
	if key != nil && key.warning != "" {
		return errors.New(key.warning)
	}
	return err
}

// current returns the key, or the reason why it cannot be used now.
func (s *Signer) current() (*signingKey, error) {
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, problem := s.key, s.problem
	if key != nil {
		if problem = key.validAt(time.Now()); problem != nil {
			key = nil
		}
	}
	s.logChange(key, problem)
	return key, problem
}

// reload reads the files.
func (s *Signer) reload() {
	s.mu.Lock()
	s.key, s.problem = load(s.files)
	s.mu.Unlock()
	s.current()
}

// retry reads the files again if they could not be used: they may be readable
// now without having changed.
func (s *Signer) retry() {
	s.mu.Lock()
	failed := s.key == nil
	s.mu.Unlock()
	if failed {
		s.reload()
	}
}

// logChange logs the state if it differs from the one that was logged last.
func (s *Signer) logChange(key *signingKey, problem error) {
	state := fmt.Sprint(problem)
	if key != nil {
		state = key.leaf.SerialNumber.String() + " " + key.warning
	}
	if state == s.logged {
		return
	}
	s.logged = state
	switch {
	case key == nil:
		s.log.Warn("profiles are not signed", "reason", problem)
	case key.warning != "":
		s.log.Warn("profiles are signed, but devices may not trust the signature", "reason", key.warning)
	default:
		s.log.Info("profiles are signed", "certificate", subject(key.leaf), "until", key.leaf.NotAfter)
	}
}

// subject returns the subject of a certificate as a log shows it. A certificate for
// signing mail names a mailbox, some of them in a field of its own, which String would
// write in hexadecimal digits.
func subject(c *x509.Certificate) string {
	name := c.Subject
	name.Names = nil
	return fault.WithoutLocalParts(name.String())
}
