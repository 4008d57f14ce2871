package setup

import (
	"testing"

	"github.com/chromedp/chromedp"

	"signpost/internal/browser"
	"signpost/templates"
)

// TestLanguagesFit shows the form, an error and a page with everything in each language, on
// a phone and on a computer. Nothing is wider than the screen or cut off, and
// axe-core finds no fault.
func TestLanguagesFit(t *testing.T) {
	source := axe(t)
	var list []state
	for _, s := range states(t) {
		if s.name == "form" || s.name == "empty" || s.name == "everything" || s.name == "a long address" {
			list = append(list, s)
		}
	}
	if len(list) != 4 {
		t.Fatalf("%d states, want 4", len(list))
	}
	ctx := open(t)
	for _, s := range list {
		base := serve(t, s.handler)
		for _, lang := range templates.Embedded().Languages {
			for _, look := range []look{{phone: true}, {dark: true}} {
				t.Run(s.name+" "+lang.Tag+" "+look.String(), func(t *testing.T) {
					do(t, ctx, screen(look.phone, look.dark), chromedp.Navigate(base+"/?lang="+lang.Tag+"&"+s.query))
					if got := js[string](t, ctx, "document.documentElement.lang"); got != lang.Tag {
						t.Fatalf("the language of the page is %q", got)
					}
					for _, fault := range browser.TooWide(t, ctx) {
						t.Errorf("wider than the screen: %s", fault)
					}
					for _, fault := range shown(t, ctx, `e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible"`) {
						t.Errorf("cut off: %s", fault)
					}
					if !look.phone || s.name == "a long address" {
						return // TestAccessible looks at these; the texts alone are others here
					}
					_, violations := browser.RunAxe(t, ctx, source)
					for _, v := range violations {
						t.Error(v)
					}
				})
			}
		}
	}
}
