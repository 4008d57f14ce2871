package certs

import (
	"testing"

	"github.com/caddyserver/certmagic"
)

// TestStatusDoesNotBlock checks that handshakes do not wait for Status, and a
// certificate that is loaded meanwhile is not forgotten.
func TestStatusDoesNotBlock(t *testing.T) {
	m, err := New(Options{ACME: benchACME(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	a := m.acme
	const evicted, again = "evicted.example", "again.example"
	a.loaded = map[string]int{evicted: 1, again: 2}
	a.loads = 2
	searches := 0
	a.matching = func(name string) []certmagic.Certificate {
		searches++
		if !a.mu.TryLock() {
			t.Fatal("Status holds the lock that handshakes need")
		}
		defer a.mu.Unlock()
		if name == again {
			a.loads++
			a.loaded[name] = a.loads
		}
		return nil
	}
	m.Status()
	if searches != 2 {
		t.Errorf("the cache was searched for %d names, want 2", searches)
	}
	if _, ok := a.loaded[again]; !ok || len(a.loaded) != 1 {
		t.Errorf("names with a certificate in memory: %v, want only %s", a.loaded, again)
	}
}
