package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"signpost/internal/certs"
	"signpost/internal/dns"
)

// WatchDNSCache adds metrics of the DNS cache. It calls stats at each scrape.
func (m *Metrics) WatchDNSCache(stats func() dns.Stats) {
	const lookupsHelp = "Lookups in the DNS cache, such as for MX records, by result."
	lookups := func(result string, value func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Namespace: namespace, Name: "dns_cache_lookups_total", Help: lookupsHelp,
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(value()) })
	}
	counter := func(name, help string, value func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help},
			func() float64 { return float64(value()) })
	}
	m.registry.MustRegister(
		counter("dns_refused_total", "Questions not put to DNS, because too many were waiting.",
			func() uint64 { return stats().Refused }),
		counter("dns_stale_answers_total", "Expired answers used because DNS gave no new ones.",
			func() uint64 { return stats().Stale }),
		lookups("hit", func() uint64 { return stats().Hits }),
		lookups("miss", func() uint64 { return stats().Misses }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "dns_cache_entries", Help: "Answers in the DNS cache.",
		}, func() float64 { return float64(stats().Entries) }),
	)
}

// WatchCertificates adds metrics of the certificates. It calls status at each scrape.
func (m *Metrics) WatchCertificates(status func() certs.Status) {
	m.registry.MustRegister(certificateCollector(status))
}

type certificateCollector func() certs.Status

var (
	certificateCount = prometheus.NewDesc("signpost_certificates",
		"Certificates in memory by state.", []string{"state"}, nil)
	certificateExpiry = prometheus.NewDesc("signpost_certificates_next_expiry_timestamp_seconds",
		"Time at which the first of the valid certificates expires.", nil, nil)
	certificateOrders = prometheus.NewDesc("signpost_certificate_orders_total",
		"Orders of certificates by result.", []string{"result"}, nil)
	certificateOrdersStopped = prometheus.NewDesc("signpost_certificate_orders_stopped",
		"1 while orders are paused because some have failed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c certificateCollector) Describe(to chan<- *prometheus.Desc) {
	to <- certificateCount
	to <- certificateExpiry
	to <- certificateOrders
	to <- certificateOrdersStopped
}

// Collect implements prometheus.Collector.
func (c certificateCollector) Collect(to chan<- prometheus.Metric) {
	status := c()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, state := range certs.States {
		gauge(certificateCount, float64(status.Count(state)), string(state))
	}
	if next := status.NextExpiry(); !next.IsZero() {
		gauge(certificateExpiry, float64(next.Unix()))
	}
	orders := status.Orders
	for result, n := range map[string]int64{"obtained": orders.Obtained, "failed": orders.Failed} {
		to <- prometheus.MustNewConstMetric(certificateOrders, prometheus.CounterValue, float64(n), result)
	}
	stopped := 0.0
	if time.Now().Before(orders.StoppedUntil) {
		stopped = 1
	}
	gauge(certificateOrdersStopped, stopped)
}

// WatchStore adds metrics of the database of certificates. It calls status at each scrape: whether the
// database fails, and how many certificates wait to be written into it.
func (m *Metrics) WatchStore(status func() (failing bool, waiting int)) {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, value)
	}
	m.registry.MustRegister(
		gauge("certificate_store_failing", "1 while the database of certificates cannot be read or written.",
			func() float64 {
				if failing, _ := status(); failing {
					return 1
				}
				return 0
			}),
		gauge("certificate_store_waiting", "Certificates in memory that wait to be written into the database.",
			func() float64 {
				_, waiting := status()
				return float64(waiting)
			}),
	)
}
