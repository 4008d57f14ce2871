package service

import (
	"context"
	"net"
	"net/netip"
	"os"

	"signpost/internal/conn"
	"signpost/internal/doctor"
	"signpost/internal/doctor/page"
	"signpost/internal/doctor/probe/network"
)

// diagnose returns what diagnoses an address for the page of the admin listener.
func (s *service) diagnose(listeners *conn.Listeners) page.Diagnose {
	own := tcpAddresses(listeners.Admin)
	return func(ctx context.Context, r page.Request, progress func(doctor.Progress)) (*doctor.Report, error) {
		l := s.loaded.Load()
		cfg := l.Config
		o := network.Options{
			Servers: cfg.DNS.Servers, IPv4: r.IPv4, IPv6: r.IPv6, Version: s.version, Hello: cfg.Name, Forbidden: own,
		}
		if o.Hello == "" {
			o.Hello, _ = os.Hostname()
		}
		n, err := network.New(o)
		if err != nil {
			return nil, err
		}
		return doctor.Examine(ctx, doctor.Options{
			Address: r.Address, Clients: r.Clients, Asker: n, Version: s.version, Progress: progress,
			Resolver: n.Resolver()[0], Own: l.DoctorsView(),
		})
	}
}

// tcpAddresses returns the addresses of TCP listeners, which strangers' domains must not lead
// the doctor to.
func tcpAddresses(listeners []net.Listener) []netip.AddrPort {
	var addresses []netip.AddrPort
	for _, l := range listeners {
		if a, ok := l.Addr().(*net.TCPAddr); ok {
			addresses = append(addresses, a.AddrPort())
		}
	}
	return addresses
}
