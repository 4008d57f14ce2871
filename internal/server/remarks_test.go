package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestRemarks asks whether the service is ready while an account source is not: it is,
// and says so.
func TestRemarks(t *testing.T) {
	remarks := ""
	handler := Admin{
		Metrics: NewMetrics("", ""), Ready: func() error { return nil }, Remarks: func() string { return remarks },
	}.Handler()
	for _, test := range []struct{ remarks, want string }{
		{"", "ready\n"},
		{"account source 1-mailcow: no answer in time", "ready\naccount source 1-mailcow: no answer in time\n"},
	} {
		remarks = test.remarks
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
		r.Host = "127.0.0.1"
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != test.want {
			t.Errorf("/readyz with the remarks %q = %d, %q, want 200 and %q", test.remarks, w.Code, w.Body, test.want)
		}
	}
}
