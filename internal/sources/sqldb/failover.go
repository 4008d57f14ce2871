package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// retryHost is how long a host that failed is asked after the others.
const retryHost = 10 * time.Second

// failover connects to the first host that answers. It is the driver.Connector of the
// pool.
type failover struct {
	hosts []*candidate
	limit time.Duration // of connecting to one host
}

// candidate is a host to connect to.
type candidate struct {
	host      host
	connector driver.Connector
	failed    atomic.Int64 // when it failed last, in nanoseconds since 1970
}

func newFailover(p *place, e *engine, timeout time.Duration) *failover {
	f := &failover{limit: max(connectTimeout, timeout)}
	for _, h := range p.hosts {
		f.hosts = append(f.hosts, &candidate{host: h, connector: e.connector(p, h, timeout)})
	}
	return f
}

// Connect connects to the hosts in order. One that failed lately comes last, so that a
// dead machine is not waited for with every connection. It has a limit for each host,
// whatever ctx allows: package database/sql also connects on its own account, without one.
func (f *failover) Connect(ctx context.Context) (driver.Conn, error) {
	if len(f.hosts) == 1 {
		return f.hosts[0].connect(ctx, f.limit)
	}
	order := slices.Clone(f.hosts)
	slices.SortStableFunc(order, func(a, b *candidate) int { return a.rank() - b.rank() })
	var failures []error
	for i, c := range order {
		limit := f.limit
		if deadline, ok := ctx.Deadline(); ok {
			// Each of the hosts left gets its share of the time.
			limit = min(limit, time.Until(deadline)/time.Duration(len(order)-i))
		}
		conn, err := c.connect(ctx, limit)
		if err == nil {
			c.failed.Store(0)
			return conn, nil
		}
		c.failed.Store(time.Now().UnixNano())
		failures = append(failures, &hostError{c.host, err})
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failures...)
}

// Driver returns nil: nobody asks.
func (f *failover) Driver() driver.Driver { return nil }

// rank returns 1 if the host failed lately, and 0 otherwise.
func (c *candidate) rank() int {
	if time.Now().UnixNano()-c.failed.Load() < int64(retryHost) {
		return 1
	}
	return 0
}

func (c *candidate) connect(ctx context.Context, limit time.Duration) (driver.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return c.connector.Connect(ctx)
}

// hostError says which of several hosts failed.
type hostError struct {
	host host
	err  error
}

func (e *hostError) Error() string { return e.host.String() + ": " + e.err.Error() }
func (e *hostError) Unwrap() error { return e.err }
