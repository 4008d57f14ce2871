package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/html"

	"signpost/account"
	"signpost/mobileconfig"
)

// askFor requests the page for an address, which it escapes as a form does.
func askFor(t testing.TB, h http.Handler, address string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return get(t, h, "/?emailaddress="+url.QueryEscape(address), header...)
}

func TestStatus(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	long := strings.Repeat("x", mobileconfig.MaxQuery)
	for _, test := range []struct {
		name, path string
		status     int
		want       string // in the page
		private    bool
	}{
		{"form", "/", 200, "<h1>Set up your email</h1>", false},
		{"form in Swedish", "/?lang=sv", 200, "<h1>Ställ in din e-\u2060post</h1>", false},
		{"form with a language that there is not", "/?lang=tlh", 200, "<h1>Set up your email</h1>", false},
		{"answer", "/?emailaddress=mail%40domain.se", 200, "mail@domain.se</span></h1>", true},
		{"raw", "/?emailaddress=mail@domain.se", 200, "mail@domain.se</span></h1>", true},
		{"parameters in any case", "/?EmailAddress=mail@domain.se&LANG=sv", 200, "Var vill du ha", true},
		{"empty", "/?emailaddress=", 400, "Type your email address first.", true},
		{"spaces", "/?emailaddress=+%20+", 400, "Type your email address first.", true},
		{"no @", "/?emailaddress=anna", 400, "The address has no @.", true},
		{"a domain alone", "/?emailaddress=domain.se", 400, "The address has no @.", true},
		{"two @", "/?emailaddress=a@b@domain.se", 400, "This is not an email address.", true},
		{"unknown domain", "/?emailaddress=anna@exmaple.com", 404, "We do not know exmaple.com</h1>", true},
		{"unknown IDN", "/?emailaddress=anna@%C3%A5%C3%A4.example", 404, "We do not know åä.example</h1>", true},
		{"a login of a domain that is not hosted", "/?emailaddress=anna_exmaple.com", 400, "The address has no @.", true},
		{"too long a query", "/?emailaddress=" + long, 400, "This is not an email address.", true},
		{"a name alone", "/?name=Anna+Ek", 200, `value="Anna Ek"`, true},
		{"another path", "/somewhere", 404, "not found\n", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := get(t, h, test.path)
			if w.Code != test.status {
				t.Errorf("GET %.100s: status %d, want %d", test.path, w.Code, test.status)
			}
			body := w.Body.String()
			if !strings.Contains(body, test.want) {
				t.Errorf("the page lacks %q:\n%s", test.want, body)
			}
			if test.private && !strings.Contains(body, `<meta name="robots" content="noindex, nofollow">`) {
				t.Error("the page with an address lacks noindex")
			}
			if test.status != http.StatusOK && strings.Contains(body, "mobileconfig") {
				t.Error("a page without an answer links to a profile")
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	for _, path := range []string{"/", "/?emailaddress=mail@domain.se", "/?name=Anna+Ek",
		"/?emailaddress=" + strings.Repeat("x", mobileconfig.MaxQuery), "/?emailaddress=x", "/?emailaddress=a@exmaple.com",
		"/?emailaddress=mail@domain.se&format=text"} {
		w := get(t, h, path)
		header := w.Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": policy(nil),
			"Referrer-Policy":         "no-referrer",
			"X-Content-Type-Options":  "nosniff",
			"Vary":                    "Accept, Accept-Encoding, Accept-Language, User-Agent",
			"Content-Language":        "en",
			"Set-Cookie":              "",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("GET %.100s: %s = %q, want %q", path, name, got, want)
			}
		}
		cache, robots := "no-store", "noindex"
		if path == "/" {
			cache, robots = "no-cache", ""
		}
		if header.Get("Cache-Control") != cache || header.Get("X-Robots-Tag") != robots {
			t.Errorf("GET %.100s: Cache-Control = %q, X-Robots-Tag = %q, want %q, %q",
				path, header.Get("Cache-Control"), header.Get("X-Robots-Tag"), cache, robots)
		}
		r := httptest.NewRequest(http.MethodHead, path, nil)
		head := httptest.NewRecorder()
		h.ServeHTTP(head, r)
		if head.Code != w.Code || head.Body.Len() != 0 ||
			head.Header().Get("Content-Length") != header.Get("Content-Length") {
			t.Errorf("HEAD %.100s differs from GET: status %d, %d bytes, %v",
				path, head.Code, head.Body.Len(), head.Header())
		}
	}
	for _, word := range []string{"unsafe-inline", "unsafe-eval", "*", "http:", "https:"} {
		if strings.Contains(policy(nil), word) {
			t.Errorf("the Content-Security-Policy has %s", word)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("emailaddress=mail@domain.se")))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q, want 405, \"GET, HEAD\"", w.Code, w.Header().Get("Allow"))
	}
}

