package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

const outlookBody = `<?xml version="1.0" encoding="utf-8"?>` +
	`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>` +
	`<EMailAddress>info@domain.se</EMailAddress>` +
	`<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>` +
	`</Request></Autodiscover>`

// discard is a response that goes nowhere.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkHandler measures the service without the network: what it adds to the cost
// of net/http.
func BenchmarkHandler(b *testing.B) {
	// The log is a file that accepts everything, as the pipe of a service
	// manager does.
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	handler := newHandler(b, null)
	for _, q := range []struct {
		name    string
		request *http.Request
		body    string
	}{
		{"GET", request("GET", "autoconfig.domain.se", "/mail/config-v1.1.xml?emailaddress=info%40domain.se", ""), ""},
		{"POST", request("POST", "autodiscover.domain.se", "/autodiscover/autodiscover.xml", ""), outlookBody},
		{"JSON", request("GET", "autodiscover.domain.se", "/autodiscover/autodiscover.json?Email=info%40domain.se&Protocol=AutodiscoverV1", ""), ""},
		{"profile", request("GET", "setup.mamutmail.com", "/profile.mobileconfig?emailaddress=mail%40domain.se", ""), ""},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &discard{make(http.Header)}
			check := httptest.NewRecorder()
			q.request.Body = http.NoBody
			if q.body != "" {
				q.request.Body = io.NopCloser(strings.NewReader(q.body))
			}
			handler.ServeHTTP(check, q.request)
			if check.Code != http.StatusOK {
				b.Fatalf("status %d, want 200: %s", check.Code, check.Body)
			}
			for b.Loop() {
				if q.body != "" {
					q.request.Body = io.NopCloser(strings.NewReader(q.body))
				}
				clear(w.header)
				handler.ServeHTTP(w, q.request)
			}
		})
	}
}
