package setup

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"signpost/internal/browser"
	"signpost/templates"
)

// visit is a request of the browser and its answer.
type visit struct {
	path, query, referer, cookie, mediaType string
	status                                  int
}

// visits records the requests of a browser to a handler.
type visits struct {
	sync.Mutex
	list []visit
}

// record returns a handler that passes requests to h and records them.
func (v *visits) record(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		v.Lock()
		v.list = append(v.list, visit{r.URL.Path, r.URL.RawQuery, r.Header.Get("Referer"), r.Header.Get("Cookie"),
			recorder.Header().Get("Content-Type"), recorder.Code})
		v.Unlock()
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		w.Write(recorder.Body.Bytes())
	})
}

// find waits for a request for the path.
func (v *visits) find(t testing.TB, path string) visit {
	t.Helper()
	for range 200 {
		v.Lock()
		i := slices.IndexFunc(v.list, func(one visit) bool { return one.path == path })
		var found visit
		if i >= 0 {
			found = v.list[i]
		}
		v.Unlock()
		if i >= 0 {
			return found
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the browser did not request %s", path)
	return visit{}
}

// TestPerson does what a person does: types an address, looks, changes the language
// and downloads the profile, with the script and without.
func TestPerson(t *testing.T) {
	for name, script := range map[string]bool{"with script": true, "without script": false} {
		t.Run(name, func(t *testing.T) {
			resolve, o := load(t, "mamut")
			var seen visits
			base := serve(t, seen.record(service(resolve, o)))
			ctx := open(t)
			var complaints []string
			var lock sync.Mutex
			if err := chromedp.Listen(ctx, func(event any) {
				if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Level != "verbose" {
					lock.Lock()
					defer lock.Unlock()
					complaints = append(complaints, e.Entry.Text)
				}
			}); err != nil {
				t.Fatal(err)
			}
			do(t, ctx, screen(false, false), speaking("en"), browser.Command(log.Enable, struct{}{}))
			if !script {
				do(t, ctx, withoutScript())
			}
			do(t, ctx, chromedp.Navigate(base+"/"),
				chromedp.SendKeys(chromedp.CSS("#emailaddress"), " MAIL@Domain.se "),
				chromedp.SendKeys(chromedp.CSS("#name"), "Anna Ek"),
				chromedp.Click(chromedp.CSS("button[type=submit]")),
				chromedp.WaitVisible(chromedp.CSS("h1 .address")))
			if got := text(t, ctx, "h1 .address"); got != "MAIL@domain.se" {
				t.Errorf("the page is for %q, want MAIL@domain.se", got)
			}
			if got := seen.find(t, stylePath); got.status != http.StatusOK {
				t.Errorf("the request for the style: %+v, want status 200", got)
			}

			shown := func() bool { return js[bool](t, ctx, `document.querySelector("#android dl").checkVisibility()`) }
			if shown() {
				t.Error("Android's section is open on a computer")
			}
			do(t, ctx, chromedp.Click(chromedp.CSS("#android summary")))
			if !shown() {
				t.Error("Android's section does not open")
			}
			for row, want := range []string{"mamutmail.com", "hosting01", "MAIL_domain.se"} {
				got := js[string](t, ctx, `document.querySelectorAll("#android dd > code")[`+strconv.Itoa(row)+
					`].textContent`)
				if got != want {
					t.Errorf("row %d for Android = %q, want %q", row, got, want)
				}
			}
			buttons := js[int](t, ctx, `document.querySelectorAll(".copier").length`)
			values := js[int](t, ctx, `document.querySelectorAll("dd > code").length`)
			switch {
			case !script && buttons != 0:
				t.Errorf("%d copy buttons without the script, want none", buttons)
			case script && (buttons != values || values < 5):
				t.Errorf("%d copy buttons for %d values, want one for each, and at least 5", buttons, values)
			case script:
				copyValue(t, ctx)
			}

			do(t, ctx, chromedp.Click(chromedp.CSS(".languages button[lang=sv]")),
				chromedp.WaitVisible(chromedp.CSS("html[lang=sv] h1 .address")))
			if got := text(t, ctx, ".which"); got != "Var vill du ha din e-\u2060post?" {
				t.Errorf("after the change of language, the question is %q, want it in Swedish", got)
			}

			do(t, ctx, chromedp.Click(chromedp.CSS("#iphone summary")),
				chromedp.WaitVisible(chromedp.CSS("#iphone a.button")))
			if got := js[bool](t, ctx, `document.querySelector("#iphone a.button").hasAttribute("download")`); got {
				t.Error("the link has a download attribute, with which iOS saves a file that nothing opens")
			}
			do(t, ctx, chromedp.Click(chromedp.CSS("#iphone a.button")))
			got := seen.find(t, "/profile.mobileconfig")
			query, err := url.ParseQuery(got.query)
			if err != nil {
				t.Fatal(err)
			}
			if got.status != http.StatusOK || got.mediaType != "application/x-apple-aspen-config" ||
				query.Get("emailaddress") != "MAIL@domain.se" || query.Get("name") != "Anna Ek" || query.Get("lang") != "sv" ||
				query.Get("device") != "iphone" {
				t.Errorf("the request for the profile: %+v, want status 200 and all parameters", got)
			}

			seen.Lock()
			defer seen.Unlock()
			for _, v := range seen.list {
				if v.referer != "" || v.cookie != "" {
					t.Errorf("the request for %s has Referer %q, Cookie %q, want none", v.path, v.referer, v.cookie)
				}
			}
			lock.Lock()
			defer lock.Unlock()
			if len(complaints) > 0 {
				t.Errorf("the browser logged %q", complaints)
			}
		})
	}
}

// copyValue presses the second copy button of Android's form and reads the clipboard.
func copyValue(t *testing.T, ctx context.Context) {
	t.Helper()
	allow := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, name := range []string{"clipboard-read", "clipboard-write"} {
			_, err := chromedp.CallBrowser(ctx, protocol.SetPermission, protocol.SetPermissionParams{
				Permission:       &protocol.PermissionDescriptor{Name: name},
				Setting:          protocol.PermissionSettingGranted,
				BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	do(t, ctx, allow,
		browser.Command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
		chromedp.Click(chromedp.CSS("#android dl > div:nth-child(2) .copier")))
	_, err := chromedp.Run(ctx,
		chromedp.Poll[bool](`document.querySelector("[role=status]").textContent === "Domain: Copied"`))
	if err != nil {
		t.Errorf("the page does not announce that the value was copied: %v", err)
	}
	if got := js[string](t, ctx, `navigator.clipboard.readText()`); got != "hosting01" {
		t.Errorf("the clipboard has %q, want hosting01", got)
	}
}

func text(t testing.TB, ctx context.Context, selector string) string {
	t.Helper()
	return ask(t, ctx, chromedp.TextContent(chromedp.CSS(selector)))
}

// TestRequests checks that a visit makes three requests: for the page, the style and
// the script.
func TestRequests(t *testing.T) {
	resolve, o := load(t, "mamut")
	var seen visits
	base := serve(t, seen.record(service(resolve, o)))
	ctx := open(t)
	do(t, ctx, screen(false, false), chromedp.Navigate(base+"/?emailaddress=mail@domain.se"),
		chromedp.WaitReady(chromedp.CSS(".copier")))
	seen.Lock()
	defer seen.Unlock()
	var paths []string
	for _, v := range seen.list {
		paths = append(paths, v.path)
	}
	slices.Sort(paths)
	if want := []string{"/", scriptPath, stylePath}; !slices.Equal(paths, want) {
		t.Errorf("the browser requested %q, want %q", paths, want)
	}
}

// TestKeyboard checks that everything can be reached and used without a mouse, and
// that the focus is visible.
func TestKeyboard(t *testing.T) {
	resolve, o := load(t, "mamut")
	base := serve(t, service(resolve, o))
	ctx := open(t)
	do(t, ctx, screen(false, false), speaking("en"), chromedp.Navigate(base+"/"))
	focus := func() string {
		t.Helper()
		return js[string](t, ctx, `(e => e === document.body ? "" : (e.id || e.className || e.closest("[id]")?.id + " " + e.tagName || e.tagName) + " " + (e.textContent || "").trim())(document.activeElement)`)
	}
	for range len(templates.Embedded().Languages) + 5 {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		if strings.HasPrefix(focus(), "emailaddress") {
			break
		}
	}
	do(t, ctx, chromedp.KeyEvent("info@domain.se"), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible(chromedp.CSS("h1 .address")), chromedp.WaitReady(chromedp.CSS(".copier")))

	// Open each section when the focus reaches it.
	reached := 0
	for range 200 {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		if focus() == "" {
			break
		}
		reached++
		seen := js[bool](t, ctx, `(s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))`)
		if !seen {
			t.Errorf("the focus on %q is not visible", focus())
		}
		if js[bool](t, ctx, `document.activeElement.matches("details:not([open]) > summary")`) {
			do(t, ctx, chromedp.KeyEvent(kb.Enter))
			if !js[bool](t, ctx, `document.activeElement.parentNode.open`) {
				t.Errorf("the section %q does not open", focus())
			}
		}
	}
	all := js[int](t, ctx, `document.querySelectorAll("a[href], button, summary, input:not([type=hidden])").length`)
	if reached != all || all < 30 {
		t.Errorf("the keyboard reached %d of %d elements, want all and at least 30", reached, all)
	}
	if closed := js[int](t, ctx, `document.querySelectorAll("details:not([open])").length`); closed != 0 {
		t.Errorf("%d sections stayed closed", closed)
	}
}

// TestCode checks that another program reads the URL of the page in the QR code.
func TestCode(t *testing.T) {
	zbar := browser.Tool(t, "zbarimg")
	for _, dark := range []bool{false, true} {
		for system, query := range map[string]string{
			"mamut":      "emailaddress=mail@domain.se&name=%C3%85sa+%C3%96berg&lang=sv",
			"own-domain": "emailaddress=info%2Bnews@" + url.QueryEscape("åkeriet.example"),
		} {
			resolve, o := load(t, system)
			base := serve(t, service(resolve, o))
			ctx := open(t)
			do(t, ctx, screen(false, dark), speaking("en"), chromedp.Navigate(base+"/?"+query))
			picture := filepath.Join(t.TempDir(), "code.png")
			err := os.WriteFile(picture, ask(t, ctx, chromedp.ScreenshotScale(chromedp.CSS("svg.code"), 2)), 0o666)
			if err != nil {
				t.Fatal(err)
			}
			said, err := exec.Command(zbar, "--quiet", "--raw", picture).Output()
			if err != nil {
				t.Fatalf("%s: %v", zbar, err)
			}
			read := strings.TrimSpace(string(said))
			if visible := text(t, ctx, ".url"); read != visible {
				t.Errorf("the QR code has %s, the text beside it %s", read, visible)
			}
			u, err := url.Parse(read)
			if err != nil || u.Scheme != "https" || u.Host != o.Name {
				t.Fatalf("the QR code has %s (%v), want an https URL at %s", read, err, o.Name)
			}
			// The URL leads to the same answer.
			there := get(t, Handler(resolve, o), "/?"+u.RawQuery).Body.String()
			if here := text(t, ctx, "h1 .address"); !strings.Contains(there, strings.ReplaceAll(here, "+", "&#43;")+"</span></h1>") {
				t.Errorf("%s is not the page for %s", read, here)
			}
			label := js[string](t, ctx, `document.querySelector("svg.code").getAttribute("aria-label")`)
			if !strings.Contains(label, read) {
				t.Errorf("the label of the QR code is %q, want it to have %s", label, read)
			}
		}
	}
}

// TestPrint checks that on paper all sections are open and there is nothing to press.
func TestPrint(t *testing.T) {
	resolve, o := load(t, "mamut")
	base := serve(t, service(resolve, o))
	ctx := open(t)
	do(t, ctx, screen(false, false), chromedp.Navigate(base+"/?emailaddress=info@domain.se"),
		chromedp.WaitReady(chromedp.CSS(".copier")),
		browser.Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}))
	// The page changes to the other medium when it is drawn the next time.
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`matchMedia("print").matches &&
		[...document.querySelectorAll("details:not([open]) dl")].filter(e => e.checkVisibility() && e.getBoundingClientRect().height > 20).length >= 5`,
		chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second))); err != nil {
		t.Errorf("the tables of closed sections are not printed: %v", err)
	}
	buttons := js[int](t, ctx, `[...document.querySelectorAll(".copier, .languages, .more")].filter(e => e.checkVisibility()).length`)
	if buttons != 0 {
		t.Errorf("%d buttons are printed, want none", buttons)
	}
	for what, script := range map[string]string{
		"not printed": `e => e.matches("h1, h2, h3, h4, p, li, dt, dd, svg, figcaption") && !e.checkVisibility() &&
			!e.matches(".ipad, .more, .phone .links, .copier *")`,
		"printed without its URL": `e => e.matches("a[href^='https:']") && e.checkVisibility() &&
			!getComputedStyle(e, "::after").content.includes(e.getAttribute("href"))`,
		"printed as a button": `e => e.matches(".button") && parseFloat(getComputedStyle(e).borderTopWidth) > 0`,
	} {
		for _, fault := range js[[]string](t, ctx, `[...document.querySelectorAll("main *")].filter(`+script+`).map(e => e.outerHTML.slice(0, 120))`) {
			t.Errorf("%s: %s", what, fault)
		}
	}
}