// TestInput checks what people type when they mean mail@domain.se.
func TestInput(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	for _, input := range []string{
		"mail@domain.se", " mail@domain.se ", "MAIL@Domain.SE", "mail @ domain.se", "mail@domain.se.", "mail@domain.se,",
		"mailto:mail@domain.se", "MAILTO:mail@domain.se?subject=Hej", "Anna Ek <mail@domain.se>", "<mail@domain.se>",
		"mail＠domain.se",
		"'mail@domain.se'", `"mail@domain.se"`, "“mail@domain.se”", "(mail@domain.se).", "'mail@domain.se.'",
		`"Anna Ek" <mail@domain.se>,`,
		"Anna <mailto:mail@domain.se>", "'mail@domain.se' <mail@domain.se>", "mail@domain.se'", "mail@domain .se",
		"mail_domain.se.",
		"\u200bmail@domain.se\u00a0", "mail@domain\u200b.se", "mail@ｄｏｍａｉｎ.se",
		"mail_domain.se", `hosting01\mail_domain.se`, `HOSTING01\MAIL_DOMAIN.SE`, "hosting01/mail_domain.se",
		`\mail_domain.se`, `hosting01\mail@domain.se`,
		`hosting01\ mail_domain.se`, `hosting01\ mail@domain.se`,
	} {
		w := askFor(t, h, input)
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, "<code>hosting01</code>") {
			t.Errorf("input %q: status %d, want 200", input, w.Code)
		}
		if !strings.Contains(strings.ToLower(body), `<span class="address">mail@domain.se</span>`) {
			t.Errorf("input %q: the page is not for mail@domain.se", input)
		}
	}
	for input, want := range map[string]string{
		"anna_ek_domain.se":       "anna_ek@domain.se", // the last underscore is the @
		"anna+news@domain.se":     "anna&#43;news@domain.se",
		"a&b@domain.se":           "a&amp;b@domain.se",
		"%EMAILDOMAIN%@domain.se": "%EMAILDOMAIN%@domain.se",
		"'anna@domain.se":         "&#39;anna@domain.se", // an apostrophe may begin an address
		`"anna ek"@domain.se`:     "&#34;anna ek&#34;@domain.se",
	} {
		if w := askFor(t, h, input); w.Code != http.StatusOK ||
			!strings.Contains(w.Body.String(), `<span class="address">`+want+`</span>`) {
			t.Errorf("input %q: status %d, want 200 and a page for %q", input, w.Code, want)
		}
	}
	// A link that somebody wrote by hand has a raw +.
	if w := get(t, h, "/?emailaddress=anna+news@domain.se"); !strings.Contains(w.Body.String(), `<span class="address">anna&#43;news@domain.se</span>`) {
		t.Error("the tag of a raw link is lost")
	}
	// A typed space does not become a +, which would be another mailbox. In a half
	// escaped link a + may be meant, so the page asks again.
	for _, query := range []string{"anna+ek%40domain.se", "anna%20ek%40domain.se", "anna%20ek@domain.se",
		"anna+news%40domain.se"} {
		w := get(t, h, "/?emailaddress="+query)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "without spaces") ||
			!strings.Contains(w.Body.String(), `value="anna `) {
			t.Errorf("query %s: status %d, want 400 and the form with a space", query, w.Code)
		}
	}
}

