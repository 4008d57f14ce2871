package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// BenchmarkAccount asks for an account, and in turn with that makes the same query in the
// barest way with the same driver, as a handler would with the context of its request.
// The store should take at most 1.3 times as long (store/bare).
func BenchmarkAccount(b *testing.B) {
	for _, fixture := range []string{"postfixadmin.pgsql", "postfixadmin.mysql", "postfixadmin.sqlite"} {
		b.Run(fixture, func(b *testing.B) {
			d := rig.Load(b, fixture)
			s := open(b, d, presetOptions(b, d.Preset))
			asked := address(b, "info@example.com")
			db := sql.OpenDB(newFailover(s.place, s.engine, s.timeout))
			defer db.Close()
			stmt, err := db.Prepare(s.account.sql)
			if err != nil {
				b.Fatal(err)
			}
			var bare, store time.Duration
			for b.Loop() {
				start := time.Now()
				if err := bareQuery(b.Context(), stmt, asked.Key(), asked.Key()); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				if rows, err := s.Account(b.Context(), asked); err != nil || len(rows) != 1 {
					b.Fatalf("%d rows, %v", len(rows), err)
				}
				bare += between.Sub(start)
				store += time.Since(between)
			}
			b.ReportMetric(float64(store)/float64(bare), "store/bare")
			b.ReportMetric(float64(bare)/float64(b.N), "bare-ns/op")
		})
	}
}

func bareQuery(ctx context.Context, stmt *sql.Stmt, args ...any) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var address, alias, name, inactive sql.NullString
		if err := rows.Scan(&address, &alias, &name, &inactive); err != nil {
			return err
		}
		n++
	}
	if n != 1 {
		return fmt.Errorf("%d rows, %w", n, rows.Err())
	}
	return rows.Err()
}