// TestOwnTable checks that a template of an operator with a table in place of the list
// keeps its copy buttons, each beside its value.
func TestOwnTable(t *testing.T) {
	set, err := LoadTemplates(overlay(t, "html/ours.html", `{{define "table"}}<table><caption>{{.Title}}</caption><tbody>
		{{range .Rows}}<tr><th scope="row">{{.Label}}</th><td>{{if .Choice}}{{.Choice}}{{else}}<code>{{.Value}}</code>{{end}}</td></tr>{{end}}
		</tbody></table>{{end}}`))
	if err != nil {
		t.Fatal(err)
	}
	resolve, o := load(t, "mamut")
	o.Templates = set
	base := serve(t, service(resolve, o))
	ctx := open(t)
	for _, phone := range []bool{true, false} {
		do(t, ctx, screen(phone, false), speaking("en"),
			chromedp.Navigate(base+"/?emailaddress=info@domain.se&device=other"))
		beside := js[[]string](t, ctx, `[...document.querySelectorAll("#other td > .copier")].map(button => {
			const row = button.closest("tr"), box = button.getBoundingClientRect(), inside = row.getBoundingClientRect();
			return box.top >= inside.top && box.bottom <= inside.bottom ? button.textContent : "outside of its row";
		})`)
		var want []string
		for range 3 {
			want = append(want, "Copy Server", "Copy Port", "Copy User name")
		}
		if !slices.Equal(beside, want) {
			t.Errorf("phone %v: copy buttons %q, want %q", phone, beside, want)
		}
	}
}
