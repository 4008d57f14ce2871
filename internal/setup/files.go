package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// Paths of the page's files.
const (
	stylePath  = "/setup/style.css"
	scriptPath = "/setup/copy.js"
	logoPath   = "/setup/logo"
)

// file is one of the files that the page needs.
type file struct {
	data      []byte
	mediaType string
	url       string // with a query that changes with the content
}

// newFiles returns the page's files by path. The style sheet begins with the
// operator's colour, because a policy without unsafe-inline allows it nowhere else.
func newFiles(o Options) map[string]file {
	files := map[string]file{}
	add := func(path, mediaType string, data []byte) {
		sum := sha256.Sum256(data)
		files[path] = file{data, mediaType, path + "?v=" + hex.EncodeToString(sum[:4])}
	}
	add(stylePath, "text/css; charset=utf-8", append([]byte(palette(*o.Branding.Accent)), o.Templates.Style...))
	add(scriptPath, "text/javascript; charset=utf-8", o.Templates.Script)
	if len(o.Branding.Logo.Data) > 0 {
		add(logoPath, o.Branding.Logo.MediaType, o.Branding.Logo.Data)
	}
	return files
}

func (h *handler) serveFile(w http.ResponseWriter, r *http.Request) {
	f, ok := h.files[strings.ToLower(r.URL.Path)]
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	header := w.Header()
	// A logo may be an SVG with a script, which a browser would run if it opened the
	// file by itself.
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Content-Type", f.mediaType)
	header.Set("Content-Length", strconv.Itoa(len(f.data)))
	if _, version, _ := strings.Cut(f.url, "?"); r.URL.RawQuery == version {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "public, max-age=300")
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(f.data) // an error means that the client has gone
	}
}
