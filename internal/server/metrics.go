package server

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"signpost/account"
)

// Metrics are what the service counts, for Prometheus to read. They outlive the
// configurations. No label holds a word that a stranger chooses, and all series
// exist from the start, so that a rate can be computed before something has
// happened. docs/operating.md explains each.
type Metrics struct {
	registry *prometheus.Registry

	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	lookups  [lookupResults]prometheus.Counter
	leftOut  prometheus.Counter

	open     *prometheus.GaugeVec
	accepted *prometheus.CounterVec
	// Connections that were closed for others: because their address had too many,
	// and because they were idle when all were taken.
	closedForAddress, closedForRoom prometheus.Counter

	applied, refused prometheus.Counter
	loaded           prometheus.Gauge
	configured       *prometheus.GaugeVec
}

// outcome is what became of a request.
type outcome int

const (
	answered   outcome = iota // with what was asked for, or that there is nothing to tell
	redirected                // to another service, or to https
	unknown                   // the domain is not hosted here, or the host is another customer's
	refused                   // the client's mistake
	limited                   // too many requests
	failed                    // our own fault, or DNS's
	outcomes
)

var outcomeNames = [outcomes]string{"answered", "redirected", "unknown", "refused", "limited", "failed"}

func (o outcome) String() string { return outcomeNames[o] }

// lookupResult is what the directory knew.
type lookupResult int

const (
	lookupFound lookupResult = iota
	lookupUnknown
	lookupFailed
	lookupResults
)

var lookupNames = [lookupResults]string{"found", "unknown", "failed"}

// durations span what a warm answer takes and what the time limits allow.
var durations = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5}

// NewMetrics makes the metrics of a program of the version.
func NewMetrics(version, goVersion string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = m.counters("requests_total", "Requests by dialect and what became of them.", "dialect", "outcome")
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "request_duration_seconds", Help: "Time from the header of a request to the end of its answer, by dialect.", Buckets: durations,
	}, []string{"dialect"})
	m.registry.MustRegister(m.duration)
	lookups := m.counters("lookups_total", "Questions to the directory by what it knew.", "result")
	for result, name := range lookupNames {
		m.lookups[result] = lookups.WithLabelValues(name)
	}
	m.leftOut = m.counters("log_lines_left_out_total", "Requests that got no line in the log because there were too many in the second.").WithLabelValues()
	m.open = m.gauges("connections", "Connections that are open now, by listener.", "listener")
	m.accepted = m.counters("connections_accepted_total", "Connections that were opened, by listener.", "listener")
	closed := m.counters("connections_closed_total", "Connections that were closed for the sake of others, by reason.", "reason")
	m.closedForAddress, m.closedForRoom = closed.WithLabelValues("address"), closed.WithLabelValues("room")
	for _, kind := range []string{kindHTTP, kindHTTPS} {
		m.open.WithLabelValues(kind)
		m.accepted.WithLabelValues(kind)
	}
	reloads := m.counters("reloads_total", "Reloads of the configuration by result.", "result")
	m.applied, m.refused = reloads.WithLabelValues("applied"), reloads.WithLabelValues("refused")
	m.loaded = m.gauges("config_loaded_timestamp_seconds", "When the configuration in use was loaded.").WithLabelValues()
	m.configured = m.gauges("configured", "How much the configuration in use has.", "what")
	m.gauges("build_info", "1, labelled with the version of the program and of Go.", "version", "goversion").WithLabelValues(version, goVersion).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
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

// Handler answers a scrape.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Gather asks for everything that a scrape would be told, and returns when all have
// answered.
func (m *Metrics) Gather() { m.registry.Gather() }

// Contents is how much a configuration has.
type Contents struct{ Providers, Domains, Accounts int }

// Loaded notes that a configuration is in use from now on.
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

// DNSCache is how often the answer to a question was known, and how many answers
// are.
type DNSCache struct {
	Hits, Misses uint64
	Entries      int
}

