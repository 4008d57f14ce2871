package setup

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"signpost/internal/browser"
)

// showAs is a way in which a browser shows the page, besides phone and computer.
type showAs struct {
	name          string
	width, height int64
	touch         bool
	features      []*emulation.MediaFeature
}

// modes are the ways in which people with a special device or need see the page. A zoom
// of 400 % on a screen of 1280 pixels leaves 320 CSS pixels (WCAG 1.4.10).
var modes = []showAs{
	{"ipad", 1024, 768, true, nil},
	{"zoom-200", 640, 512, false, nil},
	{"zoom-400", 320, 256, false, nil},
	{"forced-dark", 1280, 800, false, []*emulation.MediaFeature{
		{Name: "forced-colors", Value: "active"}, {Name: "prefers-color-scheme", Value: "dark"}}},
	{"forced-light", 1280, 800, false, []*emulation.MediaFeature{
		{Name: "forced-colors", Value: "active"}, {Name: "prefers-color-scheme", Value: "light"}}},
	{"reduced-motion", 1280, 800, false, []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}},
}

// steps returns what makes a tab show the page so, with the User-Agent of a Mac.
func (s showAs) steps() []step {
	return []step{
		browser.Command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: s.width, Height: s.height, DeviceScaleFactor: 1, Mobile: s.touch}),
		browser.Command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: s.touch}),
		browser.Command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agentMac}),
		browser.Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: s.features}),
	}
}

// TestModes shows the page in each mode. Nothing is wider than the screen or cut off, the
// sections keep their borders, the focus is visible, and nothing moves.
func TestModes(t *testing.T) {
	resolve, o := load(t, "mamut")
	base := serve(t, service(resolve, o))
	ctx := open(t)
	for _, mode := range modes {
		for _, query := range []string{"", "?emailaddress=", "?emailaddress=info@domain.se&device=all"} {
			do(t, ctx, append(mode.steps(), chromedp.Navigate(base+"/"+query))...)
			for _, fault := range browser.TooWide(t, ctx) {
				t.Errorf("%s, %q: wider than the screen: %s", mode.name, query, fault)
			}
			for what, script := range map[string]string{
				"cut off": `e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible"`,
				"without a border": `e => e.matches("details, .card, .button, .copier, input:not([type=hidden])") &&
					!(parseFloat(getComputedStyle(e).borderTopWidth) > 0)`,
				"moving": `e => getComputedStyle(e).transitionDuration !== "0s" || getComputedStyle(e).animationName !== "none" ||
					getComputedStyle(e).scrollBehavior === "smooth"`,
				"without a visible focus": `e => { if (!e.matches("a[href], button, summary, input:not([type=hidden])")) return false;
					e.focus({focusVisible: true});
					const style = getComputedStyle(e);
					return style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2; }`,
			} {
				for _, fault := range shown(t, ctx, script) {
					t.Errorf("%s, %q: %s: %s", mode.name, query, what, fault)
				}
			}
		}
	}
}

// shown returns the elements that a person sees and for which the function holds.
func shown(t testing.TB, ctx context.Context, function string) []string {
	t.Helper()
	return js[[]string](t, ctx, `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.closest(".unseen") && (`+
		function+`)(e)).map(e => e.outerHTML.slice(0, 120))`)
}

// TestForcedColours checks that the page takes a person's own colours, that what a
// background showed has a border, and that QR codes stay black on white, as cameras need.
func TestForcedColours(t *testing.T) {
	resolve, o := load(t, "mamut")
	base := serve(t, service(resolve, o))
	ctx := open(t)
	for _, mode := range modes {
		if !strings.HasPrefix(mode.name, "forced") {
			continue
		}
		do(t, ctx, append(mode.steps(), chromedp.Navigate(base+"/?emailaddress=info@domain.se&device=all"))...)
		for script, want := range map[string]string{
			`String(matchMedia("(forced-colors: active)").matches)`:                                                      "true",
			`getComputedStyle(document.querySelector(".code path")).fill`:                                                "rgb(255, 255, 255)",
			`getComputedStyle(document.querySelector(".code path + path")).stroke`:                                       "rgb(0, 0, 0)",
			`getComputedStyle(document.querySelector(".appcode path")).fill`:                                             "rgb(255, 255, 255)",
			`getComputedStyle(document.querySelector(".appcode")).forcedColorAdjust`:                                     "none",
			`getComputedStyle(document.querySelector("ol > li"), "::before").borderTopStyle`:                             "solid",
			`String(getComputedStyle(document.querySelector(".icon")).stroke === getComputedStyle(document.body).color)`: "true",
		} {
			if got := js[string](t, ctx, script); got != want {
				t.Errorf("%s: %s = %q, want %q", mode.name, script, got, want)
			}
		}
	}
}