func TestInputIDN(t *testing.T) {
	resolve, o := load(t, "own-domain")
	h := Handler(resolve, o)
	for _, input := range []string{"kalle@åkeriet.example", "kalle@ÅKERIET.example", "kalle@a\u030akeriet.example",
		"kalle@xn--keriet-hua.example"} {
		body := askFor(t, h, input).Body.String()
		if !strings.Contains(body, `<span class="address">kalle@åkeriet.example</span>`) {
			t.Errorf("input %q: the page does not show the domain in Unicode", input)
		}
		if !strings.Contains(body, "<code>mail.xn--keriet-hua.example</code>") {
			t.Errorf("input %q: the server is not in A-labels, the only form that programs accept", input)
		}
	}
}

// TestFailure checks that a failed lookup is not blamed on the person.
func TestFailure(t *testing.T) {
	resolve := func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, errors.New("dns: server failure at 192.0.2.53")
	}
	for _, accept := range []string{"text/html", "text/plain"} {
		w := askFor(t, Handler(resolve, Options{}), "anna@example.com", "Accept", accept)
		body := w.Body.String()
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" ||
			!strings.Contains(body, "The fault is ours") {
			t.Errorf("status %d, Retry-After %q, want 503 and an apology:\n%s",
				w.Code, w.Header().Get("Retry-After"), body)
		}
		if strings.Contains(body, "192.0.2.53") {
			t.Error("the page quotes the internal error")
		}
	}
	wrong := func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, account.ErrAddressRequired
	}
	if w := askFor(t, Handler(wrong, Options{}), "anna@example.com"); w.Code != http.StatusNotFound {
		t.Errorf("ErrAddressRequired: status %d, want 404", w.Code)
	}
}

// TestClientsFailure checks that the page fails if the settings of one client cannot be
// looked up.
func TestClientsFailure(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	p.Exceptions = map[account.Client][]account.Server{account.Outlook: p.Servers}
	failing := func(ctx context.Context, q account.Query) (account.Settings, error) {
		if q.Client == account.Outlook {
			return account.Settings{}, errors.New("gone")
		}
		return resolve(ctx, q)
	}
	if w := askFor(t, Handler(failing, Options{}), "anna@example.com"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
}

// shape returns the tags and the names of attributes of a page.
func shape(t testing.TB, page string) string {
	t.Helper()
	var b strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if err := tokens.Err(); err != io.EOF {
				t.Fatal(err)
			}
			return b.String()
		case html.CommentToken:
			b.WriteString("<!-->")
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			token := tokens.Token()
			fmt.Fprintf(&b, "<%d %s", token.Type, token.Data)
			for _, a := range token.Attr {
				b.WriteString(" " + a.Key)
			}
			b.WriteString(">")
		}
	}
}

