package setup

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"rsc.io/qr"

	"signpost/account"
	"signpost/internal/browser"
	"signpost/internal/setup/phone"
	"signpost/internal/setup/phone/phonetest"
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

// TestAppCode photographs the code for Thunderbird for Android, also on a dark page and the longest
// one, has another program read it, and reads that text as the app does.
func TestAppCode(t *testing.T) {
	resolve, o := load(t, "websupport")
	base := serve(t, service(resolve, o))
	s := settingsOf(t, resolve, "anna@butiken.example", account.Thunderbird)
	short, ok := phone.Code(s, "")
	if !ok {
		t.Fatal("there is no code")
	}
	left := maxAppCode - len(short)
	longest := strings.Repeat("ö", left/6) + strings.Repeat("n", left%6) // an ö takes six bytes
	for _, shot := range []struct {
		phone, dark bool
		name        string
	}{{false, false, "Åsa"}, {false, true, "Åsa"}, {true, true, "Åsa"}, {true, false, longest}} {
		ctx := open(t)
		do(t, ctx, screen(shot.phone, shot.dark), speaking("en"), chromedp.Navigate(base+
			"/?emailaddress=anna@butiken.example&device=android&name="+url.QueryEscape(shot.name)))
		read := readPicture(t, ask(t, ctx, chromedp.ScreenshotScale(chromedp.CSS("svg.appcode"), 2)))
		if want, _ := phone.Code(s, shot.name); read != want {
			t.Errorf("the code has %s, want %s", read, want)
		}
		accounts, err := phonetest.ReadCode(read)
		if err != nil || len(accounts) != 1 || accounts[0].Email != "anna@butiken.example" ||
			accounts[0].DisplayName != shot.name {
			t.Errorf("of the code %s, the app reads %+v, %v", read, accounts, err)
		}
		width := js[float64](t, ctx, `document.querySelector("svg.appcode").getBoundingClientRect().width`)
		modules := js[float64](t, ctx, `document.querySelector("svg.appcode").viewBox.baseVal.width`)
		if width/modules < 4 {
			t.Errorf("on a screen (phone %t) a module is %.1f pixels wide, want at least 4", shot.phone, width/modules)
		}
		if wide := js[float64](t, ctx, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
			t.Errorf("the page (phone %t) with a code of %g modules is %g pixels wider than the screen",
				shot.phone, modules, wide)
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

// settingsOf returns what a client is told about an address.
func settingsOf(t *testing.T, resolve account.Resolver, address string, client account.Client) account.Settings {
	t.Helper()
	a, err := account.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := resolve(t.Context(), account.Query{Address: a, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAppAccounts reads the code and the settings file of every address of the example systems as
// the app does: they have the first servers that Thunderbird is told, with their logins.
func TestAppAccounts(t *testing.T) {
	accounts := 0
	for _, system := range systems(t) {
		for _, address := range system.Addresses {
			s := settingsOf(t, system.Resolve, address, account.Thunderbird)
			text, ok := phone.Code(s, "Anna Ek")
			file, hasFile := phone.SettingsFile(s, "Anna Ek")
			if ok != hasFile {
				t.Errorf("%s %s: there is a code, %t, but a settings file, %t", system.Name, address, ok, hasFile)
			}
			if !ok {
				continue
			}
			accounts++
			fromCode, err := phonetest.ReadCode(text)
			if err != nil || len(fromCode) != 1 {
				t.Fatalf("%s %s: of the code %s, the app reads %+v, %v", system.Name, address, text, fromCode, err)
			}
			got := fromCode[0]
			if fromFile, err := phonetest.ReadFile(file); err != nil || fromFile != got {
				t.Errorf("%s %s: of the settings file, the app reads %+v, %v; of the code %+v",
					system.Name, address, fromFile, err, got)
			}
			incoming, _ := s.First(account.IMAP)
			if incoming.Hostname == "" {
				incoming, _ = s.First(account.POP3)
			}
			outgoing, _ := s.First(account.SMTP)
			for _, row := range []struct {
				told account.Server
				got  phonetest.Server
			}{{incoming.Expand(s.Login), got.Incoming}, {outgoing.Expand(s.Login), got.Outgoing}} {
				security := map[account.SocketType]string{account.SSL: "SSL_TLS_REQUIRED",
					account.STARTTLS: "STARTTLS_REQUIRED"}
				want := phonetest.Server{Type: strings.ToUpper(string(row.told.Type)), Host: row.told.Hostname, Port: row.told.Port,
					Security: security[row.told.SocketType], Auth: "PLAIN", Username: row.told.Login.Username}
				if row.got != want {
					t.Errorf("%s %s: the app gets the server %+v, want %+v", system.Name, address, row.got, want)
				}
			}
			if got.Email != s.Address.String() || got.DisplayName != "Anna Ek" {
				t.Errorf("%s %s: the app gets %+v", system.Name, address, got)
			}
			if c := appCode(s, "Anna Ek"); c.Size == 0 || c.Pixels() > phoneWidth {
				t.Errorf("%s %s: the code is %d pixels wide, want at most %d",
					system.Name, address, c.Pixels(), phoneWidth)
			}
		}
	}
	if accounts < 5 {
		t.Errorf("%d addresses of the example systems have a code, want some", accounts)
	}
}

// phoneWidth is what a phone of 390 pixels leaves for a picture.
const phoneWidth = 308

// TestLongestAppCode checks that the longest code fits a phone, and that a name for which the code
// would be longer leaves the settings file.
func TestLongestAppCode(t *testing.T) {
	if c, ok := drawCode(strings.Repeat("x", maxAppCode), qr.L); !ok || c.Pixels() != phoneWidth {
		t.Errorf("the longest code is %d pixels wide, want %d", c.Pixels(), phoneWidth)
	}
	resolve, o := load(t, "websupport")
	page := get(t, Handler(resolve, o),
		"/?emailaddress=anna@butiken.example&device=android&name="+strings.Repeat("%F0%9D%92%9C", 60)).Body.String()
	if strings.Contains(page, `class="appcode"`) || !strings.Contains(page, appFilePath) {
		t.Errorf("with a long name the page has a code: %t, a settings file: %t; want the file alone",
			strings.Contains(page, `class="appcode"`), strings.Contains(page, appFilePath))
	}
}

// TestAppExceptions checks that the app gets Thunderbird's login where a provider has logins for
// some clients: those of the page are for a person, and those of phones for ActiveSync.
func TestAppExceptions(t *testing.T) {
	resolve, p := literal(server(account.IMAP), server(account.SMTP))
	p.Exceptions = map[account.Client][]account.Server{}
	for _, client := range []account.Client{account.Page, account.Phone, account.Apple, account.Thunderbird} {
		servers := slices.Clone(p.Servers)
		for i := range servers {
			servers[i].Login.Username = "for-" + string(client)
		}
		p.Exceptions[client] = servers
	}
	h := Handler(resolve, Options{})
	file := get(t, h, appFilePath+"?emailaddress=anna@example.com").Body.Bytes()
	if a, err := phonetest.ReadFile(file); err != nil || a.Incoming.Username != "for-thunderbird" ||
		a.Outgoing.Username != "for-thunderbird" {
		t.Errorf("of the settings file, the app reads %+v, %v; want the login for-thunderbird", a, err)
	}
	want := appCode(settingsOf(t, resolve, "anna@example.com", account.Thunderbird), "")
	if page := get(t, h, "/?emailaddress=anna@example.com").Body.String(); want.Size == 0 ||
		!strings.Contains(page, want.Path) {
		t.Errorf("the page has no code with Thunderbird's login:\n%s", page)
	}
}

// TestDownloadErrors checks that no cache keeps an answer without a file or a picture: the domain may be
// served in a minute.
func TestDownloadErrors(t *testing.T) {
	fails := Handler(func(context.Context, account.Query) (account.Settings, error) {
		return account.Settings{}, errors.New("no answer")
	}, Options{Name: "setup.example.com"})
	resolve, o := load(t, "websupport")
	h := Handler(resolve, o)
	for _, path := range []string{appFilePath, pictureFilePath} {
		for _, row := range []struct {
			handler http.Handler
			query   string
			status  int
		}{{h, "", 400}, {h, "?emailaddress=anna@unknown.example", 404},
			{fails, "?emailaddress=anna@example.com", 503}} {
			w := get(t, row.handler, path+row.query)
			if w.Code != row.status || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s%s: status %d, Cache-Control %q; want %d, no-store", path, row.query, w.Code,
					w.Header().Get("Cache-Control"), row.status)
			}
		}
	}
	if got := get(t, h, pictureFilePath+"?emailaddress=anna@butiken.example").Header().Get("Cache-Control"); got != "private, max-age=86400" {
		t.Errorf("the picture has Cache-Control %q, want a day in the person's own cache", got)
	}
}
