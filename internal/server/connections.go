package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"signpost/internal/conn"
)

// connections counts open connections, for the metrics and for the end of Serve.
type connections struct {
	open      atomic.Int64
	closed    chan struct{} // receives when connections have been closed
	requested chan struct{} // receives when requests have come during the shutdown

	http, https connectionMetrics
}

type connectionMetrics struct {
	open     prometheus.Gauge
	accepted prometheus.Counter
}

func newConnections(m *Metrics) *connections {
	metrics := func(kind string) connectionMetrics {
		return connectionMetrics{m.open.WithLabelValues(kind), m.accepted.WithLabelValues(kind)}
	}
	return &connections{
		closed:    make(chan struct{}, 1),
		requested: make(chan struct{}, 1),
		http:      metrics(conn.HTTP),
		https:     metrics(conn.HTTPS),
	}
}

// track is the ConnState of an http.Server.
func (c *connections) track(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateActive:
		conn.LimitFrames(nc)
		conn.SetIdle(nc, false)
	case http.StateIdle:
		conn.SetIdle(nc, true)
	case http.StateNew:
		c.open.Add(1)
		c.metricsFor(nc).open.Inc()
		c.metricsFor(nc).accepted.Inc()
	case http.StateClosed:
		c.open.Add(-1)
		c.metricsFor(nc).open.Dec()
		notify(c.closed)
	}
}

func (c *connections) metricsFor(nc net.Conn) *connectionMetrics {
	if _, ok := nc.(*tls.Conn); ok {
		return &c.https
	}
	return &c.http
}

// notify sends without blocking. c has a buffer of one, so a later receiver sees it.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// wait returns when no connection is open, when no request has come for the duration
// of quiet, or when ctx is done. Connections that clients close meanwhile say nothing
// about the others and do not prolong it.
func (c *connections) wait(ctx context.Context, quiet time.Duration) {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for c.open.Load() > 0 {
		select {
		case <-c.closed:
		case <-c.requested:
			timer.Reset(quiet)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
