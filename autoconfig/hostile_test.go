package autoconfig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"signpost/account"
)

// hostileTexts are sent as the address, as a local part at composite.example, which
// the answer shows, as the domain and as the whole query.
var hostileTexts = []string{
	"", "@", "a@b@", "\x00", "fred\x00", "\r\n", "fred\r\nX-Injected: 1", "<b>", `"><script>alert(1)</script>`,
	"]]>", "<!--",
	"%s%d%n", "{{7*7}}", "${7*7}", "../../x", "*)(uid=*", "' OR 1=1 --", "\xff\xfe", "\u202e", "\u200b", "&amp;",
	"&lt;b&gt;", "%00", "%0d%0a",
	"%EMAILADDRESS%", "%%EMAILADDRESS%%", "%EMAILDOMAIN%", strings.Repeat("a", 65), strings.Repeat("a", 1<<20),
	strings.Repeat("%41", 1<<18), strings.Repeat("@", 1000),
}

// TestHostileRequests checks that no request gets more than a proper answer.
func TestHostileRequests(t *testing.T) {
	var service scenarioService
	handler := Handler(service.resolve)
	for _, text := range hostileTexts {
		for _, encode := range []func(string) string{raw, everyByte} {
			for _, query := range []string{
				"emailaddress=" + encode(text),
				"emailaddress=" + encode(text+"@composite.example"),
				"emailaddress=fred@" + encode(text),
				"emailaddress=" + encode(text) + "&emailaddress=fred@composite.example",
				encode(text) + "=fred@composite.example",
				encode(text),
			} {
				start := time.Now()
				w := ask(t, handler, http.MethodGet, "autoconfig.composite.example"+isp, query)
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("query %.60q took %v, want less than 2s", query, took)
				}
				if w.Code != 200 && w.Code != 400 && w.Code != 404 {
					t.Errorf("query %.60q: status %d, want 200, 400 or 404", query, w.Code)
				}
				checkAnswer(t, w, http.MethodGet, w.Code, w.Header().Get("Cache-Control") == "no-store")
				body := w.Body.String()
				for _, bad := range []string{"<b>", "<script", "<!", "]]>", "\x00", "\r", "xml:", "syntax"} {
					if strings.Contains(body, bad) {
						t.Errorf("query %.60q: the answer has %q:\n%s", query, bad, body)
					}
				}
				if len(w.Header()["X-Injected"]) > 0 {
					t.Errorf("query %.60q: the answer has the client's header X-Injected", query)
				}
			}
		}
	}
	if status := askHost(handler, "composite.example"); status != 200 {
		t.Fatalf("a good host: status %d, want 200", status)
	}
	for _, host := range []string{"", ":", "[::1]:80", "a..b", "*", "<b>", "evil.example", strings.Repeat("a.", 5000)} {
		if status := askHost(handler, host); status != 404 {
			t.Errorf("host %.20q: status %d, want 404", host, status)
		}
	}
}

func askHost(handler http.Handler, host string) int {
	r, _ := http.NewRequest(http.MethodGet, "http://x"+isp, nil)
	r.Host = host
	w := &discard{header: http.Header{}}
	handler.ServeHTTP(w, r)
	return w.status
}

func raw(text string) string { return text }

func everyByte(text string) string {
	const digits = "0123456789aBcDeF"
	b := make([]byte, 0, 3*len(text))
	for i := range len(text) {
		b = append(b, '%', digits[text[i]>>4], digits[text[i]&15])
	}
	return string(b)
}

// TestBodyIsNotRead checks that the body of a GET is left alone.
func TestBodyIsNotRead(t *testing.T) {
	var service scenarioService
	r, err := http.NewRequest(http.MethodGet, "http://autoconfig.example.com"+isp, unreadable{t})
	if err != nil {
		t.Fatal(err)
	}
	w := &discard{header: http.Header{}}
	Handler(service.resolve).ServeHTTP(w, r)
	if w.status != 200 || w.writes != 1 {
		t.Errorf("status %d in %d writes, want 200 in one", w.status, w.writes)
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the handler read the body")
	return 0, errors.New("no")
}

// TestResolverErrors checks that the error of the resolver determines the status.
func TestResolverErrors(t *testing.T) {
	for _, row := range []struct {
		err    error
		status int
	}{
		{account.ErrUnknownDomain, 404},
		{fmt.Errorf("wrapped: %w", account.ErrUnknownDomain), 404},
		{account.ErrAddressRequired, 404},
		{errors.New("SERVFAIL"), 503},
		{context.DeadlineExceeded, 503},
	} {
		resolve := func(context.Context, account.Query) (account.Settings, error) { return account.Settings{}, row.err }
		for name, handler := range map[string]http.Handler{isp: Handler(resolve), paccPath: PACCHandler(resolve)} {
			w := ask(t, handler, http.MethodGet, "autoconfig.example.com"+name, "")
			checkAnswer(t, w, http.MethodGet, row.status, false)
			if w.Code != row.status || strings.Contains(w.Body.String(), "SERVFAIL") {
				t.Errorf("%s after error %v: status %d, want %d without the error's text: %s",
					name, row.err, w.Code, row.status, w.Body)
			}
		}
	}
}

// discard is a ResponseWriter that counts and discards.
type discard struct {
	header http.Header
	status int
	writes int
	bytes  int
}

func (d *discard) Header() http.Header { return d.header }

func (d *discard) WriteHeader(status int) { d.status = status }

func (d *discard) Write(b []byte) (int, error) {
	d.writes++
	d.bytes += len(b)
	return len(b), nil
}
