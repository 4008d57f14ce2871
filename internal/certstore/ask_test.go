package certstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/caa"
	"signpost/internal/certs"
	"signpost/internal/sources/rig"
)

// allDomains are domains of which all are hosted and none is listed.
type allDomains struct{}

func (allDomains) Lists(string) bool                    { return false }
func (allDomains) ListsMX(string) bool                  { return false }
func (allDomains) Serves(context.Context, string) error { return nil }
func (allDomains) Gone(string) bool                     { return false }

// TestAskTwoMachines has a proxy ask one machine about new names, and an hour later another one.
// They do not count again, and are granted while DNS is silent.
func TestAskTwoMachines(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *rig.Database) {
		const perHour = 10
		var silent atomic.Bool
		names := &certs.Names{
			Own: "setup.hoster.example", Domains: allDomains{}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
			LookupAddresses: func(context.Context, string) ([]netip.Addr, error) {
				if silent.Load() {
					return nil, errors.New("DNS is silent")
				}
				return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
			},
		}
		a, b := open(t, d, nil), open(t, d, nil)
		eventually(t, "both machines reach the database", func() bool { return !a.Away() && !b.Away() })
		status := func(h http.Handler, format string, i int) int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/ask?domain="+fmt.Sprintf(format, i), nil))
			return w.Code
		}
		handler := func(s *Store) http.Handler {
			return certs.AskHandler(names, caa.Named("ca.example"), perHour, s, slog.New(slog.DiscardHandler))
		}
		first, second := handler(a), handler(b)
		for i := range perHour {
			if got := status(first, "autoconfig.c%d.example", i); got != 200 {
				t.Fatalf("new name %d: got %d, want 200", i, got)
			}
		}
		eventually(t, "all names are told", func() bool {
			told, _ := b.List(t.Context(), "signpost/asked", true)
			return len(told) == perHour
		})
		if err := a.Delete(t.Context(), "signpost/asked.json"); err != nil { // as if an hour had passed
			t.Fatal(err)
		}
		silent.Store(true)
		if got := status(second, "autoconfig.c%d.example", 0); got != 200 {
			t.Errorf("a known name at another machine while DNS is silent: got %d, want 200", got)
		}
		if got := status(second, "autoconfig.new%d.example", 0); got != 503 {
			t.Errorf("a new name while DNS is silent: got %d, want 503", got)
		}
		silent.Store(false)
		for i := range perHour {
			if got := status(second, "autoconfig.c%d.example", i); got != 200 {
				t.Errorf("known name %d at another machine: got %d, want 200", i, got)
			}
		}
		refused := 0
		for i := range perHour + 1 {
			if status(first, "autoconfig.new%d.example", i) != 200 {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("%d of %d new names are refused, want 1: those that are known do not count", refused, perHour+1)
		}
	})
}

// TestDeleteOlder deletes what is old below a prefix, over several pages, and nothing else.
func TestDeleteOlder(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, d *rig.Database) {
		ctx := t.Context()
		s := open(t, d, nil)
		const count = 2*agePage + 10
		old, kept := parts{}, parts{}
		for i := range count {
			old[fmt.Sprintf("signpost/asked/old%d.example", i)] = openForm
			kept[fmt.Sprintf("signpost/asked/new%d.example", i)] = openForm
		}
		old["signpost/asked.json"], old["signpost/asked-x/old.example"], old["signpost/asked"] = openForm, openForm, openForm
		if err := s.DeleteOlder(ctx, "signpost/asked", time.Hour); err != nil {
			t.Errorf("DeleteOlder of nothing: %v", err)
		}
		if err := s.write(ctx, old); err != nil {
			t.Fatal(err)
		}
		d.Run(t, "UPDATE signpost_certificates SET modified = modified - INTERVAL '2' HOUR;")
		if err := s.write(ctx, kept); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteOlder(ctx, "signpost/asked", time.Hour); err != nil {
			t.Fatal(err)
		}
		left, err := s.List(ctx, "signpost/asked", true)
		if err != nil || len(left) != count {
			t.Errorf("%d values are left below the prefix, %v; want %d", len(left), err, count)
		}
		for key := range kept {
			if _, err := s.Load(ctx, key); err != nil {
				t.Fatalf("Load(%q), which is not old: %v", key, err)
			}
		}
		for _, key := range []string{"signpost/asked.json", "signpost/asked-x/old.example", "signpost/asked"} {
			if _, err := s.Load(ctx, key); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is deleted, which is not below the prefix", key)
			}
		}
	})
}
