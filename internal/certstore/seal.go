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
// so that nobody can put one key in the place of another. It has at least one key: the first one
// encrypts, each decrypts, so that the operator can replace a key while machines are running.
type seal struct{ keys []cipher.AEAD }

const (
	// maxSealFile is larger than a file with as many keys as there may be.
	maxSealFile = 1 << 10
	// maxSealKeys is more than a change of the key needs.
	maxSealKeys = 4
	// keySize is the size of a key of the operator's in bytes.
	keySize = 32
)

// readSeal reads the keys from their file: in each line 32 random bytes in base64, as "openssl
// rand -base64 32" prints them. It returns nil if path is empty.
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
	s := &seal{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != keySize {
			return nil, errors.New("has a line that is not 32 bytes in base64; openssl rand -base64 32 makes one")
		}
		aead, err := newAEAD(key)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, aead)
	}
	switch {
	case len(s.keys) == 0:
		return nil, errors.New("holds no key; openssl rand -base64 32 makes one")
	case len(s.keys) > maxSealKeys:
		return nil, fmt.Errorf("holds %d keys, and at most %d may be in use", len(s.keys), maxSealKeys)
	}
	return s, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s *seal) close(name string, value []byte) []byte {
	return s.keys[0].Seal(nil, nil, value, []byte(name))
}

var errWrongSeal = errors.New("is sealed with a key that sealFile does not hold, or damaged")

// open returns what was sealed, and the index of the key that opens it.
func (s *seal) open(name string, value []byte) (plain []byte, key int, err error) {
	for i, aead := range s.keys {
		if plain, err := aead.Open(nil, nil, value, []byte(name)); err == nil {
			return plain, i, nil
		}
	}
	return nil, 0, errWrongSeal
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
	value, _, err := s.read(key, text)
	return value, err
}

// read returns the value of a key from what is written, and reports whether encode would write it
// in another way: it is not sealed, or not with the first key.
func (s *Store) read(key, text string) (value []byte, isOld bool, err error) {
	what := key
	if key == proofKey {
		what = "the store of certificates" // nobody knows the proof
	}
	form, coded := text[:min(len(text), len(openForm))], text[min(len(text), len(openForm)):]
	value, err = base64.StdEncoding.DecodeString(coded)
	switch {
	case err != nil || form != openForm && form != sealedForm:
		return nil, false, fmt.Errorf("%s is damaged in the database", what)
	case form == openForm && s.mustBeSealed(key):
		return nil, false, fmt.Errorf("%s %w", what, errNotSealed)
	case form == openForm:
		return value, s.seal != nil && isSecret(key), nil
	case s.seal == nil:
		return nil, false, fmt.Errorf("%s is sealed, and no sealFile is configured", what)
	}
	value, index, err := s.seal.open(key, value)
	if err != nil {
		return nil, false, fmt.Errorf("%s %w", what, err)
	}
	return value, index > 0, nil
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
