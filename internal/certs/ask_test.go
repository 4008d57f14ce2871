package certs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signpost/account"
	"signpost/internal/caa"
	"signpost/internal/dns"
	"signpost/internal/fair"
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
	}, testAuthority, 0, nil, slog.New(slog.DiscardHandler))
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
		}, testAuthority, 50, nil, log.logger())
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

// testAuthority is whom a proxy orders from.
var testAuthority = caa.Named("ca.example")

// TestAskCAA checks that the answer is no where CAA records forbid a certificate, not yet
// where they cannot be had, and yes for what the proxy may have a certificate of.
func TestAskCAA(t *testing.T) {
	var found caa.Set
	var failure error
	h := AskHandler(&testPolicy{
		listed: func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
		caa:    func(context.Context, string) (caa.Set, error) { return found, failure },
	}, testAuthority, 0, nil, slog.New(slog.DiscardHandler))
	for _, step := range []struct {
		data    string
		failure error
		name    string
		status  int
		text    string
	}{
		{"", nil, "autoconfig.listed.se", 200, "yes\n"},
		{`0 issue "ca.example"`, nil, "autodiscover.listed.se", 200, "yes\n"},
		{`0 issue "other.example"`, nil, "autoconfig.listed.se", 200, "yes\n"},
		{`0 issue "other.example"`, nil, "autoconfig.new.listed.se", 403,
			"no: the CAA records of listed.se allow only other.example to issue certificates\n"},
		{`0 issue ";"`, nil, "autoconfig.new.listed.se", 403,
			"no: the CAA records of listed.se allow nobody to issue certificates\n"},
		{"", errSilent, "autoconfig.listed.se", 200, "yes\n"},
		{"", errSilent, "autoconfig.new.listed.se", 503, "not known at the moment\n"},
	} {
		found, failure = caa.Set{Name: "listed.se", Records: []dns.Record{{Name: "listed.se", Data: step.data}}},
			step.failure
		if status, text := ask(t, h, "?domain="+step.name); status != step.status || text != step.text {
			t.Errorf("%s with %q and %v: got %d %q, want %d %q",
				step.name, step.data, step.failure, status, text, step.status, step.text)
		}
	}
}

