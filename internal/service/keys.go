package service

import (
	"crypto/rsa"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"signpost/internal/certfile"
	"signpost/internal/fault"
)

// Exposed returns a warning for each private key that every user of the machine can read: of
// certificates, of profiles, of updates, and in the storage of ACME; and for the password and the
// keys of its database.
func (l *Loaded) Exposed() (warnings []fault.Fault) {
	keys := []string{l.Config.Profiles.Key}
	storage := ""
	if t := l.Config.TLS; t != nil {
		for _, pair := range t.Certificates {
			keys = append(keys, pair.Key)
		}
		if t.ACME != nil {
			storage = t.ACME.Storage
		}
	}
	warn := func(path, what string) {
		warnings = append(warnings, fault.Fault{File: path, Text: what + ", and every user of this machine can read " +
			"it; take the permission away (chmod o-r), and replace what may have been read"})
	}
	for _, key := range sortedUnique(keys) {
		if isExposed(key) {
			warn(key, "holds a private key")
		}
	}
	for _, file := range sortedUnique(l.Config.UpdateKeyFiles()) {
		if isExposed(file) {
			warn(file, "holds the secret of a TSIG key")
		}
	}
	if path := firstExposedKey(storage); path != "" {
		warn(path, "holds a private key in tls.acme.storage")
	}
	if t := l.Config.TLS; t != nil && t.Store != nil {
		if isExposed(t.Store.PasswordFile) {
			warn(t.Store.PasswordFile, "holds the password of tls.acme.storage")
		}
		if isExposed(t.Store.SealFile) {
			warn(t.Store.SealFile, "holds the key that seals private keys in tls.acme.storage")
		}
	}
	return warnings
}

func sortedUnique(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}

// isExposed reports whether every user can read a file.
func isExposed(path string) bool {
	info, err := os.Stat(path)
	return path != "" && err == nil && info.Mode().IsRegular() && knowsPermissions && closedTo(others, path) == ""
}

// firstExposedKey returns the first private key in a storage directory that every user
// can read. Where one is, all are.
func firstExposedKey(storage string) (found string) {
	if storage == "" {
		return ""
	}
	filepath.WalkDir(storage, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fs.SkipDir // it cannot be read here
		case entry.IsDir():
			if info, err := entry.Info(); path != storage && err == nil && !others.may(1, info) {
				return fs.SkipDir
			}
		case filepath.Ext(path) == ".key" && isExposed(path):
			found = path
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// RSAOnly returns a warning for each certificate whose names have none with another kind
// of key. Windows 7, 8 and 8.1 know no cipher suite with an RSA key, ephemeral key
// exchange by elliptic curves and authenticated encryption, and know two with ECDSA
// (Microsoft, "TLS Cipher Suites in Windows 7" and "… 8.1"). Outlook there uses them.
func (l *Loaded) RSAOnly() (warnings []fault.Fault) {
	if l.Config.TLS == nil {
		return nil
	}
	elliptic := map[string]bool{} // names with a certificate of another kind
	var rsaNames [][]string
	for _, pair := range l.Config.TLS.Certificates {
		var names []string
		if chain, err := certfile.Certificates(pair.Certificate); err == nil {
			names = chain[0].DNSNames
			if _, isRSA := chain[0].PublicKey.(*rsa.PublicKey); !isRSA {
				for _, name := range names {
					elliptic[strings.ToLower(name)] = true
				}
				names = nil
			}
		}
		rsaNames = append(rsaNames, names)
	}
	for i, names := range rsaNames {
		alone := slices.DeleteFunc(names, func(name string) bool { return elliptic[strings.ToLower(name)] })
		if len(alone) > 0 {
			warnings = append(warnings, l.Config.Fault(fmt.Sprintf("tls.certificates[%d]", i), fmt.Errorf(
				"has an RSA key, and no other certificate has %s: Outlook on Windows 7, 8 and 8.1 cannot connect, "+
					"because Windows 10 is the first that has a cipher suite for it; add one with an ECDSA key",
				alone[0])))
		}
	}
	return warnings
}
