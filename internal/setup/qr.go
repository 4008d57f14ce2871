package setup

import (
	"strconv"

	"rsc.io/qr"

	"signpost/account"
	"signpost/internal/setup/phone"
)

// code is a QR code as an SVG path of strokes that are one unit wide.
type code struct {
	Size int // of the picture, quiet zone included
	Path string
}

// quietZone is the width of the empty border that readers need (ISO/IEC 18004,
// 4 modules).
const quietZone = 4

// maxCode is the length of the longest URL whose code phones read well from a
// screen.
const maxCode = 350

// maxAppCode is the length of the longest text for the Thunderbird app: version 13 at level L,
// which is 308 pixels wide, what a phone of 390 leaves beside the margins of page and panel.
const maxAppCode = 425

// appModule is the width of a module in the app's code, in pixels.
const appModule = 4

// Pixels is the width of the picture for the app: its code has many modules.
func (c code) Pixels() int { return c.Size * appModule }

// qrCode returns the QR code of a URL, and false if the URL is too long. Error
// correction level M tolerates damage to 15 % of the code, which a phone needs
// that is held at an angle to the screen.
func qrCode(url string) (code, bool) {
	if len(url) > maxCode {
		return code{}, false
	}
	return drawCode(url, qr.M)
}

// drawCode returns the QR code of a text.
func drawCode(text string, level qr.Level) (code, bool) {
	c, err := qr.Encode(text, level)
	if err != nil {
		return code{}, false
	}
	path := make([]byte, 0, 16*c.Size*c.Size/3)
	for y := range c.Size {
		end := -1 // of the stroke before this one in the row
		for x := 0; x < c.Size; x++ {
			start := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			if x == start {
				continue
			}
			if end < 0 {
				// A stroke extends to both sides of its line, hence the .5.
				path = strconv.AppendInt(append(path, 'M'), int64(start+quietZone), 10)
				path = strconv.AppendInt(append(path, ' '), int64(y+quietZone), 10)
				path = append(path, ".5"...)
			} else {
				path = strconv.AppendInt(append(path, 'm'), int64(start-end), 10)
				path = append(path, " 0"...)
			}
			path = strconv.AppendInt(append(path, 'h'), int64(x-start), 10)
			end = x
		}
	}
	return code{Size: c.Size + 2*quietZone, Path: string(path)}, true
}

// appCode returns the QR code that sets up Thunderbird for Android, if it can be.
func appCode(s account.Settings, name string) code {
	text, ok := phone.Code(s, name)
	if !ok || len(text) > maxAppCode {
		return code{} // the settings file has no such limit
	}
	c, _ := drawCode(text, qr.L) // as the app's own codes
	return c
}
