package autodiscover

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter that counts and discards.
type discard struct {
	header http.Header
	bytes  int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { d.bytes += len(b); return len(b), nil }

// BenchmarkPost measures a whole answer, without the server around it.
func BenchmarkPost(b *testing.B) {
	for name, schema := range map[string]string{"outlook/anna@example.com": nsOutlook,
		"activesync/anna@eas.example": nsMobileSync} {
		kind, a, _ := strings.Cut(name, "/")
		b.Run(kind, func(b *testing.B) { benchmark(b, http.MethodPost, pox(a, schema)) })
	}
}

func BenchmarkGet(b *testing.B) { benchmark(b, http.MethodGet, "") }

func benchmark(b *testing.B, method, body string) {
	handler := XMLHandler(resolver, false)
	r := httptest.NewRequest(method, "https://autodiscover.example.com/autodiscover/autodiscover.xml", nil)
	reader := strings.NewReader(body)
	r.Body = io.NopCloser(reader)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		handler.ServeHTTP(w, r)
	}
	if w.bytes == 0 {
		b.Fatal("the answers have no bytes")
	}
}

// BenchmarkScan measures the reading of a request, with encoding/xml and from the
// cache.
func BenchmarkScan(b *testing.B) {
	body := []byte(pox("anna@example.com", nsOutlook))
	b.Run("xml", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := scan(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cache", func(b *testing.B) {
		var c requestCache
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.scan(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	handler := JSONHandler(resolver, "")
	r := httptest.NewRequest(http.MethodGet,
		"https://x.example/autodiscover/autodiscover.json?Email=anna%40eas.example&Protocol=ActiveSync&RedirectCount=1", nil)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}

// BenchmarkSOAP measures a whole answer as ews-javascript-api asks for it, beside that of
// BenchmarkPost.
func BenchmarkSOAP(b *testing.B) {
	handler := SOAPHandler(resolver, true)
	body := soap("", users("ExternalEwsUrl", "anna@ews.example"))
	r := httptest.NewRequest(http.MethodPost, svcURL, nil)
	reader := strings.NewReader(body)
	r.Body = io.NopCloser(reader)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		handler.ServeHTTP(w, r)
	}
	if w.bytes == 0 {
		b.Fatal("the answers have no bytes")
	}
}
