package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"time"

	"signpost/internal/setup"
	"signpost/templates"
)

//go:embed style.css
var ownStyle []byte

// file is the style sheet.
type file struct {
	data []byte
	url  string
}

// newStyle returns the style of the set-up page, in the operator's colour, followed by what only this
// page needs.
func newStyle(accent *setup.Colour) file {
	if accent == nil {
		accent = &setup.DefaultAccent
	}
	data := bytes.Join([][]byte{[]byte(setup.Palette(*accent)), templates.Embedded().Style, ownStyle}, []byte("\n"))
	sum := sha256.Sum256(data)
	return file{data, stylePath + "?v=" + hex.EncodeToString(sum[:4])}
}

func (f file) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "private, max-age=86400") // its URL changes with it
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}
