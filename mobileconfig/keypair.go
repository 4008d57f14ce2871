package mobileconfig

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// keyPair is what a signature is made with.
type keyPair struct {
	leaf    *x509.Certificate
	chain   []*x509.Certificate // intermediates from the leaf's issuer up, no root
	key     crypto.Signer
	warning string // why devices may not trust the signature; mostly empty
}

// maxFile bounds the files; a long chain has 20 KB.
const maxFile = 1 << 20

func loadKeyPair(certificateFile, keyFile string) (*keyPair, error) {
	certificates, err := readCertificates(certificateFile)
	if err != nil {
		return nil, err
	}
	key, err := readKey(keyFile)
	if err != nil {
		return nil, err
	}
	public := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	at := slices.IndexFunc(certificates, func(c *x509.Certificate) bool { return public.Equal(c.PublicKey) })
	if at < 0 {
		return nil, fmt.Errorf("%s is not the key of the certificate in %s", keyFile, certificateFile)
	}
	pair := &keyPair{leaf: certificates[at], key: key}
	if isRoot(pair.leaf) {
		return nil, fmt.Errorf("the certificate in %s is self-signed, which devices show as worse than unsigned", certificateFile)
	}
	pair.addChain(certificates)
	if at > 0 && pair.warning == "" {
		pair.warning = "the certificate of the key is not the first"
	}
	if pair.warning != "" {
		pair.warning = certificateFile + ": " + pair.warning
	}
	if _, err := pair.sign(nil); err != nil {
		return nil, fmt.Errorf("the key in %s cannot sign: %w", keyFile, err)
	}
	return pair, nil
}

// addChain finds the intermediates in any order. Without them devices show "Not
// Verified"; the root they have themselves.
func (p *keyPair) addChain(certificates []*x509.Certificate) {
	ordered := true
	for last, at := p.leaf, 0; ; {
		next := slices.IndexFunc(certificates, func(c *x509.Certificate) bool {
			return bytes.Equal(c.RawSubject, last.RawIssuer) && !slices.Contains(p.chain, c) && last.CheckSignatureFrom(c) == nil
		})
		if next < 0 {
			if len(p.chain) == 0 {
				p.warning = "it holds no certificate of the issuer; unless that is a root, devices show \"Not Verified\""
			}
			break
		}
		last = certificates[next]
		if isRoot(last) {
			break
		}
		ordered = ordered && next > at
		at = next
		p.chain = append(p.chain, last)
	}
	if !ordered && p.warning == "" {
		p.warning = "the certificates are not in order, each followed by its issuer's; they are signed with in order all the same"
	}
}

// isRoot takes the name for it: a signature with SHA-1, which old roots have,
// could not be checked anyway.
func isRoot(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer)
}

// validAt says why the certificate is not valid at the time. The chain's other
// certificates are left to the device, which may know another way to a root.
func (p *keyPair) validAt(now time.Time) error {
	switch {
	case now.Before(p.leaf.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s", p.leaf.NotBefore.UTC().Format(time.RFC3339))
	case now.After(p.leaf.NotAfter):
		return fmt.Errorf("the certificate expired on %s", p.leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

func readCertificates(file string) ([]*x509.Certificate, error) {
	blocks, err := readPEM(file, "certificate")
	if err != nil {
		return nil, err
	}
	var certificates []*x509.Certificate
	for _, block := range blocks {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s holds a certificate that cannot be read", file)
		}
		certificates = append(certificates, c)
	}
	if certificates == nil {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return certificates, nil
}

// readKey takes PKCS #8, PKCS #1 and SEC 1, as openssl and ACME clients write
// them. Errors never hold anything of the key.
func readKey(file string) (crypto.Signer, error) {
	blocks, err := readPEM(file, "key")
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		var key any
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, fmt.Errorf("the key in %s is encrypted, and nobody is here to type its passphrase", file)
		default:
			continue // EC PARAMETERS, certificates
		}
		if block.Headers["DEK-Info"] != "" {
			return nil, fmt.Errorf("the key in %s is encrypted, and nobody is here to type its passphrase", file)
		}
		if err != nil {
			return nil, fmt.Errorf("%s holds a key that cannot be read", file)
		}
		switch key := key.(type) {
		case *rsa.PrivateKey:
			return key, nil
		case *ecdsa.PrivateKey:
			return key, nil
		}
		return nil, fmt.Errorf("the key in %s is neither RSA nor ECDSA", file)
	}
	return nil, fmt.Errorf("%s holds no key in PEM form", file)
}

func readPEM(name, what string) ([]*pem.Block, error) {
	if name == "" {
		return nil, fmt.Errorf("there is no %s file in the configuration", what)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, errors.New(name + " is too large")
	}
	var blocks []*pem.Block
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return blocks, nil
		}
		blocks, text = append(blocks, block), rest
	}
}
