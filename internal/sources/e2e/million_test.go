package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// million names the environment variable for the number of domains, and of mailboxes, of
// BenchmarkDomains. CI has fewer.
const million = "SIGNPOST_DOMAINS"

// BenchmarkDomains runs the program with very many domains in PostgreSQL, and with few,
// side by side. It reports
//
//	start-s      from the start of the program to the first answer for the last domain
//	list-s       to when the list of domains has been read
//	MB           resident memory then
//	peak-MB      the most it ever was, during refreshes
//	cost-ratio   time of a request with many domains over that with few, about mailboxes
//	             that are not remembered; cached-cost-ratio about one that is
//	p99-ratio    99th percentile of the time of a request while the list is read again
//	             and again, over that when it is not
func BenchmarkDomains(b *testing.B) {
	count := 20_000
	if text := os.Getenv(million); text != "" {
		count, _ = strconv.Atoi(text)
	}
	d := rig.Load(b, "postfixadmin.pgsql")
	d.Run(b, fmt.Sprintf(`
INSERT INTO domain (domain) SELECT 'customer' || i || '.example' FROM generate_series(1, %[1]d) i;
INSERT INTO mailbox (username, name, local_part, domain)
  SELECT 'anna@customer' || i || '.example', 'Anna', 'anna', 'customer' || i || '.example'
  FROM generate_series(1, %[1]d) i;
ANALYZE;`, count))
	few := startProgram(b, provider+source(rig.Load(b, "postfixadmin.pgsql")))
	few.loaded(b)
	last := fmt.Sprintf("anna@customer%d.example", count)

	started := time.Now()
	many := startProgram(b, provider+source(d))
	for many.ask(b, ways[1], last) != served {
		time.Sleep(time.Millisecond)
	}
	b.ReportMetric(time.Since(started).Seconds(), "start-s")
	many.hasList(b)
	b.ReportMetric(time.Since(started).Seconds(), "list-s")
	b.ReportMetric(many.megabytes(b, "VmRSS"), "MB")

	someone := func() string { return fmt.Sprintf("n%d@customer%d.example", rand.Int(), 1+rand.IntN(count)) }
	anna := func() string { return "anna@example.com" }
	nobody := func() string { return fmt.Sprintf("n%d@example.com", rand.Int()) }
	ratio(b, "cost-ratio", 0.5, time.Second, few, nobody, many, someone)
	ratio(b, "cached-cost-ratio", 0.5, time.Second, few, anna, many, anna)

	refreshing := startProgram(b, provider+source(d)+"      refresh: 5s\n")
	refreshing.hasList(b)
	ratio(b, "p99-ratio", 0.99, 6*time.Second, many, anna, refreshing, anna) // the list is read once at least
	b.ReportMetric(refreshing.megabytes(b, "VmHWM"), "peak-MB")
	b.ReportMetric(0, "ns/op") // meaningless: a run is one comparison
}

// hasList waits until the program has read the list of domains.
func (p *program) hasList(b *testing.B) {
	b.Helper()
	for start := time.Now(); !strings.Contains(p.process.Log(), "domains of the account source read"); {
		if time.Since(start) > time.Minute {
			b.Fatalf("the list is not there after a minute:\n%s", p.process.Log())
		}
		time.Sleep(time.Millisecond)
	}
}

// ratio asks two services in turn and reports a quantile of the times of the second over
// that of the first.
func ratio(
	b *testing.B, name string, q float64, lasts time.Duration,
	one *program, first func() string, other *program, second func() string,
) {
	b.Helper()
	var theirs, ours []time.Duration
	ask := func(p *program, address string) time.Duration {
		start := time.Now()
		if got, want := p.ask(b, ways[0], address), "login "+address; got != want {
			b.Fatalf("%s gets %s, want %s", address, got, want)
		}
		return time.Since(start)
	}
	for start := time.Now(); time.Since(start) < lasts; {
		theirs, ours = append(theirs, ask(one, first())), append(ours, ask(other, second()))
	}
	slices.Sort(theirs)
	slices.Sort(ours)
	b.Logf("%s: %v over %v, of %d requests", name, quantile(ours, q), quantile(theirs, q), len(ours))
	b.ReportMetric(float64(quantile(ours, q))/float64(quantile(theirs, q)), name)
}
