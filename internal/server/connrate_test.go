package server_test

import (
	"net/netip"
	"testing"

	"signpost/internal/server"
)

// TestConnectionsOfOneAddressInTime checks that an address cannot open connections, each
// of which costs a TLS handshake, without end: twice the rate of requests at most. Others,
// and trusted proxies, are served meanwhile.
func TestConnectionsOfOneAddressInTime(t *testing.T) {
	const burst, opened = 20, 100
	s := &server.Service{Handler: echoing, Timeouts: patient, Metrics: server.NewMetrics("", ""),
		Rate: func() server.Rate { return server.RateOf(1, burst) }, Counts: server.NewLimiter(),
		Trusts: netip.MustParsePrefix("127.0.0.3/32").Contains}
	address := start(t, s)
	served := func(source string) (n int) {
		for range opened {
			conn := from(t, source, address)
			if conn.ask(t) == 200 {
				n++
			}
			conn.Close()
		}
		return n
	}
	if got := served("127.0.0.1"); got < 2*burst || got > 2*burst+10 {
		t.Errorf("%d of %d connections of one address were served, want %d", got, opened, 2*burst)
	}
	if got := from(t, "127.0.0.2", address).ask(t); got != 200 {
		t.Errorf("another address got status %d, want 200", got)
	}
	if got := served("127.0.0.3"); got != opened {
		t.Errorf("%d of %d connections of a trusted proxy were served", got, opened)
	}
	if got := counted(t, s.Metrics, closedForAddress); got < opened-2*burst-10 {
		t.Errorf("%s = %d, want about %d", closedForAddress, got, opened-2*burst)
	}
}
