package ldapdir

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/go-ldap/ldap/v3"
)

// Error is a failure of a directory. Its text has no word of the server's, which may name
// entries and addresses.
type Error struct {
	Op    string // connect, bind or search
	Code  int    // the result of the server (RFC 4511 §4.1.9); 0: there is none
	Class string // what Code means, or what went wrong without an answer

	server  string // where it happened, as far as that is known
	details string // the server's text, for a check only
}

func (e *Error) Error() string {
	text := e.Op + ": " + e.Class
	if e.Code != 0 {
		text = fmt.Sprintf("%s (%d)", text, e.Code)
	}
	if e.server != "" {
		text = e.server + ": " + text
	}
	return text
}

// errTimeout is what became of a search that took too long, errLost that of one whose
// connection ended.
var (
	errTimeout = errors.New("no answer in time")
	errLost    = errors.New("the connection was lost")
	errClosed  = errors.New("closed")
)

// newError makes an Error of any other one.
func newError(op string, at server, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, server: at.String()}
	code, isResult := resultOf(err)
	switch {
	case isResult:
		e.Code, e.Class = code, resultName(code)
		if l, ok := errors.AsType[*ldap.Error](err); ok {
			e.details = l.Err.Error()
		}
	default:
		e.Class = classOf(err)
	}
	return e
}

// resultOf returns the result code that the server answered with. It reports false for
// what went wrong on our side or on the way; package ldap numbers that from 200.
func resultOf(err error) (code int, ok bool) {
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok || e.ResultCode >= ldap.ErrorNetwork && e.ResultCode <= ldap.ErrorMalformedPacket {
		return 0, false
	}
	return int(e.ResultCode), true
}

// resultName returns the name of a result code.
func resultName(code int) string {
	if name, ok := ldap.LDAPResultCodeMap[uint16(code)]; ok {
		return name
	}
	return "an unknown result"
}

// classOf says in a few words why there was no answer. Errors of the network name hosts,
// those of TLS what is wrong with a certificate; neither knows a person.
func classOf(err error) string {
	if file, ok := errors.AsType[fileError](err); ok {
		return file.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return "no such host"
	}
	if verify, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is refused: " + verify.Err.Error()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && !op.Timeout() {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		return call.Err.Error()
	}
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errTimeout.Error()
	case errors.Is(err, errTimeout), errors.Is(err, errLost), errors.Is(err, errClosed),
		errors.Is(err, context.Canceled):
		return err.Error()
	}
	if l, ok := errors.AsType[*ldap.Error](err); ok {
		if name := ldap.LDAPResultCodeMap[l.ResultCode]; name != "" {
			return name
		}
	}
	return errLost.Error()
}
