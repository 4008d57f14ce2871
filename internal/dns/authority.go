package dns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
)

// maxAuthorities is how many addresses of a zone's name servers are asked. A
// zone's owner may name any number of servers, each of them silent; the root has
// thirteen, customers' zones mostly two to four.
const maxAuthorities = 8

// Authorities finds the name servers of domains' own zones. It is safe for
// concurrent use.
type Authorities struct {
	resolver *Resolver
	port     string
	clients  sync.Map // of *Client, by the addresses of its servers
}

// NewAuthorities returns an Authorities that finds name servers by means of the
// resolver. They are asked at the port, 53 if empty.
func NewAuthorities(r *Resolver, port string) *Authorities {
	return &Authorities{resolver: r, port: cmp.Or(port, "53")}
}

// Apex returns the zone that holds the domain: the nearest name at or above it
// that has an SOA record. The error is ErrNoDomain if the domain does not
// exist.
func (r *Resolver) Apex(ctx context.Context, domain string) (string, error) {
	for name := domain; name != ""; _, name, _ = strings.Cut(name, ".") {
		answer, err := r.Lookup(ctx, name, "SOA")
		if err != nil {
			return "", err
		}
		switch {
		case answer.Status == Found && len(answer.Records) == 1:
			return name, nil
		case answer.Status == NoName && name == domain:
			return "", ErrNoDomain
		}
	}
	return "", fmt.Errorf("no zone holds %s", domain)
}

// ClientFor returns a client of the name servers of the zone that holds the
// domain. The search for them has a time limit, because strangers choose the
// names of these hosts and can make each lookup slow.
func (a *Authorities) ClientFor(ctx context.Context, domain string) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, 12*a.resolver.client.timeout)
	defer cancel()
	addresses, err := a.serversOf(ctx, domain)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("the name servers of %s cannot be found in time", domain)
	}
	if err != nil {
		return nil, err
	}
	// Thousands of domains have the same servers. They share one client, and
	// with it the preferred server.
	client := &Client{servers: addresses, timeout: a.resolver.client.timeout}
	shared, _ := a.clients.LoadOrStore(strings.Join(addresses, " "), client)
	return shared.(*Client), nil
}

// serversOf returns the addresses of the name servers of the domain's zone.
func (a *Authorities) serversOf(ctx context.Context, domain string) ([]string, error) {
	zone, err := a.resolver.Apex(ctx, domain)
	if err != nil {
		return nil, err
	}
	servers, err := a.resolver.Lookup(ctx, zone, "NS")
	if err != nil {
		return nil, err
	}
	var addresses []string
	var failure error
	for i, server := range servers.Records {
		if i == maxAuthorities || ctx.Err() != nil && len(addresses) > 0 {
			break
		}
		found, err := a.resolver.LookupAddresses(ctx, strings.TrimSuffix(server.Data, "."))
		failure = cmp.Or(failure, err)
		for _, address := range found {
			addresses = append(addresses, net.JoinHostPort(address.String(), a.port))
		}
	}
	if len(addresses) == 0 {
		return nil, cmp.Or(failure, fmt.Errorf("the name servers of %s have no address", zone))
	}
	return addresses[:min(len(addresses), maxAuthorities)], nil
}
