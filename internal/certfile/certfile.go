// Package certfile loads certificates and keys from PEM files, for TLS and for
// signing. Its errors name the file and never quote anything of a key.
package certfile

import (
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"signpost/internal/fault"
	"signpost/internal/regular"
)

// Pair names the PEM files of a certificate, followed by its intermediates, and
// of its key. Both may be the same file.
type Pair struct{ Certificate, Key string }

// KeyPair is a certificate with its key.
type KeyPair struct {
	Leaf *x509.Certificate // the certificate of the key
	All  []*x509.Certificate
	Key  crypto.Signer
}

// ErrMismatch reports that no certificate of a file belongs to the key.
var ErrMismatch = errors.New("certificate and key do not match")

// Load reads the pair. The certificate of the key may stand anywhere in its file.
func (p Pair) Load() (*KeyPair, error) {
	all, err := Certificates(p.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := loadKey(p.Key)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(c *x509.Certificate) bool { return belongs(c, key) })
	if i < 0 {
		return nil, p.mismatch()
	}
	return &KeyPair{Leaf: all[i], All: all, Key: key}, nil
}

// belongs reports whether the certificate is that of the key.
func belongs(c *x509.Certificate, key crypto.Signer) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

func (p Pair) mismatch() error { return fmt.Errorf("%s, %s: %w", p.Certificate, p.Key, ErrMismatch) }

// minRSA is the length of the shortest RSA key that clients accept (CA/Browser
// Forum Baseline Requirements, 6.1.5).
const minRSA = 2048

// LoadTLS reads a pair that a TLS server can use. The certificate of the key must
// come first in its file, and clients must be able to accept it. What follows is sent
// as it is: crypto/x509 cannot parse every root that people put there.
func (p Pair) LoadTLS() (*tls.Certificate, error) {
	chain, err := readChain(p.Certificate)
	if err != nil {
		return nil, err
	}
	leaf, err := parseCertificate(p.Certificate, chain[0])
	if err != nil {
		return nil, err
	}
	key, err := loadKey(p.Key)
	if err != nil {
		return nil, err
	}
	if !belongs(leaf, key) {
		return nil, p.mismatch()
	}
	if public, ok := leaf.PublicKey.(*rsa.PublicKey); ok && public.N.BitLen() < minRSA {
		return nil, fmt.Errorf("%s: clients refuse an RSA key of %d bits", p.Certificate, public.N.BitLen())
	}
	if len(leaf.DNSNames) == 0 {
		return nil, fmt.Errorf("%s: clients refuse a certificate without a subject alternative name", p.Certificate)
	}
	return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, nil
}

// maxFile bounds the size of a file. A long chain takes 20 KB.
const maxFile = 1 << 20

func readFile(name, what string) ([]byte, error) {
	if name == "" {
		return nil, fmt.Errorf("no %s file is configured", what)
	}
	text, err := regular.Read(name, maxFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, fault.WithoutPath(err))
	}
	return text, nil
}
