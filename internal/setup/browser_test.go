package setup

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"signpost/internal/browser"
)

func TestMain(m *testing.M) {
	status := m.Run()
	browser.Stop()
	os.Exit(status)
}

type step = browser.Step

func open(t testing.TB) context.Context {
	t.Helper()
	return browser.Open(t)
}

func do(t testing.TB, ctx context.Context, steps ...step) {
	t.Helper()
	browser.Do(t, ctx, steps...)
}

func ask[T any](t testing.TB, ctx context.Context, action chromedp.Action[T]) T {
	t.Helper()
	return browser.Ask(t, ctx, action)
}

func js[T any](t testing.TB, ctx context.Context, expression string) T {
	t.Helper()
	return browser.JS[T](t, ctx, expression)
}

func screen(phone, dark bool) step { return browser.Screen(phone, dark) }

// User-Agent headers of common browsers.
const (
	agentIPhone  = browser.AgentIPhone
	agentMac     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
	agentAndroid = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36"
	agentWindows = browser.AgentWindows
	agentLinux   = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

	agentSamsung     = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"
	agentChromeOS    = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36"
	agentThunderbird = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.5.0"
	agentIPadChrome  = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/137 Version/11.1.1 Safari/605.1.15"
)

// speaking sets the Accept-Language of the tab.
func speaking(language string) step {
	return browser.Command(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
		Headers: network.Headers{"Accept-Language": language}})
}

// withoutScript keeps the tab from running scripts.
func withoutScript() step {
	return browser.Command(emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
}

// serve serves a handler on loopback for the test.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