// TestIPad checks that a Mac with a touch screen, which is an iPad, sees the steps for an
// iPad first, and that a Mac sees nothing of them.
func TestIPad(t *testing.T) {
	for _, test := range []struct {
		kind, first, mac string // what a touch screen shows first, and what a mouse does
	}{
		{"IMAP", "Install on iPhone or iPad", "Download for Mac"},
		{"ActiveSync with another login", "Install on iPhone or iPad", "Open the webmail"},
		{"EWS", "Open the webmail", "Download for Mac"},
		{"OAuth2 only", "Open the webmail", "Open the webmail"},
	} {
		h, address := mailboxHandler(t, test.kind)
		base := serve(t, h)
		ctx := open(t)
		for _, touch := range []bool{true, false} {
			mode := showAs{"", 1024, 768, touch, nil}
			do(t, ctx, append(mode.steps(), chromedp.Navigate(base+"/?emailaddress="+address))...)
			want := test.mac
			if touch {
				want = test.first
			}
			first := js[string](t, ctx, `([...document.querySelectorAll("main .button")].find(e => e.checkVisibility()) || document.body).textContent`)
			if first != want {
				t.Errorf("%s, touch %v: the first button is %q, want %q", test.kind, touch, first, want)
			}
			twice := js[int](t, ctx, `[...document.querySelectorAll("main h3")].filter(e => e.checkVisibility() && e.textContent === "iPhone and iPad").length`)
			if twice != 1 {
				t.Errorf("%s, touch %v: %d headings for the iPad, want one", test.kind, touch, twice)
			}
		}
	}
}

// TestReadingOrder checks that a screen reader reads the page from top to bottom as it is
// seen, and the open section before all else below the question.
func TestReadingOrder(t *testing.T) {
	resolve, o := load(t, "mamut")
	base := serve(t, service(resolve, o))
	ctx := open(t)
	for _, mode := range modes[:4] {
		for _, address := range []string{"info@domain.se", "mail@domain.se"} {
			do(t, ctx, append(mode.steps(), speaking("en"), chromedp.Navigate(base+"/?emailaddress="+address))...)
			back := js[[]string](t, ctx, `(() => {
				const blocks = [...document.querySelectorAll("h1, h2, h3, h4, p, li, dt, dd, figcaption, summary, svg[role=img]")].filter(e => e.checkVisibility());
				const back = [];
				for (let i = 1; i < blocks.length; i++) {
					const before = blocks[i-1].getBoundingClientRect(), here = blocks[i].getBoundingClientRect();
					if (here.bottom <= before.top) back.push(blocks[i-1].textContent.trim().slice(0, 40) + " | " + blocks[i].textContent.trim().slice(0, 40));
				}
				return back;
			})()`)
			for _, pair := range back {
				t.Errorf("%s, %s: read in another order than seen: %s", mode.name, address, pair)
			}
			next := js[string](t, ctx, `[...document.querySelectorAll(".which ~ *")].find(e => e.checkVisibility()).className ||
				String([...document.querySelectorAll(".which ~ *")].find(e => e.checkVisibility()).open)`)
			if next != "true" && next != "card first" && next != "card touch" {
				t.Errorf("%s, %s: after the question comes %q, want the open section or the webmail",
					mode.name, address, next)
			}
			outside := js[[]string](t, ctx, `[...document.body.children].filter(e => e.checkVisibility() &&
				!e.matches("header, main, .unseen, script")).map(e => e.outerHTML.slice(0, 80))`)
			if len(outside) > 0 {
				t.Errorf("%s, %s: in no landmark: %q", mode.name, address, outside)
			}
			hidden := js[int](t, ctx, `document.querySelectorAll("svg:not([role=img]):not([aria-hidden=true])").length`)
			if hidden != 0 {
				t.Errorf("%s, %s: %d drawings are neither described nor hidden from screen readers",
					mode.name, address, hidden)
			}
		}
	}
}
