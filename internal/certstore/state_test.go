package certstore

import (
	"fmt"
	"os"
	"testing"
	"time"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/sqldb"
)

// TestUnwritable has a database answer queries and refuse writing, in several ways. The log says so once,
// and once that it is over. Nothing is ordered meanwhile, what is stored is read, and what was issued is
// written later.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	const begin, end = "takes no writing", "takes writing again"
	for _, test := range []struct {
		name  string
		err   error
		large bool // small values can be written, as on a disk that is nearly full
	}{
		{"a full disk", &sqldb.Error{Text: "full", Code: "53100"}, false},
		{"a nearly full disk", &sqldb.Error{Text: "full", Code: "53100"}, true},
		{"MySQL's full disk", &sqldb.Error{Text: "full", Code: "1114"}, false},
		{"a standby", &sqldb.Error{Text: "standby", Code: "25006"}, false},
		{"a replica that does not confirm", &sqldb.Error{Text: "the database does not answer in time"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, rig.PostgreSQL(t))
			log := &testLog{}
			s, h := openHooked(t, d, nil, log.logger())
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			storeCertificate(t, s, "a.example", "before")
			h.refuseWriting(test.large, test.err)
			storeCertificate(t, s, "b.example", "meanwhile")
			eventually(t, "the log says that nothing can be written", func() bool { return log.count(begin) == 1 })
			for i := range 200 {
				wantCertificate(t, s, "a.example", "before")
				s.TryLock(t.Context(), fmt.Sprint("issue_cert_", i))
				if !s.Away() {
					t.Fatal("Away() = false while nothing can be written, want true")
				}
			}
			time.Sleep(4 * quick.listen)
			for text, want := range map[string]int{begin: 1, end: 0, "is away": 0, "is back": 0, "kept in memory": 1} {
				if got := log.count(text); got != want {
					t.Errorf("the log has %d lines with %q, want %d:\n%s", got, text, want, log)
				}
			}
			if got := s.Status(); got.Failing == nil || got.Failing.Error() != test.err.Error() || got.Waiting != 1 {
				t.Errorf("Status() = %v, %d wait; want %v, 1", got.Failing, got.Waiting, test.err)
			}
			h.goAway(false)
			eventually(t, "the log says that it is over", func() bool { return log.count(end) == 1 })
			if got := s.Status(); got != (Status{}) {
				t.Errorf("Status() = %v, %d wait when all can be written again; want nothing", got.Failing, got.Waiting)
			}
			if s.Away() {
				t.Error("Away() = true when all can be written again, want false")
			}
			other := open(t, d, nil)
			wantCertificate(t, other, "b.example", "meanwhile")
			if other.Exists(t.Context(), ownPrefix+"probe") {
				t.Error("what was written to find out whether that works stays in the database")
			}
		})
	}
}

// TestBlip has one statement fail that writes. That is no news.
func TestBlip(t *testing.T) {
	t.Parallel()
	log := &testLog{}
	s, h := openHooked(t, newDatabase(t, rig.PostgreSQL(t)), nil, log.logger())
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.refuseWriting(false, errGone)
	if err := s.Store(t.Context(), "x", nil); err == nil {
		t.Fatal("Store: no error")
	}
	if !s.Away() {
		t.Error("Away() = false when it is not known whether the database is there, want true")
	}
	h.goAway(false)
	eventually(t, "the database is known to be there", func() bool { return !s.Away() })
	if got := log.count("store of certificates"); got != 0 {
		t.Errorf("the log has %d lines about one statement that failed:\n%s", got, log)
	}
}

// TestRefusedWhileRunning has the certificate of the database not be trusted any more. The log says so once,
// with a hint, and nothing is ordered until it is trusted again.
func TestRefusedWhileRunning(t *testing.T) {
	t.Parallel()
	server := rig.NewPostgreSQL(t)
	d := newDatabase(t, server)
	trusted, err := os.ReadFile(server.CA)
	if err != nil {
		t.Fatal(err)
	}
	untrusted, _ := rig.Certificate(t, t.TempDir(), "")
	file := rig.Write(t, t.TempDir(), "roots.pem", string(trusted))
	d.URL += "?caRoot=" + file
	log := &testLog{}
	s, _ := openHooked(t, d, nil, log.logger())
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(untrusted)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, other, 0o600); err != nil {
		t.Fatal(err)
	}
	server.KillConnections(t, d.User)
	const refused, again = "cannot be used", "can be used again"
	eventually(t, "the log says that the certificate is not trusted", func() bool { return log.count(refused) == 1 })
	if log.count("?caRoot=") != 1 {
		t.Errorf("the log has no hint:\n%s", log)
	}
	for range 20 {
		s.TryLock(t.Context(), "issue_cert_x")
		if !s.Away() || s.Ready() != nil {
			t.Fatalf("Away() = %t, Ready() = %v while the certificate is not trusted; want true, nil",
				s.Away(), s.Ready())
		}
	}
	if err := os.WriteFile(file, trusted, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log says that it is over", func() bool { return log.count(again) == 1 && !s.Away() })
	if n := log.count(refused); n != 1 {
		t.Errorf("the log says %d times that the store cannot be used, want once:\n%s", n, log)
	}
}
