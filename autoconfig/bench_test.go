package autoconfig

import (
	"context"
	"net/http"
	"testing"

	"signpost/account"
)

// BenchmarkHandler measures one request of each kind after the provider's document
// has been written. The resolver costs nothing.
func BenchmarkHandler(b *testing.B) {
	byMX := settingsOf(b, mamutPOP, "info@kund.se")
	byMX.LookupDomain = "mamutmail.com"
	alias := settingsOf(b, mamutPOP, "info@kund.se")
	alias.Login = address(b, "fred@kund.se")
	for _, row := range []struct {
		name, url string
		settings  account.Settings
	}{
		{"address", "http://autoconfig.kund.se" + isp + "?emailaddress=info%40kund.se",
			settingsOf(b, mamutPOP, "info@kund.se")},
		{"host", "http://autoconfig.kund.se" + isp, settingsOf(b, mamutPOP, "@kund.se")},
		{"mx", "http://autoconfig.mamutmail.com" + isp + "?emailaddress=info%40kund.se", byMX},
		{"direct", "http://autoconfig.kund.se" + isp + "?emailaddress=info%40kund.se", alias},
		{"everything", "http://autoconfig.example.com" + isp + "?emailaddress=info@example.com",
			settingsOf(b, everything, "info@example.com")},
	} {
		b.Run(row.name, func(b *testing.B) {
			handler := Handler(func(context.Context, account.Query) (account.Settings, error) {
				return row.settings, nil
			})
			benchmark(b, handler, row.url)
		})
	}
	b.Run("unknown", func(b *testing.B) {
		handler := Handler(func(context.Context, account.Query) (account.Settings, error) {
			return account.Settings{}, account.ErrUnknownDomain
		})
		benchmark(b, handler, "http://autoconfig.kund.se"+isp)
	})
}

func BenchmarkPACCHandler(b *testing.B) {
	s := settingsOf(b, small, "@example.com")
	handler := PACCHandler(func(context.Context, account.Query) (account.Settings, error) { return s, nil })
	benchmark(b, handler, "http://ua-auto-config.example.com"+paccPath)
}

func benchmark(b *testing.B, handler http.Handler, url string) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	w := &discard{header: http.Header{}}
	handler.ServeHTTP(w, r) // writes the template
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		handler.ServeHTTP(w, r)
	}
	b.StopTimer()
	if w.writes != b.N+1 || w.bytes == 0 {
		b.Fatalf("%d answers in %d writes of %d bytes, want one write each", b.N+1, w.writes, w.bytes)
	}
}

func BenchmarkRead(b *testing.B) {
	document := mustDocument(b, settingsOf(b, everything, "fred@example.com"))
	a := address(b, "fred@example.com")
	b.ReportAllocs()
	for range b.N {
		if _, err := Read(document, a); err != nil {
			b.Fatal(err)
		}
	}
}
