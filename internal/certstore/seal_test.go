package certstore

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/sqldb"
)

const (
	sealOne = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"
	sealTwo = "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"
)

// sealOf returns the keys of a file with these lines.
func sealOf(t *testing.T, lines ...string) *seal {
	t.Helper()
	s, err := readSeal(rig.Write(t, t.TempDir(), "seal", strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// seals returns two keys.
func seals(t *testing.T) (one, two *seal) {
	t.Helper()
	return sealOf(t, sealOne), sealOf(t, sealTwo)
}

// testLog collects the lines of a log.
type testLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *testLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func (l *testLog) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// TestSealLater configures a key when private keys were stored already. They are sealed at the
// next start, those of session tickets are deleted, and from then on nobody can put one into the
// database who does not know the key.
func TestSealLater(t *testing.T) {
	onEach(t, func(t *testing.T, d *rig.Database) {
		one, _ := seals(t)
		without := open(t, d, nil)
		storeCertificate(t, without, "x.example", "x")
		for _, key := range []string{"acme/a/users/u/u.key", "signpost/tickets.key"} {
			if err := without.Store(t.Context(), key, []byte("secret")); err != nil {
				t.Fatal(err)
			}
		}
		a := open(t, d, one)
		eventually(t, "all keys are sealed", func() bool {
			rows, err := without.rows(t.Context(),
				"SELECT name FROM signpost_certificates WHERE name LIKE '%.key' AND value LIKE '0:%'")
			return err == nil && len(rows) == 0
		})
		wantCertificate(t, a, "x.example", "x")
		if !loads(a, "acme/a/users/u/u.key", "secret")() || a.Exists(t.Context(), "signpost/tickets.key") {
			t.Error("the account's key is lost, or the keys of session tickets are not")
		}
		eventually(t, "keys must be sealed", func() bool { return a.mustBeSealed("x.key") })
		for _, key := range []string{site("x.example") + ".key", "acme/a/users/u/u.key", "signpost/tickets.key"} {
			if err := without.write(t.Context(), parts{key: "0:Zm9yZ2Vk"}); err != nil {
				t.Fatal(err)
			}
			if got, err := a.Load(t.Context(), key); !errors.Is(err, errNotSealed) {
				t.Errorf("Load(%q) of what somebody without the key wrote = %q, %v; want %v",
					key, got, err, errNotSealed)
			}
		}
	})
}

// TestProof starts machines with different keys at the same time: those with one of the keys can
// use the database, those with the other cannot.
func TestProof(t *testing.T) {
	onEach(t, func(t *testing.T, d *rig.Database) {
		one, two := seals(t)
		var group sync.WaitGroup
		usable := make([]bool, 6)
		for i := range usable {
			s := open(t, d, []*seal{one, two}[i%2])
			group.Go(func() { usable[i] = s.Check(t.Context()) == nil && !s.Away() })
		}
		group.Wait()
		for i := range usable {
			if usable[i] != usable[i%2] || usable[0] == usable[1] {
				t.Fatalf("of machines with two keys in turn these can use the database: %v; want those with one key",
					usable)
			}
		}
	})
}

// TestUnsealedProof has somebody write a proof without the key.
func TestUnsealedProof(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	one, _ := seals(t)
	if err := open(t, d, nil).write(t.Context(), parts{proofKey: "0:c2lnbnBvc3QK"}); err != nil {
		t.Fatal(err)
	}
	if err := open(t, d, one).Check(t.Context()); !errors.Is(err, errNotSealed) {
		t.Errorf("Check with a proof that is not sealed: %v, want %v", err, errNotSealed)
	}
}

// TestWrongSealLater starts with the wrong key while the database is away. When it is there, the
// machine says what is wrong, once, and does nothing.
func TestWrongSealLater(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	one, two := seals(t)
	if err := open(t, d, one).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := &testLog{}
	h := hook(t, d)
	h.goAway(true)
	s := start(h, h, two, log.logger(), quick)
	t.Cleanup(func() { s.Close() })
	if err := s.Check(t.Context()); !sqldb.IsAway(err) || !errors.Is(s.Ready(), errUnreached) {
		t.Fatalf("Check while the database is away: %v; Ready() = %v, want %v", err, s.Ready(), errUnreached)
	}
	h.goAway(false)
	eventually(t, "the machine knows that its key is wrong",
		func() bool { return errors.Is(s.Ready(), errWrongSeal) })
	if err := s.Check(t.Context()); !errors.Is(err, errWrongSeal) || !s.Away() {
		t.Errorf("Check = %v, Away() = %t; want %v, true", err, s.Away(), errWrongSeal)
	}
	if got := log.count("cannot be used"); got != 1 {
		t.Errorf("the log says %d times that the store cannot be used, want once", got)
	}
}

// TestProbe looks at a database before Signpost has used it, and with the right key and others.
// It writes nothing.
func TestProbe(t *testing.T) {
	onEach(t, func(t *testing.T, d *rig.Database) {
		options := func(seal string) Options {
			o := Options{Database: d.URL, PasswordFile: d.PasswordFile}
			if seal != "" {
				o.SealFile = rig.Write(t, t.TempDir(), "seal", seal)
			}
			return o
		}
		if _, err := Probe(t.Context(), options(sealOne)); err != nil {
			t.Errorf("Probe of an empty database: %v", err)
		}
		if _, err := hook(t, d).Rows(t.Context(), "SELECT name FROM signpost_certificates"); !sqldb.IsMissing(err) {
			t.Errorf("a query after Probe: %v, want no table", err)
		}
		one, _ := seals(t)
		s := open(t, d, one)
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Close() // it would make the tables again
		for seal, ok := range map[string]bool{sealOne: true, sealTwo: false, "": false} {
			if _, err := Probe(t.Context(), options(seal)); (err == nil) != ok {
				t.Errorf("Probe with the seal %q: %v, want success: %t", seal, err, ok)
			}
		}
		o := options(sealOne)
		o.PasswordFile = rig.Write(t, t.TempDir(), "password", "wrong\n")
		if _, err := Probe(t.Context(), o); err == nil {
			t.Error("Probe with a wrong password: no error")
		}
	})
}
