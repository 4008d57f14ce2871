package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/smallstep/pkcs7"

	"signpost/internal/certfile"
)

// signingKey is a key with the certificates that go into a signature.
type signingKey struct {
	leaf    *x509.Certificate
	chain   []*x509.Certificate
	key     crypto.Signer
	trusted bool   // this machine knows the authority
	warning string // why devices may not trust the signature
}

// load reads the files and tries a signature.
func load(files certfile.Pair) (*signingKey, error) {
	pair, err := files.Load()
	if err != nil {
		return nil, err
	}
	switch pair.Key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
	default:
		return nil, fmt.Errorf("%s: the key is neither RSA nor ECDSA", files.Key)
	}
	if certfile.IsRoot(pair.Leaf) {
		return nil, fmt.Errorf("%s: devices show a self-signed certificate as worse than none", files.Certificate)
	}
	chain, problem := pair.Chain()
	if problem != "" {
		problem = files.Certificate + ": " + problem
	}
	key := &signingKey{leaf: pair.Leaf, chain: chain, key: pair.Key, warning: problem}
	if key.trusted = isTrusted(pair.Leaf, chain); !key.trusted && problem == "" {
		key.warning = files.Certificate + ": this machine does not know the authority of the certificate; " +
			`devices that do not know it either show "Not Verified"`
	}
	if _, err := key.sign(nil); err != nil {
		return nil, fmt.Errorf("%s: the key cannot sign: %w", files.Key, err)
	}
	return key, nil
}

// systemRoots returns the authorities that this machine trusts.
var systemRoots = x509.SystemCertPool

// isTrusted reports whether the certificates lead to an authority that this machine
// trusts. Apple's list of authorities is not known here, but is much like that of other
// systems. On a machine without any authorities it returns true, as nothing is known.
func isTrusted(leaf *x509.Certificate, chain []*x509.Certificate) bool {
	roots, err := systemRoots()
	if err != nil || roots.Equal(x509.NewCertPool()) {
		return true
	}
	middle := x509.NewCertPool()
	for _, c := range chain {
		middle.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: middle, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		CurrentTime: leaf.NotBefore, // the signer checks itself when the leaf is valid
	})
	return err == nil
}

// validAt reports why the certificate is not valid at the time. It leaves the
// certificates of the chain to the device, which may know another path to a root.
func (k *signingKey) validAt(now time.Time) error {
	switch {
	case now.Before(k.leaf.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s", k.leaf.NotBefore.UTC().Format(time.RFC3339))
	case now.After(k.leaf.NotAfter):
		return fmt.Errorf("the certificate expired on %s", k.leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// sign returns the signed document. It uses SHA-256, because the default of the
// library is SHA-1, which devices no longer trust.
func (k *signingKey) sign(document []byte) ([]byte, error) {
	data, err := pkcs7.NewSignedData(document)
	if err != nil {
		return nil, err
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := data.AddSignerChain(k.leaf, k.key, k.chain, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	return data.Finish()
}
