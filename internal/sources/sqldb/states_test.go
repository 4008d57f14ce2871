package sqldb

import (
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestStates checks what errors of a database in which this program writes say about it.
func TestStates(t *testing.T) {
	const standby, full, right = "the database takes no writing now, as a standby does",
		"the disk of the database is full", "the database user lacks a right"
	for _, test := range []struct {
		err              error
		text             string
		away, unwritable bool
	}{
		{&pgconn.PgError{Code: "53100"}, full + " (53100)", true, true},
		{&pgconn.PgError{Code: "25006"}, standby + " (25006)", true, true},
		{&pgconn.PgError{Code: "53300"}, "the database has no connection left (53300)", true, false},
		{&pgconn.PgError{Code: "57P01"}, "the database is starting or stopping (57P01)", true, false},
		{&pgconn.PgError{Code: "42501"}, right + " (42501)", false, false},
		{&pgconn.PgError{Code: "28P01"}, "the database refuses the password (28P01)", false, false},
		{&mysql.MySQLError{Number: 1021}, full + " (1021)", true, true},
		{&mysql.MySQLError{Number: 1114}, full + " (1114)", true, true},
		{&mysql.MySQLError{Number: 1290}, standby + " (1290)", true, true},
		{&mysql.MySQLError{Number: 1053}, "the database is stopping (1053)", true, false},
		{&mysql.MySQLError{Number: 1142}, right + " (1142)", false, false},
		{errReadOnly, standby, true, true},
	} {
		name := "postgres"
		if _, ok := test.err.(*mysql.MySQLError); ok {
			name = "mysql"
		}
		tables := &Tables{store: &Store{engine: engines[name], place: &place{writes: true}}}
		err := tables.explain(t.Context(), test.err)
		if err.Error() != test.text || IsAway(err) != test.away || IsUnwritable(err) != test.unwritable {
			t.Errorf("%v is explained as %q, IsAway = %t, IsUnwritable = %t; want %q, %t, %t", test.err, err,
				IsAway(err), IsUnwritable(err), test.text, test.away, test.unwritable)
		}
	}
}
