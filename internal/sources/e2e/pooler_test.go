package e2e

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"signpost/account"
	"signpost/internal/sources/rig"
	"signpost/internal/sources/sqldb"
)

// poolerQueries names the environment variable for the number of queries of TestPooler.
const poolerQueries = "SIGNPOST_POOLER_QUERIES"

// TestPooler asks through PgBouncer in transaction mode, 64 questions at a time and of two
// kinds: a driver that prepares its statements gets the rows of others there, without an
// error.
func TestPooler(t *testing.T) {
	queries := int64(10_000)
	if text := os.Getenv(poolerQueries); text != "" {
		queries, _ = strconv.ParseInt(text, 10, 64)
	}
	d := rig.Load(t, "postfixadmin.pgsql")
	fill(t, d, 1000)
	behind := rig.PgBouncer(t, d)[0]
	store, err := sqldb.New(sqldb.Options{
		Database: behind.URL, PasswordFile: behind.PasswordFile, Connections: 8, Timeout: 30e9,
		Domain: "SELECT domain, transport AS provider FROM domain WHERE domain = '%s'",
		Account: "SELECT username AS address, NULL AS alias FROM mailbox WHERE username = '%s' " +
			"UNION ALL SELECT address, goto FROM alias WHERE address = '%s'",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var next, wrong atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for n := next.Add(1); n <= queries; n = next.Add(1) {
				if problem := askStore(t, store, int(n)); problem != "" && wrong.Add(1) <= 5 {
					t.Error(problem)
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d of %d questions went wrong", wrong.Load(), queries)
}

// askStore asks for one mailbox, alias or domain, and says what is wrong with the answer.
func askStore(t *testing.T, store *sqldb.Store, n int) string {
	text, want := fmt.Sprintf("found%d@example.com", n%1000), ""
	switch n % 4 {
	case 0:
		rows, err := store.Domain(t.Context(), "all.example")
		if err != nil || len(rows) != 1 || rows[0].Domain != "all.example" {
			return fmt.Sprintf("Domain(all.example) = %v, %v", rows, err)
		}
		return ""
	case 1:
		text, want = fmt.Sprintf("alias%d@example.com", n%1000), text
	case 2:
		rows, err := store.Account(t.Context(), address(t, "nobody@example.com"))
		if err != nil || len(rows) != 0 {
			return fmt.Sprintf("Account(nobody) = %v, %v", rows, err)
		}
		return ""
	}
	rows, err := store.Account(t.Context(), address(t, text))
	if err != nil || len(rows) != 1 || rows[0].Address != text || rows[0].Aliases != want {
		return fmt.Sprintf("Account(%s) = %v, %v, want one row with alias %q", text, rows, err, want)
	}
	return ""
}

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
