package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"signpost/internal/certstore"
	"signpost/internal/config"
	"signpost/internal/fault"
)

// CopyCertificates copies what Signpost has ordered from a directory into the database of the
// configuration. What cannot be used is reported, and left.
func (l *Loaded) CopyCertificates(ctx context.Context, dir string, report func(file string, reason error)) (
	certstore.Copied, error) {
	if l.Config.TLS == nil || l.Config.TLS.Store == nil {
		return certstore.Copied{}, noDatabase(l.Config)
	}
	if _, err := os.ReadDir(dir); err != nil {
		reason := fmt.Errorf("%s: %w", dir, fault.WithoutPath(err))
		if errors.Is(err, fs.ErrPermission) {
			return certstore.Copied{}, fault.WithHint(reason, "run it as the user of the service: sudo -u signpost")
		}
		return certstore.Copied{}, reason
	}
	copied, err := certstore.Copy(ctx, *l.Config.TLS.Store, dir, report)
	if ctx.Err() != nil {
		return copied, fault.WithHint(errors.New("interrupted"), "run it again; what is copied stays")
	}
	return copied, storeError(err)
}

// noDatabase returns the error about a configuration that names no database of certificates, with
// the line where it would.
func noDatabase(c *config.Config) error {
	place := c.Fault("tls.acme.storage", errors.New("is a directory, and certificates are copied into a database"))
	if place.Line == 0 {
		place = c.Fault("tls.acme", errors.New("names no database for certificates"))
	}
	return fault.WithHint(fault.List{place},
		"write its URL, as storage: postgres://signpost_certs@db.example.com/signpost_certs, into tls.acme")
}
