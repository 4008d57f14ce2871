package server

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"signpost/account"
	"signpost/internal/conn"
)

// Metrics holds what the service counts for Prometheus. It outlives configurations. No
// label has a value that a client can choose, and all series exist from the start, so
// that a rate can be computed before the first event. docs/operating.md explains each.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	lookups  [lookupResults]prometheus.Counter
	leftOut  prometheus.Counter

	open     *prometheus.GaugeVec
	accepted *prometheus.CounterVec
	// Connections closed because their address had too many, while idle because the
	// listener was full, and because of a flood of HTTP/2 frames.
	closedForAddress, closedForRoom, closedForFlood prometheus.Counter

	applied, refused prometheus.Counter
	loaded           prometheus.Gauge
	configured       *prometheus.GaugeVec
}

// durationBuckets reach from a cached answer to the time limits.
var durationBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5}

// NewMetrics returns the metrics of a program. Both versions become labels of
// signpost_build_info.
func NewMetrics(version, goVersion string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = m.counters("requests_total", "Requests by dialect and outcome.", "dialect", "outcome")
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "request_duration_seconds", Buckets: durationBuckets,
		Help: "Time from the header of a request to the end of its response, by dialect.",
	}, []string{"dialect"})
	m.registry.MustRegister(m.duration)
	lookups := m.counters("lookups_total",
		"Lookups in the directory of domains and accounts by result.", "result")
	for result, name := range lookupNames {
		m.lookups[result] = lookups.WithLabelValues(name)
	}
	m.leftOut = m.counters("log_lines_left_out_total",
		"Requests without a log line because there were too many in that second.").WithLabelValues()
	m.open = m.gauges("connections", "Open connections by listener.", "listener")
	m.accepted = m.counters("connections_accepted_total", "Accepted connections by listener.", "listener")
	closed := m.counters("connections_closed_total",
		"Connections closed to leave room for others, by reason.", "reason")
	m.closedForAddress, m.closedForRoom = closed.WithLabelValues("address"), closed.WithLabelValues("room")
	m.closedForFlood = closed.WithLabelValues("flood")
	for _, kind := range []string{conn.HTTP, conn.HTTPS} {
		m.open.WithLabelValues(kind)
		m.accepted.WithLabelValues(kind)
	}
	reloads := m.counters("reloads_total", "Reloads of the configuration by result.", "result")
	m.applied, m.refused = reloads.WithLabelValues("applied"), reloads.WithLabelValues("refused")
	m.loaded = m.gauges("config_loaded_timestamp_seconds",
		"Time at which the current configuration was loaded.").WithLabelValues()
	m.configured = m.gauges("configured", "Providers, domains and accounts in the current configuration.", "what")
	m.gauges("build_info",
		"Always 1, labelled with the versions of the program and of Go.", "version", "goversion").
		WithLabelValues(version, goVersion).Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

const namespace = "signpost"

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(vec)
	return vec
}

func (m *Metrics) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(vec)
	return vec
}

// Handler returns the handler of a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Gather collects all metrics as a scrape does, and drops them. It returns only if no
// part of the service hangs.
func (m *Metrics) Gather() { m.registry.Gather() }

// Contents counts what a configuration holds.
type Contents struct{ Providers, Domains, Accounts int }

// Loaded records that a configuration has come into use.
func (m *Metrics) Loaded(c Contents) {
	m.loaded.SetToCurrentTime()
	m.configured.WithLabelValues("providers").Set(float64(c.Providers))
	m.configured.WithLabelValues("domains").Set(float64(c.Domains))
	m.configured.WithLabelValues("accounts").Set(float64(c.Accounts))
}

// Reloaded counts a reload.
func (m *Metrics) Reloaded(applied bool) {
	if applied {
		m.applied.Inc()
		return
	}
	m.refused.Inc()
}

// countLookup counts a lookup in the directory.
func (m *Metrics) countLookup(err error) {
	switch {
	case err == nil:
		m.lookups[lookupFound].Inc()
	case account.IsUnknown(err):
		m.lookups[lookupUnknown].Inc()
	default:
		m.lookups[lookupFailed].Inc()
	}
}

// series holds the metrics of one dialect, so that a request need not look them up.
type series struct {
	requests [outcomes]prometheus.Counter
	duration prometheus.Observer
}

func (m *Metrics) series(dialect string) series {
	s := series{duration: m.duration.WithLabelValues(dialect)}
	for o := range outcomes {
		s.requests[o] = m.requests.WithLabelValues(dialect, o.String())
	}
	return s
}
