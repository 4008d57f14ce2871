package sqldb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"signpost/internal/fault"
)

// TestStates checks what errors of a database in which this program writes say about it.
func TestStates(t *testing.T) {
	const standby, full, right = "the database takes no writing now, as a standby does",
		"the disk of the database is full", "the database user lacks a right"
	const noTLS, stranger = "the database does not offer TLS",
		"the database's certificate is signed by no authority that is trusted here"
	for _, test := range []struct {
		err                                 error
		text                                string
		away, unwritable, refusesConnection bool
	}{
		{&pgconn.PgError{Code: "53100"}, full + " (53100)", true, true, false},
		{&pgconn.PgError{Code: "25006"}, standby + " (25006)", true, true, false},
		{&pgconn.PgError{Code: "53300"}, "the database has no connection left (53300)", true, false, false},
		{&pgconn.PgError{Code: "57P01"}, "the database is starting or stopping (57P01)", true, false, false},
		{&pgconn.PgError{Code: "42501"}, right + " (42501)", false, false, false},
		{&pgconn.PgError{Code: "28P01"}, "the database refuses the password (28P01)", false, false, false},
		{&mysql.MySQLError{Number: 1021}, full + " (1021)", true, true, false},
		{&mysql.MySQLError{Number: 1114}, full + " (1114)", true, true, false},
		{&mysql.MySQLError{Number: 1290}, standby + " (1290)", true, true, false},
		{&mysql.MySQLError{Number: 1053}, "the database is stopping (1053)", true, false, false},
		{&mysql.MySQLError{Number: 1142}, right + " (1142)", false, false, false},
		{errReadOnly, standby, true, true, false},
		{syscall.ECONNREFUSED, "the database cannot be reached: connection refused", true, false, false},
		{context.DeadlineExceeded, "the database does not answer in time", true, false, false},
		{errors.New("server refused TLS connection"), noTLS, false, false, true},
		{mysql.ErrNoTLS, noTLS, false, false, true},
		{mysql.ErrUnknownPlugin, "the database wants a way to sign in that Signpost does not have", false, false, true},
		{tls.RecordHeaderError{}, noTLS, false, false, true},
		{x509.UnknownAuthorityError{}, stranger, false, false, true},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, "the database's certificate is for another name", false, false, true},
		{x509.CertificateInvalidError{Cert: &x509.Certificate{}}, "the database's certificate is not valid", false, false, true},
		{&localError{fault.WithHint(errors.New("a file"), "a hint")}, "a file", false, false, true},
		{errors.Join(&hostError{err: x509.UnknownAuthorityError{}}, &hostError{err: syscall.ECONNREFUSED}), stranger, true, false, false},
		{errors.Join(&hostError{err: x509.UnknownAuthorityError{}}, &hostError{err: mysql.ErrNoTLS}), noTLS, false, false, true},
	} {
		name := "postgres"
		if _, ok := test.err.(*mysql.MySQLError); ok || errors.Is(test.err, mysql.ErrNoTLS) || errors.Is(test.err, mysql.ErrUnknownPlugin) {
			name = "mysql"
		}
		tables := &Tables{store: &Store{engine: engines[name], place: &place{writes: true}}}
		err := tables.explain(t.Context(), test.err)
		if err.Error() != test.text || IsAway(err) != test.away || IsUnwritable(err) != test.unwritable ||
			RefusesConnection(err) != test.refusesConnection {
			t.Errorf("%v is explained as %q, IsAway = %t, IsUnwritable = %t, RefusesConnection = %t; want %q, %t, %t, %t",
				test.err, err, IsAway(err), IsUnwritable(err), RefusesConnection(err),
				test.text, test.away, test.unwritable, test.refusesConnection)
		}
		if test.refusesConnection && fault.Hint(err) == "" {
			t.Errorf("%v has no hint", err)
		}
	}
}
