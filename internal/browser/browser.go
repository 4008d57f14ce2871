// Package browser runs Chromium in tests, for the pages that the program serves.
package browser

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Tool returns the path of a program, and skips the test if none of the names is
// installed. CI sets SIGNPOST_REQUIRE_TOOLS; the test then fails instead.
func Tool(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
		t.Fatalf("%s is not installed, and SIGNPOST_REQUIRE_TOOLS is set", names[0])
	}
	t.Skipf("%s is not installed", names[0])
	return ""
}

// chromium is the browser of all tests. The first test that needs it starts it.
var chromium struct {
	sync.Once
	ctx  context.Context
	stop func()
	err  error
}

// Stop ends the browser. TestMain calls it when all tests of the package have ended.
func Stop() {
	if chromium.stop != nil {
		chromium.stop()
	}
}

func startChromium(path string) {
	dir, err := os.MkdirTemp("", "signpost-chromium-")
	if err != nil {
		chromium.err = err
		return
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(dir)}
	for _, flag := range []string{
		"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars", "mute-audio",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	chromium.ctx = ctx
	chromium.stop = func() {
		stopBrowser()
		stopAllocator()
		os.RemoveAll(dir)
	}
	chromium.err = chromedp.Do(ctx)
}

// Open opens a tab with a profile of its own. It is closed when the test ends.
func Open(t testing.TB) context.Context {
	t.Helper()
	if race {
		t.Skip("in the browser, the race detector sees nothing that it does not see elsewhere")
	}
	path := Tool(t, "chromium", "chromium-browser", "google-chrome")
	chromium.Do(func() { startChromium(path) })
	if chromium.err != nil {
		t.Fatalf("chromium does not start: %v", chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	Do(t, ctx) // opens the tab; a timeout on this context would apply to the browser
	ctx, cancelTimeout := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancelTimeout)
	return ctx
}

// Step is something to do in the browser.
type Step = chromedp.Action[chromedp.Void]

// Do runs steps in the browser.
func Do(t testing.TB, ctx context.Context, steps ...Step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// Ask runs an action in the browser and returns its result.
func Ask[T any](t testing.TB, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// JS evaluates an expression in the page.
func JS[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	return Ask(t, ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Command returns a command of the DevTools protocol as a step.
func Command[P, R any](c cdp.Command[P, R], params P) Step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// User-Agent headers of a phone and of a computer.
const (
	AgentIPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 " +
		"(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	AgentWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 " +
		"(KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36"
)

// Screen makes the tab look like that of a phone or a computer.
func Screen(phone, dark bool) Step {
	width, height, agent, scheme := int64(1280), int64(800), AgentWindows, "light"
	if phone {
		width, height, agent = 390, 844, AgentIPhone
	}
	if dark {
		scheme = "dark"
	}
	return chromedp.Steps(
		Command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1, Mobile: phone}),
		// A finger is a coarse pointer.
		Command(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: phone}),
		Command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent}),
		Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
		}}),
	)
}

// Axe returns the source of axe-core, which `npm ci` installs in a directory.
func Axe(t testing.TB, directory string) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(directory, "node_modules/axe-core/axe.min.js"))
	if errors.Is(err, os.ErrNotExist) && os.Getenv("SIGNPOST_REQUIRE_TOOLS") == "" {
		t.Skip("axe-core is not installed: npm ci --prefix internal/setup/testdata/browser")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// RunAxe runs axe-core on the page. It returns how many rules the page follows and
// where it violates one.
func RunAxe(t testing.TB, ctx context.Context, source string) (passes int, violations []string) {
	t.Helper()
	JS[bool](t, ctx, source+"; true")
	type result struct {
		Passes     int
		Violations []string
	}
	got := JS[result](t, ctx, `axe.run({
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	}).then(r => ({
		Passes: r.passes.length,
		Violations: r.violations.flatMap(v => v.nodes.map(n =>
			v.id + ": " + v.help + ": " + n.html.slice(0, 200) + " " + n.failureSummary)),
	}))`)
	return got.Passes, got.Violations
}

// TooSmall returns what one can press and is less than 44 px wide or high (WCAG 2.5.5), except
// links in a sentence.
func TooSmall(t testing.TB, ctx context.Context) []string {
	t.Helper()
	return JS[[]string](t, ctx, `[...document.querySelectorAll(
		"a[href], button, summary, input:not([type=hidden])",
	)].filter(e => {
		const box = e.getBoundingClientRect();
		const sentence = getComputedStyle(e).display === "inline" &&
			e.parentNode.textContent.trim() !== e.textContent.trim();
		return e.checkVisibility() && !sentence && (box.width < 44 || box.height < 44);
	}).map(e => e.outerHTML.slice(0, 120) + " " + JSON.stringify(e.getBoundingClientRect()))`)
}

// TooWide returns what is wider than the screen.
func TooWide(t testing.TB, ctx context.Context) []string {
	t.Helper()
	return JS[[]string](t, ctx, `[...document.querySelectorAll("body *")].filter(e =>
		e.checkVisibility() && !e.closest(".unseen, svg") && e.getBoundingClientRect().right > innerWidth + 0.5,
	).map(e => e.outerHTML.slice(0, 120))`)
}
