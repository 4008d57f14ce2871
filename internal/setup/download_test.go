package setup

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"rsc.io/qr"

	"signpost/account"
	"signpost/internal/browser"
	"signpost/internal/setup/phone"
)

// readPicture returns what zbarimg reads in a picture.
func readPicture(t *testing.T, data []byte) string {
	t.Helper()
	picture := filepath.Join(t.TempDir(), "code.png")
	if err := os.WriteFile(picture, data, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(browser.Tool(t, "zbarimg"), "--quiet", "--raw", picture).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSuffix(string(said), "\n")
}

// TestAppCode photographs the code for Thunderbird for Android, also on a dark page, and has
// another program read it: it is the text that the app takes (phone.TestCode).
func TestAppCode(t *testing.T) {
	resolve, o := load(t, "websupport")
	base := serve(t, service(resolve, o))
	for _, dark := range []bool{false, true} {
		for _, onPhone := range []bool{false, true} {
			ctx := open(t)
			do(t, ctx, screen(onPhone, dark), speaking("en"),
				chromedp.Navigate(base+"/?emailaddress=anna@butiken.example&name=%C3%85sa&device=android"))
			read := readPicture(t, ask(t, ctx, chromedp.ScreenshotScale(chromedp.CSS("svg.appcode"), 2)))
			a, err := account.ParseAddress("anna@butiken.example")
			if err != nil {
				t.Fatal(err)
			}
			s, err := resolve(t.Context(), account.Query{Address: a, Client: account.Page})
			if err != nil {
				t.Fatal(err)
			}
			want, ok := phone.Code(s, "Åsa")
			if !ok || read != want {
				t.Errorf("the code has %s, want %s", read, want)
			}
			width := js[float64](t, ctx, `document.querySelector("svg.appcode").getBoundingClientRect().width`)
			modules := js[float64](t, ctx, `document.querySelector("svg.appcode").viewBox.baseVal.width`)
			if width/modules < 4 {
				t.Errorf("on a screen (phone %t) a module is %.1f pixels wide, want at least 4", onPhone, width/modules)
			}
		}
	}
}

// TestDownloads fetches the settings file and the picture of the page's code.
func TestDownloads(t *testing.T) {
	resolve, o := load(t, "websupport")
	h := Handler(resolve, o)
	w := get(t, h, "/setup/account.k9s?emailaddress=anna@butiken.example&name=Anna")
	header := w.Header()
	if w.Code != http.StatusOK || header.Get("Content-Disposition") != `attachment; filename="butiken.example.k9s"` ||
		header.Get("Cache-Control") != "no-store" || !strings.Contains(w.Body.String(), "<email>anna@butiken.example</email>") {
		t.Errorf("the settings file: status %d, %v\n%s", w.Code, header, w.Body)
	}
	w = get(t, h, "/setup/code.png?emailaddress=anna@butiken.example")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" ||
		w.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Fatalf("the picture: status %d, %v", w.Code, w.Header())
	}
	if read, want := readPicture(t, w.Body.Bytes()), "https://"+o.Name+"/?emailaddress=anna@butiken.example"; read != want {
		t.Errorf("the picture has %s, want %s", read, want)
	}
	for target, status := range map[string]int{
		"/setup/account.k9s":                                                                  http.StatusBadRequest,
		"/setup/account.k9s?emailaddress=anna":                                                http.StatusBadRequest,
		"/setup/account.k9s?emailaddress=anna@unknown.example":                                http.StatusNotFound,
		"/setup/account.k9s?emailaddress=%C3%A5sa@butiken.example":                            http.StatusNotFound,
		"/setup/code.png?emailaddress=anna@unknown.example":                                   http.StatusNotFound,
		"/setup/code.png?emailaddress=anna@butiken.example&name=" + strings.Repeat("x", 9000): http.StatusBadRequest,
	} {
		if w := get(t, h, target); w.Code != status || strings.Contains(w.Body.String(), "anna") {
			t.Errorf("%.60s: status %d, %q; want %d", target, w.Code, w.Body, status)
		}
	}
	o.Name = "" // the Host header is not trusted
	if w := get(t, Handler(resolve, o), "/setup/code.png?emailaddress=anna@butiken.example"); w.Code != http.StatusNotFound {
		t.Errorf("without a name of the service, the picture has status %d", w.Code)
	}
}

// TestAppCodeFits checks that the code of each example system is a text that the app's reader
// takes, that the longest code fits a phone of 390 pixels, and that a name that makes a code too
// long leaves the settings file.
func TestAppCodeFits(t *testing.T) {
	codes := 0
	for _, s := range systems(t) {
		for _, address := range s.Addresses {
			a, err := account.ParseAddress(address)
			if err != nil {
				t.Fatal(err)
			}
			settings, err := s.Resolve(t.Context(), account.Query{Address: a, Client: account.Thunderbird})
			if err != nil {
				continue
			}
			if c := appCode(settings, "Anna Ek"); c.Size > 0 {
				codes++
				if c.Pixels() > 308 {
					t.Errorf("%s %s: the code is %d pixels wide, want at most 308", s.Name, address, c.Pixels())
				}
			}
		}
	}
	if codes < 5 {
		t.Errorf("%d addresses of the example systems have a code, want some", codes)
	}
	if c, ok := drawCode(strings.Repeat("x", maxAppCode), qr.L); !ok || c.Pixels() > 308 {
		t.Errorf("the longest code is %d pixels wide, want at most 308", c.Pixels())
	}

	resolve, o := load(t, "websupport")
	page := get(t, Handler(resolve, o),
		"/?emailaddress=anna@butiken.example&device=android&name="+strings.Repeat("%F0%9D%92%9C", 60)).Body.String()
	if strings.Contains(page, `class="appcode"`) || !strings.Contains(page, appFilePath) {
		t.Errorf("with a long name the page has a code: %t, a settings file: %t; want the file alone",
			strings.Contains(page, `class="appcode"`), strings.Contains(page, appFilePath))
	}
}
