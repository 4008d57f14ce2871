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
	asked  chan struct{} // receives when one or more requests have come at the end

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
	return &connections{closed: make(chan struct{}, 1), asked: make(chan struct{}, 1), http: of(kindHTTP), https: of(kindHTTPS)}
}

// note is an http.Server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateActive:
		if s := seatOf(conn); s != nil {
			s.idle.Store(0)
		}
	case http.StateIdle:
		if s := seatOf(conn); s != nil {
			s.rests()
		}
	case http.StateNew:
		c.open.Add(1)
		metrics := c.of(conn)
		metrics.open.Inc()
		metrics.accepted.Inc()
	case http.StateClosed:
		c.of(conn).open.Dec()
		c.open.Add(-1)
		tell(c.closed)
	}
}

func (c *connections) of(conn net.Conn) *connectionMetrics {
	if _, ok := conn.(*tls.Conn); ok {
		return &c.https
	}
	return &c.http
}

// tell lets somebody know who may be listening, or will.
func tell(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns when no connection is open, when no request has come for the
// time of quiet, or when ctx is done. Connections that end by themselves meanwhile
// say nothing about the rest.
func (c *connections) wait(ctx context.Context, quiet time.Duration) {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for c.open.Load() > 0 {
		select {
		case <-c.closed:
		case <-c.asked:
			timer.Reset(quiet)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
