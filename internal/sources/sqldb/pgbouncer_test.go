package sqldb

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// answers returns what a query gives, before anything is dropped.
func answers(ctx context.Context, s *Store, q *query, k key) (rows []string, err error) {
	err = s.ask(ctx, q, k, 0, func(v *values) {
		rows = append(rows, fmt.Sprintf("%s|%s|%s|%s", v.address.String, v.alias.String, v.displayName.String,
			v.domain.String))
	}, nil)
	return rows, err
}

// TestPgBouncer asks through a PgBouncer in transaction mode, which hands each question to
// another server connection: 100,000 questions, 64 at a time, of three queries in one
// database and two in another, take 10 to 30 seconds. No answer may differ from
// PostgreSQL's own, and none may fail. (With statements prepared in a round trip of their
// own, a fifth had wrong rows.) With -short or the race detector there are 4,000.
func TestPgBouncer(t *testing.T) {
	count := int64(100_000)
	if testing.Short() || race {
		count = 4_000
	}
	direct := []*rig.Database{rig.Load(t, "postfixadmin.pgsql"), rig.Load(t, "mailu.pgsql")}
	through := rig.PgBouncer(t, direct...)

	type question struct {
		store *Store
		query *query
		key   key
		want  []string
	}
	var questions []question
	for i := range direct {
		options := presetOptions(t, direct[i].Preset)
		options.Timeout = 30 * time.Second // the machine may be busy; nothing may fail
		options.Connections = 32
		s, expected := open(t, through[i], options), open(t, direct[i], options)
		ask := func(q, same *query, k key) {
			want, err := answers(t.Context(), expected, same, k)
			if err != nil {
				t.Fatal(err)
			}
			questions = append(questions, question{s, q, k, want})
		}
		for _, local := range []string{"anna", "bo", "o'hara", "gone", "info", "post", "sales", "nobody", "😀"} {
			ask(s.account, expected.account, key{whole: local + "@example.com", local: local, domain: "example.com"})
		}
		for _, domain := range []string{"example.com", "example.net", "closed.example", "nowhere.example"} {
			ask(s.domain, expected.domain, key{whole: domain, domain: domain})
		}
		ask(s.domains, expected.domains, key{})
	}

	var asked, wrong, failed atomic.Int64
	var workers sync.WaitGroup
	for worker := range int64(64) {
		workers.Go(func() {
			for n := worker; asked.Add(1) <= count; n += 7 {
				q := questions[n%int64(len(questions))]
				got, err := answers(t.Context(), q.store, q.query, q.key)
				switch {
				case err != nil:
					if failed.Add(1) == 1 {
						t.Errorf("%+v: %v", q.key, err)
					}
				case !reflect.DeepEqual(got, q.want):
					if wrong.Add(1) == 1 {
						t.Errorf("%+v gives\n%q, want\n%q", q.key, got, q.want)
					}
				}
			}
		})
	}
	workers.Wait()
	if wrong.Load()+failed.Load() > 0 {
		t.Errorf("of %d questions %d had wrong rows and %d failed, want none", count, wrong.Load(), failed.Load())
	}
	// The pooler refuses the setting that keeps a session from writing, so a check warns
	// where the user's own settings do not do it.
	s := questions[0].store
	if found := lines(s.Check(t.Context(), "example.com")); found != "note: 5 domains, 1 of them inactive\n" {
		t.Errorf("Check through PgBouncer:\n%s", found)
	}
	direct[0].Run(t,
		"ALTER ROLE "+direct[0].User+" RESET default_transaction_read_only; SELECT pg_terminate_backend(pid) "+
			"FROM pg_stat_activity WHERE usename = '"+direct[0].User+"';")
	want := "warning: the pooler in front of the database does not keep the session from writing\n" +
		"\tcure: ALTER ROLE " + direct[0].User + " SET default_transaction_read_only = on;\n"
	if found := lines(s.Check(t.Context(), "example.com")); found != "note: 5 domains, 1 of them inactive\n"+want {
		t.Errorf("Check through PgBouncer:\n%swant\n%s", found, want)
	}
}
