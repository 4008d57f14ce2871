package certs

import (
	"testing"

	"github.com/caddyserver/certmagic"
)

// TestStatusHoldsNobodyUp: who asks how the certificates stand does not keep
// handshakes waiting for as long as that takes, and what is loaded meanwhile is
// not forgotten.
func TestStatusHoldsNobodyUp(t *testing.T) {
	m, err := New(Options{ACME: benchACME(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	o := m.acme
	o.known = map[string]int{"crowded.example": 1, "again.example": 2}
	o.loads = 2
	looks := 0
	o.matching = func(name string) []certmagic.Certificate {
		looks++
		if !o.mu.TryLock() {
			t.Fatal("handshakes wait")
		}
		defer o.mu.Unlock()
		if name == "again.example" {
			o.loads++
			o.known[name] = o.loads
		}
		return nil
	}
	m.Status()
	if _, left := o.known["again.example"]; looks != 2 || len(o.known) != 1 || !left {
		t.Errorf("%d looks, %v are known", looks, o.known)
	}
}
