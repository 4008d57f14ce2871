package service

import (
	"errors"
	"net"

	"signpost/internal/conn"
	"signpost/internal/fault"
)

// listen opens the listeners that the configuration names and systemd passes.
func (s *service) listen(http string) (*conn.Listeners, error) {
	cfg := &s.started
	addresses := conn.Addresses{HTTP: cfg.Listen, Admin: cfg.Admin.Listen, AdminOptional: cfg.Admin.Default}
	if http != "" {
		addresses.HTTP = http
	}
	if cfg.TLS != nil {
		addresses.HTTPS = cfg.TLS.Listen
	}
	listeners, err := conn.Listen(addresses)
	if err != nil {
		return nil, err
	}
	if len(listeners.HTTPS) > 0 && cfg.TLS == nil {
		listeners.Close()
		return nil, fault.WithHint(errors.New("systemd passed a socket for https, but the configuration has no tls"),
			"configure tls, or set FileDescriptorName=http in the socket's unit to serve plain HTTP")
	}
	if listeners.AdminError != nil {
		s.log.Warn("admin listener not opened, no metrics", "error", listeners.AdminError,
			"hint", "set admin.listen to another address or to none")
	}
	for _, address := range listeners.Replaced {
		s.log.Info("systemd socket replaces a configured address", "address", address)
	}
	s.warnOfOpenFiles(len(listeners.HTTP) + len(listeners.HTTPS))
	s.logListeners("listening", listeners.HTTP, "config", s.loaded.Load().File)
	s.logListeners("listening for TLS", listeners.HTTPS)
	s.logListeners("admin listening", listeners.Admin)
	return listeners, nil
}

// logListeners logs each listener with its address.
func (s *service) logListeners(message string, listeners []net.Listener, more ...any) {
	for _, l := range listeners {
		s.log.Info(message, append([]any{"address", l.Addr().String()}, more...)...)
	}
}

// otherFiles is how many files a process has open besides clients' connections: most of
// them are questions to DNS.
const otherFiles = 700

// warnOfOpenFiles warns if connections would fail before their limit is reached.
func (s *service) warnOfOpenFiles(listeners int) {
	files, ok := openFileLimit()
	if most := s.started.Limits.Connections * listeners; ok && uint64(most+otherFiles) > files {
		s.log.Warn("connection limit exceeds the open file limit", "connections", most, "files", files,
			"hint", "raise LimitNOFILE= in the unit, or lower limits.connections, which counts per listener")
	}
}
