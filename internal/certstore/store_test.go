package certstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// quick are times for tests.
var quick = times{lease: 1500 * time.Millisecond, renew: 500 * time.Millisecond, keepEvery: 50 * time.Millisecond,
	listen: 500 * time.Millisecond, settle: time.Second, retry: 200 * time.Millisecond, seal: 300 * time.Millisecond}

// newDatabase makes a database whose user may create tables in it.
func newDatabase(t *testing.T, server *rig.Server) *rig.Database {
	t.Helper()
	d := server.Empty(t)
	if server.Scheme == "mysql" {
		for _, machine := range []string{"'127.0.0.1'", "localhost"} {
			d.Run(t, fmt.Sprintf("GRANT ALL ON %s.* TO %s@%s; ALTER USER %[2]s@%[3]s WITH MAX_USER_CONNECTIONS 0;",
				d.Name, d.User, machine))
		}
	} else {
		d.Run(t, fmt.Sprintf("GRANT CREATE ON SCHEMA public TO %s; ALTER ROLE %[1]s RESET ALL; "+
			"ALTER ROLE %[1]s CONNECTION LIMIT -1;", d.User))
	}
	return d
}

// open opens the storage in a database, as one machine does.
func open(t *testing.T, d *rig.Database, key *seal) *Store {
	t.Helper()
	s, _ := openHooked(t, d, key, slog.New(slog.DiscardHandler))
	return s
}

// onEach runs a test with each kind of database.
func onEach(t *testing.T, test func(t *testing.T, d *rig.Database)) {
	for name, database := range map[string]func(*testing.T) *rig.Database{
		"PostgreSQL": func(t *testing.T) *rig.Database { return newDatabase(t, rig.PostgreSQL(t)) },
		"MariaDB":    func(t *testing.T) *rig.Database { return newDatabase(t, rig.MariaDB(t)) },
		"PgBouncer": func(t *testing.T) *rig.Database {
			return rig.PgBouncer(t, newDatabase(t, rig.PostgreSQL(t)))[0]
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, database(t))
		})
	}
}

func TestStorage(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *rig.Database) {
		ctx := t.Context()
		a, b := open(t, d, nil), open(t, d, nil)
		if _, err := a.Load(ctx, "x/y"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Load of nothing: %v, want fs.ErrNotExist", err)
		}
		if _, err := a.List(ctx, "x", true); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("List of nothing: %v, want fs.ErrNotExist", err)
		}
		values := map[string]string{
			"x/y/one.crt": "a certificate\x00\xff", "x/y/one.key": "a key", "x/two": "", "x-y/three": "3", "x0": "4",
		}
		for key, value := range values {
			for range 2 { // overwritten
				if err := a.Store(ctx, key, []byte(value)); err != nil {
					t.Fatalf("Store(%q): %v", key, err)
				}
			}
		}
		for key, value := range values {
			got, err := b.Load(ctx, key)
			if err != nil || string(got) != value {
				t.Errorf("Load(%q) at another machine = %q, %v; want %q", key, got, err, value)
			}
			info, err := b.Stat(ctx, key)
			if err != nil || info.Size != int64(len(value)) || !info.IsTerminal ||
				time.Since(info.Modified).Abs() > time.Minute {
				t.Errorf("Stat(%q) = %+v, %v", key, info, err)
			}
		}
		for _, c := range []struct {
			prefix    string
			recursive bool
			want      string
		}{
			{"x", true, "x/two x/y/one.crt x/y/one.key"}, {"x", false, "x/two x/y"}, {"x/y", false, "x/y/one.crt x/y/one.key"},
			{"", false, "x x-y x0"},
		} {
			keys, err := b.List(ctx, c.prefix, c.recursive)
			slices.Sort(keys)
			if got := strings.Join(keys, " "); err != nil || got != c.want {
				t.Errorf("List(%q, %t) = %q, %v; want %q", c.prefix, c.recursive, got, err, c.want)
			}
		}
		if info, err := b.Stat(ctx, "x/y"); err != nil || info.IsTerminal {
			t.Errorf("Stat of a prefix = %+v, %v", info, err)
		}
		if !b.Exists(ctx, "x/y") || !b.Exists(ctx, "x0") || b.Exists(ctx, "x/t") {
			t.Error("Exists is wrong")
		}
		if err := b.Delete(ctx, "x"); err != nil {
			t.Fatal(err)
		}
		if keys, err := a.List(ctx, "", true); err != nil || strings.Join(keys, " ") != "x-y/three x0" {
			t.Errorf("after Delete of a prefix there are %q, %v", keys, err)
		}
		if err := b.Delete(ctx, "never"); err != nil {
			t.Errorf("Delete of nothing: %v", err)
		}
	})
}

func TestLocks(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *rig.Database) {
		var holders, most, turns atomic.Int32
		var group sync.WaitGroup
		for range 3 {
			s := open(t, d, nil)
			for range 4 {
				group.Go(func() {
					for range 3 {
						if err := s.Lock(t.Context(), "issue_cert_a.example"); err != nil {
							t.Errorf("Lock: %v", err)
							return
						}
						most.Store(max(most.Load(), holders.Add(1)))
						time.Sleep(5 * time.Millisecond)
						holders.Add(-1)
						turns.Add(1)
						if err := s.Unlock(t.Context(), "issue_cert_a.example"); err != nil {
							t.Errorf("Unlock: %v", err)
						}
					}
				})
			}
		}
		group.Wait()
		if most.Load() != 1 || turns.Load() != 36 {
			t.Errorf("%d had the lock at the same time, want 1; %d turns, want 36", most.Load(), turns.Load())
		}
	})
}

