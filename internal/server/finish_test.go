package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/certs"
	"signpost/internal/dns"
	"signpost/internal/server"
)

// TestPanicInADialect checks that a panic while a request is answered becomes a status and
// a line in the log, and that what net/http asks for is left to it.
func TestPanicInADialect(t *testing.T) {
	var log bytes.Buffer
	o := newOptions(t, &log)
	var value any = errors.New("a fault of ours")
	o.Resolve = func(context.Context, account.Query) (account.Settings, error) { panic(value) }
	handler := server.Handler(o)
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request("GET", "autoconfig.domain.se", "/mail/config-v1.1.xml", ""))
		return w
	}
	if w := ask(); w.Code != 500 || w.Body.String() != "internal error\n" {
		t.Errorf("the answer has status %d and says %q, want 500 and internal error", w.Code, w.Body)
	}
	for _, want := range []string{`level=ERROR msg="request panicked" dialect=autoconfig fault="a fault of ours" stack="goroutine`,
		"level=ERROR msg=request dialect=autoconfig outcome=failed", " status=500 "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &log)
		}
	}
	value = http.ErrAbortHandler
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("the handler's panic is %v, want it passed on", p)
		}
	}()
	ask()
}

// TestLevels checks that only our own failures are logged as errors, and which domain a line
// names.
func TestLevels(t *testing.T) {
	var log bytes.Buffer
	o := newOptions(t, &log)
	known, down := server.Handler(o), o
	down.Resolve = failing
	for _, row := range []struct {
		handler              http.Handler
		host, query          string
		level, outcome, name string
	}{
		{known, "autoconfig.example.se", "", "INFO", "answered", "example.se"}, // found by the host
		{known, "autoconfig.domain.se", "?emailaddress=a%40unknown.example", "INFO", "unknown", "unknown.example"},
		{server.Handler(down), "autoconfig.domain.se", "?emailaddress=a%40domain.se", "ERROR", "failed", "domain.se"},
	} {
		log.Reset()
		r := request("GET", row.host, "/mail/config-v1.1.xml"+row.query, "")
		row.handler.ServeHTTP(httptest.NewRecorder(), r)
		for _, want := range []string{"level=" + row.level + " ", "outcome=" + row.outcome + " ",
			"domain=" + row.name} {
			if !regexp.MustCompile(regexp.QuoteMeta(want)+`\b`).MatchString(log.String()) &&
				!strings.Contains(log.String(), want) {
				t.Errorf("%s%s: the log lacks %q:\n%s", row.host, row.query, want, &log)
			}
		}
	}
}

// TestMetricsOfOthers checks the metrics that other packages are asked for, and that every
// metric says what it is.
func TestMetricsOfOthers(t *testing.T) {
	m := server.NewMetrics("v1", "go1")
	m.WatchDNSCache(func() dns.Stats { return dns.Stats{Hits: 3, Misses: 5, Entries: 7, Stale: 11, Refused: 13} })
	m.WatchCertificates(func() certs.Status { return certs.Status{} })
	got := scrape(t, m)
	for series, want := range map[string]string{
		`signpost_dns_cache_lookups_total{result="hit"}`:  "3",
		`signpost_dns_cache_lookups_total{result="miss"}`: "5",
		"signpost_dns_cache_entries":                      "7",
		"signpost_dns_stale_answers_total":                "11",
		"signpost_dns_refused_total":                      "13",
	} {
		if got[series] != want {
			t.Errorf("%s = %q, want %s", series, got[series], want)
		}
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, name := range regexp.MustCompile(`(?m)^# TYPE (signpost_\S+)`).FindAllStringSubmatch(w.Body.String(), -1) {
		if !regexp.MustCompile(`(?m)^# HELP ` + name[1] + ` \S`).MatchString(w.Body.String()) {
			t.Errorf("the metric %s has no help", name[1])
		}
	}
}

// TestPlainWhileDNSFails checks that a redirect that cannot be decided now is not refused for
// good.
func TestPlainWhileDNSFails(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.HTTPS, o.Resolve = true, failing
	w := httptest.NewRecorder()
	server.Handler(o).ServeHTTP(w, request("GET", "autodiscover.domain.se", "/autodiscover/autodiscover.xml", ""))
	if w.Code != 503 || w.Header().Get("Retry-After") != "60" {
		t.Errorf("status %d, Retry-After %q, want 503 and 60", w.Code, w.Header().Get("Retry-After"))
	}
}
