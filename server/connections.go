package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// connections counts the open ones.
type connections struct {
	open   atomic.Int64
	closed chan struct{} // receives when one or more have been closed

	http, https connectionMetrics
}

type connectionMetrics struct {
	open     prometheus.Gauge
	accepted prometheus.Counter
}

func newConnections(m *Metrics) *connections {
	of := func(kind string) connectionMetrics {
		return connectionMetrics{m.open.WithLabelValues(kind), m.accepted.WithLabelValues(kind)}
	}
	return &connections{closed: make(chan struct{}, 1), http: of(kindHTTP), https: of(kindHTTPS)}
}

// note is an http.Server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	if state != http.StateNew && state != http.StateClosed {
		return
	}
	metrics := &c.http
	if _, ok := conn.(*tls.Conn); ok {
		metrics = &c.https
	}
	if state == http.StateNew {
		c.open.Add(1)
		metrics.open.Inc()
		metrics.accepted.Inc()
		return
	}
	metrics.open.Dec()
	c.open.Add(-1)
	select {
	case c.closed <- struct{}{}:
	default:
	}
}

// wait returns when no connection is open, or when none has been closed for the
// time of quiet.
func (c *connections) wait(ctx context.Context, quiet time.Duration) {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for c.open.Load() > 0 {
		select {
		case <-c.closed:
			timer.Reset(quiet)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
