package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signpost/internal/doctor"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/finding"
	"signpost/internal/show"
)

// send sends a request to the page as a browser on the same machine does, or as the header says.
func send(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:9480"+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// begin starts a diagnosis and returns its URL.
func begin(t *testing.T, h http.Handler, address string) string {
	t.Helper()
	w := send(h, "POST", "/doctor", url.Values{"address": {address}}.Encode())
	if w.Code != http.StatusSeeOther {
		t.Fatalf("POST address=%s: %d %s, want 303", address, w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

// instant returns a handler that answers with a report at once.
func instant(t *testing.T, report *doctor.Report) http.Handler {
	return Handler(t.Context(), func(context.Context, Request, func(doctor.Progress)) (*doctor.Report, error) {
		return report, nil
	}, Options{})
}

// everything returns a report in which every part of the page has something to show, of hostile servers.
func everything() *doctor.Report {
	const evil = `<script>alert(1)</script>`
	end := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	imap := show.Server{Type: "imap", Hostname: "imap.hoster.example", Port: 993, SocketType: "SSL",
		Username: "anna@nordlys.example"}
	return &doctor.Report{
		Address: "anna@nordlys.example", Domain: "nordlys.example", Seconds: 14.2, Complete: false, Resolver: "192.0.2.53:53",
		Provider: &doctor.Provider{Guess: "hoster.example", Evidence: "MX mx1.hoster.example"},
		Findings: []doctor.Finding{
			{ID: "M4", Severity: finding.Error, Sentence: "587 of smtp.hoster.example offers no login " + evil +
				": nobody can send.",
				Clients: []string{"thunderbird", "delta-chat"},
				Evidence: []doctor.Evidence{{Probe: "smtp", Target: "smtp.hoster.example:587 STARTTLS", Result: "PIPELINING SIZE " +
					evil}},
				Cures: []doctor.Cure{{Who: "mail provider", Text: "switch SASL on for submission"}}},
			{ID: "D3", Severity: finding.Warning, Sentence: "autodiscover.nordlys.example still points to Microsoft.",
				Clients:  []string{"thunderbird"},
				Uncovers: []string{"autodiscover.nordlys.example would be the web server"},
				Cures: []doctor.Cure{{Who: "your DNS", Text: "it is forgotten within 1 h",
					Remove: []string{"autodiscover.nordlys.example. 3600 IN CNAME autodiscover.outlook.com."},
					Put: []string{`autodiscover.nordlys.example. 3600 IN TXT "no autodiscover"`,
						"autodiscover.nordlys.example. 3600 IN A 192.0.2.1"}}}},
		},
		Clients: []doctor.Client{
			{Client: "thunderbird", Name: "Thunderbird", Version: "153", Certainty: client.ByCode, Outcome: "sets-up-but",
				But:    "cannot send",
				Source: "https://autoconfig.nordlys.example/mail/config-v1.1.xml", Servers: []show.Server{imap},
				Person: "Account settings found " + evil, Findings: []string{"M4", "D3"}},
			{Client: "outlook", Name: "Outlook", Certainty: client.ByDocuments, Outcome: "elsewhere", But: "Microsoft 365"},
			{Client: "gmail", Name: "Gmail", Certainty: client.ToldOnly, Outcome: "unknown"},
		},
		Own: &doctor.OwnView{Hosted: true, Places: []doctor.Place{{Client: "thunderbird",
			URL: "https://autoconfig.nordlys.example/mail/config-v1.1.xml", Address: "192.0.2.80", Answer: doctor.Others,
			Text: "tells imap " + evil}}},
		Type: &doctor.Entry{Source: "DNS SRV", Servers: []show.Server{imap}},
		Hosts: []doctor.Host{{Type: "smtp", Hostname: "smtp.hoster.example", Port: 587, SocketType: "STARTTLS",
			TCP: "connected",
			TLS: &doctor.TLS{Version: "TLS 1.3", Names: []string{evil}, NotAfter: &end}, After: []string{"PIPELINING", evil}}},
		NotAsked: []doctor.NotAsked{{What: "Microsoft's tenant list", Why: "a third party " + evil}},
		Requests: []doctor.Request{{Key: "GET https://nordlys.example/?x=" + evil, Result: "200 text/html", MS: 12}},
	}
}

// TestEscapes shows a report that is full of what strangers' servers sent.
func TestEscapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := instant(t, everything())
		at := begin(t, h, "anna@nordlys.example")
		synctest.Wait()
		w := send(h, "GET", at, "")
		text := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(text, "</html>") {
			t.Fatalf("GET = %d, %.200s", w.Code, text)
		}
		if strings.Contains(text, "<script") || strings.Count(text, "&lt;script&gt;") < 9 {
			t.Errorf("the page holds %d <script>, %d escaped, want none and at least 9", strings.Count(text, "<script"),
				strings.Count(text, "&lt;script&gt;"))
		}
		for _, want := range []string{
			`id="finding-1"`, `id="finding-2"`, `<a href="#finding-2">2</a>`, `id="client-thunderbird"`, "known from its code",
			"autodiscover.nordlys.example. 3600 IN CNAME autodiscover.outlook.com.", "sets itself up, but cannot send",
			"Not everything could be asked",
			"thunderbird: other settings", "would be the web server",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not hold %q", want)
			}
		}
		_, ticket, _ := strings.Cut(text, "Copy for the ticket</h2>")
		if strings.Contains(ticket[:strings.Index(ticket, "</pre>")], "anna") || !strings.Contains(ticket,
			"nordlys.example") {
			t.Errorf("the ticket holds the person's address, or not the domain: %s", ticket)
		}
		if title := text[strings.Index(text, "<title>"):strings.Index(text, "</title>")]; strings.Contains(title, "anna") {
			t.Errorf("the title holds the address: %s", title)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "Refresh": "",
			"Access-Control-Allow-Origin": "",
			"Content-Security-Policy":     policy, "X-Content-Type-Options": "nosniff"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

// TestProgress looks at a diagnosis while it runs, when it has ended, and when it is forgotten.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(t.Context(), func(_ context.Context, r Request, progress func(doctor.Progress)) (*doctor.Report, error) {
			progress(doctor.Progress{Phase: "clients", Done: 3, Of: 20, Requests: 31})
			time.Sleep(20 * time.Second)
			return &doctor.Report{Domain: r.Address.Domain(), Complete: true}, nil
		}, Options{})
		at := begin(t, h, "anna@nordlys.example")
		if strings.Contains(at, "anna") || strings.Contains(at, "nordlys") {
			t.Errorf("the URL %s holds the address", at)
		}
		synctest.Wait()
		w := send(h, "GET", at, "")
		if w.Code != 200 || w.Header().Get("Refresh") != "2" || !strings.Contains(w.Body.String(),
			"3 of 20 clients, 31 questions answered") {
			t.Errorf("while it runs: %d, Refresh %q, %s", w.Code, w.Header().Get("Refresh"), w.Body)
		}
		w = send(h, "GET", at, "", "Accept", "application/json")
		if w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"running": true`) {
			t.Errorf("JSON while it runs: %d %s", w.Code, w.Body)
		}
		time.Sleep(21 * time.Second)
		w = send(h, "GET", at, "", "Accept", "application/json")
		var report doctor.Report
		if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil || w.Code != 200 ||
			report.Domain != "nordlys.example" {
			t.Errorf("JSON at the end: %d %s (%v)", w.Code, w.Body, err)
		}
		if w = send(h, "GET", at, ""); w.Header().Get("Refresh") != "" {
			t.Error("the result refreshes itself")
		}
		time.Sleep(keepFor)
		if w = send(h, "GET", at, ""); w.Code != http.StatusNotFound ||
			!strings.Contains(w.Body.String(), "no longer kept") {
			t.Errorf("after %v: %d, want 404", keepFor, w.Code)
		}
	})
}

// TestLimits starts more diagnoses than are allowed.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Handler(t.Context(), func(ctx context.Context, r Request, _ func(doctor.Progress)) (*doctor.Report, error) {
			time.Sleep(8 * time.Second)
			return &doctor.Report{Domain: r.Address.Domain()}, nil
		}, Options{}) // 4 at a time
		post := func(address string) *httptest.ResponseRecorder {
			return send(h, "POST", "/doctor", url.Values{"address": {address}}.Encode())
		}
		refused := func(what string, w *httptest.ResponseRecorder, text string) {
			t.Helper()
			if w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), text) ||
				w.Header().Get("Retry-After") == "" {
				t.Errorf("%s: %d, Retry-After %q, want 429 and %q", what, w.Code, w.Header().Get("Retry-After"), text)
			}
		}
		begin(t, h, "anna@a.example")
		refused("the same domain again", post("bert@A.example"), "This domain is being diagnosed")
		for _, name := range []string{"b", "c", "d"} {
			begin(t, h, name+".example")
		}
		refused("a fifth at a time", post("e.example"), "4 diagnoses are under way")
		time.Sleep(9 * time.Second)
		for _, name := range []string{"e", "f", "g", "h"} {
			begin(t, h, name+".example")
		}
		time.Sleep(9 * time.Second)
		begin(t, h, "i.example")
		begin(t, h, "j.example")
		time.Sleep(9 * time.Second)
		refused("the eleventh in a minute", post("k.example"), "10 diagnoses were started in the last minute")
		time.Sleep(40 * time.Second)
		begin(t, h, "k.example")
		time.Sleep(9 * time.Second)
	})
}

// TestKeepsLittle ends more diagnoses than are kept.
func TestKeepsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := instant(t, &doctor.Report{Domain: "nordlys.example"})
		var urls []string
		for i := range maxKept + 2 {
			urls = append(urls, begin(t, h, fmt.Sprintf("d%d.example", i)))
			synctest.Wait()
		}
		for i, at := range urls {
			want := 200
			if i < 2 {
				want = 404
			}
			if w := send(h, "GET", at, ""); w.Code != want {
				t.Errorf("diagnosis %d of %d: %d, want %d", i+1, len(urls), w.Code, want)
			}
		}
	})
}

// TestForms sends forms with and without faults.
func TestForms(t *testing.T) {
	h := instant(t, nil)
	for _, test := range []struct {
		form string
		want int
		text string
	}{
		{"address=anna", 400, "This is not"},
		{"address=", 400, "This is"},
		{"", 400, "This is"},
		{"address=%zz", 400, "not the form"},
		{"address=<script>@x.example", 400, "&lt;script&gt;@x.example"},
		{"address=a@b.example&client=nonsense", 400, "No client"},
		{"address=" + strings.Repeat("a", 400) + "@x.example", 400, "This is"},
		{"address=" + strings.Repeat("a", maxForm), 400, "not the form"},
		{"address=%20anna@kund.example%20&family=6", 303, ""},
		{"address=kund2.example&family=4", 303, ""},
	} {
		w := send(h, "POST", "/doctor", test.form, "Content-Type", "application/x-www-form-urlencoded")
		if w.Code != test.want || !strings.Contains(w.Body.String(), test.text) {
			t.Errorf("POST %.60s: %d, want %d and %q in %s", test.form, w.Code, test.want, test.text, w.Body)
		}
		if strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("POST %.60s is echoed as it is", test.form)
		}
	}
}

// TestRequest looks at what a form asks for, and at a diagnosis that fails.
func TestRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got Request
		h := Handler(t.Context(), func(_ context.Context, r Request, _ func(doctor.Progress)) (*doctor.Report, error) {
			got = r
			return nil, errors.New("no network")
		}, Options{})
		w := send(h, "POST", "/doctor", "address=Anna@B%C3%BCcher.example&family=4&client=deltachat&client=aerc")
		synctest.Wait()
		if got.Address.String() != "Anna@xn--bcher-kva.example" || !got.IPv4 || got.IPv6 ||
			fmt.Sprint(got.Clients) != "[deltachat aerc]" {
			t.Errorf("the request is %+v", got)
		}
		text := send(h, "GET", w.Header().Get("Location"), "").Body.String()
		for _, want := range []string{"ended without a result", `value="4" checked`, `value="aerc" checked`} {
			if !strings.Contains(text, want) {
				t.Errorf("the page of a diagnosis that failed does not hold %q:\n%s", want, text)
			}
		}
	})
}

// TestRequestsOfOthers sends what other sites' pages and other machines send.
func TestRequestsOfOthers(t *testing.T) {
	diagnose := func(context.Context, Request, func(doctor.Progress)) (*doctor.Report, error) {
		return nil, nil
	}
	const form = "address=nordlys.example"
	for _, test := range []struct {
		name, method string
		header       []string
		local        string
		network      bool
		want         int
	}{
		{"the page", "POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:9480"}, "127.0.0.1",
			false, 303},
		{"a program", "POST", nil, "127.0.0.1", false, 303},
		{"another site", "POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, "127.0.0.1",
			false, 403},
		{"another port", "POST", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://127.0.0.1:1"}, "127.0.0.1", false,
			403},
		{"an old browser", "POST", []string{"Origin", "https://evil.example"}, "127.0.0.1", false, 403},
		{"a sandboxed page", "POST", []string{"Origin", "null"}, "127.0.0.1", false, 403},
		{"over the network", "GET", nil, "192.0.2.1", false, 403},
		{"over the network, allowed", "GET", nil, "192.0.2.1", true, 200},
		{"over the network, another site", "POST", []string{"Origin", "https://evil.example"}, "192.0.2.1", true, 403},
		{"another method", "DELETE", nil, "127.0.0.1", false, 405},
	} {
		h := Handler(t.Context(), diagnose, Options{Network: test.network})
		r := httptest.NewRequest(test.method, "http://127.0.0.1:9480/doctor", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(test.header); i += 2 {
			r.Header.Set(test.header[i], test.header[i+1])
		}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey,
			net.Addr(&net.TCPAddr{IP: net.ParseIP(test.local), Port: 9480})))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.want || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d, want %d", test.name, w.Code, test.want)
		}
	}
	h := Handler(t.Context(), diagnose, Options{})
	for path, want := range map[string]int{"/doctor/": 404, "/doctor/x": 404, "/doctor/style.css": 200,
		"/doctor?id=x": 404} {
		if w := send(h, "GET", path, ""); w.Code != want {
			t.Errorf("GET %s = %d, want %d", path, w.Code, want)
		}
	}
}

// TestEnd ends the service while a diagnosis runs.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h := Handler(ctx, func(ctx context.Context, r Request, _ func(doctor.Progress)) (*doctor.Report, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, Options{})
		begin(t, h, "nordlys.example")
		synctest.Wait()
		cancel()
		synctest.Wait() // a diagnosis that goes on fails this test
	})
}
