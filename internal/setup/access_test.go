package setup

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"signpost/account"
	"signpost/internal/browser"
)

func axe(t testing.TB) string {
	t.Helper()
	return browser.Axe(t, "testdata/browser")
}

// state is the page in one of its states.
type state struct {
	name    string
	handler http.Handler
	query   string
}

// states returns all states of the page: the form, the results of wrong addresses,
// the answer for each example system, and an answer with everything.
func states(t testing.TB) []state {
	resolve, o := load(t, "mamut")
	o.Branding = Branding{Name: "Mamut", Contact: account.Contact{URL: "https://example.com", Email: "help@example.com",
		Phone: "+46 8 123 45 67"}}
	h := service(resolve, o)
	list := []state{{"form", h, ""}, {"problem", h, "emailaddress=anna"}, {"empty", h, "emailaddress="},
		{"not found", h, "emailaddress=anna@exmaple.com"}}
	broken := func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, errors.New("no DNS")
	}
	list = append(list, state{"failed", service(broken, o), "emailaddress=anna@example.com"})
	for _, s := range systems(t) {
		h := service(s.Resolve, s.Options)
		for _, address := range s.Addresses {
			list = append(list, state{s.Name + " " + address, h, "emailaddress=" + address + "&device=all"})
		}
	}
	plain := server(account.IMAP)
	plain.SocketType, plain.Port = account.Plain, 143
	resolve, _ = literal(plain, server(account.SMTP))
	list = append(list, state{"not encrypted", service(resolve, o), "emailaddress=anna@example.com"})
	resolve, p := literal(server(account.JMAP))
	p.Webmail = "https://webmail.example.com/"
	list = append(list, state{"webmail first", service(resolve, o), "emailaddress=anna@example.com"})
	resolve, p = literal()
	*p = *sampleProviders()[0]
	o = Options{Name: "setup.example.com", Branding: Branding{Accent: &Colour{R: 0x76, G: 0x76, B: 0x76},
		Logo: Logo{[]byte(logo), "image/svg+xml"}, Name: "Example Mail"}}
	list = append(list, state{"everything", service(resolve, o), "emailaddress=anna@example.com&device=all"})
	long := strings.Repeat("long", 15) + "@" + strings.Repeat("long-", 11) + "name.example.com"
	return append(list, state{"a long address", service(resolve, o), "emailaddress=" + long + "&device=all"})
}

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 36"><rect width="120" height="36" fill="#1b55a6"/></svg>`

// look is how the page is shown: on a phone or on a computer, which also shows the
// code for a phone, and in light or dark colours.
type look struct{ phone, dark bool }

func (l look) String() string {
	return map[bool]string{true: "phone", false: "computer"}[l.phone] +
		map[bool]string{true: " dark", false: " light"}[l.dark]
}

var allLooks = []look{{true, false}, {true, true}, {false, false}, {false, true}}

// everywhere runs a check on each state, on a phone in each language.
func everywhere(t *testing.T, looks []look, check func(t *testing.T, ctx context.Context)) {
	ctx := open(t)
	for _, s := range states(t) {
		base := serve(t, s.handler)
		for _, lang := range []string{"en", "sv"} {
			for _, look := range looks {
				if !look.phone && lang == "en" {
					continue // a computer has another layout but the same texts; the longer ones suffice
				}
				t.Run(s.name+" "+lang+" "+look.String(), func(t *testing.T) {
					// With the script, which adds its buttons before the load event.
					do(t, ctx, screen(look.phone, look.dark), chromedp.Navigate(base+"/?lang="+lang+"&"+s.query))
					if got := js[string](t, ctx, "document.documentElement.lang"); got != lang {
						t.Fatalf("the language of the page is %q, want %q", got, lang)
					}
					check(t, ctx)
				})
			}
		}
	}
}

// TestAccessible checks that the page has no fault that axe-core finds at WCAG 2.2
// level AA or among its own best practices.
func TestAccessible(t *testing.T) {
	source := axe(t)
	everywhere(t, allLooks, func(t *testing.T, ctx context.Context) {
		passes, violations := browser.RunAxe(t, ctx, source)
		if passes < 20 {
			t.Errorf("axe-core applied only %d rules, want at least 20", passes)
		}
		for _, v := range violations {
			t.Error(v)
		}
	})
}

