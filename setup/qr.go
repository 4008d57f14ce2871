package setup

import (
	"strconv"

	"rsc.io/qr"
)

// code is a QR code as the path of an SVG: strokes of one unit's width.
type code struct {
	Size int // of the picture, quiet zone included
	Path string
}

// quiet is the empty border that a reader needs (ISO/IEC 18004, 4 modules).
const quiet = 4

// maxCode is the longest URL whose code a phone still reads well from a screen.
const maxCode = 350

// qrCode makes the QR code of a URL. Level M lets a reader bear 15 % of damage,
// which is what a phone needs that is held at a slant to a screen.
func qrCode(url string) (code, bool) {
	if len(url) > maxCode {
		return code{}, false
	}
	c, err := qr.Encode(url, qr.M)
	if err != nil {
		return code{}, false
	}
	path := make([]byte, 0, 8<<10)
	move := func(command byte, numbers ...int) {
		path = append(path, command)
		for i, n := range numbers {
			if i > 0 {
				path = append(path, ' ')
			}
			path = strconv.AppendInt(path, int64(n), 10)
		}
	}
	for y := range c.Size {
		end := -1 // of the stroke before this
		for x := 0; x < c.Size; x++ {
			start := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			switch {
			case x == start:
				continue
			case end < 0:
				move('M', start+quiet, y+quiet)
				path = append(path, ".5"...) // strokes lie on both sides of their line
			default:
				move('m', start-end, 0)
			}
			move('h', x-start)
			end = x
		}
	}
	return code{Size: c.Size + 2*quiet, Path: string(path)}, true
}