// TestHostile sends input that people do not type. It must not change the structure of
// a page, appear in a header or make the page fail.
func TestHostile(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	queries := func(text string) []string {
		text = url.QueryEscape(text)
		return []string{
			"emailaddress=" + text,
			"emailaddress=" + text + "@domain.se",
			"emailaddress=anna@" + text,
			"emailaddress=mail@domain.se&name=" + text,
			"emailaddress=anna&name=" + text,
			"emailaddress=anna@exmaple.com&name=" + text,
			"emailaddress=mail@domain.se&lang=" + text,
			"emailaddress=mail@domain.se&device=" + text,
			"emailaddress=mail@domain.se&format=" + text,
			"lang=" + text,
			text + "=" + text,
		}
	}
	shapes := map[string]bool{}
	// Thunderbird for Android takes no code for an address with other letters.
	for _, harmless := range []string{"", "anna", "anna@domain.se", "exmaple.com", "åsa"} {
		for _, query := range queries(harmless) {
			shapes[shape(t, get(t, h, "/?"+query).Body.String())] = true
		}
	}
	if len(shapes) < 6 {
		t.Fatalf("the harmless pages have %d shapes, want at least 6", len(shapes))
	}
	for _, text := range []string{
		`<b>`, `"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `javascript:alert(1)`, `%s%d%n`, `{{7*7}}`,
		`{{.}}`, `${7*7}`,
		`../../x`, `*)(uid=*`, "a\x00b", "a\r\nX-Evil: 1", "\xff\xfe", "a\u202eb", `<svg onload=alert(1)>`,
		`</title><script>`, `</textarea>`,
		strings.Repeat("A", 7000), `<!--`, "]]>", `&#x3c;script&#x3e;`, "`'\"", `" autofocus onfocus=alert(1) x="`, "\u2028",
	} {
		for _, query := range queries(text) {
			w := get(t, h, "/?"+query)
			if w.Code >= 500 {
				t.Errorf("query %.200q: status %d", query, w.Code)
			}
			body := w.Body.String()
			if !shapes[shape(t, body)] {
				t.Errorf("query %.200q changes the structure of the page:\n%s", query, body)
			}
			for _, raw := range []string{"\x00", "\u202e", "X-Evil: 1\r", `href="javascript`, `"49"`} {
				if strings.Contains(body, raw) {
					t.Errorf("query %.200q: the page has %q", query, raw)
				}
			}
			for name, values := range w.Header() {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00<>") {
					t.Errorf("query %.200q: header %s = %q", query, name, values)
				}
			}
			if w := get(t, h, "/?format=text&"+query); w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("query %.200q as text: Content-Type %q, want text/plain",
					query, w.Header().Get("Content-Type"))
			}
		}
	}
}

// TestHostileNames checks that a name is escaped in the form and in links.
func TestHostileNames(t *testing.T) {
	resolve, o := load(t, "mamut")
	h := Handler(resolve, o)
	w := get(t, h, "/?emailaddress=anna&name="+url.QueryEscape(`<b>"Anna" & Söhne</b>`))
	if want := `value="&lt;b&gt;&#34;Anna&#34; &amp; Söhne&lt;/b&gt;"`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("the form lacks %s", want)
	}
	w = get(t, h, "/?emailaddress=mail@domain.se&name="+url.QueryEscape(`"Anna" & Söhne<x>`))
	want := `href="/profile.mobileconfig?emailaddress=mail@domain.se&amp;name=%22Anna%22%20%26%20S%C3%B6hne%3Cx%3E&amp;lang=en&amp;device=iphone"`
	if !strings.Contains(w.Body.String(), want) {
		t.Errorf("the page lacks %s", want)
	}
}

func TestFiles(t *testing.T) {
	o := Options{Branding: Branding{Accent: &Colour{R: 0x80}, Logo: Logo{[]byte("<svg/>"), "image/svg+xml"}}}
	h := Handler(nil, o)
	page := get(t, h, "/").Body.String()
	for path, mediaType := range map[string]string{
		stylePath: "text/css; charset=utf-8", scriptPath: "text/javascript; charset=utf-8", logoPath: "image/svg+xml",
	} {
		at := strings.Index(page, path+"?v=")
		if at < 0 {
			t.Errorf("the page does not link to %s", path)
			continue
		}
		link, _, _ := strings.Cut(page[at:], `"`)
		w := get(t, h, link)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != mediaType ||
			w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("GET %s: status %d, %v, want 200, %s and immutable", link, w.Code, w.Header(), mediaType)
		}
		if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'none'; frame-ancestors 'none'" {
			t.Errorf("GET %s: Content-Security-Policy %q lets a script in the file run", link, got)
		}
		if w := get(t, h, strings.ToUpper(path)); w.Header().Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("GET %s without a version: status %d, %v, want max-age=300",
				strings.ToUpper(path), w.Code, w.Header())
		}
	}
	style := get(t, h, stylePath).Body.String()
	if !strings.HasPrefix(style, ":root{--accent:#800000;--on-accent:#ffffff}") {
		t.Errorf("the style sheet begins with %.100s, want the accent #800000", style)
	}
	for accent, want := range map[*Colour]string{nil: "#1b55a6", {}: "#000000"} {
		h := Handler(nil, Options{Branding: Branding{Accent: accent}})
		if style := get(t, h, stylePath).Body.String(); !strings.HasPrefix(style, ":root{--accent:"+want+";") {
			t.Errorf("accent %v: the style sheet begins with %.100s, want %s", accent, style, want)
		}
	}
	if w := get(t, Handler(nil, Options{}), logoPath); w.Code != http.StatusNotFound {
		t.Errorf("GET %s without a logo: status %d, want 404", logoPath, w.Code)
	}
}

