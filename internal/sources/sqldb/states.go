package sqldb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"signpost/internal/fault"
)

// IsMissing reports whether an error of Tables says that a table does not exist.
func IsMissing(err error) bool {
	problem, ok := errors.AsType[*Error](err)
	return ok && problem.kind == lacksObject
}

// LacksRight reports whether an error of Tables says that the database user lacks a right.
func LacksRight(err error) bool {
	problem, ok := errors.AsType[*Error](err)
	return ok && problem.kind == refusesReading
}

// IsAway reports whether an error of Tables says nothing about the statement, so that the same
// may succeed later: the database could not be reached, was too slow, ended the connection, is
// starting, stopping or full, or takes no writing for now.
func IsAway(err error) bool {
	problem, ok := errors.AsType[*Error](err)
	return ok && (problem.Code == "" && problem.kind != refusesConnection || problem.isAmong(awayCodes))
}

// RefusesConnection reports whether an error of Tables says that no connection will do before the
// configuration of one side is another: no TLS, a certificate that is not trusted or is for another
// host, a file that cannot be read. The error has a hint.
func RefusesConnection(err error) bool {
	problem, ok := errors.AsType[*Error](err)
	return ok && problem.kind == refusesConnection
}

// IsUnwritable reports whether an error of Tables says that the database can be reached, and takes no
// writing for now: its disk is full, or it is a standby. It may answer queries all the same.
func IsUnwritable(err error) bool {
	problem, ok := errors.AsType[*Error](err)
	return ok && (problem.kind == refusesWriting || problem.isAmong(unwritableCodes))
}

// isAmong reports whether the code is one of those, which may be the first two characters of it.
func (e *Error) isAmong(codes []string) bool {
	return slices.ContainsFunc(codes, func(code string) bool {
		return strings.HasPrefix(e.Code, code) && len(e.Code) < len(code)+4
	})
}

// unwritableCodes are the codes of databases that take no writing. PostgreSQL: disk_full and
// read_only_sql_transaction. MySQL: disk full, table full, an option such as --read-only, read-only
// mode.
var unwritableCodes = []string{"53100", "25006", "1021", "1114", "1290", "1836"}

// awayCodes begin the codes of errors that pass. PostgreSQL: classes 08 (connection), 53
// (resources), 57 (operator intervention). MySQL: too many connections, shutdown, too many
// connections of a user.
var awayCodes = append([]string{"08", "53", "57", "1040", "1053", "1203", "1226"}, unwritableCodes...)

// explain is Store.explain in the words of statements of this program, which are about tables of its own.
func (t *Tables) explain(ctx context.Context, err error) error {
	err = t.store.explain(ctx, err)
	if problem, ok := errors.AsType[*Error](err); ok && t.store.place.writes {
		switch {
		case problem.kind == refusesReading && problem.Code != "1044":
			problem.Text = "the database user lacks a right"
		case problem.isAmong([]string{"25006", "1290", "1836"}):
			problem.Text = errReadOnly.Error()
		}
		if problem.cure != "" {
			return fault.WithHint(err, problem.cure)
		}
	}
	return err
}
