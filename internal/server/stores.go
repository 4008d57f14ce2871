package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"signpost/internal/sources"
)

// WatchSources adds metrics of the account sources. It calls all at each scrape.
func (m *Metrics) WatchSources(all func() []*sources.Source) {
	m.registry.MustRegister(sourceCollector(all))
}

type sourceCollector func() []*sources.Source

var (
	sourceLookups = prometheus.NewDesc("signpost_source_lookups_total",
		"Questions about accounts and domains by account source and result.", []string{"source", "result"}, nil)
	sourceDomains = prometheus.NewDesc("signpost_source_domains",
		"Domains in the list of the account source.", []string{"source"}, nil)
	sourceListAge = prometheus.NewDesc("signpost_source_list_age_seconds",
		"Time since the list of domains was last read from the account source.", []string{"source"}, nil)
	sourceFailing = prometheus.NewDesc("signpost_source_failing",
		"1 while the account source does not answer, or its list of domains is not believed.", []string{"source"}, nil)
)

// Describe implements prometheus.Collector.
func (c sourceCollector) Describe(to chan<- *prometheus.Desc) {
	to <- sourceLookups
	to <- sourceDomains
	to <- sourceListAge
	to <- sourceFailing
}

// Collect implements prometheus.Collector.
func (c sourceCollector) Collect(to chan<- prometheus.Metric) {
	for _, s := range c() {
		name, stats := s.Name(), s.Stats()
		for result, n := range map[string]uint64{
			"hit": stats.Hits, "miss": stats.Misses, "failed": stats.Failures, "stale": stats.Stale,
		} {
			to <- prometheus.MustNewConstMetric(sourceLookups, prometheus.CounterValue, float64(n), name, result)
		}
		gauge := func(desc *prometheus.Desc, value float64) {
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, name)
		}
		if stats.HasDomains {
			gauge(sourceDomains, float64(stats.Domains))
		}
		if !stats.ListRead.IsZero() {
			gauge(sourceListAge, time.Since(stats.ListRead).Seconds())
		}
		failing := 0.0
		if stats.Error != nil || stats.ListError != nil {
			failing = 1
		}
		gauge(sourceFailing, failing)
	}
}