// TestAccent checks that every colour that can be configured is readable in dark mode.
func TestAccent(t *testing.T) {
	if DefaultAccent.Contrast(White) < MinContrast {
		t.Errorf("the default accent has a contrast of %.2f to white, want %.1f",
			DefaultAccent.Contrast(White), MinContrast)
	}
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				c := Colour{R: uint8(r), G: uint8(g), B: uint8(b)}
				if dark := darkAccent(c); dark.Contrast(darkBackground) < MinContrast {
					t.Fatalf("accent %s: its dark form %s has a contrast of %.2f, want %.1f",
						c, dark, dark.Contrast(darkBackground), MinContrast)
				}
			}
		}
	}
}

// TestNotices checks that a notice is shown from its first day to its last, in the
// reader's language.
func TestNotices(t *testing.T) {
	resolve, o := load(t, "own-domain")
	h := Handler(resolve, o)
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			at    time.Time // in order: the bubble's clock only advances
			shown bool
		}{
			{time.Date(2009, time.August, 23, 23, 59, 0, 0, time.Local), false},
			{time.Date(2009, time.August, 24, 0, 0, 0, 0, time.Local), true},
			{time.Date(2009, time.December, 31, 23, 0, 0, 0, time.Local), true},
			{time.Date(2010, time.January, 1, 0, 0, 0, 0, time.Local), false},
			{time.Date(2026, time.November, 21, 12, 0, 0, 0, time.Local), false},
		} {
			time.Sleep(time.Until(test.at))
			for lang, words := range map[string]string{
				"en": "From 7 September the user name", "sv": "Från den 7 september är användarnamnet",
			} {
				for _, format := range []string{"html", "text"} {
					w := get(t, h, "/?emailaddress=kalle@foretaget.example&lang="+lang+"&format="+format)
					if got := strings.Contains(w.Body.String(), words); got != test.shown {
						t.Errorf("at %v, in %s, as %s: notice shown %v, want %v",
							test.at, lang, format, got, test.shown)
					}
				}
			}
		}
	})
}

// TestMailboxNotRevealed checks that no answer reveals whether a mailbox exists, is
// active or is an alias.
func TestMailboxNotRevealed(t *testing.T) {
	page := func(h http.Handler, address, format string) string {
		body := get(t, h, "/?emailaddress="+address+"&format="+format).Body.String()
		// The QR codes differ because they have the address, and so may their sizes.
		body = regexp.MustCompile(`<svg class="(app)?code"[^>]*>.*</svg>`).ReplaceAllString(body, "")
		return strings.ReplaceAll(body, address[:strings.Index(address, "@")], "x")
	}
	for _, test := range []struct{ system, address, unlisted string }{
		{"mamut", "gammal@domain.se", "nobody@domain.se"},              // inactive
		{"onecom", "sommar@malaren.example", "nobody@malaren.example"}, // inactive
		{"onecom", "offert@malaren.example", "nobody@malaren.example"}, // an alias
		{"onecom", "karin@malaren.example", "nobody@malaren.example"},  // listed with her name
	} {
		resolve, o := load(t, test.system)
		h := Handler(resolve, o)
		for _, format := range []string{"html", "text"} {
			unlisted := page(h, test.unlisted, format)
			if listed := page(h, test.address, format); listed != unlisted {
				t.Errorf("%s as %s: the answer differs from that of the unlisted %s",
					test.address, format, test.unlisted)
			}
			if len(unlisted) < 300 {
				t.Errorf("the answer for %s as %s is too short: %q", test.unlisted, format, unlisted)
			}
		}
	}
}
