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

// isAlwaysSealed reports whether a value is never accepted unsealed where there is a key: it is
// made again if need be.
func isAlwaysSealed(name string) bool { return isSecret(name) && strings.HasPrefix(name, ownPrefix) }

// Forms of a value in the database.
const (
	openForm   = "0:" // base64 of the value
	sealedForm = "1:" // base64 of what seal made of it
)

// encode returns the value of a key as it is written.
func (s *Store) encode(key string, value []byte) string {
	if s.seal == nil || !isSecret(key) {
		return openForm + base64.StdEncoding.EncodeToString(value)
	}
	return sealedForm + base64.StdEncoding.EncodeToString(s.seal.close(key, value))
}

// decode returns the value of a key from what is written.
func (s *Store) decode(key, text string) ([]byte, error) {
	form, coded := text[:min(len(text), len(openForm))], text[min(len(text), len(openForm)):]
	value, err := base64.StdEncoding.DecodeString(coded)
	switch {
	case err != nil || form != openForm && form != sealedForm:
		return nil, fmt.Errorf("%s is damaged in the database", key)
	case form == openForm && s.mustBeSealed(key):
		return nil, fmt.Errorf("%s %w", key, errNotSealed)
	case form == openForm:
		return value, nil
	case s.seal == nil:
		return nil, fmt.Errorf("%s is sealed in the database, and no sealFile is configured", key)
	}
	return s.seal.open(key, value)
}

var errNotSealed = errors.New("is not sealed in the database, although there is a sealFile")

// mustBeSealed reports whether the value of a key is accepted only if it is sealed.
func (s *Store) mustBeSealed(key string) bool {
	if s.seal == nil || !isSecret(key) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sealed || isAlwaysSealed(key)
}
