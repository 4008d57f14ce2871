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

	"signpost/internal/fault"
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
	other             errorKind = iota
	refusesUser                 // the user is unknown, or the password is wrong
	refusesReading              // the user may not read something
	lacksObject                 // there is no such table or column
	refusesWriting              // the server answers, and takes no writing
	refusesConnection           // no connection will do before the configuration of one side is another
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
	e := s.engine.classify(err)
	if e == nil {
		e = classifyNetwork(err)
	}
	e.cause = err
	if e.kind == refusesConnection && !s.isRefusedByEach(err) {
		e.kind = other
	}
	if strings.HasSuffix(socketOf(err), postgresSocket+"5432") && errors.Is(err, syscall.ENOENT) {
		e.cure = "if the server has another port, write the whole path, such as ?socket=" +
			strings.TrimSuffix(socketOf(err), "5432") + "5433"
	}
	return e
}

// postgresSocket begins the name of a socket of PostgreSQL; the port follows.
const postgresSocket = ".s.PGSQL."

// isRefusedByEach reports whether all hosts that were tried refuse every connection: one that is only away
// may accept one later.
func (s *Store) isRefusedByEach(err error) bool {
	several, ok := err.(interface{ Unwrap() []error }) // of failover
	if !ok {
		return true
	}
	for _, err := range several.Unwrap() {
		e := s.engine.classify(err)
		if e == nil {
			e = classifyNetwork(err)
		}
		if e.kind != refusesConnection {
			return false
		}
	}
	return true
}

// classifyNetwork returns what an error means that is not the server's own.
func classifyNetwork(err error) *Error {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		header   tls.RecordHeaderError
		local    *localError
	)
	refused := func(text, cure string) *Error { return &Error{Text: text, kind: refusesConnection, cure: cure} }
	switch {
	case errors.Is(err, errReadOnly):
		return &Error{Text: errReadOnly.Error(), kind: refusesWriting}
	case errors.As(err, &local):
		return refused(local.Error(), fault.Hint(local))
	case errors.As(err, &unknown):
		return refused("the database's certificate is signed by no authority that is trusted here",
			"?caRoot=/FILE at the end of the URL names the certificate of its authority, or the server's own "+
				"certificate if it is self-signed")
	case errors.As(err, &hostname):
		return refused("the database's certificate is for another name",
			"write the host in the URL as the certificate names it, or give the server a certificate with this name")
	case errors.As(err, &invalid):
		return refused("the database's certificate is not valid", "renew it, and look at the clock of this machine")
	case errors.As(err, &header):
		return errorNoTLS()
	}
	return &Error{Text: textOfNetwork(err)}
}

// errorNoTLS returns the error of a server that has no TLS.
func errorNoTLS() *Error {
	return &Error{Text: "the database does not offer TLS", kind: refusesConnection,
		cure: "let the server offer it; ?socketType=plain at the end of the URL does without, if nobody else " +
			"can read what passes between the machines"}
}

// textOfNetwork returns what an error means that may pass.
func textOfNetwork(err error) string {
	var (
		lookup *net.DNSError
		errno  syscall.Errno
	)
	timeout, isTimeout := errors.AsType[net.Error](err)
	switch {
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
