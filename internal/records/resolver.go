package records

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"

	"signpost/internal/directory"
)

// Limits of a Resolver. Strangers choose the names that it is asked for, so
// everything that they could make grow has an end.
const (
	maxFlights  = 64   // questions under way at once
	maxWaiting  = 1024 // and as many that wait for their turn
	maxEntries  = 20_000
	maxBytes    = 16 << 20
	minPositive = 30 * time.Second
	maxPositive = time.Hour
	minNegative = 5 * time.Second
	maxNegative = 5 * time.Minute
	failureTTL  = 5 * time.Second
	maxAliases  = 8 // CNAMEs followed, as BIND and Unbound limit them, too
)

// Resolver asks recursive name servers, remembers what they said for as long as
// they allow within bounds, and asks once where several want to know the same.
type Resolver struct {
	client  *client
	clock   func() time.Time
	cache   *cache
	flights singleflight.Group
	slots   chan struct{}
	waiting atomic.Int32
}

// NewResolver makes a resolver that asks the servers (an address, or address and
// port), in their order; none means those of /etc/resolv.conf. The timeout is
// that of one try, zero meaning two seconds; a look-up ends after four times
// that, however many servers there are.
func NewResolver(servers []string, timeout time.Duration) (*Resolver, error) {
	addresses, err := serverAddresses(servers)
	if err != nil {
		return nil, err
	}
	if timeout <= 0 {
		timeout = 2 * time.Second
	}
	return &Resolver{
		client: &client{servers: addresses, timeout: timeout, recursion: true},
		clock:  time.Now,
		cache:  newCache(maxEntries, maxBytes),
		slots:  make(chan struct{}, maxFlights),
	}, nil
}

// Status says what a name server knows of a name and type.
type Status int

// The three answers of RFC 2308 §2.
const (
	Found  Status = iota
	NoData        // the name exists, but has no record of the type
	NoName        // NXDOMAIN
)

// Answer is what DNS says about a name.
type Answer struct {
	Status Status
	// Records are the CNAMEs that lead from the name, in their order, followed
	// by the records of the type asked for.
	Records []Record
}

// MX is a host that takes mail for a domain.
type MX = directory.MX

// LookupMX lists the hosts that take a domain's mail, most preferred first,
// those of equal preference by name. A domain that does not exist, has no MX or
// says that it takes no mail (RFC 7505) has none, and that is no error. An
// error means that DNS did not tell. It is a directory.LookupMX.
func (r *Resolver) LookupMX(ctx context.Context, domain string) ([]MX, error) {
	answer, err := r.Lookup(ctx, domain, "MX")
	if err != nil {
		return nil, err
	}
	var hosts []MX
	for _, record := range answer.Records {
		preference, host, _ := strings.Cut(record.Data, " ")
		host = strings.ToLower(strings.TrimSuffix(host, "."))
		number, err := strconv.ParseUint(preference, 10, 16)
		if record.Type != "MX" || err != nil || host == "" {
			continue
		}
		hosts = append(hosts, MX{Host: host, Preference: uint16(number)})
	}
	slices.SortFunc(hosts, func(a, b MX) int {
		if a.Preference != b.Preference {
			return int(a.Preference) - int(b.Preference)
		}
		return strings.Compare(a.Host, b.Host)
	})
	return hosts, nil
}

// errBusy is not remembered: the next one may find a free place.
var errBusy = errors.New("too many DNS look-ups under way")

// Lookup asks for the records of a name, of a type such as "SRV". What the name
// lacks is an Answer; an error means that DNS did not tell. Cancelling the
// context ends the wait, not the look-up that others may wait for as well.
func (r *Resolver) Lookup(ctx context.Context, name, recordType string) (Answer, error) {
	qname, qtype, err := question(name, recordType)
	if err != nil {
		return Answer{}, err
	}
	key := recordType + " " + qname
	if answer, err, ok := r.cache.get(key, r.clock()); ok {
		return answer, err
	}
	if r.waiting.Add(1) > maxFlights+maxWaiting {
		r.waiting.Add(-1)
		return Answer{}, fmt.Errorf("%s %s: %w", name, recordType, errBusy)
	}
	flight := r.flights.DoChan(key, func() (any, error) {
		return r.fly(key, qname, qtype)
	})
	select {
	case <-ctx.Done():
		// The flight goes on for those who still wait; it counts as waiting
		// until it has landed.
		go func() { <-flight; r.waiting.Add(-1) }()
		return Answer{}, ctx.Err()
	case landed := <-flight:
		r.waiting.Add(-1)
		if landed.Err != nil {
			return Answer{}, landed.Err
		}
		return landed.Val.(Answer), nil
	}
}

// fly asks and remembers. It runs once per name and type at a time and belongs
// to no single caller.
func (r *Resolver) fly(key, qname string, qtype uint16) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*r.client.timeout)
	defer cancel()
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("%s: %w", describe(qname, qtype), errBusy)
	}
	answer, ttl, err := r.client.resolve(ctx, qname, qtype)
	if err != nil {
		err = fmt.Errorf("%s: %w", describe(qname, qtype), err)
		ttl = failureTTL
	}
	r.cache.put(key, answer, err, r.clock().Add(ttl))
	return answer, err
}

func describe(qname string, qtype uint16) string {
	return dns.TypeToString[qtype] + " of " + strings.TrimSuffix(qname, ".")
}

// question checks a name and a type before they reach the wire.
func question(name, recordType string) (string, uint16, error) {
	qtype, ok := dns.StringToType[recordType]
	if !ok || qtype == dns.TypeNone {
		return "", 0, fmt.Errorf("%q is no record type that can be asked for", recordType)
	}
	qname := strings.ToLower(dns.Fqdn(name))
	if _, ok := dns.IsDomainName(qname); !ok || name == "" {
		return "", 0, errors.New("not a name that DNS could know")
	}
	return qname, qtype, nil
}
