package setup

import (
	"fmt"

	"signpost/account"
)

// Branding makes the page an operator's own. All of it is optional.
type Branding struct {
	Name    string  // of the mail service; empty: the host name
	Logo    Logo    // empty: the name is shown as text
	Accent  *Colour // of buttons and links, readable on white; nil: DefaultAccent
	Contact account.Contact
	// EmbeddedBy lists the origins of sites that may show the page in a frame, and whose
	// scripts may read its fragment.
	EmbeddedBy []string
	// TemplateDir is the directory that overlays the page's files. LoadTemplates
	// reads it; Handler takes the loaded set in Options.Templates.
	TemplateDir string
}

// Logo is a picture as it is served.
type Logo struct {
	Data      []byte
	MediaType string
}

// DefaultAccent is an inoffensive blue.
var DefaultAccent = Colour{R: 0x1b, G: 0x55, B: 0xa6}

// darkBackground is the background of the accent colour in dark mode, --card of
// style.css. In light mode it is white.
var darkBackground = Colour{R: 0x1b, G: 0x1f, B: 0x26}

// darkAccent returns the colour mixed with as much white as makes it readable on
// the dark background.
func darkAccent(c Colour) Colour {
	for white := 0; white <= 100; white++ {
		mix := func(channel uint8) uint8 {
			return uint8((int(channel)*(100-white) + 255*white) / 100)
		}
		// This is a little more than needed: a colour that just passes looks dull in
		// dark mode.
		if tint := (Colour{R: mix(c.R), G: mix(c.G), B: mix(c.B)}); tint.Contrast(darkBackground) >= MinContrast+1.5 {
			return tint
		}
	}
	return White
}

// Palette returns the part of the style sheet that depends on the accent colour.
func Palette(c Colour) string {
	return fmt.Sprintf(":root{--accent:%s;--on-accent:%s}\n"+
		"@media (prefers-color-scheme:dark){@media screen{:root{--accent:%s;--on-accent:%s}}}\n",
		c, White, darkAccent(c), darkBackground)
}
