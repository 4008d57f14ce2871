package setup

import (
	"fmt"
	"strings"

	"rsc.io/qr"
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

// qrCode returns the QR code of a URL, and false if the URL is too long. Error
// correction level M tolerates damage to 15 % of the code, which a phone needs
// that is held at an angle to the screen.
func qrCode(url string) (code, bool) {
	if len(url) > maxCode {
		return code{}, false
	}
	c, err := qr.Encode(url, qr.M)
	if err != nil {
		return code{}, false
	}
	var path strings.Builder
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
				fmt.Fprintf(&path, "M%d %d.5", start+quietZone, y+quietZone)
			} else {
				fmt.Fprintf(&path, "m%d 0", start-end)
			}
			fmt.Fprintf(&path, "h%d", x-start)
			end = x
		}
	}
	return code{Size: c.Size + 2*quietZone, Path: path.String()}, true
}
