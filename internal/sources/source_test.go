package sources

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/sources/memory"
	"signpost/internal/sources/row"
)

var errDown = errors.New("connection refused")

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// open returns a source of a store with a mailbox.
func open(t testing.TB, columns row.Columns) (*Source, *memory.Backend) {
	t.Helper()
	b := &memory.Backend{Has: columns}
	b.SetAccounts(row.Account{Address: "anna@example.com", Username: "u1"})
	s := New(Options{Name: "1-memory", Backend: b, Provider: "p", Providers: map[string]string{"E3": "office"}}, nil)
	t.Cleanup(func() { s.Close() })
	return s, b
}

// ask asks for an account and returns its user name, "" for one that is not known.
func ask(t testing.TB, s *Source, text string) (string, error) {
	t.Helper()
	r, listed, err := s.Account(t.Context(), address(t, text), directory.Lookup{})
	if !listed && r.Username != "" {
		t.Errorf("Account(%s) is not listed and has the user name %s", text, r.Username)
	}
	return r.Username, err
}

// expect asks for an account and compares the user name and whether there is an error, and
// what the store was asked for that.
func expect(t testing.TB, s *Source, b *memory.Backend, text, username string, fails bool, asked ...string) {
	t.Helper()
	got, err := ask(t, s, text)
	if got != username || (err != nil) != fails {
		t.Errorf("Account(%s) = user name %q, error %v; want %q, an error: %v", text, got, err, username, fails)
	}
	if questions := b.Asked(); !slices.Equal(questions, asked) {
		t.Errorf("Account(%s) asked for %q, want %q", text, questions, asked)
	}
}

// TestLives checks how long answers are remembered: a mailbox about a minute, and that
// there is none about ten seconds, as it may just be made.
func TestLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := open(t, row.Columns{Username: true})
		expect(t, s, b, "anna@example.com", "u1", false, "anna@example.com")
		expect(t, s, b, "ANNA@example.com", "u1", false)
		expect(t, s, b, "new@example.com", "", false, "new@example.com")
		expect(t, s, b, "new@example.com", "", false)
		b.SetAccounts(row.Account{Address: "new@example.com", Username: "u2"})
		time.Sleep(12 * time.Second)
		expect(t, s, b, "new@example.com", "u2", false, "new@example.com")
		expect(t, s, b, "anna@example.com", "u1", false)
		time.Sleep(55 * time.Second)
		expect(t, s, b, "anna@example.com", "", false, "anna@example.com")
	})
}

// TestOutage checks that a dead store is noticed once and tried once a second, that what it
// said before is served for a day, and that nothing else is taken for "no".
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := open(t, row.Columns{Username: true})
		expect(t, s, b, "anna@example.com", "u1", false, "anna@example.com")
		time.Sleep(55 * time.Second)
		expect(t, s, b, "nobody@example.com", "", false, "nobody@example.com")
		b.Fail(errDown)
		for i := range maxFailures {
			a := fmt.Sprintf("a%d@example.com", i)
			expect(t, s, b, a, "", true, a)
		}
		for range 100 {
			expect(t, s, b, "b@example.com", "", true)
		}
		time.Sleep(time.Second)
		expect(t, s, b, "b@example.com", "", true, "b@example.com")
		expect(t, s, b, "c@example.com", "", true)
		// Both are known from before.
		time.Sleep(10 * time.Minute)
		expect(t, s, b, "anna@example.com", "u1", false, "anna@example.com")
		expect(t, s, b, "nobody@example.com", "", false)
		st := s.Stats()
		if st.FailingSince.IsZero() || !errors.Is(st.Error, errDown) || st.Stale != 2 || st.Failures != maxFailures+2 {
			t.Errorf("Stats in an outage = %+v, want 2 stale answers, %d failures and the cause", st, maxFailures+2)
		}
		time.Sleep(DefaultKeep)
		expect(t, s, b, "anna@example.com", "", true, "anna@example.com")
		b.Fail(nil)
		time.Sleep(time.Second)
		expect(t, s, b, "anna@example.com", "u1", false, "anna@example.com")
		expect(t, s, b, "c@example.com", "", false, "c@example.com")
		if st := s.Stats(); !st.FailingSince.IsZero() || st.Error != nil {
			t.Errorf("Stats after an outage = %+v, want no failure", st)
		}
	})
}

