package config

import (
	"bytes"
	"net/http"
	"os"

	"signpost/account"

	"signpost/internal/fault"
	"signpost/internal/setup"
)

// Branding makes the set-up page an operator's own. All of it is optional.
type Branding struct {
	Name     string
	Logo     []byte
	LogoType string        // media type
	Accent   *setup.Colour // nil: none is given
	Contact  account.Contact
	// Templates is the folder that overlays the page's files.
	Templates string
}

// maxLogo keeps the page light. A logo of its size on the page has a tenth.
const maxLogo = 64 << 10

var brandingKeys = keys[Branding]{
	"name":   func(b *Branding, v *value) { b.Name, _ = v.label(60) },
	"logo":   readLogo,
	"accent": readAccent,
	"contact": func(b *Branding, v *value) {
		readContact(&b.Contact, v)
	},
	"templates": func(b *Branding, v *value) { b.Templates, _ = v.folder() },
}

func readBranding(l *loader, v *value) { brandingKeys.read(v, &l.Branding) }

// readAccent reads a colour in which people can read links on white, and white
// words on buttons. In the dark the page takes a lighter tint of it by itself.
func readAccent(b *Branding, v *value) {
	const wanted = `a colour, such as "#1b55a6" (quote it, # begins a comment)`
	text, ok := v.text(wanted)
	if !ok {
		return
	}
	c, ok := setup.ParseColour(text)
	if !ok {
		v.fault("%s is not %s", quote(text), wanted)
		return
	}
	if ratio := c.Contrast(setup.White); ratio < setup.MinContrast {
		v.fault("%s has a contrast of %.2f to white; links and buttons need %.1f to be read, take a darker one", c, ratio, setup.MinContrast)
		return
	}
	b.Accent = &c
}

// readLogo reads a picture, whatever it is called.
func readLogo(b *Branding, v *value) {
	name, ok := v.text("the path of a picture")
	if !ok {
		return
	}
	file := v.l.beside(name)
	info, err := os.Stat(file)
	switch {
	case err != nil:
		v.fault("cannot read %s: %v", quote(file), fault.WithoutPath(err))
		return
	case !info.Mode().IsRegular():
		v.fault("%s is not an ordinary file", quote(file))
		return
	case info.Size() > maxLogo:
		v.fault("%s is larger than %d KiB", quote(file), maxLogo>>10)
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		v.fault("cannot read %s: %v", quote(file), fault.WithoutPath(err))
		return
	}
	b.LogoType = pictureType(data)
	if b.LogoType == "" {
		v.fault("%s is not a picture: PNG, JPEG, WebP, GIF or SVG", quote(file))
		return
	}
	b.Logo = data
	v.l.files = append(v.l.files, file)
}

// pictureType is the media type of a picture that browsers show, or nothing.
func pictureType(data []byte) string {
	switch kind := http.DetectContentType(data); kind {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
		return kind
	}
	if bytes.Contains(data[:min(len(data), 1024)], []byte("<svg")) {
		return "image/svg+xml"
	}
	return ""
}

// folder reads the path of a folder, relative to the configuration.
func (v *value) folder() (string, bool) {
	path, ok := v.text("the path of a folder")
	if !ok {
		return "", false
	}
	path = v.l.beside(path)
	switch info, err := os.Stat(path); {
	case err != nil:
		v.fault("cannot read %s: %v", quote(path), fault.WithoutPath(err))
		return "", false
	case !info.IsDir():
		v.fault("%s is not a folder", quote(path))
		return "", false
	}
	return path, true
}
