package setup

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// tool returns the path of a program, and skips the test if none of the names is
// installed. CI sets SIGNPOST_REQUIRE_TOOLS; the test then fails instead.
func tool(t testing.TB, names ...string) string {
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

func TestMain(m *testing.M) {
	status := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(status)
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

// open opens a tab with a profile of its own. It is closed when the test ends.
func open(t testing.TB) context.Context {
	t.Helper()
	if race {
		t.Skip("in the browser, the race detector sees nothing that it does not see elsewhere")
	}
	path := tool(t, "chromium", "chromium-browser", "google-chrome")
	chromium.Do(func() { startChromium(path) })
	if chromium.err != nil {
		t.Fatalf("chromium does not start: %v", chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	do(t, ctx) // opens the tab; a timeout on this context would apply to the browser
	ctx, cancelTimeout := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancelTimeout)
	return ctx
}

type step = chromedp.Action[chromedp.Void]

// do runs steps in the browser.
func do(t testing.TB, ctx context.Context, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// ask runs an action in the browser and returns its result.
func ask[T any](t testing.TB, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// js evaluates an expression in the page.
func js[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	return ask(t, ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// command returns a command of the DevTools protocol as a step.
func command[P, R any](c cdp.Command[P, R], params P) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// User-Agent headers of common browsers.
const (
	agentIPhone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	agentMac     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
	agentAndroid = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36"
	agentWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36"
	agentLinux   = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
)

// screen makes the tab look like that of a phone or a computer.
func screen(phone, dark bool) step {
	width, height, agent, scheme, pointer := int64(1280), int64(800), agentWindows, "light", "fine"
	if phone {
		width, height, agent, pointer = 390, 844, agentIPhone, "coarse"
	}
	if dark {
		scheme = "dark"
	}
	return chromedp.Steps(
		command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1, Mobile: phone}),
		command(emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "pointer", Value: pointer},
		}}),
	)
}

// speaking sets the Accept-Language of the tab.
func speaking(language string) step {
	return command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": language}})
}

// withoutScript keeps the tab from running scripts.
func withoutScript() step {
	return command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// serve serves a handler on loopback for the test.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
