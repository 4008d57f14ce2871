package certstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/sqldb"
)

// TestOnlyCertificatesWait writes while the database is away. What others may change at the same
// time is not kept, so that it overwrites nothing later.
func TestOnlyCertificatesWait(t *testing.T) {
	a, b, h := pair(t)
	ctx := t.Context()
	keys := []string{"signpost/orders.json", "signpost/tickets.key", "acme/a/users/u/u.json", "rw_test_1",
		"last_clean.json"}
	h.goAway(true)
	for _, key := range keys {
		if err := a.Store(ctx, key, []byte("a's")); err == nil {
			t.Errorf("Store(%q) while the database is away: no error", key)
		}
		if err := a.Delete(ctx, key); err == nil {
			t.Errorf("Delete(%q) while the database is away: no error", key)
		}
		if ok, err := a.Swap(ctx, key, nil, []byte("a's")); ok || err == nil {
			t.Errorf("Swap(%q) while the database is away = %t, %v; want an error", key, ok, err)
		}
		if err := b.Store(ctx, key, []byte("b's")); err != nil {
			t.Fatal(err)
		}
	}
	h.goAway(false)
	eventually(t, "the database is back", func() bool { return !a.Away() })
	time.Sleep(4 * quick.keepEvery)
	for _, key := range keys {
		if got, err := b.Load(ctx, key); err != nil || string(got) != "b's" {
			t.Errorf("Load(%q) = %q, %v; want what the other machine has written", key, got, err)
		}
	}
}

// TestSwap has machines count together. No count is lost.
func TestSwap(t *testing.T) {
	onEach(t, func(t *testing.T, d *rig.Database) {
		ctx := t.Context()
		const key = "signpost/n"
		count := func(s *Store) (bool, error) {
			mine := rand.Text()[:8] + " "
			old, err := s.Load(ctx, key)
			if errors.Is(err, fs.ErrNotExist) {
				return s.Swap(ctx, key, nil, []byte(mine))
			} else if err != nil {
				return false, err
			}
			return s.Swap(ctx, key, old, append(bytes.Clone(old), mine...))
		}
		var group sync.WaitGroup
		for range 3 {
			s := open(t, d, nil)
			group.Go(func() {
				for done := 0; done < 10; {
					ok, err := count(s)
					if err != nil {
						t.Errorf("Swap: %v", err)
						return
					}
					if ok {
						done++
					}
				}
			})
		}
		group.Wait()
		s := open(t, d, nil)
		if got, err := s.Load(ctx, key); len(strings.Fields(string(got))) != 30 || err != nil {
			t.Errorf("3 machines that counted to 10 have written %q, %v; want 30 words", got, err)
		}
		if ok, err := s.Swap(ctx, key, []byte("y"), []byte("z")); ok || err != nil {
			t.Errorf("Swap of another value = %t, %v; want false", ok, err)
		}
	})
}

// TestSwapTwice checks that a swap whose statement was run twice says that it swapped.
func TestSwapTwice(t *testing.T) {
	a, _, h := pair(t)
	ctx := t.Context()
	for _, c := range []struct {
		old   []byte
		begin string
	}{{nil, "INSERT INTO signpost_certificates"}, {[]byte("one"), "UPDATE signpost_certificates"}} {
		value := []byte(map[bool]string{true: "one", false: "two"}[c.old == nil])
		h.set(func(statement string) error {
			if strings.HasPrefix(statement, c.begin) {
				h.goAway(false)
				a.Swap(ctx, "signpost/n", c.old, value) // the first time
			}
			return nil
		})
		if ok, err := a.Swap(ctx, "signpost/n", c.old, value); !ok || err != nil {
			t.Errorf("Swap from %q, the second time = %t, %v; want true", c.old, ok, err)
		}
	}
}

