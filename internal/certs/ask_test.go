package certs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
)

// ask returns the status and the text of the answer to a proxy.
func ask(t *testing.T, h http.Handler, query string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ask"+query, http.NoBody))
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control is %q, want no-store", query, got)
	}
	return w.Code, w.Body.String()
}

func TestAsk(t *testing.T) {
	h := AskHandler(&testPolicy{
		listed:  func(name string) bool { return name == "autoconfig.listed.se" || name == "autodiscover.listed.se" },
		allowed: (&Names{Own: "setup.hoster.se", Domains: testDomains{}}).Allowed,
		leadsHere: func(_ context.Context, name string) error {
			switch name {
			case "autodiscover.customer.se", "autodiscover.listed.se":
				return &elsewhereError{"it is at 192.0.2.7"}
			case "ua-auto-config.customer.se":
				return errSilent
			}
			return nil
		},
	}, 0, slog.New(slog.DiscardHandler))
	const (
		yes          = "yes\n"
		noName       = "no: not a domain name\n"
		notHosted    = "no: not hosted here\n"
		leadsAway    = "no: DNS does not lead it here: it is at 192.0.2.7\n"
		undetermined = "not known at the moment\n"
	)
	for _, test := range []struct {
		query  string
		status int
		text   string
	}{
		{"?domain=autoconfig.customer.se", 200, yes},
		{"?domain=AutoConfig.Customer.SE.", 200, yes},
		{"?domain=setup.hoster.se", 200, yes},
		{"?domain=autoconfig.listed.se", 200, yes},
		{"?domain=autodiscover.listed.se", 403, leadsAway}, // every order would fail
		{"?domain=autodiscover.customer.se", 403, leadsAway},
		{"?domain=ua-auto-config.customer.se", 503, undetermined},
		{"?domain=autoconfig.stranger.se", 403, notHosted},
		{"?domain=customer.se", 403, notHosted},
		{"?domain=autoconfig.silent.se", 503, undetermined},
		{"?domain=", 403, noName},
		{"", 403, noName},
		{"?domain=192.0.2.1", 403, noName},
		{"?domain=%3Cscript%3E", 403, noName},
		{"?domain=autoconfig.stranger.se&domain=autoconfig.customer.se", 403, notHosted},
	} {
		if status, text := ask(t, h, test.query); status != test.status || text != test.text {
			t.Errorf("%s: got %d %q, want %d %q", test.query, status, text, test.status, test.text)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/"+test.query, nil))
		if later := w.Header().Get("Retry-After"); (later == "10") != (test.status == 503) {
			t.Errorf("%s: status %d comes with Retry-After %q", test.query, test.status, later)
		}
	}
}

// TestAskTooMany checks that names that anybody can have hosted here, by a
// wildcard in DNS, are limited in total and per domain. Listed names are not
// limited, nor are those that the proxy has already.
func TestAskTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &testLog{}
		h := AskHandler(&testPolicy{
			listed:  func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
			allowed: func(context.Context, string) error { return nil },
		}, 50, log.logger())
		granted := func(format string) (yes int) {
			for i := range 100 {
				switch status, text := ask(t, h, "?domain="+fmt.Sprintf(format, i)); status {
				case 200:
					yes++
				case 503:
				default:
					t.Fatalf("got %d %s, want 200 or 503", status, text)
				}
			}
			return yes
		}
		for _, test := range []struct {
			names string
			want  int
		}{
			{"autoconfig.n%d.evil.se", 5},
			{"autoconfig.c%d.se", 45},
			{"autoconfig.d%d.se", 0},
			{"autoconfig.c%d.se", 45}, // the same again
			{"autoconfig.n%d.listed.se", 100},
		} {
			if got := granted(test.names); got != test.want {
				t.Errorf("%s: %d of 100 names granted, want %d", test.names, got, test.want)
			}
		}
		if got := log.count("no certificate", "new names of evil.se"); got == 0 || got > linesPerMinute {
			t.Errorf("%d log lines about the refused names, want 1 to %d", got, linesPerMinute)
		}
		time.Sleep(window)
		if got := granted("autoconfig.d%d.se"); got != 50 {
			t.Errorf("an hour later: %d of 100 names granted, want 50", got)
		}
	})
}

// TestAskWhileDNSFails checks that a proxy that asks before it serves a
// certificate that it has can go on serving it.
func TestAskWhileDNSFails(t *testing.T) {
	var failure error
	h := AskHandler(&testPolicy{
		listed:    func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
		allowed:   func(context.Context, string) error { return nil },
		leadsHere: func(context.Context, string) error { return failure },
	}, 0, slog.New(slog.DiscardHandler))
	for _, step := range []struct {
		failure        error
		granted, other int // status for a name that was granted before, and for a new one; 0: do not ask
	}{
		{nil, 200, 0},
		{errSilent, 200, 503},
		{&elsewhereError{"it is away"}, 403, 403},
		{account.ErrUnknownDomain, 403, 403},
	} {
		failure = step.failure
		for _, domain := range []string{"customer.se", "listed.se"} {
			for name, want := range map[string]int{"autoconfig." + domain: step.granted, "autodiscover." + domain: step.other} {
				if want == 0 {
					continue
				}
				if status, text := ask(t, h, "?domain="+name); status != want {
					t.Errorf("LeadsHere = %v: %s: got %d %s, want %d", failure, name, status, text, want)
				}
			}
		}
	}
}

// TestAskInTurn checks that slow checks of strangers' names do not delay listed
// names, and the names after them wait for a limited time.
func TestAskInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		checks := 0
		h := AskHandler(&testPolicy{
			listed: func(name string) bool { return name == "autoconfig.listed.se" },
			allowed: func(ctx context.Context, name string) error {
				checks++
				<-ctx.Done()
				return ctx.Err()
			},
		}, 0, nil).(*askHandler)
		for i := range maxUnlistedChecks {
			go h.decide(ctx, nth(i))
			synctest.Wait() // one after the other, so that checks needs no lock
		}
		if err := h.decide(ctx, "autoconfig.listed.se"); err != nil {
			t.Errorf("a listed name: %v", err)
		}
		start := time.Now()
		if err := h.decide(ctx, "autoconfig.late.se"); err != context.DeadlineExceeded || time.Since(start) != askTimeout {
			t.Errorf("one name more: %v after %v, want a refusal after %v", err, time.Since(start), askTimeout)
		}
		cancel()
		synctest.Wait()
		if len(h.checks) != 0 || checks != maxUnlistedChecks {
			t.Errorf("%d slots are still acquired, and %d names were checked; want none and %d", len(h.checks), checks,
				maxUnlistedChecks)
		}
	})
}

// TestAskForgets checks that the number of remembered names is limited.
func TestAskForgets(t *testing.T) {
	h := AskHandler(&testPolicy{}, 2*maxGranted, nil).(*askHandler)
	for i := range maxGranted {
		h.granted[nth(i)] = struct{}{}
	}
	if err := h.grant("autoconfig.new.se", false); err != nil || len(h.granted) != maxGranted {
		t.Errorf("one name more: %v, and %d names are remembered, want %d", err, len(h.granted), maxGranted)
	}
	if !h.wasGranted("autoconfig.new.se") {
		t.Error("the new name is not remembered")
	}
}
