package certstore

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"signpost/internal/fault"
	"signpost/internal/regular"
	"signpost/internal/sources/secret"
)

// seal encrypts private keys with AES-256-GCM. The name of what it encrypts is authenticated,
// so that nobody can put one key in the place of another.
type seal struct{ aead cipher.AEAD }

// maxSealFile is larger than a file with a key.
const maxSealFile = 1 << 10

// keySize is the size of the operator's key in bytes.
const keySize = 32

// readSeal reads the key from its file: 32 random bytes in base64, as "openssl rand -base64 32"
// prints them. It returns nil if path is empty.
func readSeal(path string) (*seal, error) {
	if path == "" {
		return nil, nil
	}
	name, err := secret.Path(path)
	if err != nil {
		return nil, err
	}
	data, err := regular.Read(name, maxSealFile)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", fault.WithoutPath(err))
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(key) != keySize {
		return nil, errors.New("does not hold 32 bytes in base64; openssl rand -base64 32 makes some")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &seal{aead}, nil
}

func (s *seal) close(name string, value []byte) []byte {
	return s.aead.Seal(nil, nil, value, []byte(name))
}

var errWrongSeal = errors.New("is sealed with another key, or damaged")

func (s *seal) open(name string, value []byte) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, value, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("%s %w", name, errWrongSeal)
	}
	return plain, nil
}

// isSecret reports whether the value of a name in the storage is a private key: certmagic's
// keys of certificates and accounts, and the keys of session tickets.
func isSecret(name string) bool { return strings.HasSuffix(name, ".key") }
