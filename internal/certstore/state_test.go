package certstore

import (
	"fmt"
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
			h.goAway(false)
			eventually(t, "the log says that it is over", func() bool { return log.count(end) == 1 })
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
