package records

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// maxOwnServers is how many addresses of a zone's name servers are asked. Whoever
// runs a zone may name any number, each of them silent; the root has thirteen,
// customers' zones mostly two to four.
const maxOwnServers = 8

// lookup asks once and reads what the answer says, without following CNAMEs out
// of it: a server that is asked for what it knows itself. It ends after four
// times the timeout of one try, however many servers there are.
func (c *client) lookup(ctx context.Context, name, recordType string) (Answer, error) {
	qname, qtype, err := question(name, recordType)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 4*c.timeout)
	defer cancel()
	message, err := c.ask(ctx, qname, qtype)
	if err != nil {
		return Answer{}, fmt.Errorf("%s: %w", describe(qname, qtype), err)
	}
	answer, _, err := follow(message, qname, qtype, map[string]bool{})
	return answer, err
}

// errNoDomain is a domain that is not in DNS at all.
var errNoDomain = errors.New("does not exist in DNS")

// apex finds the zone that a domain is in: the nearest name at or above it that
// has a SOA record.
func (r *Resolver) apex(ctx context.Context, domain string) (string, error) {
	for name := domain; name != ""; _, name, _ = strings.Cut(name, ".") {
		answer, err := r.Lookup(ctx, name, "SOA")
		if err != nil {
			return "", err
		}
		switch {
		case answer.Status == Found && len(answer.Records) == 1:
			return name, nil
		case answer.Status == NoName && name == domain:
			return "", errNoDomain
		}
	}
	return "", fmt.Errorf("no zone holds %s", domain)
}

// ownServers is a client for the name servers of the zone that holds the domain.
// Finding them takes no longer than a few look-ups may: hosts that strangers
// name can each take as long as they like to be found.
func (c *Comparer) ownServers(ctx context.Context, domain string) (own *client, err error) {
	defer func() {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("the name servers of %s cannot be found in time", domain)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 12*c.resolver.client.timeout)
	defer cancel()
	zone, err := c.resolver.apex(ctx, domain)
	if err != nil {
		return nil, err
	}
	servers, err := c.resolver.Lookup(ctx, zone, "NS")
	if err != nil {
		return nil, err
	}
	var addresses []string
	var problem error
	for i, server := range servers.Records {
		if i == maxOwnServers || ctx.Err() != nil && len(addresses) > 0 {
			break
		}
		host := strings.TrimSuffix(server.Data, ".")
		for _, recordType := range []string{"A", "AAAA"} {
			answer, err := c.resolver.Lookup(ctx, host, recordType)
			if err != nil {
				problem = cmp.Or(problem, err)
				continue
			}
			for _, record := range answer.Records {
				if record.Type == recordType {
					addresses = append(addresses, net.JoinHostPort(record.Data, c.port))
				}
			}
		}
	}
	if len(addresses) == 0 {
		if problem == nil {
			problem = fmt.Errorf("the name servers of %s have no address", zone)
		}
		return nil, problem
	}
	addresses = addresses[:min(len(addresses), maxOwnServers)]
	// Thousands of domains share their servers, and what is known of them.
	known, _ := c.clients.LoadOrStore(strings.Join(addresses, " "), &client{servers: addresses, timeout: c.resolver.client.timeout})
	return known.(*client), nil
}
