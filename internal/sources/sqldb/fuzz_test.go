package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// FuzzRewrite rewrites any text for each kind of database.
//
//   - The marks of the parameters are tokens of their own, one for each placeholder, in
//     order: none is inside a text, a name or a comment, where it would not be bound.
//   - SQLite gives the same rows for the bound query as for one into which harmless
//     letters are pasted, which is what Postfix does.
//   - A text literal gives back any key, letter by letter.
func FuzzRewrite(f *testing.F) {
	for _, source := range []string{
		"SELECT a FROM t WHERE a = '%s'", "SELECT a, b FROM t WHERE a LIKE '%%@%d' OR b = CONCAT('%u', '@', x)",
		"SELECT %s, '%u@%d', '100%%'",
		`SELECT E'a\'%s', $x$%u$x$, $$%d$$`, "SELECT 'it''s %s' -- %x '\n, \"a'b\", `c`, [d], /* ' */ 5 %% 2",
		`SELECT 'a\'%s', "%u" # '`,
		"WITH x AS (SELECT '%s' AS a) SELECT a FROM x UNION SELECT a FROM t ORDER BY 1;",
		"SELECT '%s' || '%s' WHERE 'kq' = '%u' AND '%d' IN (SELECT '%d')",
	} {
		f.Add(source, "o'hara@example.com")
	}
	f.Add("SELECT '%s'", "a\x00b'\\\"%s$1?--")
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES ('kq@z9', 'kq'), ('a', 'z9'), ('it''s kq@z9', '%');"); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		for scheme := range engines {
			checkMarks(t, scheme, source)
		}
		checkPasted(t, db, source)
		checkKey(t, db, source, text)
	})
}

// checkMarks rewrites with marks that are words, and reads the result again.
func checkMarks(t *testing.T, scheme, source string) {
	t.Helper()
	const mark = "qmark"
	if strings.Contains(strings.ToLower(source), mark) {
		return
	}
	syntax := *syntaxOf(scheme)
	syntax.parameter = func(n int, _ bool) string { return fmt.Sprintf(" %s%d ", mark, n) }
	q, err := rewrite(source, "sud", &syntax)
	if err != nil {
		return
	}
	tokens, err := scan(strings.ReplaceAll(q.sql, "%", "%%"), &syntax)
	if err != nil {
		t.Fatalf("%s: rewrite(%q) = %q, which cannot be read: %v", scheme, source, q.sql, err)
	}
	n := 0
	for _, token := range tokens {
		if token.kind == word && strings.HasPrefix(token.body, mark) {
			n++
			if want := fmt.Sprint(mark, n); token.body != want {
				t.Fatalf("%s: rewrite(%q) = %q, with %s in place of %s", scheme, source, q.sql, token.body, want)
			}
		}
	}
	if n != len(q.holes) {
		t.Fatalf("%s: rewrite(%q) = %q with %d parameters for %d placeholders", scheme, source, q.sql, n, len(q.holes))
	}
}

// checkPasted compares the bound query with one into which the key is pasted.
func checkPasted(t *testing.T, db *sql.DB, source string) {
	t.Helper()
	folded := strings.ToLower(source)
	for _, unsteady := range []string{"random", "now", "current_", "recursive", "blob", "printf", "format"} {
		if strings.Contains(folded, unsteady) {
			return
		}
	}
	q, err := rewrite(source, "sud", syntaxOf("sqlite"))
	if err != nil {
		return
	}
	k := key{whole: "kq@z9", local: "kq", domain: "z9"}
	pasted := strings.NewReplacer("%%", "%", "%s", k.whole, "%u", k.local, "%d", k.domain).Replace(source)
	want, err := allRows(db, pasted)
	if err != nil {
		return
	}
	if got, err := allRows(db, q.sql, k.args(q.holes)...); err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("rewrite(%q) = %q\ngives %q, and pasted\n%q\ngives %q", source, q.sql, got, pasted, want)
	}
}

// checkKey has SQLite give back a key that stands in a text.
func checkKey(t *testing.T, db *sql.DB, body, text string) {
	t.Helper()
	if strings.Contains(body, "\x00") {
		return
	}
	q, err := rewrite("SELECT '"+strings.ReplaceAll(body, "'", "''")+"'", "sud", syntaxOf("sqlite"))
	if err != nil {
		return
	}
	k := key{whole: text, local: text + "u", domain: text + "d"}
	want := strings.NewReplacer("%%", "%", "%s", k.whole, "%u", k.local, "%d", k.domain).Replace(body)
	got, err := allRows(db, q.sql, k.args(q.holes)...)
	if err != nil || len(got) != 1 || len(got[0]) != 1 || got[0][0] != want {
		t.Fatalf("%q with the key %q gives %q, %v, want %q", q.sql, text, got, err, want)
	}
}

// allRows runs a query that may be anything.
func allRows(db *sql.DB, query string, args ...any) (all [][]string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	texts, targets := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range texts {
		targets[i] = &texts[i]
	}
	for len(all) < 1000 && rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		var row []string
		for _, text := range texts {
			row = append(row, text.String)
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
