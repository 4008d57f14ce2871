package records

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	miekg "github.com/miekg/dns"

	"signpost/account"
	"signpost/internal/dns/dnstest"
)

// printMany prints the zone text of n domains of one provider and returns the
// most memory that was in use meanwhile.
func printMany(t testing.TB, n int, servers ...account.Server) uint64 {
	w, err := NewWriter(io.Discard, "zone")
	if err != nil {
		t.Fatal(err)
	}
	generator := New(Options{Name: "setup.example.net"})
	settings := settingsFor("example.org", servers...)
	var most uint64
	for i := range n {
		s := settings
		s.Address = account.AnyAt(fmt.Sprintf("customer%06d.example", i))
		s.Login = s.Address
		if err := w.Write(generator.For(s)); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse+m.StackInuse)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return most
}

// There are two kinds of providers: all customers share the mail hosts, or each has
// hosts of its own and with them a PACC document of its own.
var (
	sharedHosts = []account.Server{everyServer[0], everyServer[2], everyServer[3], everyServer[4]}
	ownHosts    = []account.Server{
		{Type: account.IMAP, Hostname: "mail.%EMAILDOMAIN%", Port: 993, SocketType: account.SSL, Authentication: password,
			Login: wholeAddress},
		{Type: account.POP3, Hostname: "mail.%EMAILDOMAIN%", Port: 995, SocketType: account.SSL, Authentication: password,
			Login: wholeAddress},
		{Type: account.SMTP, Hostname: "mail.%EMAILDOMAIN%", Port: 465, SocketType: account.SSL, Authentication: password,
			Login: wholeAddress},
	}
)

// TestStreams checks that the memory in use does not grow with the number of domains
// printed.
func TestStreams(t *testing.T) {
	if most := printMany(t, 10_000, ownHosts...); most > 40<<20 {
		t.Errorf("printing 10,000 domains used %d MB, want at most 40", most>>20)
	}
}

// BenchmarkZone100000 prints 100,000 domains per iteration, which should take less
// than two seconds and 100 MB.
func BenchmarkZone100000(b *testing.B) {
	for name, servers := range map[string][]account.Server{"shared-hosts": sharedHosts, "own-hosts": ownHosts} {
		b.Run(name, func(b *testing.B) {
			var most uint64
			for b.Loop() {
				most = max(most, printMany(b, 100_000, servers...))
			}
			if most > 100<<20 {
				b.Errorf("printing 100,000 domains used %d MB, want at most 100", most>>20)
			}
			b.ReportMetric(float64(most)/(1<<20), "MB-in-use")
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100000-domains")
		})
	}
}

// BenchmarkCompare1000 compares 1,000 domains with the answers of a server on
// loopback, 32 at a time. Then 32 workers send the same questions and ignore the
// answers. The ratio is the time for the bare questions divided by the time for the
// comparison. It is 1 if the comparison itself costs nothing.
func BenchmarkCompare1000(b *testing.B) {
	zones := map[string]string{"example.net": world["example.net"]}
	generator := New(Options{Name: "setup.example.net"})
	var domains []Domain
	for i := range 1000 {
		settings := settingsFor(fmt.Sprintf("k%04d.example", i), sharedHosts...)
		d := generator.For(settings)
		domains = append(domains, d)
		zones[d.Name] = string(printed(b, "zone", d))
	}
	n := newInternet(b, zones)
	server := dnstest.StartServer(b, n.ServeDNS)
	compare := func() time.Duration {
		c := newTestComparer(b, server, true, 5*time.Second)
		begin := time.Now()
		for got := range Parallel(b.Context(), slices.Values(domains), 32, c.Compare) {
			if got.Wrong() {
				b.Fatalf("Compare(%s) = %v, want nothing wrong", got.Domain, got)
			}
		}
		return time.Since(begin)
	}
	var mu sync.Mutex
	var questions []miekg.Question
	n.onQuery = func(q miekg.Question) {
		mu.Lock()
		questions = append(questions, q)
		mu.Unlock()
	}
	compare()
	n.onQuery = func(miekg.Question) {}
	bare := func() time.Duration {
		begin := time.Now()
		var workers sync.WaitGroup
		for i := range 32 {
			workers.Go(func() {
				client := miekg.Client{Timeout: 5 * time.Second}
				for j := i; j < len(questions); j += 32 {
					query := new(miekg.Msg).SetQuestion(questions[j].Name, questions[j].Qtype)
					query.SetEdns0(dnstest.UDPSize, false)
					if _, _, err := client.Exchange(query, server); err != nil {
						b.Errorf("query %v: %v", questions[j], err)
					}
				}
			})
		}
		workers.Wait()
		return time.Since(begin)
	}
	bare() // warm up
	var compareTime, bareTime time.Duration
	for b.Loop() {
		compareTime += compare()
		bareTime += bare()
	}
	b.ReportMetric(float64(len(questions))/1000, "questions/domain")
	b.ReportMetric(float64(len(questions)*b.N)/compareTime.Seconds(), "questions/s")
	b.ReportMetric(bareTime.Seconds()/compareTime.Seconds(), "ratio")
}