// WatchDNSCache asks for the state of the cache at each scrape.
func (m *Metrics) WatchDNSCache(state func() DNSCache) { m.registry.MustRegister(dnsCache(state)) }

type dnsCache func() DNSCache

var (
	dnsLookups = prometheus.NewDesc("signpost_dns_cache_lookups_total", "Questions to DNS, such as for MX records, by whether the answer was known.", []string{"result"}, nil)
	dnsEntries = prometheus.NewDesc("signpost_dns_cache_entries", "Answers of DNS that are known now.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c dnsCache) Describe(to chan<- *prometheus.Desc) {
	to <- dnsLookups
	to <- dnsEntries
}

// Collect implements prometheus.Collector.
func (c dnsCache) Collect(to chan<- prometheus.Metric) {
	state := c()
	to <- prometheus.MustNewConstMetric(dnsLookups, prometheus.CounterValue, float64(state.Hits), "hit")
	to <- prometheus.MustNewConstMetric(dnsLookups, prometheus.CounterValue, float64(state.Misses), "miss")
	to <- prometheus.MustNewConstMetric(dnsEntries, prometheus.GaugeValue, float64(state.Entries))
}

// Certificates are the certificates in use. The states are words of a fixed
// set.
type Certificates struct {
	ByState    map[string]int
	NextExpiry time.Time // zero where there is none
	// Obtained and Failed count orders.
	Obtained, Failed int64
	// Stopped: nothing is ordered for some time after failures.
	Stopped bool
}

// WatchCertificates asks for the state of the certificates at each scrape.
func (m *Metrics) WatchCertificates(state func() Certificates) {
	m.registry.MustRegister(certificates(state))
}

type certificates func() Certificates

var (
	certificateCount  = prometheus.NewDesc("signpost_certificates", "Certificates by state.", []string{"state"}, nil)
	certificateExpiry = prometheus.NewDesc("signpost_certificates_next_expiry_timestamp_seconds", "When the first of the certificates ends.", nil, nil)
	certificateOrders = prometheus.NewDesc("signpost_certificate_orders_total", "Orders of certificates by result.", []string{"result"}, nil)
	ordersStopped     = prometheus.NewDesc("signpost_certificate_orders_stopped", "1 while nothing is ordered because orders have failed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c certificates) Describe(to chan<- *prometheus.Desc) {
	to <- certificateCount
	to <- certificateExpiry
	to <- certificateOrders
	to <- ordersStopped
}

// Collect implements prometheus.Collector.
func (c certificates) Collect(to chan<- prometheus.Metric) {
	state := c()
	for name, count := range state.ByState {
		to <- prometheus.MustNewConstMetric(certificateCount, prometheus.GaugeValue, float64(count), name)
	}
	if !state.NextExpiry.IsZero() {
		to <- prometheus.MustNewConstMetric(certificateExpiry, prometheus.GaugeValue, float64(state.NextExpiry.Unix()))
	}
	to <- prometheus.MustNewConstMetric(certificateOrders, prometheus.CounterValue, float64(state.Obtained), "obtained")
	to <- prometheus.MustNewConstMetric(certificateOrders, prometheus.CounterValue, float64(state.Failed), "failed")
	stopped := 0.0
	if state.Stopped {
		stopped = 1
	}
	to <- prometheus.MustNewConstMetric(ordersStopped, prometheus.GaugeValue, stopped)
}

// looked counts a question to the directory.
func (m *Metrics) looked(err error) {
	switch {
	case err == nil:
		m.lookups[lookupFound].Inc()
	case isUnknown(err):
		m.lookups[lookupUnknown].Inc()
	default:
		m.lookups[lookupFailed].Inc()
	}
}

// isUnknown reports whether the directory knows that it does not know.
func isUnknown(err error) bool {
	return errors.Is(err, account.ErrUnknownDomain) || errors.Is(err, account.ErrWrongHost)
}

// series are the metrics of one dialect, found once and not at each request.
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