// TestLeaseBehindSlowWrites has many certificates wait for a slow database. The lock of an order
// is renewed all the same.
func TestLeaseBehindSlowWrites(t *testing.T) {
	a, b, h := pair(t)
	if ok, err := a.TryLock(t.Context(), "issue_cert_x.example"); !ok || err != nil {
		t.Fatalf("TryLock = %t, %v", ok, err)
	}
	h.goAway(true)
	for i := range 10 {
		storeCertificate(t, a, fmt.Sprintf("n%d.example", i), "kept")
	}
	h.set(func(statement string) error {
		if strings.HasPrefix(statement, "INSERT INTO signpost_certificates") {
			time.Sleep(300 * time.Millisecond)
		}
		return nil
	})
	for range 30 {
		if ok, err := b.TryLock(t.Context(), "issue_cert_x.example"); ok || err != nil {
			t.Fatalf("TryLock of a lock that another machine has = %t, %v; want false", ok, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	eventually(t, "what waited was written", loads(b, site("n9.example")+".json", "kept.json"))
}

// TestKeptLock gives a lock back while the certificate waits. Nobody gets it before the
// certificate is written, however long that takes; then it is free at once.
func TestKeptLock(t *testing.T) {
	a, b, h := pair(t)
	ctx := t.Context()
	if ok, err := a.TryLock(ctx, "issue_cert_x.example"); !ok || err != nil {
		t.Fatalf("TryLock = %t, %v", ok, err)
	}
	h.goAway(true)
	storeCertificate(t, a, "x.example", "kept")
	if err := a.Unlock(ctx, "issue_cert_x.example"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(quick.lease / 2)
	h.set(func(statement string) error {
		if strings.HasPrefix(statement, "INSERT INTO signpost_certificates") {
			return errGone // for longer than a lease and the time to settle
		}
		return nil
	})
	for end := time.Now().Add(2*quick.lease + quick.settle); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok, err := b.TryLock(ctx, "issue_cert_x.example"); ok || err != nil {
			t.Fatalf("TryLock while a certificate of the name waits = %t, %v; want false", ok, err)
		}
	}
	h.goAway(false)
	began := time.Now()
	if err := b.Lock(ctx, "issue_cert_x.example"); err != nil {
		t.Fatal(err)
	}
	wantCertificate(t, b, "x.example", "kept")
	if took := time.Since(began); took > quick.lease {
		t.Errorf("the lock was free %v after the certificate could be written, want at once", took)
	}
}

// TestLostLock takes the lock of an order away. Whoever has lost it is told, and does not
// overwrite what the other machine has stored.
func TestLostLock(t *testing.T) {
	t.Parallel()
	for _, inTime := range []bool{true, false} {
		d := newDatabase(t, rig.PostgreSQL(t))
		a, b := open(t, d, nil), open(t, d, nil)
		storeCertificate(t, b, "x.example", "before")
		time.Sleep(longer) // than a statement takes
		lost := make(chan struct{})
		ctx := a.OnLoss(t.Context(), sync.OnceFunc(func() { close(lost) }))
		if ok, err := a.TryLock(ctx, "issue_cert_x.example"); !ok || err != nil {
			t.Fatalf("TryLock = %t, %v", ok, err)
		}
		if inTime {
			storeCertificate(t, a, "x.example", "mine")
			wantCertificate(t, b, "x.example", "mine")
			continue
		}
		d.Run(t, "UPDATE signpost_leases SET owner = 'another';")
		storeCertificate(t, b, "x.example", "newer")
		select {
		case <-lost:
		case <-time.After(5 * time.Second):
			t.Error("nobody is told that the lock was lost")
		}
		storeCertificate(t, a, "x.example", "mine")
		wantCertificate(t, a, "x.example", "newer")
	}
}

// longer than a statement takes is between two certificates of a name, so that it is known which is
// the newer one.
const longer = 300 * time.Millisecond

// TestWholeCertificate renews a certificate while the database is away. Others see the one before
// or the new one, and never a key of one with the chain of the other.
func TestWholeCertificate(t *testing.T) {
	a, b, h := pair(t)
	storeCertificate(t, a, "x.example", "old")
	storeCertificate(t, a, "y.example", "old")
	for _, name := range []string{"x.example", "y.example"} {
		if err := a.Store(t.Context(), site(name)+".key", []byte("new.key")); err != nil {
			t.Fatal(err)
		}
		wantCertificate(t, b, name, "old")
	}
	h.goAway(true)
	time.Sleep(longer) // than a statement takes
	storeCertificate(t, a, "x.example", "new")
	storeCertificate(t, a, "y.example", "new")
	wantCertificate(t, b, "x.example", "old")
	storeCertificate(t, b, "y.example", "newer")
	// What certmagic learns meanwhile belongs to the certificate that waits.
	for _, name := range []string{"x.example", "y.example"} {
		if err := a.Store(t.Context(), site(name)+".json", []byte("new.json")); err != nil {
			t.Fatal(err)
		}
	}
	h.goAway(false)
	eventually(t, "the certificate was written", loads(b, site("x.example")+".key", "new.key"))
	wantCertificate(t, b, "x.example", "new")
	eventually(t, "nothing waits", func() bool { _, ok := a.keptPart(site("y.example") + ".key"); return !ok })
	wantCertificate(t, a, "y.example", "newer")
}

// TestUnconfirmed stores a certificate, of which the database does not say so. It is there, and is
// not taken for another machine's.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	log := &testLog{}
	a, h := openHooked(t, d, nil, log.logger())
	if err := a.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	unconfirmed := func(statement string) error {
		if strings.HasPrefix(statement, "INSERT INTO signpost_certificates") {
			return errGone
		}
		return nil
	}
	h.after.Store(&unconfirmed)
	storeCertificate(t, a, "x.example", "new")
	if _, ok := a.keptPart(site("x.example") + ".key"); !ok {
		t.Fatal("the certificate does not wait to be stored")
	}
	h.after.Store(nil)
	eventually(t, "nothing waits", func() bool { _, ok := a.keptPart(site("x.example") + ".key"); return !ok })
	wantCertificate(t, a, "x.example", "new")
	if strings.Contains(log.String(), "another machine") {
		t.Errorf("the log speaks of another machine:\n%s", log)
	}
}

// TestRefusedCertificate has the database refuse certificates for a reason that may pass. They
// are not lost; one too many is, and leaves the one before as it was.
func TestRefusedCertificate(t *testing.T) {
	a, b, h := pair(t)
	storeCertificate(t, a, "full.example", "old")
	h.set(func(statement string) error {
		if strings.HasPrefix(statement, "INSERT INTO signpost_certificates") {
			return &sqldb.Error{Text: "refused", Code: "42501"}
		}
		return nil
	})
	storeCertificate(t, a, "x.example", "kept")
	time.Sleep(6 * quick.keepEvery) // it is refused again
	wantCertificate(t, a, "x.example", "kept")
	a.mu.Lock()
	for i := range maxKept - 1 {
		a.kept[fmt.Sprint(i)] = &certificate{parts: parts{"k": "0:"}, refused: time.Now().Add(time.Hour)}
	}
	a.mu.Unlock()
	for _, part := range []string{".key", ".crt"} {
		if err := a.Store(t.Context(), site("full.example")+part, []byte("new")); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Store(t.Context(), site("full.example")+".json", nil); err == nil {
		t.Errorf("Store of more than %d certificates that wait: no error", maxKept)
	}
	for _, part := range []string{".crt", ".key"} { // as certmagic does
		if err := a.Delete(t.Context(), site("full.example")+part); err != nil {
			t.Fatal(err)
		}
	}
	wantCertificate(t, b, "full.example", "old")
	h.goAway(false)
	eventually(t, "the certificate was written", loads(b, site("x.example")+".json", "kept.json"))
	a.mu.Lock()
	clear(a.kept)
	if len(a.parts) > 0 {
		t.Errorf("parts of %d certificates stay in memory", len(a.parts))
	}
	a.mu.Unlock()
}

// TestClose closes the storage while a certificate waits and the database is back.
func TestClose(t *testing.T) {
	a, b, h := pair(t)
	h.goAway(true)
	storeCertificate(t, a, "x.example", "kept")
	a.cancel()
	a.work.Wait()
	h.goAway(false)
	a.Close()
	wantCertificate(t, b, "x.example", "kept")
}

// TestCallersTime ends a caller's time while the database is away, and while it is there.
func TestCallersTime(t *testing.T) {
	a, _, h := pair(t)
	a.cancel() // nobody else asks
	a.work.Wait()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	h.goAway(true)
	a.Load(t.Context(), "x")
	for _, want := range []bool{true, false} {
		a.Load(late, "x")
		if got := a.Away(); got != want {
			t.Errorf("Away() after a caller's time was over = %t, want %t as before", got, want)
		}
		h.goAway(false)
		a.Load(t.Context(), "x")
	}
}

// TestFreshStart starts a machine when the database has just come back. It takes no lock of a
// machine that may be there still; one that nobody has it takes at once.
func TestFreshStart(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	open(t, d, nil).Check(t.Context())
	d.Run(t, "INSERT INTO signpost_leases VALUES ('issue_cert_x.example', 'other', now() - INTERVAL '1 hour');")
	s := open(t, d, nil)
	began := time.Now()
	if ok, err := s.TryLock(t.Context(), "issue_cert_y.example"); !ok || err != nil {
		t.Errorf("TryLock of a lock that nobody had = %t, %v; want true", ok, err)
	}
	if err := s.Lock(t.Context(), "issue_cert_x.example"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < quick.settle || took > 3*quick.settle {
		t.Errorf("the lock of another machine was taken after %v, want about %v", took, quick.settle)
	}
}

// TestOrphan takes a lock with a statement that is too slow for its caller, and is done all the
// same. The lock does not stay.
func TestOrphan(t *testing.T) {
	a, b, h := pair(t)
	after := func(statement string) error {
		if strings.HasPrefix(statement, "INSERT INTO signpost_leases") {
			return context.DeadlineExceeded
		}
		return nil
	}
	h.after.Store(&after)
	if ok, err := a.TryLock(t.Context(), "issue_cert_x.example"); ok || err == nil {
		t.Fatalf("TryLock = %t, %v; want an error", ok, err)
	}
	began := time.Now()
	if err := b.Lock(t.Context(), "issue_cert_x.example"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > quick.lease/2 {
		t.Errorf("the lock that nobody has was free after %v, want at once", took)
	}
}
