package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/miekg/dns"
)

// These are the errors of a name server that gives no final answer. Their texts
// follow the server's name in a message.
var (
	ErrSilent        = errors.New("does not answer")
	ErrReferral      = errors.New("only refers to other name servers")
	ErrOtherQuestion = errors.New("answers another question than ours")
	ErrCode          = errors.New("answers") // with a code
	errMalformed     = errors.New("sends a malformed answer")
)

// ErrNoDomain is the error for a domain that is not in DNS at all.
var ErrNoDomain = errors.New("does not exist in DNS")

// CodeError returns the error for an answer with a code other than NOERROR and
// NXDOMAIN.
func CodeError(code int) error {
	return fmt.Errorf("%w %s", ErrCode, cmp.Or(dns.RcodeToString[code], "with code "+strconv.Itoa(code)))
}

// TransportError explains in a few words why a server could not be asked.
func TransportError(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("was not waited for")
	}
	network, ok := errors.AsType[net.Error](err)
	if ok && network.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return ErrSilent
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
		if system, ok := errors.AsType[*os.SyscallError](err); ok {
			err = system.Err
		}
		return fmt.Errorf("cannot be reached: %w", err)
	}
	return fmt.Errorf("ends the connection: %w", err)
}
