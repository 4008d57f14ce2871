package server_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/server"
)

// scrape returns all series with their values, as Prometheus reads them.
func scrape(t testing.TB, m *server.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("scraping: status %d, want 200: %s", w.Code, w.Body)
	}
	series := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			series[name] = value
		}
	}
	return series
}

// TestOutcomes sends requests in each dialect. Each adds to one outcome only.
func TestOutcomes(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Metrics = server.NewMetrics("v1.2.3", "go1.26")
	handler := server.Handler(o)
	const pox = "/autodiscover/autodiscover.xml"
	for _, row := range []struct {
		method, host, target, body string
		dialect, outcome           string
	}{
		{"GET", "autoconfig.example.se", "/mail/config-v1.1.xml", "", "autoconfig", "answered"},
		{"GET", "autoconfig.unknown.example", "/mail/config-v1.1.xml", "", "autoconfig", "unknown"},
		{"GET", "autoconfig.example.se", "/mail/config-v1.1.xml?emailaddress=x", "", "autoconfig", "unknown"},
		{"DELETE", "autoconfig.example.se", "/mail/config-v1.1.xml", "", "autoconfig", "refused"},
		{"POST", "autodiscover.domain.se", pox, outlookBody, "autodiscover", "answered"},
		{"POST", "autodiscover.domain.se", pox, "rubbish", "autodiscover", "refused"},
		{"POST", "autodiscover.domain.se", pox, outlookRequest("a@unknown.example"), "autodiscover", "unknown"},
		{"POST", "autodiscover.kh-konsult.example", pox, outlookRequest("a@kh-konsult.example"), "autodiscover",
			"redirected"},
		{"GET", "autodiscover.domain.se", "/autodiscover/autodiscover.json?Email=info%40domain.se&Protocol=AutodiscoverV1", "",
			"autodiscover-json", "answered"},
		{"GET", "autodiscover.example.se", "/autodiscover/autodiscover.svc", "", "autodiscover-soap", "unknown"},
		{"POST", "autodiscover.example.se", "/autodiscover/autodiscover.svc",
			"<Envelope><Mailbox>a@example.se</Mailbox></Envelope>", "autodiscover-soap", "answered"},
		{"GET", "ua-auto-config.butiken.example", "/.well-known/user-agent-configuration.json", "", "pacc", "answered"},
		{"GET", "ua-auto-config.example.se", "/.well-known/user-agent-configuration.json", "", "pacc", "answered"},
		{"GET", "setup.mamutmail.com", "/profile.mobileconfig?emailaddress=a%40domain.se", "", "mobileconfig", "answered"},
		{"GET", "domain.se", "/<script>", "", "other", "refused"},
	} {
		name := `signpost_requests_total{dialect="` + row.dialect + `",outcome="` + row.outcome + `"}`
		count := `signpost_request_duration_seconds_count{dialect="` + row.dialect + `"}`
		before := scrape(t, o.Metrics)
		r := request(row.method, row.host, "/", row.body)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(row.target, "?") // which need not be a valid URL
		handler.ServeHTTP(httptest.NewRecorder(), r)
		after := scrape(t, o.Metrics)
		for series, value := range after {
			changes := series == name || series == count || strings.HasPrefix(series, "signpost_request_duration_seconds_") &&
				strings.Contains(series, `"`+row.dialect+`"`) || strings.HasPrefix(series, "signpost_lookups_total")
			if strings.HasPrefix(series, "signpost_") && before[series] != value && !changes {
				t.Errorf("%s %s: %s changed from %s to %s", row.method, row.target, series, before[series], value)
			}
		}
		if before[name] == "" || before[name] == after[name] || before[count] == after[count] {
			t.Errorf("%s %s: %s went from %q to %q, want it counted",
				row.method, row.target, name, before[name], after[name])
		}
	}
}

// TestFailureIsCounted checks that a failure of DNS counts as failed, not as the
// client's mistake.
func TestFailureIsCounted(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Resolve = failing
	o.Metrics = server.NewMetrics("", "")
	handler := server.Handler(o)
	handler.ServeHTTP(httptest.NewRecorder(), request("GET", "autoconfig.example.se", "/mail/config-v1.1.xml", ""))
	handler.ServeHTTP(httptest.NewRecorder(),
		request("POST", "autodiscover.domain.se", "/autodiscover/autodiscover.xml", outlookBody))
	got := scrape(t, o.Metrics)
	for _, series := range []string{`signpost_requests_total{dialect="autoconfig",outcome="failed"}`,
		`signpost_requests_total{dialect="autodiscover",outcome="failed"}`} {
		if got[series] != "1" {
			t.Errorf("%s = %s after two lookups that failed", series, got[series])
		}
	}
	if series := `signpost_lookups_total{result="failed"}`; got[series] != "2" {
		t.Errorf("%s = %s after two lookups that failed", series, got[series])
	}
}

// TestNoSeriesFromClients sends the hostile requests. They must not add a series.
func TestNoSeriesFromClients(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Metrics = server.NewMetrics("", "")
	address := start(t, &server.Service{Handler: server.Handler(o), Metrics: o.Metrics})
	series := func() int {
		n := 0
		for name := range scrape(t, o.Metrics) {
			if strings.HasPrefix(name, "signpost_") {
				n++
			}
		}
		return n
	}
	before := series()
	for _, h := range hostileRequests() {
		if h.body == nil {
			send(t, address, h)
		}
	}
	if after := series(); after != before || before > 300 {
		t.Errorf("%d series before the hostile requests and %d after, want the same, at most 300", before, after)
	}
}

// TestLimitsAllocateNothing compares the allocations of a request with and without a
// rate limit.
func TestLimitsAllocateNothing(t *testing.T) {
	o := newOptions(t, io.Discard)
	o.Logged = 0
	with := server.Handler(o)
	o.Limiter = nil
	without := server.Handler(o)
	r := request("GET", "autoconfig.example.se", "/mail/config-v1.1.xml?emailaddress=info%40domain.se", "")
	w := &discard{r.Header.Clone()}
	one := testing.AllocsPerRun(200, func() { clear(w.header); with.ServeHTTP(w, r) })
	other := testing.AllocsPerRun(200, func() { clear(w.header); without.ServeHTTP(w, r) })
	if one > other {
		t.Errorf("a request takes %v allocations with a rate limit and %v without, want no difference", one, other)
	}
}

// failing is a resolver whose DNS fails.
func failing(context.Context, account.Query) (account.Settings, error) {
	return account.Settings{}, errors.New("looking up the MX record: DNS is down")
}
