package certfile

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"iter"
	"strings"
)

// Certificates reads the certificates of a PEM file, at least one.
func Certificates(file string) ([]*x509.Certificate, error) {
	chain, err := readChain(file)
	if err != nil {
		return nil, err
	}
	all := make([]*x509.Certificate, len(chain))
	for i, der := range chain {
		if all[i], err = parseCertificate(file, der); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func parseCertificate(file string, der []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s: a certificate cannot be parsed", file)
	}
	return c, nil
}

// readChain reads the certificates of a PEM file, at least one, without parsing them.
func readChain(file string) (chain [][]byte, err error) {
	text, err := readFile(file, "certificate")
	if err != nil {
		return nil, err
	}
	for block := range blocks(text) {
		if block.Type == "CERTIFICATE" {
			chain = append(chain, block.Bytes)
		}
	}
	if chain == nil {
		return nil, fmt.Errorf("%s: no certificate in PEM form", file)
	}
	return chain, nil
}

// loadKey reads the first key of a PEM file.
func loadKey(file string) (crypto.Signer, error) {
	text, err := readFile(file, "key")
	if err != nil {
		return nil, err
	}
	for block := range blocks(text) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, fmt.Errorf("%s: encrypted keys are not supported", file)
		case block.Type != "PRIVATE KEY" && !strings.HasSuffix(block.Type, " PRIVATE KEY"):
			continue // EC PARAMETERS, or a certificate in the same file
		}
		if key, ok := parseKey(block.Bytes); ok {
			return key, nil
		}
		return nil, fmt.Errorf("%s: the key cannot be parsed", file)
	}
	return nil, fmt.Errorf("%s: no key in PEM form", file)
}

// parseKey parses PKCS #8, PKCS #1 and SEC 1, which openssl and ACME clients write.
func parseKey(der []byte) (crypto.Signer, bool) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		signer, ok := key.(crypto.Signer)
		return signer, ok
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, true
	}
	key, err := x509.ParseECPrivateKey(der)
	return key, err == nil
}

func blocks(text []byte) iter.Seq[*pem.Block] {
	return func(yield func(*pem.Block) bool) {
		for {
			block, rest := pem.Decode(text)
			if block == nil || !yield(block) {
				return
			}
			text = rest
		}
	}
}

// Roots reads the certificates of a PEM file as trusted roots. It ignores those
// that cannot be parsed, as long as one can.
func Roots(file string) (*x509.CertPool, error) {
	text, err := readFile(file, "root")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in PEM form", file)
	}
	return pool, nil
}