// TestOutageIsNoOracle checks that an address that nobody has is served like a mailbox
// while the store fails, for as long, and is as long good before: the difference would show
// which mailboxes exist.
func TestOutageIsNoOracle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := open(t, row.Columns{Username: true, Alias: true})
		kinds := []string{"plain@example.com", "off@example.com", "alias@example.com", "nobody@example.com"}
		b.SetAccounts(row.Account{Address: kinds[0]}, row.Account{Address: kinds[1], Inactive: true},
			row.Account{Address: kinds[2], Aliases: "plain@example.com"})
		all := func(fails bool, questions int) {
			t.Helper()
			for _, text := range kinds {
				if _, err := ask(t, s, text); (err != nil) != fails {
					t.Errorf("Account(%s): %v, want an error: %v", text, err, fails)
				}
				if asked := b.Asked(); len(asked) != questions {
					t.Errorf("Account(%s) asks for %q, want %d questions", text, asked, questions)
				}
			}
		}
		all(false, 1)
		all(false, 0)
		time.Sleep(12 * time.Second)
		all(false, 1)
		b.Fail(errDown)
		time.Sleep(DefaultKeep - time.Hour)
		all(false, 1)
		time.Sleep(2 * time.Hour)
		for _, text := range kinds {
			if _, err := ask(t, s, text); err == nil {
				t.Errorf("Account(%s) after more than a day gives no error", text)
			}
		}
	})
}

// TestOldDomainNo checks that a domain that the store did not have is not taken for unknown
// while it fails: it may be new.
func TestOldDomainNo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := open(t, row.Columns{OneDomain: true})
		expectState(t, s, "new.example", "no")
		time.Sleep(12 * time.Second)
		b.Fail(errDown)
		expectState(t, s, "new.example", "unknown")
	})
}

// TestSlow checks that a store that does not answer keeps nobody longer than its time, and
// that only so many questions are under way at once.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := open(t, row.Columns{Username: true})
		var now, most atomic.Int32
		b.Wait = func(ctx context.Context) {
			for n := now.Add(1); ; {
				if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			<-ctx.Done()
			now.Add(-1)
		}
		start := time.Now()
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if _, err := ask(t, s, fmt.Sprintf("a%d@example.com", i)); err == nil {
					t.Error("Account of a silent store gives no error")
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took > 3*DefaultTimeout {
			t.Errorf("100 questions to a silent store took %v, want at most %v", took, 3*DefaultTimeout)
		}
		if most.Load() > DefaultConnections {
			t.Errorf("%d questions were under way at once, want at most %d", most.Load(), DefaultConnections)
		}
		ask(t, s, "fifth@example.com") // four failed at once, and five in a row make it dead
		start = time.Now()
		if _, err := ask(t, s, "later@example.com"); err == nil || time.Since(start) > 0 {
			t.Errorf("Account of a dead store = %v after %v, want an error at once", err, time.Since(start))
		}
	})
}

// TestOneFlight checks that all who ask for the same at once share a question, and that
// those who leave do not take the answer from the others. The first one waits for it.
func TestOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := open(t, row.Columns{Username: true})
		b.Wait = func(context.Context) { time.Sleep(100 * time.Millisecond) }
		leaving, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		account := func(want error) {
			all.Go(func() {
				_, _, err := s.Account(leaving, address(t, "anna@example.com"), directory.Lookup{})
				if !errors.Is(err, want) {
					t.Errorf("Account for one who leaves: %v, want %v", err, want)
				}
			})
			time.Sleep(10 * time.Millisecond)
		}
		account(nil)
		account(context.Canceled)
		for range 20 {
			all.Go(func() {
				if name, err := ask(t, s, "anna@example.com"); name != "u1" || err != nil {
					t.Errorf("Account for one who stays = %q, %v, want u1", name, err)
				}
			})
		}
		time.Sleep(10 * time.Millisecond)
		leave()
		all.Wait()
		if asked := b.Asked(); len(asked) != 1 {
			t.Errorf("the store was asked %q, want one question", asked)
		}
	})
}

// TestBounded checks that the memory does not grow with what strangers ask for, and that
// they push no mailbox out.
func TestBounded(t *testing.T) {
	s, b := open(t, row.Columns{Username: true})
	expect(t, s, b, "anna@example.com", "u1", false, "anna@example.com")
	for i := range 2 * maxMissing {
		if _, err := ask(t, s, fmt.Sprintf("x%d@example.com", i)); err != nil {
			t.Fatal(err)
		}
	}
	b.Asked()
	expect(t, s, b, "anna@example.com", "u1", false)
	if found, missing := s.core.accounts.found.len(), s.core.accounts.missing.len(); found != 1 || missing != maxMissing {
		t.Errorf("%d mailboxes and %d unknown ones are remembered, want 1 and %d", found, missing, maxMissing)
	}
}

