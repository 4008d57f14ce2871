package conn

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"

	"signpost/internal/fault"
)

// Addresses says where the service listens: each is host:port, unix:path, or empty
// for no listener.
type Addresses struct {
	HTTP, HTTPS, Admin string
	// AdminOptional is set if Admin is only the default. A failure to open it is
	// reported in Listeners.AdminError then.
	AdminOptional bool
}

// Listeners holds the open sockets. There are several of a kind only if systemd
// passes several.
type Listeners struct {
	HTTP, HTTPS, Admin []net.Listener
	AdminError         error // why the optional Admin could not be opened
	// Replaced lists the addresses that were not opened because systemd passed
	// sockets of their kind.
	Replaced []string
}

// The kinds of listeners, in the labels of metrics and in FileDescriptorName= of
// systemd sockets.
const (
	HTTP  = "http"
	HTTPS = "https"
	Admin = "admin"
)

// Listen opens the sockets. Sockets passed by systemd replace the address of their
// kind, which FileDescriptorName= gives: http, https or admin. A socket with any other
// name is https on port 443 and http elsewhere.
func Listen(a Addresses) (*Listeners, error) {
	l, err := inherit(activation.Files(true))
	if err != nil {
		return nil, err
	}
	for _, kind := range []struct {
		address   string
		listeners *[]net.Listener
	}{{a.HTTP, &l.HTTP}, {a.HTTPS, &l.HTTPS}, {a.Admin, &l.Admin}} {
		if kind.address == "" {
			continue
		}
		if len(*kind.listeners) > 0 {
			l.Replaced = append(l.Replaced, kind.address)
			continue
		}
		listener, err := listen(kind.address)
		switch {
		case err == nil:
			*kind.listeners = []net.Listener{listener}
		case kind.listeners == &l.Admin && a.AdminOptional:
			l.AdminError = explain(kind.address, err)
		default:
			l.Close()
			return nil, explain(kind.address, err)
		}
	}
	return l, nil
}

// Close closes all sockets.
func (l *Listeners) Close() {
	for _, kind := range [][]net.Listener{l.HTTP, l.HTTPS, l.Admin} {
		for _, listener := range kind {
			listener.Close()
		}
	}
}

// explain adds the address and a hint to the error of listen. The words that package
// net puts before the reason are left out.
func explain(address string, err error) error {
	reason := err
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		reason = call.Err
	}
	return fault.WithHint(fmt.Errorf("cannot listen on %s: %w", address, reason), hint(address, reason))
}

// hint says what an operator can do about an address that cannot be opened.
func hint(address string, reason error) string {
	switch {
	case errors.Is(reason, syscall.EADDRINUSE):
		return "another program uses it, perhaps a second Signpost; ss -ltnp shows which"
	case errors.Is(reason, syscall.EACCES) && strings.HasPrefix(address, UnixPrefix):
		return "the user that runs Signpost must be able to write to the directory of the socket"
	case errors.Is(reason, syscall.EACCES):
		return "a port below 1024 needs permission: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, " +
			"or a socket passed by systemd"
	case errors.Is(reason, syscall.EADDRNOTAVAIL):
		return "the machine does not have this address; ip address lists those that it has"
	case errors.Is(reason, syscall.ENOENT):
		return "the directory of the socket does not exist; RuntimeDirectory=signpost in the unit creates /run/signpost"
	}
	return "the configuration can name another address"
}

// UnixPrefix stands before the path of a Unix socket.
const UnixPrefix = "unix:"

func listen(address string) (net.Listener, error) {
	path, unix := strings.CutPrefix(address, UnixPrefix)
	if !unix {
		return net.Listen("tcp", address)
	}
	// A process that was killed leaves its socket behind, which refuses connections.
	conn, err := net.Dial("unix", path)
	switch {
	case err == nil:
		conn.Close()
		return nil, syscall.EADDRINUSE
	case errors.Is(err, syscall.ECONNREFUSED):
		if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			os.Remove(path)
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	// The proxy's user gets access by the group of the directory or of the service.
	if err := os.Chmod(path, 0o660); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// inherit sorts the sockets that systemd passed to the process.
func inherit(files []*os.File) (*Listeners, error) {
	l := new(Listeners)
	for _, file := range files {
		listener, err := net.FileListener(file)
		file.Close()
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("socket %s passed by systemd: %w", file.Name(), err)
		}
		switch {
		case file.Name() == Admin:
			l.Admin = append(l.Admin, listener)
		case file.Name() == HTTPS, file.Name() != HTTP && strings.HasSuffix(listener.Addr().String(), ":443"):
			l.HTTPS = append(l.HTTPS, listener)
		default:
			l.HTTP = append(l.HTTP, listener)
		}
	}
	return l, nil
}
