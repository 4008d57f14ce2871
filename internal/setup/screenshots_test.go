package setup

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "write screenshots of the page into this `directory`")

// TestScreenshots makes pictures for people to look at:
//
//	go test ./internal/setup -run TestScreenshots -screenshots /tmp/pictures
//
// They are 390×844 and 1280×800, and those named -long are the whole page. Three
// phones side by side are the README's picture: copy readme.png to
// testdata/screenshots/setup.png.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots names no directory")
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
					name := shot.name + map[bool]string{true: "-390", false: "-1280"}[phone] +
						map[bool]string{true: "-dark", false: ""}[dark]
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

	for _, mode := range modes {
		resolve, o := load(t, "mamut")
		base := serve(t, service(resolve, o))
		ctx := open(t)
		do(t, ctx, append(mode.steps(), speaking("en"), chromedp.Navigate(base+"/?emailaddress=info@domain.se"))...)
		file := filepath.Join(*screenshots, mode.name+".png")
		if err := os.WriteFile(file, ask(t, ctx, chromedp.FullScreenshot(100)), 0o666); err != nil {
			t.Fatal(err)
		}
	}

	resolve, o := load(t, "mamut")
	base := serve(t, service(resolve, o))
	ctx := open(t)
	var phones []image.Image
	for _, shot := range []struct {
		query string
		dark  bool
	}{
		{"?emailaddress=mail@domain.se", false},
		{"?emailaddress=mail@domain.se&device=android#android", false},
		{"?emailaddress=mail@domain.se&lang=sv", true},
	} {
		do(t, ctx, screen(true, shot.dark), chromedp.Navigate(base+"/"+shot.query),
			chromedp.WaitReady(chromedp.CSS(".copier")))
		picture, err := png.Decode(bytes.NewReader(ask(t, ctx, chromedp.CaptureScreenshot())))
		if err != nil {
			t.Fatal(err)
		}
		phones = append(phones, picture)
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, reduced(sideBySide(phones))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, "readme.png"), b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// sideBySide arranges pictures in a row on a grey background.
func sideBySide(pictures []image.Image) *image.RGBA {
	const gap = 30
	size := image.Pt(gap, 0)
	for _, p := range pictures {
		size.X += p.Bounds().Dx() + gap
		size.Y = max(size.Y, p.Bounds().Dy()+2*gap)
	}
	row := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(row, row.Bounds(), image.NewUniform(color.RGBA{0xe4, 0xe8, 0xee, 0xff}), image.Point{}, draw.Src)
	at := image.Pt(gap, gap)
	for _, p := range pictures {
		draw.Draw(row, p.Bounds().Add(at), p, p.Bounds().Min, draw.Src)
		at.X += p.Bounds().Dx() + gap
	}
	return row
}

// reduced returns the picture in its 256 most frequent colours, in a third of the bytes.
func reduced(p *image.RGBA) *image.Paletted {
	count := map[color.RGBA]int{}
	for y := range p.Bounds().Dy() {
		for x := range p.Bounds().Dx() {
			count[p.RGBAAt(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return count[b] - count[a] })
	var palette color.Palette
	for _, c := range colours[:min(256, len(colours))] {
		palette = append(palette, c)
	}
	small := image.NewPaletted(p.Bounds(), palette)
	draw.Draw(small, small.Bounds(), p, image.Point{}, draw.Src)
	return small
}
