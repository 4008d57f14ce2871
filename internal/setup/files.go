package setup

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Paths of the page's files.
const (
	stylePath         = "/setup/style.css"
	fragmentStylePath = "/setup/fragment.css"
	scriptPath        = "/setup/copy.js"
	logoPath          = "/setup/logo"
)

// file is one of the files that the page needs.
type file struct {
	data      []byte
	gzipped   []byte // nil if that is not shorter
	mediaType string
	version   string // changes with the content
	url       string
}

// newFiles returns the page's files by path. The style sheet begins with the
// operator's colour, because a policy without unsafe-inline allows it nowhere else.
func newFiles(o Options) map[string]file {
	files := map[string]file{}
	w := newGzipWriter(gzip.BestCompression)
	add := func(path, mediaType string, data []byte) {
		sum := sha256.Sum256(data)
		version := hex.EncodeToString(sum[:4])
		f := file{data: data, mediaType: mediaType, version: version, url: path + "?v=" + version}
		if gzipped := compress(w, data); len(gzipped) < len(data) {
			f.gzipped = gzipped
		}
		files[path] = f
	}
	style := append([]byte(Palette(*o.Branding.Accent)), o.Templates.Style...)
	add(stylePath, "text/css; charset=utf-8", style)
	add(fragmentStylePath, "text/css; charset=utf-8", scoped(style))
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
	if strings.EqualFold(r.URL.Path, fragmentStylePath) {
		header.Set("Cross-Origin-Resource-Policy", "cross-origin") // other sites load it, without credentials
	}
	header.Set("Vary", "Accept-Encoding")
	if r.URL.RawQuery == "v="+f.version {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "public, max-age=300")
	}
	data, tag := f.data, f.version
	if f.gzipped != nil && acceptsGzip(r) {
		data, tag = f.gzipped, tag+"-gzip" // another form of the file needs another tag (RFC 9110 §8.8.3)
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("ETag", `"`+tag+`"`)
	header.Set("Content-Length", strconv.Itoa(len(data)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
