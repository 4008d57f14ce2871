package page

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"signpost/internal/browser"
	"signpost/internal/doctor"
	"signpost/internal/server"
)

func TestMain(m *testing.M) {
	status := m.Run()
	browser.Stop()
	os.Exit(status)
}

// state is the page in one of its states.
type state struct{ name, url string }

// states serves all states of the page and returns their URLs: the form, the form with a fault, a
// diagnosis under way, its result, and a result without findings.
func states(t *testing.T) []state {
	serve := func(report *doctor.Report) (base string, h http.Handler) {
		h = Handler(t.Context(), func(ctx context.Context, _ Request, progress func(doctor.Progress)) (*doctor.Report,
			error) {
			if report == nil {
				progress(doctor.Progress{Phase: "clients", Done: 7, Of: 20, Requests: 31})
				<-ctx.Done()
			}
			return report, nil
		}, Options{})
		listener := httptest.NewServer(h)
		t.Cleanup(listener.Close)
		return listener.URL, h
	}
	running, h := serve(nil)
	list := []state{{"form", running + Path}, {"running", running + begin(t, h, "anna@nordlys.example")}}
	long := everything()
	long.Findings[0].Sentence = "The certificate of " + strings.Repeat("long-", 11) + "name." + strings.Repeat("long-",
		11) + "name.example ended."
	for name, report := range map[string]*doctor.Report{
		"report":         everything(),
		"long names":     long,
		"nothing wrong":  {Domain: "nordlys.example", Complete: true, Seconds: 2.1, Clients: everything().Clients[1:]},
		"not successful": nil,
	} {
		if name == "not successful" {
			list = append(list, state{name, running + Path + "?id=gone"})
			continue
		}
		base, h := serve(report)
		list = append(list, state{name, base + begin(t, h, "anna@nordlys.example")})
	}
	return list
}

// everywhere runs a check on each state, on a phone in light and on a computer in dark colours, and on
// the report and the form the other way round, too.
func everywhere(t *testing.T, check func(t *testing.T, ctx context.Context)) {
	ctx := browser.Open(t)
	for _, s := range states(t) {
		for _, phone := range []bool{true, false} {
			for _, dark := range []bool{false, true} {
				if phone == dark && s.name != "form" && s.name != "report" {
					continue
				}
				name := s.name + map[bool]string{true: " phone", false: " computer"}[phone] +
					map[bool]string{true: " dark", false: " light"}[dark]
				t.Run(name, func(t *testing.T) {
					browser.Do(t, ctx, browser.Screen(phone, dark), chromedp.Navigate(s.url))
					check(t, ctx)
				})
			}
		}
	}
}

// axeDirectory is where `npm ci` installs axe-core for the set-up page, too.
const axeDirectory = "../../setup/testdata/browser"

// TestAccessible checks that the page has no fault that axe-core finds, that nothing that one can press
// is too small, and that nothing is wider than the screen, with everything unfolded.
func TestAccessible(t *testing.T) {
	source := browser.Axe(t, axeDirectory)
	everywhere(t, func(t *testing.T, ctx context.Context) {
		browser.JS[bool](t, ctx, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
		passes, violations := browser.RunAxe(t, ctx, source)
		if passes < 20 {
			t.Errorf("axe-core applied only %d rules, want at least 20", passes)
		}
		for _, v := range violations {
			t.Error(v)
		}
		for _, s := range browser.TooSmall(t, ctx) {
			if !strings.Contains(s, `type="radio"`) && !strings.Contains(s, `type="checkbox"`) { // their labels are large
				t.Errorf("too small: %s", s)
			}
		}
		for _, s := range browser.TooWide(t, ctx) {
			t.Errorf("cut off: %s", s)
		}
	})
}

// TestPerson fills in the form of the admin listener as a person does, and waits for the result.
func TestPerson(t *testing.T) {
	h := Handler(t.Context(), func(_ context.Context, r Request, _ func(doctor.Progress)) (*doctor.Report, error) {
		time.Sleep(time.Second)
		report := everything()
		report.Domain = r.Address.Domain()
		return report, nil
	}, Options{})
	admin := server.Admin{Metrics: server.NewMetrics("", ""), Doctor: h}
	listener := httptest.NewServer(admin.Handler())
	defer listener.Close()
	ctx := browser.Open(t)
	browser.Do(t, ctx, browser.Screen(false, false), chromedp.Navigate(listener.URL+Path),
		chromedp.SendKeys(chromedp.CSS("#address"), "anna@kund.example"+kb.Enter),
		chromedp.WaitReady(chromedp.CSS("progress")), chromedp.WaitReady(chromedp.CSS("#finding-1")))
	if at := browser.JS[string](t, ctx, "location.href"); strings.Contains(at, "anna") ||
		!strings.Contains(at, "?id=") {
		t.Errorf("the result is at %s", at)
	}
	if color := browser.JS[string](t, ctx,
		`getComputedStyle(document.querySelector(".button")).backgroundColor`); color != "rgb(27, 85, 166)" {
		t.Errorf("the colour of the button is %s, want that of the set-up page", color)
	}
	browser.Do(t, ctx, chromedp.Click(chromedp.CSS(`a[href="#finding-2"]`)))
	if hash := browser.JS[string](t, ctx, "location.hash"); hash != "#finding-2" {
		t.Errorf("the link of a client leads to %q", hash)
	}
	ticket := browser.JS[string](t, ctx,
		`getSelection().selectAllChildren(document.querySelector("pre.all")), getSelection().toString()`)
	if strings.Contains(ticket, "anna") || !strings.Contains(ticket, "D3") {
		t.Errorf("the ticket is %q", ticket)
	}
}

// TestOtherPages has another page send the form. It is refused.
func TestOtherPages(t *testing.T) {
	started := make(chan string, 1)
	h := Handler(t.Context(), func(_ context.Context, r Request, _ func(doctor.Progress)) (*doctor.Report, error) {
		started <- r.Address.String()
		return everything(), nil
	}, Options{})
	target := httptest.NewServer(h)
	defer target.Close()
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<form method="post" action="` + target.URL + Path +
			`"><input name="address" value="kund.example"><button>x</button></form>`))
	}))
	defer evil.Close()
	ctx := browser.Open(t)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		u, _ := url.Parse(evil.URL)
		u.Host = host + ":" + u.Port()
		browser.Do(t, ctx, chromedp.Navigate(u.String()), chromedp.Click(chromedp.CSS("button")))
		for range 100 {
			if strings.HasPrefix(browser.JS[string](t, ctx, "location.href"), target.URL) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if text := browser.JS[string](t, ctx, "document.body.innerText"); !strings.Contains(text, "cross-origin") {
			t.Errorf("the form of a page at %s got %q", u, text)
		}
	}
	if len(started) > 0 {
		t.Errorf("another page had %s diagnosed", <-started)
	}
}

var screenshots = flag.String("screenshots", "", "write screenshots of the page into this `directory`")

// TestScreenshots makes pictures for people to look at:
//
//	go test ./internal/doctor/page -run TestScreenshots -screenshots /tmp/pictures
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots names no directory")
	}
	everywhere(t, func(t *testing.T, ctx context.Context) {
		picture := browser.Ask(t, ctx, chromedp.FullScreenshot(100))
		name := strings.ReplaceAll(filepath.Base(t.Name()), " ", "-") + ".png"
		if err := os.WriteFile(filepath.Join(*screenshots, name), picture, 0o666); err != nil {
			t.Fatal(err)
		}
	})
}
