package sqldb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"
)

// errorKind is the kind of a failure.
type errorKind int

// Error is a failure of the database. Its text is the class and the code of what the
// server said and never the server's own words, which quote values and passwords of
// all kinds.
type Error struct {
	Text string // what it means
	Code string // the code of the server's error, or empty
	kind errorKind
	cure string
	// cause is for a check only. Nothing unwraps it, so that no log can print it.
	cause error
}

// Kinds of failures that a check can say the cure of.
const (
	other          errorKind = iota
	refusesUser              // the user is unknown, or the password is wrong
	refusesReading           // the user may not read something
	lacksObject              // there is no such table or column
	refusesWriting           // the server answers, and takes no writing
)

// Error returns the text with the code.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Text
	}
	return e.Text + " (" + e.Code + ")"
}

// explain returns what an error of the driver means. If the caller has gone, that is the
// error.
func (s *Store) explain(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	if classified := s.engine.classify(err); classified != nil {
		classified.cause = err
		return classified
	}
	e := &Error{Text: classifyNetwork(err), cause: err}
	if errors.Is(err, errReadOnly) {
		e.kind = refusesWriting
	}
	if strings.HasSuffix(socketOf(err), postgresSocket+"5432") && errors.Is(err, syscall.ENOENT) {
		e.cure = "if the server has another port, write the whole path, such as ?socket=" +
			strings.TrimSuffix(socketOf(err), "5432") + "5433"
	}
	return e
}

// postgresSocket begins the name of a socket of PostgreSQL; the port follows.
const postgresSocket = ".s.PGSQL."

// classifyNetwork returns what an error means that is not the server's own.
func classifyNetwork(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		header   tls.RecordHeaderError
		alert    tls.AlertError
		lookup   *net.DNSError
		errno    syscall.Errno
		local    *localError
	)
	timeout, isTimeout := errors.AsType[net.Error](err)
	switch {
	case errors.As(err, &local):
		return local.Error()
	case errors.As(err, &unknown):
		return "the database's certificate is signed by no authority that is trusted here"
	case errors.As(err, &hostname):
		return "the database's certificate is for another name"
	case errors.As(err, &invalid):
		return "the database's certificate is not valid"
	case errors.As(err, &header), errors.As(err, &alert), errors.Is(err, errNoTLS):
		return "the database does not offer TLS"
	case errors.As(err, &lookup):
		return "the name of the database's host has no address"
	case errors.Is(err, context.DeadlineExceeded), isTimeout && timeout.Timeout():
		return "the database does not answer in time"
	case errors.As(err, &errno) && socketOf(err) != "":
		return "the database cannot be reached at " + socketOf(err) + ": " + errno.Error()
	case errors.As(err, &errno):
		return "the database cannot be reached: " + errno.Error()
	case isBad(err), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "the database ended the connection"
	case errors.Is(err, fs.ErrNotExist):
		return "the database does not exist"
	}
	return "the database failed"
}

// socketOf returns the path of the Unix socket that an error is about, or an empty text.
func socketOf(err error) string {
	problem, ok := errors.AsType[*net.OpError](err)
	if !ok || problem.Net != "unix" || problem.Addr == nil {
		return ""
	}
	return problem.Addr.String()
}

// errReadOnly is the error of a server that takes no writing when this program must write.
var errReadOnly = &localError{errors.New("the database takes no writing now, as a standby does")}

// errNoTLS is what a driver returns if the server has no TLS.
var errNoTLS = errors.New("the server has no TLS")
