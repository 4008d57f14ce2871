package certfile

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// Chain returns the intermediates from the leaf's issuer upwards, without the
// root, whatever their order in the file. Devices show "Not Verified" for a
// signature that comes without its intermediates; they have the roots. The
// problem says what is wrong with the file, and is empty if all is well.
func (k *KeyPair) Chain() (chain []*x509.Certificate, problem string) {
	ordered := true
	last, position := k.Leaf, 0
	for {
		next := slices.IndexFunc(k.All, func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawSubject, last.RawIssuer) && !slices.Contains(chain, c) &&
				last.CheckSignatureFrom(c) == nil
		})
		if next < 0 || IsRoot(k.All[next]) {
			if next < 0 && len(chain) == 0 {
				return nil,
					`the issuer's certificate is missing; unless the issuer is a root, devices show "Not Verified"`
			}
			break
		}
		ordered = ordered && next > position
		last, position = k.All[next], next
		chain = append(chain, last)
	}
	switch {
	case !ordered:
		return chain, "the certificates are not in order (each followed by its issuer's), but signatures are"
	case k.Leaf != k.All[0]:
		return chain, "the certificate of the key is not the first"
	}
	return chain, ""
}

// IsRoot reports whether a certificate names itself as its issuer. The signature
// does not count: old roots have one with SHA-1, which cannot be verified.
func IsRoot(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, c.RawIssuer) }