// TestAxeFinds checks that TestAccessible would find faults.
func TestAxeFinds(t *testing.T) {
	source := axe(t)
	base := serve(t, Handler(nil, Options{}))
	ctx := open(t)
	do(t, ctx, screen(true, false), chromedp.Navigate(base+"/"))
	js[bool](t, ctx, `document.querySelector("label").remove(), document.querySelector(".lead").style.color = "#aaa", true`)
	_, violations := browser.RunAxe(t, ctx, source)
	for _, rule := range []string{"label", "color-contrast"} {
		if !slices.ContainsFunc(violations, func(v string) bool { return strings.HasPrefix(v, rule+": ") }) {
			t.Errorf("axe-core does not find the %s fault; it finds %q", rule, violations)
		}
	}

	// Only a computer shows the code for a phone.
	resolve, o := load(t, "websupport")
	base = serve(t, Handler(resolve, o))
	for _, phone := range []bool{true, false} {
		do(t, ctx, screen(phone, false), chromedp.Navigate(base+"/?emailaddress=anna@butiken.example"))
		js[bool](t, ctx, `document.querySelector(".code").removeAttribute("aria-label"), true`)
		_, violations := browser.RunAxe(t, ctx, source)
		found := slices.ContainsFunc(violations, func(v string) bool { return strings.HasPrefix(v, "svg-img-alt: ") })
		if found == phone {
			t.Errorf("phone %v: axe-core finds the code without a label: %v, want %v", phone, found, !phone)
		}
	}
}

// TestTargets checks that everything one can press is at least 44 px wide and high
// (WCAG 2.5.5), except links in a sentence, and that nothing is wider than the
// screen.
func TestTargets(t *testing.T) {
	everywhere(t, []look{{phone: true}, {phone: false}}, func(t *testing.T, ctx context.Context) {
		small := browser.TooSmall(t, ctx)
		for _, s := range small {
			t.Errorf("too small: %s", s)
		}
		for _, width := range []int{320, 390, 768, 1280} {
			do(t, ctx, chromedp.EmulateViewport(int64(width), 844))
			wide := browser.TooWide(t, ctx)
			for _, s := range wide {
				t.Errorf("cut off at %d px: %s", width, s)
			}
			if scroll := js[int](t, ctx, `document.documentElement.scrollWidth`); scroll > width {
				t.Errorf("at %d px the page is %d px wide", width, scroll)
			}
		}
	})
}

// TestLayout checks that no word of a label is broken over two lines, whatever the width
// of the screen, and that links stand clear of the button above them.
func TestLayout(t *testing.T) {
	resolve, o := load(t, "mamut")
	base := serve(t, service(resolve, o))
	ctx := open(t)
	for _, lang := range []string{"en", "sv"} {
		do(t, ctx, screen(true, false), chromedp.Navigate(base+"/?emailaddress=mail@domain.se&device=all&lang="+lang))
		for _, width := range []int64{320, 390, 576, 640, 768, 1280} {
			do(t, ctx, chromedp.EmulateViewport(width, 844))
			broken := js[[]string](t, ctx, `[...document.querySelectorAll("dt")].filter(e => {
				const range = document.createRange();
				range.selectNodeContents(e);
				return e.checkVisibility() && !/\s/.test(e.textContent) && range.getClientRects().length > 1;
			}).map(e => e.textContent)`)
			if len(broken) > 0 {
				t.Errorf("at %d px in %s, the labels %q are broken within the word", width, lang, broken)
			}
			gap := js[float64](t, ctx, `document.querySelector(".body .links a").getBoundingClientRect().top -
				document.querySelector(".body .button").getBoundingClientRect().bottom`)
			if gap < 8 {
				t.Errorf("at %d px in %s, the link is %.1f px below the button, want at least 8", width, lang, gap)
			}
		}
	}
}
