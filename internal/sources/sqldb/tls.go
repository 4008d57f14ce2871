package sqldb

import (
	"crypto/tls"

	"signpost/internal/certfile"
	"signpost/internal/sources/secret"
)

// tlsConfig returns how the host's certificate is verified, or nil if the way to it is not
// encrypted. The file of authorities is read with each connection, so that a new one
// needs no reload.
func (p *place) tlsConfig(h host) (*tls.Config, error) {
	if !p.encrypted(h) {
		return nil, nil
	}
	config := &tls.Config{ServerName: h.name, MinVersion: tls.VersionTLS12}
	if p.caRoot == "" {
		return config, nil
	}
	pool, err := certfile.Roots(p.caRoot)
	if err != nil {
		return nil, &localError{err}
	}
	config.RootCAs = pool
	return config, nil
}

// password returns the password that was given, or reads the password file if there is one.
func (p *place) password() (string, error) {
	if p.passwordFile == "" {
		return p.given, nil
	}
	password, err := secret.Read(p.passwordFile)
	if err != nil {
		return "", &localError{err}
	}
	return password, nil
}

// localError is about a file of the operator's on this machine. Its text may be told.
type localError struct{ error }

// Unwrap returns the error itself, which may have a hint.
func (e *localError) Unwrap() error { return e.error }
