package certs

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Pair names the files of a certificate, followed by its intermediates, and of
// its key, in PEM form. They may be one file.
type Pair struct{ Certificate, Key string }

// PairError is why a pair of the configuration cannot be used.
type PairError struct {
	Pair Pair
	Err  error
}

func (e *PairError) Error() string { return e.Err.Error() }

// Unwrap is for errors.As and errors.Is.
func (e *PairError) Unwrap() error { return e.Err }

// Check reports why a pair cannot be used; the error is a *PairError.
func (p Pair) Check() error {
	if _, err := p.load(); err != nil {
		return &PairError{p, err}
	}
	return nil
}

// maxFile bounds the files; a long chain has 20 KB.
const maxFile = 1 << 20

// minRSA is the shortest RSA key that clients take (CA/Browser Forum Baseline
// Requirements, 6.1.5).
const minRSA = 2048

// load reads the pair. No error holds anything of the key.
func (p Pair) load() (*tls.Certificate, error) {
	chain, err := readFile(p.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := readFile(p.Key)
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s make no pair: %s", p.Certificate, p.Key, problem(err, key))
	}
	if public, ok := c.Leaf.PublicKey.(*rsa.PublicKey); ok && public.N.BitLen() < minRSA {
		return nil, fmt.Errorf("%s has an RSA key of %d bits, which clients refuse", p.Certificate, public.N.BitLen())
	}
	if len(c.Leaf.DNSNames) == 0 {
		return nil, fmt.Errorf("%s names no host (subject alternative name), so clients refuse it", p.Certificate)
	}
	return &c, nil
}

// problem puts what crypto/tls finds into an operator's words.
func problem(err error, key []byte) string {
	switch text := strings.TrimPrefix(err.Error(), "tls: "); {
	case strings.Contains(string(key), "ENCRYPTED"):
		return "the key is encrypted, and nobody is here to type its passphrase"
	case strings.Contains(text, "does not match public key"), strings.Contains(text, "type does not match"):
		return "the key is another certificate's"
	case strings.Contains(text, "in certificate input"):
		return "the first file holds no certificate in PEM form"
	case strings.Contains(text, "in key input"), strings.Contains(text, "rather than a key"):
		return "the second file holds no key in PEM form"
	case strings.Contains(text, "private key"):
		return "the key cannot be read"
	default:
		return "the certificate cannot be read"
	}
}

// readFile returns errors that begin with the file's name.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, cause(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, cause(err))
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d MiB", name, maxFile>>20)
	}
	return text, nil
}

// cause is what went wrong with a file, without the name that stands in front
// of it already.
func cause(err error) error {
	var wrapped *os.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func isECDSA(c *tls.Certificate) bool {
	_, ok := c.Leaf.PublicKey.(*ecdsa.PublicKey)
	return ok
}
