//go:build unix

package certstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"

	"signpost/internal/sources/rig"
)

const day = 24 * time.Hour

// issued returns the parts of a certificate that is valid from and until these times from now, by
// how their keys end.
func issued(t *testing.T, name string, from, until time.Duration) map[string]string {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := certmagic.PEMEncodePrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		".crt":  string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		".key":  string(key),
		".json": `{"sans": ["` + name + `"], "issuer_data": {"url": "https://acme.example/` + rand.Text() + `"}}`,
	}
}

// oldStorage is a directory as certmagic writes it.
type oldStorage struct {
	t *testing.T
	*certmagic.FileStorage
}

func newOldStorage(t *testing.T) oldStorage {
	return oldStorage{t, &certmagic.FileStorage{Path: t.TempDir()}}
}

// put writes values whose keys begin in the same way.
func (o oldStorage) put(base string, values map[string]string) {
	o.t.Helper()
	for end, value := range values {
		if err := o.Store(o.t.Context(), base+end, []byte(value)); err != nil {
			o.t.Fatal(err)
		}
	}
}

// store writes them into a database, as a machine does.
func store(t *testing.T, s *Store, base string, values map[string]string) {
	t.Helper()
	for _, end := range []string{".key", ".crt", ".json"} {
		if err := s.Store(t.Context(), base+end, []byte(values[end])); err != nil {
			t.Fatal(err)
		}
	}
}

// wantParts checks that a machine has these values.
func wantParts(t *testing.T, s *Store, base string, values map[string]string) {
	t.Helper()
	for end, want := range values {
		if got, err := s.Load(t.Context(), base+end); err != nil || string(got) != want {
			t.Errorf("Load(%q) after the copying = %q, %v; want %q", base+end, got, err, want)
		}
	}
}

