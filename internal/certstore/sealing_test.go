package certstore

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// TestReadSeal reads files with keys.
func TestReadSeal(t *testing.T) {
	for _, test := range []struct {
		name, text string
		keys       int // 0 for an error
	}{
		{"one key", sealOne, 1},
		{"no end of the line", strings.TrimSpace(sealOne), 1},
		{"two keys", sealOne + sealTwo, 2},
		{"written on Windows", strings.ReplaceAll(sealOne+sealTwo, "\n", "\r\n"), 2},
		{"empty lines", "\n" + sealOne + "\n" + sealTwo + "\n\n", 2},
		{"as many as there may be", strings.Repeat(sealOne, 4), 4},
		{"more", strings.Repeat(sealOne, 5), 0},
		{"nothing", "", 0},
		{"empty lines alone", "\n \n", 0},
		{"a second line that is too short", sealOne + sealTwo[4:], 0},
		{"a comment", "# the old one\n" + sealOne, 0},
		{"two keys in a line", strings.TrimSpace(sealOne) + " " + sealTwo, 0},
	} {
		s, err := readSeal(rig.Write(t, t.TempDir(), "seal", test.text))
		if got := 0; err != nil && test.keys > 0 || err == nil {
			if s != nil {
				got = len(s.keys)
			}
			if got != test.keys {
				t.Errorf("readSeal of %s = %d keys, %v; want %d", test.name, got, err, test.keys)
			}
		}
	}
}

// account is the key of the ACME account, and tickets those of session tickets.
const (
	account = "acme/a/users/u/u.key"
	tickets = "signpost/tickets.key"
)

// TestRotation replaces the key of two machines, one after the other, as the documents say. At
// each step both read what the other writes, and in the end the old key is not needed any more.
func TestRotation(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *rig.Database) {
		ctx := t.Context()
		file := func(lines string) Options {
			return Options{Database: d.URL, PasswordFile: d.PasswordFile, SealFile: rig.Write(t, t.TempDir(), "seal", lines)}
		}
		refuses := func(when string) {
			t.Helper()
			s := open(t, d, sealOf(t, sealTwo))
			defer s.Close()
			if err := s.Check(ctx); !errors.Is(err, errWrongSeal) || !s.Away() {
				t.Errorf("%s, Check of a machine with the new key alone = %v, Away() = %t; want %v, true",
					when, err, s.Away(), errWrongSeal)
			}
		}
		both := [2]*Store{open(t, d, sealOf(t, sealOne)), open(t, d, sealOf(t, sealOne))}
		storeCertificate(t, both[0], "x.example", "x")
		for i, step := range []struct {
			machine int
			lines   []string
			isLast  bool // of those that are sealed anew
		}{
			{0, []string{sealOne, sealTwo}, false}, {1, []string{sealOne, sealTwo}, false},
			{0, []string{sealTwo, sealOne}, true}, {1, []string{sealTwo, sealOne}, true},
			{0, []string{sealTwo}, false}, {1, []string{sealTwo}, false},
		} {
			if i == 1 || i == 2 {
				refuses("before the new key is the first")
			}
			log := &testLog{}
			both[step.machine].Close()
			both[step.machine], _ = openHooked(t, d, sealOf(t, step.lines...), log.logger())
			for j, s := range both {
				if err := s.Check(ctx); err != nil || s.Away() {
					t.Fatalf("step %d, machine %d: Check = %v, Away() = %t; want nil, false", i, j, err, s.Away())
				}
				value := string('a' + rune(2*i+j))
				storeCertificate(t, s, value+".example", value)
				for _, key := range []string{account, tickets} {
					if err := s.Store(ctx, key, []byte(value)); err != nil {
						t.Fatal(err)
					}
				}
				for k, other := range both {
					wantCertificate(t, other, value+".example", value)
					wantCertificate(t, other, "x.example", "x")
					if !loads(other, account, value)() || !loads(other, tickets, value)() {
						t.Errorf("step %d: machine %d does not read the keys of account and tickets of machine %d",
							i, k, j)
					}
				}
			}
			if step.isLast {
				eventually(t, "the log says that all are sealed with the first key",
					func() bool { return log.count("all private keys are sealed with the first key") >= 1 })
			}
			if i == 3 { // what the other machine wrote with the old key is sealed anew, too
				eventually(t, "nothing is sealed with the old key", func() bool {
					old, err := Probe(ctx, file(sealTwo+sealOne))
					return err == nil && old == 0
				})
			}
		}
		both[1].Close()
		if _, err := Probe(ctx, file(sealOne)); !errors.Is(err, errWrongSeal) {
			t.Errorf("Probe with the old key: %v, want %v", err, errWrongSeal)
		}
	})
}

