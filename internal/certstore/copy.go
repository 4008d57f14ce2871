package certstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"

	"signpost/internal/fault"
	"signpost/internal/regular"
)

// Copied counts what Copy found in a directory.
type Copied struct {
	Certificates, Accounts int // that were copied
	Expired                int // certificates that have expired
	There                  int // what the database has already: the same, or a newer one
	Ordered                int // certificates that a machine orders now
	Unusable               int // what was reported
}

// Copy copies the certificates and the accounts of ACME servers from a storage directory of
// certmagic into the database, each as a whole or not at all, and seals private keys if there is
// a key for that. What has expired is left out, and what the database has already, in the same
// version or a newer one. Locks, challenges and what is counted belong to the machines that use the
// directory, and are left out, too. Machines may use the directory and the database meanwhile.
//
// A file or directory that cannot be used is reported, and the rest is copied. The error is the
// database's; then the rest is not copied.
func Copy(ctx context.Context, o Options, dir string, report func(file string, reason error)) (Copied, error) {
	key, err := readSeal(o.SealFile)
	if err != nil {
		return Copied{}, sealError(err)
	}
	tables, err := o.open(1)
	if err != nil {
		return Copied{}, err
	}
	defer tables.Close()
	c := copying{
		Store: newStore(tables, tables, key, slog.New(slog.DiscardHandler), defaultTimes),
		dir:   dir, report: report,
	}
	if err := c.Check(ctx); err != nil {
		return Copied{}, err
	}
	err = c.copyAll(ctx)
	return c.done, err
}

// copying is a run of Copy.
type copying struct {
	*Store
	dir    string
	report func(file string, reason error)
	done   Copied
}

// copyAll copies the accounts first: a machine that finds none registers another one.
func (c *copying) copyAll(ctx context.Context) error {
	for _, issuer := range c.directories("acme") {
		for _, account := range c.directories(path.Join(issuer, "users")) {
			if err := c.copyAccount(ctx, account); err != nil {
				return err
			}
		}
	}
	for _, issuer := range c.directories("certificates") {
		for _, site := range c.directories(issuer) {
			if err := c.copyCertificate(ctx, site); err != nil {
				return err
			}
		}
	}
	return nil
}

var errName = errors.New("certmagic gives no directory this name")

// directories returns the keys of the directories below a key.
func (c *copying) directories(parent string) (keys []string) {
	entries, err := os.ReadDir(c.filename(parent))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.unusable(parent, err)
	}
	for _, entry := range entries {
		key := path.Join(parent, entry.Name())
		switch name := entry.Name(); {
		case entry.Type().IsRegular():
		case certmagic.StorageKeys.Safe(name) != name:
			c.unusable(key, errName)
		default:
			keys = append(keys, key)
		}
	}
	return keys
}

func (c *copying) filename(key string) string { return filepath.Join(c.dir, filepath.FromSlash(key)) }

func (c *copying) unusable(key string, reason error) {
	c.done.Unusable++
	c.report(c.filename(key), fault.WithoutPath(reason))
}

const (
	// maxFile is far above the size of a certificate with its chain.
	maxFile = 1 << 20
	// maxBase is a little less than a key may have in the tables.
	maxBase = 690
)

// readFiles returns the files whose keys begin in the same way, by how they end. It returns nil if
// there are none, or if it has reported one that cannot be read.
func (c *copying) readFiles(base string, ends ...string) map[string][]byte {
	if len(base) > maxBase {
		c.unusable(base, errName)
		return nil
	}
	values := map[string][]byte{}
	var missing []string
	for _, end := range ends {
		value, err := regular.Read(c.filename(base+end), maxFile)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, base+end)
		case err != nil:
			c.unusable(base+end, err)
			return nil
		}
		values[end] = value
	}
	switch len(missing) {
	case 0:
		return values
	case len(ends): // as after a removal
	default:
		c.unusable(missing[0], fs.ErrNotExist)
	}
	return nil
}

// partsOf returns values as they are written.
func (c *copying) partsOf(base string, values map[string][]byte) parts {
	p := parts{}
	for end, value := range values {
		p[base+end] = c.encode(base+end, value)
	}
	return p
}

