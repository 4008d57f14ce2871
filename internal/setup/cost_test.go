package setup

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"signpost/account"
	"signpost/templates"
)

// TestSize checks the size of the largest page, with style and script, uncompressed. The
// largest is the Arabic one, whose letters take two bytes each.
func TestSize(t *testing.T) {
	h := fullPage()
	for _, language := range templates.Embedded().Languages {
		lang := language.Tag
		long := strings.Repeat("a", 60) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 2) + "example.com"
		page := get(t, h, "/?emailaddress="+long+"&name="+url.QueryEscape(strings.Repeat("å", 100))+"&lang="+lang,
			"User-Agent", agentMac).Body.Len() // which may be an iPad's, and shows its steps twice
		style, script := get(t, h, stylePath).Body.Len(), get(t, h, scriptPath).Body.Len()
		t.Logf("%s: page %d, style %d, script %d", lang, page, style, script)
		if page+style+script > 60_000 {
			t.Errorf("page, style and script in %s have %d bytes, want at most 60,000", lang, page+style+script)
		}
	}
}

// fullPage returns the handler of a page with everything that a page can have.
func fullPage() http.Handler {
	resolve, p := literal()
	*p = *sampleProviders()[0]
	return Handler(resolve, Options{Name: "setup.example.com"})
}

// fullPath has everything that a person can give, in the language with longer texts.
const fullPath = "/?emailaddress=anna@example.com&name=Anna%20Ek&lang=sv"

// TestCost checks that the cost of a page grows in proportion to its servers: twice
// as many take at most twice the allocations, which unlike time can be counted on.
func TestCost(t *testing.T) {
	allocations := func(servers int) float64 {
		resolve, p := literal()
		for range servers {
			p.Servers = append(p.Servers, server(account.SMTP))
		}
		h, w, r := Handler(resolve, Options{}), discard{}, httptest.NewRequest(http.MethodGet, fullPath, nil)
		return testing.AllocsPerRun(5, func() { h.ServeHTTP(w, r) })
	}
	if few, many := allocations(40), allocations(80); many > 2*few {
		t.Errorf("a page with 80 servers takes %.0f allocations, one with 40 takes %.0f: more than half of that",
			many, few)
	}
}

// BenchmarkPage measures pages; the fullest takes about 1 ms of CPU time.
func BenchmarkPage(b *testing.B) {
	resolve, o := load(b, "mamut")
	mamut, full := Handler(resolve, o), fullPage()
	for _, bench := range []struct {
		name    string
		handler http.Handler
		path    string
		accept  string
	}{
		{"answer", mamut, "/?emailaddress=info@domain.se", ""},
		{"answer, gzip", mamut, "/?emailaddress=info@domain.se", "gzip"},
		{"exchange", mamut, "/?emailaddress=mail@domain.se", ""},
		{"fragment", mamut, "/?emailaddress=info@domain.se&format=fragment", ""},
		{"form", mamut, "/", ""},
		{"text", mamut, "/?emailaddress=info@domain.se&format=text", ""},
		{"full", full, "/?emailaddress=anna@example.com", ""},
		{"full, named, in Swedish", full, fullPath, ""},
		{"full, named, in Swedish, gzip", full, fullPath, "gzip"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodGet, bench.path, nil)
			r.Header.Set("User-Agent", agentIPhone)
			r.Header.Set("Accept-Encoding", bench.accept)
			size, before := get(b, bench.handler, bench.path, "User-Agent", agentIPhone,
				"Accept-Encoding", bench.accept).Body.Len(), cpu(b)
			w := discard{}
			for b.Loop() {
				clear(w)
				bench.handler.ServeHTTP(w, r)
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(size), "page-bytes")
		})
	}
}

// discard is a ResponseWriter that keeps only headers.
type discard http.Header

func (d discard) Header() http.Header         { return http.Header(d) }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

// cpu returns the CPU time of the process, which, unlike the time on the clock, does
// not depend on other processes.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
