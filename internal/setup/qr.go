package setup

import (
	"strconv"
	"sync"

	"rsc.io/qr/coding"
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
	c, err := encode(coding.String(url))
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

// plans say where the bits go in a code of each version. Such a plan takes
// longer to make than a code of it.
var plans sync.Map // coding.Version to *coding.Plan

// encode makes the smallest code of the text, as qr.Encode does.
func encode(text coding.String) (*coding.Code, error) {
	version := coding.Version(coding.MinVersion)
	for version < coding.MaxVersion && text.Bits(version) > version.DataBytes(coding.M)*8 {
		version++
	}
	plan, ok := plans.Load(version)
	if !ok {
		made, err := coding.NewPlan(version, coding.M, 0)
		if err != nil {
			return nil, err
		}
		plan, _ = plans.LoadOrStore(version, made)
	}
	return plan.(*coding.Plan).Encode(text)
}