// TestCopy copies a directory with everything that can stand in one, while another machine uses
// the database, and once more.
func TestCopy(t *testing.T) {
	onEach(t, func(t *testing.T, d *rig.Database) {
		one, _ := seals(t)
		machine := open(t, d, one)
		old := newOldStorage(t)
		valid := func(name string) map[string]string { return issued(t, name, -day, day) }

		// Copied.
		good, other, wildcard := valid("good.example"), valid("good.example"), valid("*.good.example")
		replaced, repaired, revived := valid("older.example"), valid("repaired.example"), valid("revived.example")
		account := map[string]string{".json": `{"status": "valid"}`, ".key": good[".key"]}
		old.put(site("good.example"), good)
		old.put("certificates/another/good.example/good.example", other)
		old.put(site("wildcard_.good.example"), wildcard)
		old.put(site("older.example"), replaced)
		old.put(site("repaired.example"), repaired)
		old.put(site("revived.example"), revived)
		old.put("acme/authority/users/anna.x@good.example/anna.x", account)
		old.put("acme/another/users/default/default", account)
		store(t, machine, site("older.example"), issued(t, "older.example", -2*day, 2*day))
		store(t, machine, site("repaired.example"), map[string]string{".crt": "damaged"})
		store(t, machine, site("revived.example"), issued(t, "revived.example", -time.Hour, -time.Minute))

		// Left.
		newer, present := issued(t, "newer.example", -time.Hour, time.Hour), valid("same.example")
		registered := map[string]string{".json": `{"status": "new"}`, ".key": newer[".key"]}
		ordered := issued(t, "ordered.example", -2*day, 2*day)
		old.put(site("expired.example"), issued(t, "expired.example", -2*day, -day))
		old.put(site("newer.example"), valid("newer.example"))
		old.put(site("same.example"), present)
		old.put(site("ordered.example"), valid("ordered.example"))
		old.put("acme/authority/users/berit@good.example/berit", account)
		store(t, machine, site("newer.example"), newer)
		store(t, machine, site("same.example"), present)
		store(t, machine, site("ordered.example"), ordered)
		for end, value := range registered {
			if err := machine.Store(t.Context(), "acme/authority/users/berit@good.example/berit"+end, []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		if err := machine.Lock(t.Context(), lockOf(site("ordered.example")[:len("certificates/authority/ordered.example")])); err != nil {
			t.Fatal(err)
		}
		ours := []string{"signpost/orders.json", "last_clean.json", "locks/issue_cert_x.lock", ".DS_Store",
			"acme/authority/challenge_tokens/x.example.json", "certificates/authority/.DS_Store", "ocsp/x"}
		for _, key := range ours {
			old.put(key, map[string]string{"": "{}"})
		}
		for _, key := range []string{site("missing.example"), site("folder.example")} {
			if err := os.MkdirAll(filepath.Dir(old.Filename(key)), 0o700); err != nil {
				t.Fatal(err)
			}
		}

		// Reported.
		bad := map[string]string{} // what is reported: why
		spoil := func(name, end, value, reason string) {
			all := valid(name)
			all[end] = value
			old.put(site(name), all)
			file := end
			if reason == "private key does not match public key" {
				file = ".crt"
			}
			bad[site(name)+file] = reason
		}
		spoil("cut.example", ".crt", "-----BEGIN", "failed to find any PEM data in certificate input")
		spoil("mixed.example", ".key", good[".key"], "private key does not match public key")
		spoil("meta.example", ".json", "{", "it is damaged")
		spoil("large.example", ".crt", strings.Repeat("\n", maxFile+1), "it is larger than 1 MiB")
		spoil("pipe.example", ".key", "", "it is not a regular file")
		pipe := old.Filename(site("pipe.example") + ".key")
		if err := errors.Join(os.Remove(pipe), syscall.Mkfifo(pipe, 0o600)); err != nil {
			t.Fatal(err)
		}
		spoil("half.example", ".key", "", "file does not exist")
		if err := os.Remove(old.Filename(site("half.example") + ".key")); err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("a.", 120) + "example"
		old.put("certificates/"+long+"/"+long+"/"+long, valid("long.example"))
		bad["certificates/"+long+"/"+long+"/"+long] = errName.Error()
		old.put("certificates/authority/A b/A b", valid("odd.example"))
		bad["certificates/authority/A b"] = errName.Error()
		old.put("acme/authority/users/carl@good.example/carl", map[string]string{".json": "{}", ".key": "{}"})
		bad["acme/authority/users/carl@good.example/carl.key"] = "it is damaged"
		old.put("acme/authority/users/dora@good.example/dora", map[string]string{".json": "", ".key": good[".key"]})
		bad["acme/authority/users/dora@good.example/dora.json"] = "it is damaged"

		options := Options{Database: d.URL, PasswordFile: d.PasswordFile, SealFile: rig.Write(t, t.TempDir(), "seal", sealOne)}
		wants := []Copied{
			{Certificates: 6, Accounts: 2, Expired: 1, There: 3, Ordered: 1, Unusable: len(bad)},
			{Expired: 1, There: 11, Ordered: 1, Unusable: len(bad)},
		}
		for run, want := range wants {
			reported := map[string]string{}
			got, err := Copy(t.Context(), options, old.Path, func(file string, reason error) {
				reported[strings.TrimPrefix(filepath.ToSlash(file), old.Path+"/")] = reason.Error()
			})
			if err != nil || got != want {
				t.Errorf("Copy, run %d = %+v, %v; want %+v", run+1, got, err, want)
			}
			for key, reason := range bad {
				if reported[key] != reason {
					t.Errorf("Copy, run %d, reports of %s %q, want %q", run+1, key, reported[key], reason)
				}
			}
			if len(reported) != len(bad) {
				t.Errorf("Copy, run %d, reports %d files, want %d: %q", run+1, len(reported), len(bad), reported)
			}
		}
		for base, values := range map[string]map[string]string{
			site("good.example"): good, "certificates/another/good.example/good.example": other,
			site("wildcard_.good.example"): wildcard, site("older.example"): replaced,
			site("repaired.example"): repaired, site("revived.example"): revived, site("newer.example"): newer,
			site("same.example"): present, site("ordered.example"): ordered,
			"acme/authority/users/anna.x@good.example/anna.x": account, "acme/another/users/default/default": account,
			"acme/authority/users/berit@good.example/berit": registered,
		} {
			wantParts(t, machine, base, values)
		}
		keys, err := machine.List(t.Context(), "", true)
		if want := 9*3 + 3*2 + 1; err != nil || len(keys) != want { // with the proof
			t.Errorf("the database has %d keys, want %d: %v\n%s", len(keys), want, err, strings.Join(keys, "\n"))
		}
		open, err := machine.rows(t.Context(),
			"SELECT name FROM signpost_certificates WHERE name LIKE '%.key' AND value LIKE '0:%'")
		if err != nil || len(open) > 0 {
			t.Errorf("private keys that are not sealed: %v, %v", open, err)
		}
	})
}

// TestCopyMeanwhile has a machine store a newer certificate just before the copying writes one.
// The newer one stays, as a whole.
func TestCopyMeanwhile(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	machine := open(t, d, nil)
	for name, before := range map[string]string{
		"absent.example": "INSERT INTO signpost_certificates", "older.example": "INSERT INTO signpost_leases",
	} {
		old := newOldStorage(t)
		old.put(site(name), issued(t, name, -day, day))
		if name == "older.example" {
			store(t, machine, site(name), issued(t, name, -2*day, day))
		}
		newest := issued(t, name, -time.Hour, day)
		h := hook(t, d)
		var statements []string
		h.set(func(statement string) error {
			if strings.HasPrefix(statement, before) && !slices.Contains(statements, before) {
				statements = append(statements, before)
				store(t, machine, site(name), newest)
			}
			return nil
		})
		c := copying{Store: newStore(h, h, nil, slog.New(slog.DiscardHandler), quick), dir: old.Path}
		if err := c.copyAll(t.Context()); err != nil || c.done != (Copied{There: 1}) || len(statements) == 0 {
			t.Errorf("%s: the copying = %+v, %v; want one that is there", name, c.done, err)
		}
		wantParts(t, machine, site(name), newest)
		if ok, err := machine.TryLock(t.Context(), lockOf(path.Dir(site(name)))); !ok || err != nil {
			t.Errorf("%s: TryLock after the copying = %t, %v; want true", name, ok, err)
		}
	}
}

// TestCopyFails copies an empty directory, with a wrong key, and while the database goes away.
func TestCopyFails(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	options := Options{Database: d.URL, PasswordFile: d.PasswordFile}
	if err := open(t, d, nil).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	options.SealFile = rig.Write(t, t.TempDir(), "seal", sealOne)
	if got, err := Copy(t.Context(), options, t.TempDir(), nil); err != nil || got != (Copied{}) {
		t.Errorf("Copy of an empty directory = %+v, %v; want nothing", got, err)
	}
	options.SealFile = rig.Write(t, t.TempDir(), "seal", sealTwo)
	if _, err := Copy(t.Context(), options, t.TempDir(), nil); !errors.Is(err, errWrongSeal) {
		t.Errorf("Copy with another key: %v, want %v", err, errWrongSeal)
	}
	old := newOldStorage(t)
	old.put(site("a.example"), issued(t, "a.example", -day, day))
	old.put(site("b.example"), issued(t, "b.example", -day, day))
	h := hook(t, d)
	h.set(func(statement string) error {
		if strings.HasPrefix(statement, "INSERT") {
			h.goAway(true)
		}
		return nil
	})
	c := copying{Store: newStore(h, h, nil, slog.New(slog.DiscardHandler), quick), dir: old.Path}
	if err := c.copyAll(t.Context()); !errors.Is(err, errGone) || c.done != (Copied{Certificates: 1}) {
		t.Errorf("the copying while the database goes away = %+v, %v; want one certificate and %v", c.done, err, errGone)
	}
}
