package setup

import (
	"strconv"

	"rsc.io/qr"
)

// code is a QR code as the path of an SVG: black squares of one unit.
type code struct {
	Size int // of the picture, quiet zone included
	Path string
}

// quiet is the empty border that a reader needs (ISO/IEC 18004, 4 modules).
const quiet = 4

// qrCode makes the QR code of a URL. Level M lets a reader bear 15 % of damage,
// which is what a phone needs that is held at a slant to a screen.
func qrCode(url string) (code, bool) {
	c, err := qr.Encode(url, qr.M)
	if err != nil {
		return code{}, false // too long
	}
	path := make([]byte, 0, 8<<10)
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			start := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			if x == start {
				continue
			}
			path = append(path, 'M')
			path = strconv.AppendInt(path, int64(start+quiet), 10)
			path = append(path, ' ')
			path = strconv.AppendInt(path, int64(y+quiet), 10)
			path = append(path, 'h')
			path = strconv.AppendInt(path, int64(x-start), 10)
			path = append(path, 'v', '1', 'h', '-')
			path = strconv.AppendInt(path, int64(x-start), 10)
			path = append(path, 'z')
		}
	}
	return code{Size: c.Size + 2*quiet, Path: string(path)}, true
}
