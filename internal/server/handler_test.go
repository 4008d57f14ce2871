package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"signpost/internal/directory"
)

// TestExchangeEnds: what a request leaves in the exchange of its connection is
// neither kept while the connection is idle nor found by the next request.
func TestExchangeEnds(t *testing.T) {
	handler := Handler(Options{Resolve: directory.New(nil, nil, nil).Resolve, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	r := httptest.NewRequest("GET", "http://autoconfig.nobody.example/mail/config-v1.1.xml?emailaddress=anna@nobody.example", nil)
	r = r.WithContext(withExchange(r.Context(), nil))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusNotFound {
		t.Fatalf("got %d", w.Code)
	}
	x := r.Context().Value(exchangeKey{}).(*exchange)
	if x.peer.text != r.RemoteAddr || x.peer.addr != peerAddr(r.RemoteAddr) {
		t.Errorf("the peer is %+v", x.peer)
	}
	if x.ResponseWriter != nil || x.ctx != nil || x.match.Handler != nil || x.err != nil || x.domain != "" || x.asked || x.status != 0 || x.client != (client{}) {
		t.Errorf("left: %+v", x)
	}
}