func TestLeases(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *rig.Database) {
		dead, other := open(t, d, nil), open(t, d, nil)
		if ok, err := dead.TryLock(t.Context(), "a"); !ok || err != nil {
			t.Fatalf("TryLock = %t, %v", ok, err)
		}
		// While its machine lives, a lock lasts.
		time.Sleep(2 * quick.lease)
		if ok, err := other.TryLock(t.Context(), "a"); ok || err != nil {
			t.Fatalf("TryLock of a lock that is renewed = %t, %v; want false", ok, err)
		}
		dead.cancel() // it renews no more
		dead.work.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := other.Lock(ctx, "a"); err != nil {
			t.Fatalf("Lock after the other machine died: %v", err)
		}
		if took := time.Since(began); took > quick.lease+5*time.Second {
			t.Errorf("the lock of a dead machine ended after %v, want about %v", took, quick.lease)
		}
		// It notices that the lock is another's by now, and does not take it away.
		if err := dead.RenewLockLease(t.Context(), "a", 0); !errors.Is(err, errLost) {
			t.Errorf("RenewLockLease of a lock that was lost: %v, want %v", err, errLost)
		}
		if err := dead.Unlock(t.Context(), "a"); err != nil {
			t.Errorf("Unlock of a lock that was lost: %v", err)
		}
		if ok, err := open(t, d, nil).TryLock(t.Context(), "a"); ok || err != nil {
			t.Errorf("TryLock = %t, %v; want false, because the second machine has it", ok, err)
		}
	})
}

func TestAway(t *testing.T) {
	server := rig.PostgreSQL(t)
	d := newDatabase(t, server)
	a, b := open(t, d, nil), open(t, d, nil)
	ctx := t.Context()
	for _, s := range []*Store{a, b} {
		if err := s.Check(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := a.TryLock(ctx, "issue_cert_a.example"); !ok || err != nil {
		t.Fatalf("TryLock = %t, %v", ok, err)
	}
	server.Stop()
	storeCertificate(t, a, "a.example", "issued")
	wantCertificate(t, a, "a.example", "issued")
	if err := a.Unlock(ctx, "issue_cert_a.example"); err != nil {
		t.Errorf("Unlock while the database is away: %v", err)
	}
	if _, err := b.Load(ctx, site("a.example")+".crt"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load at another machine = %v, which must not be taken for no", err)
	}
	if err := b.Lock(ctx, "issue_cert_a.example"); err == nil {
		t.Error("there is a lock while the database is away")
	}
	time.Sleep(quick.lease) // the lease is over
	server.Start(t)
	if err := b.Lock(ctx, "issue_cert_a.example"); err != nil {
		// The first statement may meet a connection that is dead.
		err = b.Lock(ctx, "issue_cert_a.example")
		if err != nil {
			t.Fatalf("Lock after the database is back: %v", err)
		}
	}
	wantCertificate(t, b, "a.example", "issued") // who has the lock next finds what was kept
}

func TestSealed(t *testing.T) {
	d := newDatabase(t, rig.PostgreSQL(t))
	file := func(text string) string { return rig.Write(t, t.TempDir(), "key", text+"\n") }
	one, two := seals(t)
	a, other, without := open(t, d, one), open(t, d, two), open(t, d, nil)
	const private = "-----BEGIN PRIVATE KEY-----"
	for _, key := range []string{"n/n.key", "n/n.crt"} {
		if err := a.Store(t.Context(), key, []byte(private)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := a.Load(t.Context(), "n/n.key"); err != nil || string(got) != private {
		t.Errorf("Load = %q, %v", got, err)
	}
	if got, err := without.Load(t.Context(), "n/n.crt"); err != nil || string(got) != private {
		t.Errorf("Load of a certificate without a key = %q, %v", got, err)
	}
	for what, s := range map[string]*Store{"another key": other, "no key": without} {
		if got, err := s.Load(t.Context(), "n/n.key"); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Load with %s = %q, %v; want an error", what, got, err)
		}
	}
	// A sealed key in the place of another is refused.
	d.Run(t, "INSERT INTO signpost_certificates SELECT 'm/m.key', value, modified FROM signpost_certificates WHERE name = 'n/n.key';")
	if _, err := a.Load(t.Context(), "m/m.key"); !errors.Is(err, errWrongSeal) {
		t.Errorf("Load of another name's key: %v, want %v", err, errWrongSeal)
	}
	d.Run(t, "UPDATE signpost_certificates SET value = '1' WHERE name = 'n/n.key';")
	if _, err := a.Load(t.Context(), "n/n.key"); err == nil {
		t.Error("a damaged value is no error")
	}
	for _, text := range []string{"short", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5", "!"} {
		if _, err := readSeal(file(text)); err == nil {
			t.Errorf("readSeal of %q: no error", text)
		}
	}
}
