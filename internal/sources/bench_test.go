package sources

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/directory"
	"signpost/internal/sources/memory"
	"signpost/internal/sources/row"
)

// BenchmarkCached compares a mailbox that a store has, and that is remembered, with one
// that the file lists: as requests for the autoconfig document, and as the look-up alone.
// The ratios are of interleaved runs.
func BenchmarkCached(b *testing.B) {
	imap := []account.Server{{Type: account.IMAP, Hostname: "mail.example.com", Port: 993, SocketType: account.SSL,
		Authentication: []account.Authentication{account.PasswordCleartext},
		Login:          account.Login{Username: account.EmailAddress}}}
	providers := []directory.Provider{{Provider: &account.Provider{ID: "p", Servers: imap},
		Domains: []string{"example.com"}}}
	s, _ := open(b, row.Columns{Username: true})
	list := directory.List{"anna@example.com": {Username: "u1"}}
	directories := []*directory.Directory{
		directory.New(providers, []directory.List{list}, nil), directory.New(providers, nil, nil, s),
	}
	q := account.Query{Address: address(b, "anna@example.com"),
		Host: "autoconfig.example.com", Client: account.Thunderbird}
	ratio := func(b *testing.B, ask func(d int)) {
		const runs = 500
		var took [2]time.Duration
		b.ReportAllocs()
		for b.Loop() {
			for d := range took {
				start := time.Now()
				for range runs {
					ask(d)
				}
				took[d] += time.Since(start)
			}
		}
		b.ReportMetric(float64(took[1])/float64(took[0]), "store/list")
		b.ReportMetric(float64(took[1].Nanoseconds())/float64(b.N*runs), "ns/look-up")
	}
	b.Run("look-up", func(b *testing.B) {
		ratio(b, func(d int) {
			if r, err := directories[d].Resolve(b.Context(), q); err != nil || r.Account.Username != "u1" {
				b.Fatal(r, err)
			}
		})
	})
	var handlers []http.Handler
	for _, d := range directories {
		handlers = append(handlers, autoconfig.Handler(d.Resolve))
	}
	r := httptest.NewRequest("GET",
		"http://autoconfig.example.com/mail/config-v1.1.xml?emailaddress=anna@example.com", nil)
	b.Run("request", func(b *testing.B) {
		ratio(b, func(d int) {
			w := httptest.NewRecorder()
			if handlers[d].ServeHTTP(w, r); w.Code != http.StatusOK {
				b.Fatal(w.Code)
			}
		})
	})
}

// manyDomains is a store of so many domains.
type manyDomains struct {
	memory.Backend
	n int
}

func (m *manyDomains) EachDomain(_ context.Context, each func(row.Domain)) error {
	for i := range m.n {
		each(row.Domain{Domain: fmt.Sprintf("customer%d.example", i)})
	}
	return nil
}

// listOf returns a source with the domains.
func listOf(n int) *Source {
	b := &manyDomains{Backend: memory.Backend{Has: lists}, n: n}
	return New(Options{Name: "1-memory", Backend: b, Provider: "p"}, nil)
}

// BenchmarkList reads a list of a million domains for the second time, and reports what
// the list costs.
func BenchmarkList(b *testing.B) {
	s := listOf(1_000_000)
	defer s.Close()
	before := heap()
	if err := s.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	size := heap() - before
	for b.Loop() {
		if err := s.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size)/1e6, "MB")
}

// BenchmarkListed looks a domain up in lists of one and of a million.
func BenchmarkListed(b *testing.B) {
	for _, n := range []int{1, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := listOf(n)
			defer s.Close()
			if err := s.Refresh(b.Context()); err != nil {
				b.Fatal(err)
			}
			i := 0
			names := make([]string, 1024)
			for i := range names {
				names[i] = fmt.Sprintf("customer%d.example", i*977%n)
			}
			for b.Loop() {
				if _, ok := s.Listed(names[i&1023]); !ok {
					b.Fatal(names[i&1023])
				}
				i++
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
