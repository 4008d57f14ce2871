package setup

import (
	"fmt"

	"signpost/account"
)

// Branding makes the page an operator's own.
type Branding struct {
	Name    string         // of the mail service; empty: the host name
	Logo    Logo           // empty: the name stands there in words
	Accent  account.Colour // of buttons and links; the zero value: DefaultAccent
	Contact account.Contact
}

// Logo is a picture as it is served.
type Logo struct {
	Data      []byte
	MediaType string
}

// DefaultAccent is a blue that nobody minds.
var DefaultAccent = account.Colour{R: 0x1b, G: 0x55, B: 0xa6}

// What the accent colour stands on: style.css uses no other backgrounds for it.
var (
	lightBackground = account.Colour{R: 0xff, G: 0xff, B: 0xff}
	darkBackground  = account.Colour{R: 0x1b, G: 0x1f, B: 0x26}
)

// MinContrast is what WCAG 2.2 wants of text at level AA (criterion 1.4.3).
const MinContrast = 4.5

// CheckAccent says whether people can read links in the colour, and white words
// on a button of it. In the dark a lighter tint of it is used, which Palette
// makes light enough.
func CheckAccent(c account.Colour) error {
	if ratio := c.Contrast(lightBackground); ratio < MinContrast {
		return fmt.Errorf("%s has a contrast of %.2f to white, and links and buttons need %.1f; take a darker one", c, ratio, MinContrast)
	}
	return nil
}

// darkAccent is the colour, mixed with as much white as it needs to be read on
// the dark background.
func darkAccent(c account.Colour) account.Colour {
	for white := 0; white <= 100; white++ {
		mix := func(channel uint8) uint8 {
			return uint8((int(channel)*(100-white) + 255*white) / 100)
		}
		// A little more than needed: what just passes looks dull in the dark.
		if tint := (account.Colour{R: mix(c.R), G: mix(c.G), B: mix(c.B)}); tint.Contrast(darkBackground) >= MinContrast+1.5 {
			return tint
		}
	}
	return lightBackground
}

// palette is the part of the style sheet that depends on the accent colour.
func palette(c account.Colour) string {
	return fmt.Sprintf(":root{--accent:%s;--on-accent:%s}\n@media (prefers-color-scheme:dark){@media screen{:root{--accent:%s;--on-accent:%s}}}\n",
		c, lightBackground, darkAccent(c), darkBackground)
}