// TestLaterRotates has a machine whose first key is the old one go on while another has replaced
// it. It does not undo that, although it looks regularly, and nor does it when it writes.
func TestLaterRotates(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	began, log := &testLog{}, &testLog{}
	before, h := openHooked(t, d, sealOf(t, sealOne, sealTwo), began.logger())
	storeCertificate(t, before, "x.example", "x")
	eventually(t, "the first machine has begun", func() bool { return began.count("all private keys") == 1 })
	after, _ := openHooked(t, d, sealOf(t, sealTwo, sealOne), log.logger())
	eventually(t, "the second machine has sealed all", func() bool { return log.count("all private keys") == 1 })
	var looked, undone atomic.Int32
	h.set(func(statement string) error {
		if strings.HasPrefix(statement, "SELECT value FROM") {
			looked.Add(1)
		}
		if strings.HasPrefix(statement, "UPDATE signpost_certificates") {
			undone.Add(1)
		}
		return nil
	})
	looks := func(n int32) func() bool {
		return func() bool { return looked.Load() >= n }
	}
	eventually(t, "the first machine looks again", looks(3))
	if undone.Load() > 0 {
		t.Error("a machine whose first key is the old one undoes what a later one has done")
	}
	storeCertificate(t, before, "y.example", "y")
	eventually(t, "what the first machine writes is sealed anew, too", func() bool {
		rows, err := after.rows(t.Context(), "SELECT value FROM signpost_certificates WHERE name = ?", site("y.example")+".key")
		if err != nil || len(rows) != 1 {
			return false
		}
		_, isOld, err := after.read(site("y.example")+".key", rows[0][0])
		return err == nil && !isOld
	})
	wantCertificate(t, before, "y.example", "y")
	eventually(t, "the log says so a second time", func() bool { return log.count("all private keys") == 2 })
}

// TestRotationByComparison has a value change while it is sealed anew. The newer one stays, and a
// machine that has the new key alone is refused until that one is sealed anew, too.
func TestRotationByComparison(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	ctx := t.Context()
	before := open(t, d, sealOf(t, sealOne))
	if err := errors.Join(before.Check(ctx), before.Store(ctx, account, []byte("older"))); err != nil {
		t.Fatal(err)
	}
	tables := hook(t, d)
	tables.set(func(statement string) error {
		if !strings.HasPrefix(statement, "UPDATE signpost_certificates SET value") {
			return nil
		}
		if err := before.Store(ctx, account, []byte("newer")); err != nil {
			return err
		}
		// The new key is not enough as long as one value is sealed with the old one.
		if err := open(t, d, sealOf(t, sealTwo)).Check(ctx); !errors.Is(err, errWrongSeal) {
			t.Errorf("Check of a machine with the new key alone = %v, want %v", err, errWrongSeal)
		}
		return nil
	})
	s := newStore(tables, tables, sealOf(t, sealTwo, sealOne), slog.New(slog.DiscardHandler), quick)
	if count, isDone, err := s.sealOld(ctx, true); count != 0 || isDone || err != nil {
		t.Errorf("sealOld while another machine writes = %d, %t, %v; want 0, false, nil", count, isDone, err)
	}
	if !loads(before, account, "newer")() {
		t.Error("what another machine wrote meanwhile is lost")
	}
	tables.goAway(false)
	if count, isDone, err := s.sealOld(ctx, true); count != 1 || !isDone || err != nil {
		t.Errorf("sealOld = %d, %t, %v; want 1, true, nil", count, isDone, err)
	}
	if after := open(t, d, sealOf(t, sealTwo)); after.Check(ctx) != nil || !loads(after, account, "newer")() {
		t.Errorf("a machine with the new key alone: Check = %v; want nil, and the value", after.Check(ctx))
	}
}

// TestRotationManyKeys seals more keys than one query returns, of which one is damaged.
func TestRotationManyKeys(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, rig.PostgreSQL(t))
	before := open(t, d, sealOf(t, sealOne))
	if err := before.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	values := parts{"n/damaged.key": sealedForm + "AAAA"}
	for len(values) < sealPage+100 {
		name := "n/" + strings.Repeat("x", len(values)) + ".key"
		values[name] = before.encode(name, []byte("secret"))
	}
	if err := before.write(t.Context(), values); err != nil {
		t.Fatal(err)
	}
	log := &testLog{}
	began := time.Now()
	open := func(lines ...string) *Store {
		s, _ := openHooked(t, d, sealOf(t, lines...), log.logger())
		return s
	}
	open(sealTwo, sealOne)
	eventually(t, "all are sealed", func() bool { return log.count("all private keys") > 0 })
	t.Logf("%d keys were sealed anew within %v", len(values), time.Since(began).Round(time.Millisecond))
	if log.count("count=599") != 1 || log.count("cannot be sealed") == 0 {
		t.Errorf("the log does not say that 599 were sealed, and one cannot be:\n%s", log.text.String())
	}
	last := "n/" + strings.Repeat("x", len(values)-1) + ".key"
	if !loads(open(sealTwo), last, "secret")() {
		t.Errorf("a machine with the new key alone cannot read %d", len(last))
	}
}
