package certstore

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/sqldb"
)

// hooked is a database whose statements a test can make fail or slow.
type hooked struct {
	*sqldb.Tables
	hook  atomic.Pointer[func(statement string) error]
	after atomic.Pointer[func(statement string) error]
}

// set sets what is called before each statement. Its error is the statement's.
func (h *hooked) set(hook func(statement string) error) { h.hook.Store(&hook) }

// goAway makes the database go away, or come back.
func (h *hooked) goAway(away bool) {
	h.set(func(string) error {
		if away {
			return errGone
		}
		return nil
	})
}

// refuseWriting makes the database refuse what writes, or only what writes certificates, until goAway
// is called.
func (h *hooked) refuseWriting(onlyCertificates bool, err error) {
	h.set(func(statement string) error {
		isCertificate := strings.HasPrefix(statement, "INSERT INTO signpost_certificates")
		if strings.HasPrefix(statement, "SELECT") || onlyCertificates && !isCertificate {
			return nil
		}
		return err
	})
}

var errGone = &sqldb.Error{Text: "the database ended the connection"}

func run(hook *atomic.Pointer[func(statement string) error], statement string) error {
	if h := hook.Load(); h != nil {
		return (*h)(statement)
	}
	return nil
}

func (h *hooked) Exec(ctx context.Context, statement string, args ...string) (int64, error) {
	if ctx.Err() != nil {
		return 0, ctx.Err() // as Tables does
	}
	if err := run(&h.hook, statement); err != nil {
		return 0, err
	}
	changed, err := h.Tables.Exec(ctx, statement, args...)
	return changed, errors.Join(run(&h.after, statement), err)
}

func (h *hooked) Rows(ctx context.Context, query string, args ...string) ([][]string, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := run(&h.hook, query); err != nil {
		return nil, err
	}
	return h.Tables.Rows(ctx, query, args...)
}

// openHooked opens the storage in a database, and returns what its statements can be changed with.
func openHooked(t *testing.T, d *rig.Database, key *seal, log *slog.Logger) (*Store, *hooked) {
	t.Helper()
	h := hook(t, d)
	s := start(h, h, key, log, quick)
	t.Cleanup(func() { s.Close() })
	return s, h
}

func hook(t *testing.T, d *rig.Database) *hooked {
	t.Helper()
	tables, err := sqldb.OpenTables(sqldb.Options{Database: d.URL, PasswordFile: d.PasswordFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tables.Close() })
	return &hooked{Tables: tables}
}

// pair returns two machines that share a database, of which the first one's can be changed. The
// test runs beside others, as most of its time is waiting.
func pair(t *testing.T) (a, b *Store, h *hooked) {
	t.Helper()
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	a, h = openHooked(t, d, nil, slog.New(slog.DiscardHandler))
	b = open(t, d, nil)
	for _, s := range []*Store{a, b} {
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return a, b, h
}

// site is the key of a certificate without the ends of its parts.
func site(name string) string { return "certificates/authority/" + name + "/" + name }

// storeCertificate stores a certificate as certmagic does.
func storeCertificate(t *testing.T, s *Store, name, value string) {
	t.Helper()
	for _, part := range []string{".key", ".crt", ".json"} {
		if err := s.Store(t.Context(), site(name)+part, []byte(value+part)); err != nil {
			t.Fatalf("Store of the %s of %s: %v", part, name, err)
		}
	}
}

func wantCertificate(t *testing.T, s *Store, name, value string) {
	t.Helper()
	for _, part := range []string{".key", ".crt", ".json"} {
		got, err := s.Load(t.Context(), site(name)+part)
		if err != nil || string(got) != value+part || !s.Exists(t.Context(), site(name)+part) {
			t.Errorf("Load of the %s of %s = %q, %v; want %q", part, name, got, err, value+part)
		}
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen within 10 s: %s", what)
		}
	}
}

func loads(s *Store, key, want string) func() bool {
	return func() bool {
		got, err := s.Load(context.Background(), key)
		return err == nil && string(got) == want
	}
}