// copyAccount copies an account of an ACME server, unless the database has one of this user.
func (c *copying) copyAccount(ctx context.Context, directory string) error {
	name, _, _ := strings.Cut(path.Base(directory), "@") // ACMEIssuer.storageSafeUserKey
	base := path.Join(directory, name)
	values := c.readFiles(base, ".json", ".key")
	if values == nil {
		return nil
	}
	if !json.Valid(values[".json"]) {
		c.unusable(base+".json", errDamaged)
		return nil
	}
	if _, err := certmagic.PEMDecodePrivateKey(values[".key"]); err != nil {
		c.unusable(base+".key", errDamaged)
		return nil
	}
	from, to := below(directory)
	there, err := c.rows(ctx, "SELECT name FROM signpost_certificates WHERE name > ? AND name < ?", from, to)
	if err != nil {
		return err
	}
	if len(there) > 0 {
		c.done.There++
		return nil
	}
	// A machine that registers one now writes all parts, whatever is there.
	if _, err := c.add(ctx, c.partsOf(base, values)); err != nil {
		return err
	}
	c.done.Accounts++
	return nil
}

var errDamaged = errors.New("it is damaged")

// copyCertificate copies a certificate with its key and what certmagic knows about it.
func (c *copying) copyCertificate(ctx context.Context, site string) error {
	base := path.Join(site, path.Base(site))
	values := c.readFiles(base, ".crt", ".json", ".key")
	if values == nil {
		return nil
	}
	if err := json.Unmarshal(values[".json"], &certmagic.CertificateResource{}); err != nil {
		c.unusable(base+".json", errDamaged)
		return nil
	}
	pair, err := tls.X509KeyPair(values[".crt"], values[".key"])
	if err != nil {
		c.unusable(base+".crt", errors.New(strings.TrimPrefix(err.Error(), "tls: ")))
		return nil
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		c.done.Expired++
		return nil
	}
	counted, err := c.put(ctx, site, pair.Leaf, c.partsOf(base, values))
	if err == nil {
		*counted++
	}
	return err
}

// put writes a certificate, unless the database has it or a newer one. It returns what the
// certificate counts for.
func (c *copying) put(ctx context.Context, site string, leaf *x509.Certificate, p parts) (counted *int, err error) {
	there, err := c.compare(ctx, site, leaf)
	switch {
	case err != nil || there == newer:
		return &c.done.There, err
	case there == absent:
		if added, err := c.add(ctx, p); added || err != nil {
			return &c.done.Certificates, err
		}
	}
	// While this process has the lock of its order, no machine stores another one.
	taken, err := c.TryLock(ctx, lockOf(site))
	if err != nil || !taken {
		return &c.done.Ordered, err
	}
	defer c.Unlock(context.WithoutCancel(ctx), lockOf(site))
	if there, err = c.compare(ctx, site, leaf); err != nil || there == newer {
		return &c.done.There, err
	}
	return &c.done.Certificates, c.write(ctx, p)
}

// standing says how a certificate in the database compares to another one.
type standing int

const (
	absent standing = iota
	older           // or it has expired, or cannot be used
	newer           // or the same
)

// compare says how the certificate of a site in the database compares to another one.
func (c *copying) compare(ctx context.Context, site string, other *x509.Certificate) (standing, error) {
	key := chainOf(site)
	rows, err := c.rows(ctx, "SELECT value FROM signpost_certificates WHERE name = ?", key)
	if err != nil || len(rows) == 0 {
		return absent, err
	}
	value, err := c.decode(key, rows[0][0])
	if err != nil {
		return older, nil
	}
	block, _ := pem.Decode(value)
	if block == nil {
		return older, nil
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil || leaf.NotBefore.Before(other.NotBefore) || time.Now().After(leaf.NotAfter) {
		return older, nil
	}
	return newer, nil
}

// add writes values whose keys are not there yet. It reports whether none of them was.
func (c *copying) add(ctx context.Context, values parts) (bool, error) {
	list, args := c.listOf(values)
	changed, err := c.exec(ctx, c.insert("signpost_certificates (name, value, modified) VALUES "+list), args...)
	return int(changed) == len(values), err
}
