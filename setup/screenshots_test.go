package setup

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "write screenshots of the page into this `folder`")

// TestScreenshots makes pictures for people to look at:
//
//	go test ./setup -run TestScreenshots -screenshots /tmp/pictures
//
// They are 390×844 and 1280×800, and those named -long are the whole page.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots names no folder")
	}
	if err := os.MkdirAll(*screenshots, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, shot := range []struct{ name, system, query string }{
		{"business-mail", "mamut", "?emailaddress=mail@domain.se"},
		{"business-mail-sv", "mamut", "?emailaddress=mail@domain.se&lang=sv"},
		{"imap-and-pop", "mamut", "?emailaddress=info@domain.se"},
		{"websupport", "websupport", "?emailaddress=anna@butiken.example"},
		{"websupport-sv", "websupport", "?emailaddress=anna@butiken.example&lang=sv"},
		{"everything", "mamut", "?emailaddress=info@domain.se&device=all"},
		{"everything-sv", "mamut", "?emailaddress=mail@domain.se&device=all&lang=sv"},
		{"office365", "office365", "?emailaddress=anna@kh-konsult.example&device=all"},
		{"onecom", "onecom", "?emailaddress=karin@malaren.example"},
		{"own-domain", "own-domain", "?emailaddress=kalle@%C3%A5keriet.example&lang=sv"},
		{"form", "mamut", ""},
		{"form-sv", "mamut", "?lang=sv"},
		{"problem", "mamut", "?emailaddress=anna"},
		{"unknown", "mamut", "?emailaddress=anna@exmaple.com&lang=sv"},
	} {
		t.Run(shot.name, func(t *testing.T) {
			resolve, o := load(t, shot.system)
			base := serve(t, service(resolve, o))
			ctx := open(t)
			do(t, ctx, speaking("en"))
			for _, phone := range []bool{true, false} {
				for _, dark := range []bool{false, true} {
					name := shot.name + map[bool]string{true: "-390", false: "-1280"}[phone] + map[bool]string{true: "-dark", false: ""}[dark]
					do(t, ctx, screen(phone, dark), chromedp.Navigate(base+"/"+shot.query))
					fold := ask(t, ctx, chromedp.CaptureScreenshot())
					whole := ask(t, ctx, chromedp.FullScreenshot(100))
					for suffix, picture := range map[string][]byte{"": fold, "-long": whole} {
						if err := os.WriteFile(filepath.Join(*screenshots, name+suffix+".png"), picture, 0o666); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		})
	}
}
