package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/pires/go-proxyproto"
)

// Addresses are where the service is asked: host:port, unix:path, or empty for
// nowhere.
type Addresses struct {
	HTTP, HTTPS, Admin string
	// AdminOptional is set where the operator did not ask for Admin. That it
	// cannot be opened is no error then.
	AdminOptional bool
}

// Listeners are the open sockets. Several of one kind come from systemd.
type Listeners struct {
	HTTP, HTTPS, Admin []net.Listener
	AdminMissing       error // why there is no Admin
	// Replaced are the addresses in whose place systemd's are.
	Replaced []string
}

// The kinds of listeners, as metrics and names of systemd's sockets have them.
const (
	kindHTTP  = "http"
	kindHTTPS = "https"
	kindAdmin = "admin"
)

// Listen opens the sockets. Those that systemd has opened for the process take
// the place of the addresses of their kind, which FileDescriptorName= tells:
// http, https or admin. Under any other name, a socket with port 443 is https and
// the rest http.
func Listen(a Addresses) (*Listeners, error) {
	l, err := activated(activation.Files(true))
	if err != nil {
		return nil, err
	}
	for _, kind := range []struct {
		address   string
		listeners *[]net.Listener
	}{{a.HTTP, &l.HTTP}, {a.HTTPS, &l.HTTPS}, {a.Admin, &l.Admin}} {
		switch {
		case kind.address == "":
			continue
		case len(*kind.listeners) > 0:
			l.Replaced = append(l.Replaced, kind.address)
			continue
		}
		listener, err := listen(kind.address)
		if err != nil && kind.listeners == &l.Admin && a.AdminOptional {
			l.AdminMissing = &ListenError{kind.address, err}
			continue
		}
		if err != nil {
			l.Close()
			return nil, &ListenError{kind.address, err}
		}
		*kind.listeners = []net.Listener{listener}
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

// ListenError is an address that could not be opened.
type ListenError struct {
	Address string
	Err     error
}

// Error says the reason without the words of the network package before it.
func (e *ListenError) Error() string {
	reason := e.Err
	var call *os.SyscallError
	if errors.As(reason, &call) {
		reason = call.Err
	}
	return fmt.Sprintf("cannot listen on %s: %v", e.Address, reason)
}

func (e *ListenError) Unwrap() error { return e.Err }

// Hint is what an operator can do about it.
func (e *ListenError) Hint() string {
	switch {
	case errors.Is(e.Err, syscall.EADDRINUSE):
		return "another program has it, perhaps a second Signpost; ss -ltnp shows which"
	case errors.Is(e.Err, syscall.EACCES) && strings.HasPrefix(e.Address, unixPrefix):
		return "the user that runs Signpost must be able to write to the folder of the socket"
	case errors.Is(e.Err, syscall.EACCES):
		return "a port below 1024 needs the right to bind it: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a socket of systemd"
	case errors.Is(e.Err, syscall.EADDRNOTAVAIL):
		return "the machine does not have this address; ip address shows those that it has"
	case errors.Is(e.Err, syscall.ENOENT):
		return "the folder of the socket does not exist; RuntimeDirectory=signpost in the unit makes /run/signpost"
	}
	return "another address can be set in the configuration"
}

const unixPrefix = "unix:"

func listen(address string) (net.Listener, error) {
	path, unix := strings.CutPrefix(address, unixPrefix)
	if !unix {
		return net.Listen("tcp", address)
	}
	// A killed process leaves its socket behind, at which nobody answers.
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
	// The proxy's user gets in by the group, of the folder or of the service.
	if err := os.Chmod(path, 0o660); err != nil {
		listener.Close()
		return nil, err
	}
	return listener, nil
}

// activated sorts the sockets that systemd passed on.
func activated(files []*os.File) (*Listeners, error) {
	l := new(Listeners)
	for _, file := range files {
		listener, err := net.FileListener(file)
		file.Close()
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("the socket %s that systemd passes on: %w", file.Name(), err)
		}
		switch {
		case file.Name() == kindAdmin:
			l.Admin = append(l.Admin, listener)
		case file.Name() == kindHTTPS, file.Name() != kindHTTP && strings.HasSuffix(listener.Addr().String(), ":443"):
			l.HTTPS = append(l.HTTPS, listener)
		default:
			l.HTTP = append(l.HTTP, listener)
		}
	}
	return l, nil
}

// proxied reads the header of PROXY protocol version 2 that a trusted peer
// begins its connection with, and must begin it with: a receiver that guesses
// lets a client of the proxy write it. From anybody else it is no HTTP.
func proxied(l net.Listener, trusts func(netip.Addr) bool, timeout time.Duration) net.Listener {
	return &proxyproto.Listener{
		Listener:          l,
		ReadHeaderTimeout: timeout,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if o.Upstream.Network() == "unix" || trusts(peerAddr(o.Upstream.String())) {
				return proxyproto.REQUIRE, nil
			}
			return proxyproto.SKIP, nil
		},
		ValidateHeader: validHeader,
	}
}

// validHeader refuses what would leave a client without an address: it would be
// taken for the proxy itself, who is trusted. A proxy that asks for itself, such as
// whether the service lives, says LOCAL and needs none.
func validHeader(h *proxyproto.Header) error {
	switch tcp := h.TransportProtocol == proxyproto.TCPv4 || h.TransportProtocol == proxyproto.TCPv6; {
	case h.Version != 2:
		return errors.New("PROXY protocol version 1 is not understood")
	case !h.Command.IsLocal() && !tcp:
		return errors.New("PROXY protocol names no client")
	}
	return nil
}