// TestAskWhileDNSFails checks that a proxy that asks before it serves a
// certificate that it has can go on serving it.
func TestAskWhileDNSFails(t *testing.T) {
	var failure error
	h := AskHandler(&testPolicy{
		listed:    func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
		allowed:   func(context.Context, string) error { return nil },
		leadsHere: func(context.Context, string) error { return failure },
	}, testAuthority, 0, nil, slog.New(slog.DiscardHandler))
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
			for name, want := range map[string]int{"autoconfig." + domain: step.granted,
				"autodiscover." + domain: step.other} {
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

// TestAskCaller checks on whose behalf DNS is asked: listed names have places of
// their own, and one that is listed asks DNS only where it leads.
func TestAskCaller(t *testing.T) {
	var asked []fair.Kind
	h := AskHandler(&testPolicy{
		listed: func(name string) bool { return name == "autoconfig.listed.se" },
		allowed: func(ctx context.Context, _ string) error {
			asked = append(asked, fair.CallerOf(ctx).Kind)
			return nil
		},
		leadsHere: func(ctx context.Context, name string) error {
			c := fair.CallerOf(ctx)
			asked = append(asked, c.Kind)
			for range maxQuestions {
				c.Pays()
			}
			if c.Pays() {
				t.Errorf("%s: more than %d questions may be asked", name, maxQuestions)
			}
			return nil
		},
	}, testAuthority, 0, nil, nil)
	for name, want := range map[string][]fair.Kind{
		"autoconfig.listed.se":   {fair.Listed},
		"autoconfig.customer.se": {fair.Ask, fair.Ask},
	} {
		asked = nil
		if status, text := ask(t, h, "?domain="+name); status != 200 || !slices.Equal(asked, want) {
			t.Errorf("%s: got %d %s, and the questions were of the kinds %v, want %v", name, status, text, asked, want)
		}
	}
}

// TestAskWithoutDNS checks that a listed name is granted without DNS where DNS cannot
// change the answer.
func TestAskWithoutDNS(t *testing.T) {
	for name, policy := range map[string]*Names{
		"autoconfig.listed.se": {Domains: testDomains{}},
		"setup.hoster.se":      {Own: "setup.hoster.se", Domains: testDomains{}},
	} {
		policy.LookupAddresses = func(context.Context, string) ([]netip.Addr, error) {
			t.Errorf("%s: DNS was asked", name)
			return nil, errSilent
		}
		if status, text := ask(t, AskHandler(policy, caa.Named("ca.example"), 0, nil, nil), "?domain="+name); status != 200 {
			t.Errorf("%s: got %d %s, want 200", name, status, text)
		}
	}
}

// TestAskTimes checks how long a proxy waits while DNS is silent: Caddy gives up after
// ten seconds, and a certificate that it has must be served before.
func TestAskTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := false
		wait := func(ctx context.Context, _ string) error {
			if silent {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		h := AskHandler(&testPolicy{
			listed:  func(name string) bool { return strings.HasSuffix(name, ".listed.se") },
			allowed: wait, leadsHere: wait,
		}, testAuthority, 0, nil, nil)
		for _, domain := range []string{"listed.se", "customer.se"} {
			silent = false
			if status, text := ask(t, h, "?domain=autoconfig."+domain); status != 200 {
				t.Errorf("autoconfig.%s: got %d %s, want 200", domain, status, text)
			}
			silent = true
			for prefix, want := range map[string]struct {
				status int
				after  time.Duration
			}{"autoconfig.": {200, grantedTimeout}, "autodiscover.": {503, askTimeout}} {
				begun := time.Now()
				if status, _ := ask(t, h, "?domain="+prefix+domain); status != want.status ||
					time.Since(begun) != want.after {
					t.Errorf("%s%s while DNS is silent: got %d after %v, want %d after %v",
						prefix, domain, status, time.Since(begun), want.status, want.after)
				}
			}
		}
	})
}

// TestAskExpires checks that a name is not allowed without end while DNS is dead: only
// while the proxy may have a certificate that is valid.
func TestAskExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failure error
		h := AskHandler(&testPolicy{
			allowed:   func(context.Context, string) error { return nil },
			leadsHere: func(context.Context, string) error { return failure },
		}, testAuthority, 0, nil, slog.New(slog.DiscardHandler))
		const day = 24 * time.Hour
		for _, step := range []struct {
			after   time.Duration // the step before
			failure error
			status  int
		}{
			{0, nil, 200},
			{60 * day, nil, 200},
			{89 * day, errSilent, 200},
			{day, errSilent, 503},
			{0, &caa.Forbidden{Name: "customer.se"}, 403},
			{0, nil, 200},
			{day, errSilent, 200},
		} {
			time.Sleep(step.after)
			failure = step.failure
			if status, text := ask(t, h, "?domain=autoconfig.customer.se"); status != step.status {
				t.Errorf("%v after the answer before, with %v: got %d %s, want %d",
					step.after, step.failure, status, text, step.status)
			}
		}
	})
}

// TestAskForgets checks that the number of remembered names is limited.
func TestAskForgets(t *testing.T) {
	h := AskHandler(&testPolicy{}, testAuthority, 2*maxGranted, nil, nil).(*askHandler)
	for i := range maxGranted {
		h.granted[nth(i)] = grantedName{at: time.Now()}
	}
	if err := h.grant(t.Context(), "autoconfig.new.se", false); err != nil || len(h.granted) != maxGranted {
		t.Errorf("one name more: %v, and %d names are remembered, want %d", err, len(h.granted), maxGranted)
	}
	if !h.wasGranted("autoconfig.new.se") {
		t.Error("the new name is not remembered")
	}
}