// TestCacheRoom checks that what was used lately stays when there is no more room.
func TestCacheRoom(t *testing.T) {
	m := newCache[int](100)
	for i := range 1000 {
		m.put(&item[int]{key: fmt.Sprint(i), value: i})
		if used := m.get("7"); i >= 7 && (used == nil || used.value != 7) {
			t.Fatalf("after %d keys, the one in use is gone", i)
		}
	}
	m.drop("7")
	m.drop("7")
	if m.get("7") != nil || m.len() != 99 {
		t.Errorf("after drop, the key is kept: %v, and %d others, want 99", m.get("7") != nil, m.len())
	}
	for i := range 100 {
		key := fmt.Sprint(i + 10_000)
		m.put(&item[int]{key: key, value: i})
		if got := m.get(key); got == nil || got.value != i {
			t.Fatalf("get(%s) = %v, want %d", key, got, i)
		}
	}
	if m.len() != 100 || len(m.place) != 100 {
		t.Errorf("%d keys are kept in %d places, want 100", len(m.place), m.len())
	}
}

// TestUnaskable checks that a store is not asked what makes it fail.
func TestUnaskable(t *testing.T) {
	for _, key := range []string{"", "a\x00@example.com", "a\xff@example.com", strings.Repeat("a", 255)} {
		if isAskable(key) {
			t.Errorf("isAskable(%q) = true, want false", key)
		}
	}
}

// TestAlike checks that an alias, its mailbox, an inactive one and an unknown one take the
// same number of questions where the answer may depend on what is behind an alias.
func TestAlike(t *testing.T) {
	s, b := open(t, row.Columns{Alias: true, Provider: true})
	b.SetAccounts(
		row.Account{Address: "anna@example.com"}, row.Account{Address: "gone@example.com", Inactive: true},
		row.Account{Address: "info@example.com", Aliases: "bo@example.com, copy@elsewhere.example"},
		row.Account{Address: "team@example.com", Aliases: "a@example.com b@example.com"},
		row.Account{Address: "bo@example.com"},
	)
	for _, name := range []string{"anna", "gone", "info", "team", "nobody"} {
		text := name + "@example.com"
		if _, _, err := s.Account(t.Context(), address(t, text), directory.Lookup{Alike: true}); err != nil {
			t.Fatal(err)
		}
		if asked := b.Asked(); len(asked) != 2 {
			t.Errorf("Account(%s) asked for %q, want two questions", text, asked)
		}
	}
	bo := address(t, "bo@example.com")
	s, b = open(t, row.Columns{Alias: true, Provider: true})
	b.SetAccounts(row.Account{Address: "info@example.com", Aliases: "bo@example.com"},
		row.Account{Address: "bo@example.com"})
	if _, _, err := s.Account(t.Context(), address(t, "info@example.com"), directory.Lookup{Alike: true}); err != nil {
		t.Fatal(err)
	}
	if _, listed, known := s.Known(bo, directory.Lookup{Behind: true}); !listed || !known {
		t.Errorf("the mailbox behind the alias is known: %v, %v, want it remembered", listed, known)
	}
	if _, _, known := s.Known(bo, directory.Lookup{}); known {
		t.Error("the answer about a mailbox is faster after that about its alias")
	}
}

// TestAlikeLives checks that what is remembered of mailboxes that exist and of others is
// good for the same time, where an answer may depend on what is behind an alias: it would
// show who exists when a question is slow again.
func TestAlikeLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := open(t, row.Columns{Alias: true, Provider: true})
		b.SetAccounts(row.Account{Address: "anna@example.com"})
		for _, name := range []string{"anna", "nobody"} {
			a := address(t, name+"@example.com")
			if _, _, err := s.Account(t.Context(), a, directory.Lookup{Alike: true}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(8 * time.Second)
			if _, _, known := s.Known(a, directory.Lookup{}); !known {
				t.Errorf("%s is forgotten after 8 seconds", name)
			}
			time.Sleep(4 * time.Second)
			if _, _, known := s.Known(a, directory.Lookup{}); known {
				t.Errorf("%s is known after 12 seconds", name)
			}
		}
	})
}

// TestProviderWords checks that an unknown word is taken for none.
func TestProviderWords(t *testing.T) {
	s, b := open(t, row.Columns{Provider: true})
	b.SetAccounts(row.Account{Address: "a@example.com", Provider: "E3"},
		row.Account{Address: "b@example.com", Provider: "nosuch"})
	for text, want := range map[string]string{"a@example.com": "office", "b@example.com": ""} {
		r, listed, err := s.Account(t.Context(), address(t, text), directory.Lookup{})
		if err != nil || !listed || r.Provider != want {
			t.Errorf("Account(%s) = provider %q, %v, %v; want %q", text, r.Provider, listed, err, want)
		}
	}
}
