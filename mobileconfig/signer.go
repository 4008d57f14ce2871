package mobileconfig

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/smallstep/pkcs7"
)

// Signer signs profiles with the operator's certificate. A device shows a green
// "Verified" for a signature whose chain it trusts, and the certificate of the
// web server will do; without one, a red "Not Signed"; for anything between, a
// red "Not Verified", which is worse than none. So a Signer that cannot make a
// good signature makes none and says so in the log, once for each change.
//
// The files are looked at again when they change, at most once a second. A nil
// Signer never signs and has nothing to complain of.
type Signer struct {
	certificateFile, keyFile string
	log                      *slog.Logger
	now                      func() time.Time

	mu      sync.Mutex
	checked time.Time // when the files were last looked at
	seen    [2]os.FileInfo
	pair    *keyPair
	problem error  // why there is no pair
	told    string // what the log knows
}

// checkInterval is how often the files are looked at.
const checkInterval = time.Second

// NewSigner is a Signer with PEM files: the certificate followed by its
// intermediates, and an RSA or ECDSA key. They may be one file. What is wrong
// with them goes into the log now and is not an error, as the files may come
// later. With neither file named it is nil.
func NewSigner(certificateFile, keyFile string, log *slog.Logger) *Signer {
	return newSigner(certificateFile, keyFile, log, time.Now)
}

func newSigner(certificateFile, keyFile string, log *slog.Logger, now func() time.Time) *Signer {
	if certificateFile == "" && keyFile == "" {
		return nil
	}
	s := &Signer{certificateFile: certificateFile, keyFile: keyFile, log: log, now: now}
	s.current()
	return s
}

// Sign is the signed document, CMS SignedData with the document inside (RFC 5652
// §5), or the document itself while there is nothing good to sign with.
func (s *Signer) Sign(document []byte) []byte {
	if s == nil {
		return document
	}
	pair, _ := s.current()
	if pair == nil {
		return document
	}
	signed, err := pair.sign(document)
	if err != nil {
		s.log.Warn("a profile goes out unsigned", "reason", err)
		return document
	}
	return signed
}

// Signs reports whether profiles are signed now.
func (s *Signer) Signs() bool {
	if s == nil {
		return false
	}
	pair, _ := s.current()
	return pair != nil
}

// Check is what the operator should mend: why profiles go out unsigned, or why
// devices may not trust the signature. A trusted root is beyond what it sees.
func (s *Signer) Check() error {
	if s == nil {
		return nil
	}
	pair, err := s.current()
	if pair != nil && pair.warning != "" {
		return errors.New(pair.warning)
	}
	return err
}

// current is the pair to sign with now, or the reason why there is none.
func (s *Signer) current() (*keyPair, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if since := now.Sub(s.checked); since >= checkInterval || since < 0 || s.checked.IsZero() {
		s.look()
		s.checked = now
	}
	pair, problem := s.pair, s.problem
	if pair != nil {
		if problem = pair.validAt(now); problem != nil {
			pair = nil
		}
	}
	s.tell(pair, problem)
	return pair, problem
}

// look reads the files if they are not those that were read. What could not be
// used is read again even so: a permission may have been given since.
func (s *Signer) look() {
	var found [2]os.FileInfo
	for i, name := range []string{s.certificateFile, s.keyFile} {
		// Before reading: a change in between is seen the next time.
		found[i], _ = os.Stat(name)
	}
	if s.pair != nil && same(found[0], s.seen[0]) && same(found[1], s.seen[1]) {
		return
	}
	s.seen = found
	s.pair, s.problem = loadKeyPair(s.certificateFile, s.keyFile)
}

func same(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// tell logs the state if it is not the one that was logged last.
func (s *Signer) tell(pair *keyPair, problem error) {
	state := fmt.Sprint(problem)
	if pair != nil {
		state = pair.leaf.SerialNumber.String() + " " + pair.warning
	}
	if state == s.told {
		return
	}
	s.told = state
	switch {
	case pair == nil:
		s.log.Warn("profiles go out unsigned", "reason", problem)
	case pair.warning != "":
		s.log.Warn("profiles are signed, but devices may not trust it", "reason", pair.warning)
	default:
		s.log.Info("profiles are signed", "certificate", pair.leaf.Subject.String(), "until", pair.leaf.NotAfter)
	}
}

// sign makes the signature with SHA-256: the library's own choice is SHA-1,
// which no device trusts any more.
func (p *keyPair) sign(document []byte) ([]byte, error) {
	data, err := pkcs7.NewSignedData(document)
	if err != nil {
		return nil, err
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := data.AddSignerChain(p.leaf, p.key, p.chain, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	return data.Finish()
}
