package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"signpost/account"
)

// Port is a port and how TLS begins there.
type Port struct {
	Number     int
	SocketType account.SocketType
}

// Candidates returns a server for each host and port: all ports of the first host first.
func Candidates(t account.ServerType, hosts []string, ports ...Port) []Server {
	var servers []Server
	for _, host := range hosts {
		for _, p := range ports {
			servers = append(servers, Server{Type: t, Hostname: host, Port: p.Number, SocketType: p.SocketType})
		}
	}
	return servers
}

// TryAll tries servers at the same time, each delay after the one before, and returns the
// tries in the order of the servers.
func (s *Search) TryAll(ctx context.Context, servers []Server, rules Trying, delay time.Duration) []Try {
	tries := make([]Try, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() {
			tries[i] = s.Try(ctx, server, rules)
			tries[i].Took += time.Duration(i) * delay
		})
	}
	all.Wait()
	return tries
}

// asked reports whether all tries could be made.
func asked(tries []Try) bool {
	return !slices.ContainsFunc(tries, func(t Try) bool { return !t.Known })
}

// MX returns the hosts of the domain's MX records, the most preferred first, and whether
// they are known.
func (s *Search) MX(ctx context.Context, domain string) (hosts []string, known bool) {
	q := DNS("MX", domain)
	answer := s.Asker.DNS(ctx, q)
	return exchangers(answer), answer.Failure.Known()
}
