package sqldb

import (
	"errors"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// TestConflicts checks which errors say that a statement is tried again, and which that the
// database is away.
func TestConflicts(t *testing.T) {
	tables := &Tables{store: &Store{engine: engines["mysql"]}}
	for number, want := range map[uint16]struct{ conflict, away bool }{
		1213: {conflict: true}, // deadlock
		1205: {conflict: true}, // waited too long for a lock
		1040: {away: true},     // too many connections
		1146: {},               // no such table
	} {
		err := &mysql.MySQLError{Number: number, Message: "words"}
		if got := tables.isConflict(err); got != want.conflict {
			t.Errorf("isConflict(%v) = %t, want %t", err, got, want.conflict)
		}
		if got := IsAway(tables.store.explain(t.Context(), err)); got != want.away {
			t.Errorf("IsAway(%v) = %t, want %t", err, got, want.away)
		}
	}
	if tables.isConflict(errors.New("words")) {
		t.Error("isConflict of an error that is not the database's = true, want false")
	}
}
