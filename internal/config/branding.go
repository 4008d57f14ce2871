package config

import (
	"net/http"
	"strings"

	"signpost/internal/setup"
)

// maxLogo keeps the page light. A logo in the size of the page needs a tenth of it.
const maxLogo = 64 << 10

var brandingKeys = keys[setup.Branding]{
	"name":    func(b *setup.Branding, v *value) { b.Name = v.label(60) },
	"logo":    readLogo,
	"accent":  readAccent,
	"contact": func(b *setup.Branding, v *value) { readContact(&b.Contact, v) },
	"embeddedBy": func(b *setup.Branding, v *value) {
		b.EmbeddedBy = each(v.oneOrList("the origins of your sites"), (*value).origin)
	},
	"templates": func(b *setup.Branding, v *value) { b.TemplateDir = v.directory() },
}

// origin reads the origin of a site as browsers write it: without a path, and without the
// port that is the usual one (RFC 6454 §6.2).
func (v *value) origin() string {
	text := v.url(tokenURL)
	origin := strings.TrimSuffix(strings.TrimSuffix(text, "/"), ":443")
	if _, host, _ := strings.Cut(origin, "://"); strings.ContainsAny(host, "/?") {
		return v.refuse("%s has a path; write the origin alone, such as https://www.example.com", quote(text))
	}
	return origin
}

// readAccent reads a colour for links on white and buttons with white text. In dark
// mode the page itself derives a lighter tint.
func readAccent(b *setup.Branding, v *value) {
	c := parsed(v, `a colour, such as "#1b55a6" (quote it, # begins a comment)`, setup.ParseColour)
	if ratio := c.Contrast(setup.White); ratio < setup.MinContrast {
		v.fault("%s has a contrast of %.2f to white; links and buttons need %.1f to be readable, "+
			"choose a darker colour",
			c, ratio, setup.MinContrast)
	}
	b.Accent = &c
}

// readLogo reads a picture and finds its type, whatever the name of the file is.
func readLogo(b *setup.Branding, v *value) {
	path, data := v.content("the path of a picture", maxLogo)
	if path == "" {
		return
	}
	b.Logo = setup.Logo{Data: []byte(data), MediaType: pictureType(data)}
	if b.Logo.MediaType == "" {
		v.fault("%s is not a picture: PNG, JPEG, WebP, GIF or SVG", quote(path))
	}
}

// pictureType returns the media type of a picture that browsers show, or "".
func pictureType(data string) string {
	switch kind := http.DetectContentType([]byte(data)); kind {
	case "image/png", "image/jpeg", "image/webp", "image/gif":
		return kind
	}
	if strings.Contains(data[:min(len(data), 1024)], "<svg") {
		return "image/svg+xml"
	}
	return ""
}
