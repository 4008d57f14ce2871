package records

import (
	"fmt"
	"io"
	"runtime"
	"testing"

	"signpost/account"
)

const manyDomains = 100_000

// printMany prints the zone text of many domains of one provider and returns
// the most memory that was in use on the way.
func printMany(t testing.TB, servers ...account.Server) uint64 {
	w, err := NewWriter(io.Discard, "zone")
	if err != nil {
		t.Fatal(err)
	}
	guide := New(Options{Name: "setup.example.net", Digest: digest})
	settings := settingsFor("example.org", servers...)
	var most uint64
	for i := range manyDomains {
		s := settings
		s.Address = account.AnyAt(fmt.Sprintf("customer%06d.example", i))
		s.Login = s.Address
		if err := w.Write(guide.For(s)); err != nil {
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

// The two kinds of hosters: all customers share hosts, or each has its own, and
// with it a PACC document of its own.
var (
	sharedHosts = []account.Server{everyServer[0], everyServer[2], everyServer[3], everyServer[4]}
	ownHosts    = []account.Server{
		{Type: account.IMAP, Hostname: "mail.%EMAILDOMAIN%", Port: 993, SocketType: account.SSL, Authentication: password, Login: wholeAddress},
		{Type: account.POP3, Hostname: "mail.%EMAILDOMAIN%", Port: 995, SocketType: account.SSL, Authentication: password, Login: wholeAddress},
		{Type: account.SMTP, Hostname: "mail.%EMAILDOMAIN%", Port: 465, SocketType: account.SSL, Authentication: password, Login: wholeAddress},
	}
)

func TestManyDomainsInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("prints 100,000 domains")
	}
	if most := printMany(t, ownHosts...); most > 100<<20 {
		t.Errorf("%d MB in use", most>>20)
	}
}

// BenchmarkZone100000 prints 100,000 domains in an iteration; it shall take less
// than two seconds and 100 MB.
func BenchmarkZone100000(b *testing.B) {
	for name, servers := range map[string][]account.Server{"shared-hosts": sharedHosts, "own-hosts": ownHosts} {
		b.Run(name, func(b *testing.B) {
			var most uint64
			for b.Loop() {
				most = max(most, printMany(b, servers...))
			}
			b.ReportMetric(float64(most)/(1<<20), "MB-in-use")
		})
	}
}
