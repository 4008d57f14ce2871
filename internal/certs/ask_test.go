package certs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/account"
)

// ask is the status and the text that a proxy gets.
func ask(h http.Handler, query string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ask"+query, http.NoBody))
	if w.Header().Get("Cache-Control") != "no-store" {
		return 0, "may be stored"
	}
	return w.Code, w.Body.String()
}

func TestAsk(t *testing.T) {
	const own = "setup.hoster.se"
	policy := Policy{
		Allowed: Allow(own, false, serves),
		Listed:  func(name string) bool { return name == "autoconfig.listed.se" || name == "autodiscover.listed.se" },
		LeadsHere: func(_ context.Context, name string) error {
			switch name {
			case "autodiscover.customer.se", "autodiscover.listed.se":
				return &elsewhere{"it is at 192.0.2.7"}
			case "ua-auto-config.customer.se":
				return errSilent
			}
			return nil
		},
	}
	h := AskHandler(policy, 0, slog.New(slog.DiscardHandler))
	for query, want := range map[string]int{
		"?domain=autoconfig.customer.se":     200,
		"?domain=AutoConfig.Customer.SE.":    200,
		"?domain=setup.hoster.se":            200,
		"?domain=autoconfig.listed.se":       200,
		"?domain=autodiscover.listed.se":     403, // each order would fail
		"?domain=autodiscover.customer.se":   403,
		"?domain=ua-auto-config.customer.se": 503,
		"?domain=autoconfig.stranger.se":     403,
		"?domain=customer.se":                403,
		"?domain=autoconfig.silent.se":       503,
		"?domain=":                           403,
		"":                                   403,
		"?domain=192.0.2.1":                  403,
		"?domain=%3Cscript%3E":               403,
		"?domain=autoconfig.stranger.se&domain=autoconfig.customer.se": 403,
	} {
		if got, text := ask(h, query); got != want {
			t.Errorf("%s: got %d %s, want %d", query, got, text, want)
		}
	}
}

// TestAskForMany: names that anybody can make ours by a wildcard in DNS are
// bounded, all together and those of one domain; those of the configuration, and
// those that the proxy has already, are not.
func TestAskForMany(t *testing.T) {
	clock := newFakeClock()
	log := &logged{}
	h := newAsked(Policy{
		Allowed: func(context.Context, string) error { return nil },
		Listed:  func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
	}, 50, slog.New(slog.NewTextHandler(log, nil)), clock.now)
	count := func(format string) (yes int) {
		for i := range 100 {
			switch got, text := ask(h, "?domain="+fmt.Sprintf(format, i)); got {
			case 200:
				yes++
			case 503:
			default:
				t.Fatalf("got %d %s", got, text)
			}
		}
		return yes
	}
	for _, row := range []struct {
		names string
		want  int
	}{
		{"autoconfig.n%d.evil.se", 5},
		{"autoconfig.c%d.se", 45},
		{"autoconfig.d%d.se", 0},
		{"autoconfig.c%d.se", 45}, // the same again
		{"autoconfig.n%d.listed.se", 100},
	} {
		if got := count(row.names); got != row.want {
			t.Errorf("%s: %d times yes, want %d", row.names, got, row.want)
		}
	}
	clock.pass(window)
	if got := count("autoconfig.d%d.se"); got != 50 {
		t.Errorf("an hour later %d times yes", got)
	}
	if got := log.count("no certificate", "new names of evil.se"); got == 0 || got > linesPerMinute {
		t.Errorf("%d lines about it", got)
	}
}

// TestAskWhileDNSIsSilent: a proxy that asks before it serves what it has goes on
// serving it.
func TestAskWhileDNSIsSilent(t *testing.T) {
	var fail error
	h := AskHandler(Policy{
		Allowed:   func(context.Context, string) error { return nil },
		Listed:    func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
		LeadsHere: func(context.Context, string) error { return fail },
	}, 0, slog.New(slog.DiscardHandler))
	for _, row := range []struct {
		fail      error
		had, news int
	}{{nil, 200, 0}, {errSilent, 200, 503}, {&elsewhere{"it is away"}, 403, 403}, {account.ErrUnknownDomain, 403, 403}} {
		fail = row.fail
		for _, domain := range []string{"customer.se", "listed.se"} {
			if got, text := ask(h, "?domain=autoconfig."+domain); got != row.had {
				t.Errorf("%v: %s: got %d %s, want %d", fail, domain, got, text, row.had)
			}
			if row.news == 0 {
				continue
			}
			if got, text := ask(h, "?domain=autodiscover."+domain); got != row.news {
				t.Errorf("%v: new name of %s: got %d %s, want %d", fail, domain, got, text, row.news)
			}
		}
	}
}

// TestAskInTurn: strangers' names that take long hold up no listed one, and wait
// for their turn only so long.
func TestAskInTurn(t *testing.T) {
	asked := make(chan string, foundAsking)
	ctx, cancel := context.WithCancel(t.Context())
	h := newAsked(Policy{
		Allowed: func(ctx context.Context, name string) error {
			asked <- name
			<-ctx.Done()
			return ctx.Err()
		},
		Listed: func(name string) bool { return name == "autoconfig.listed.se" },
	}, 0, nil, time.Now)
	var group sync.WaitGroup
	for i := range foundAsking {
		group.Go(func() { h.may(ctx, nth(i)) })
	}
	for range foundAsking {
		<-asked
	}
	if err := h.may(ctx, "autoconfig.listed.se"); err != nil {
		t.Errorf("a listed name: %v", err)
	}
	late, end := context.WithTimeout(ctx, 10*time.Millisecond)
	defer end()
	if err := h.may(late, "autoconfig.late.se"); err == nil || !unclear(err) {
		t.Errorf("a stranger's name: %v", err)
	}
	cancel()
	group.Wait()
	if len(h.asking) != 0 || len(asked) != 0 {
		t.Errorf("%d places are taken, and %d more were asked about", len(h.asking), len(asked))
	}
}

// TestAskedForgets: what is remembered has a bound.
func TestAskedForgets(t *testing.T) {
	a := newAsked(Policy{}, 2*maxGiven, nil, newFakeClock().now)
	for i := range maxGiven {
		a.given[nth(i)] = struct{}{}
	}
	if err := a.take("autoconfig.new.se", false); err != nil || len(a.given) != maxGiven {
		t.Errorf("%d names, %v", len(a.given), err)
	}
}
