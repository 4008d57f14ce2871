package service

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"signpost/internal/caa"
	"signpost/internal/certfile"
	"signpost/internal/fault"
)

// CheckTLS finds what would keep the service from starting with its certificates:
// unusable certificate files, roots, and a storage directory that cannot be one.
// It creates nothing, because it is usually run by another user than the service.
func (l *Loaded) CheckTLS() fault.List {
	t := l.Config.TLS
	if t == nil {
		return nil
	}
	var faults fault.List
	for i, pair := range t.Certificates {
		if _, err := pair.LoadTLS(); err != nil {
			faults = append(faults, l.Config.Fault(fmt.Sprintf("tls.certificates[%d]", i), err))
		}
	}
	if t.ACME == nil {
		return faults
	}
	if root := t.ACME.CARoot; root != "" {
		if _, err := certfile.Roots(root); err != nil {
			faults = append(faults, l.Config.Fault("tls.acme.caRoot", err))
		}
	}
	if !canBeDirectory(t.ACME.Storage) {
		faults = append(faults, l.Config.Fault("tls.acme.storage", fmt.Errorf("%s is not a directory", t.ACME.Storage)))
	}
	return faults
}

// Authority returns the authority that issues the certificates of customers' names, and
// whether they are issued at all, by an order of the service or of a proxy in front.
func (l *Loaded) Authority() (caa.Authority, bool) {
	switch t := l.Config.TLS; {
	case t == nil:
		return caa.Named(l.Config.ProxyIdentities()...), true
	case t.ACME == nil:
		return caa.Authority{}, false // files, which are there
	default:
		return t.ACME.Authority(func() []string { return l.Config.DNS.CAAIdentities }), true
	}
}

// CertificateFor returns a function that reports whether the service has a certificate
// for a host name. It returns nil if any name may have one: ordered by ACME, or known
// to a proxy in front, or in a file that cannot be read here.
func (l *Loaded) CertificateFor() func(host string) bool {
	t := l.Config.TLS
	if t == nil || t.ACME != nil {
		return nil
	}
	var leaves []*x509.Certificate
	for _, pair := range t.Certificates {
		chain, err := certfile.Certificates(pair.Certificate)
		if err != nil {
			return nil
		}
		leaves = append(leaves, chain[0])
	}
	return func(host string) bool {
		return slices.ContainsFunc(leaves, func(c *x509.Certificate) bool { return c.VerifyHostname(host) == nil })
	}
}

// canBeDirectory reports whether the path is a directory or could be created as
// one. If permissions hide that, it reports true: the service's user may see more.
func canBeDirectory(path string) bool {
	info, err := os.Stat(path)
	if parent := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && parent != path {
		return canBeDirectory(parent)
	}
	return !errors.Is(err, syscall.ENOTDIR) && (err != nil || info.IsDir())
}
