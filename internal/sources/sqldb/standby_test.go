package sqldb

import (
	"fmt"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// TestStandby writes into a database of two servers, of which one takes no writing. After a
// switch-over, the other is written to.
func TestStandby(t *testing.T) {
	t.Parallel()
	const (
		postgres = "ALTER SYSTEM SET default_transaction_read_only = %s; SELECT pg_reload_conf();"
		mysql    = "SET GLOBAL read_only = %s;"
	)
	for _, test := range []struct {
		name, readOnly string
		start          func(testing.TB) *rig.Server
	}{
		{"PostgreSQL", postgres, rig.NewPostgreSQL},
		{"MariaDB", mysql, rig.NewMariaDB},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			servers := []*rig.Database{test.start(t).Empty(t), test.start(t).Empty(t)}
			first := servers[0]
			url := fmt.Sprintf("%s://%s@%s,%s/%s", first.Server.Scheme, first.User,
				first.Server.Address(), servers[1].Server.Address(), first.Name)
			for _, d := range servers {
				allowWriting(t, d)
				d.Run(t, "CREATE TABLE written (value VARCHAR(10));")
				if d.Server.Scheme == "postgres" {
					d.Run(t, "GRANT ALL ON written TO "+d.User+";")
				}
			}
			tables, err := OpenTables(Options{Database: url, PasswordFile: first.PasswordFile, Connections: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer tables.Close()
			for i, primary := range []int{1, 0, 1} {
				standby := servers[1-primary]
				standby.Run(t, fmt.Sprintf(test.readOnly, "on"))
				servers[primary].Run(t, fmt.Sprintf(test.readOnly, "off"))
				time.Sleep(100 * time.Millisecond) // PostgreSQL reads its settings
				value := fmt.Sprint("value", i)
				if _, err := tables.Exec(t.Context(), "INSERT INTO written (value) VALUES (?)", value); err != nil {
					t.Fatalf("with the primary %d: %v", primary, err)
				}
				if got := servers[primary].Run(t, "SELECT count(*) FROM written WHERE value = '"+value+"';"); got != "1\n" {
					t.Errorf("the primary has %q rows, want 1", got)
				}
			}
			servers[1].Run(t, fmt.Sprintf(test.readOnly, "on"))
			time.Sleep(100 * time.Millisecond)
			_, err = tables.Exec(t.Context(), "INSERT INTO written (value) VALUES ('none')")
			if !IsAway(err) || !IsUnwritable(err) || err.Error() != errReadOnly.Error() {
				t.Errorf("without a primary: %v, want that the database takes no writing now", err)
			}
		})
	}
}

func allowWriting(t *testing.T, d *rig.Database) {
	t.Helper()
	if d.Server.Scheme == "postgres" {
		d.Run(t, fmt.Sprintf("ALTER ROLE %s RESET ALL;", d.User))
		return
	}
	for _, machine := range []string{"'127.0.0.1'", "localhost"} {
		d.Run(t, fmt.Sprintf("GRANT ALL ON %s.* TO %s@%s;", d.Name, d.User, machine))
	}
}
