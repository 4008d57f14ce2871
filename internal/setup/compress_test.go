package setup

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func TestAcceptsGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "gzip, deflate, br, zstd": true, "br;q=1.0, gzip;q=0.8, *;q=0.1": true,
		"gzip;q=0": false, "gzip;q=0.000, br": false, "gzip ; q=1": true, "gzip;q=x": false, "deflate": false,
		"identity": false, "*": false, "notgzip": false, ", ,": false, "gzip;": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", accept)
		if got := acceptsGzip(r); got != want {
			t.Errorf("Accept-Encoding %q: acceptsGzip = %v, want %v", accept, got, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Accept-Encoding"] = []string{"br", "gzip"}
	if !acceptsGzip(r) {
		t.Error("the second Accept-Encoding header is not read")
	}
}

// TestCompressed checks that what is sent as gzip is the same page or file, that HEAD
// agrees with GET, and that caches can tell the two forms apart.
func TestCompressed(t *testing.T) {
	resolve, o := load(t, "mamut")
	o.Branding.Logo = Logo{[]byte("\x89PNG\r\n\x1a\n"), "image/png"} // gzip would be longer
	h := Handler(resolve, o)
	for _, path := range []string{"/", "/?emailaddress=mail@domain.se", "/?emailaddress=x", "/?emailaddress=a@exmaple.com",
		"/?emailaddress=mail@domain.se&format=text", stylePath, scriptPath, logoPath} {
		plain, packed := get(t, h, path), get(t, h, path, "Accept-Encoding", "gzip, br")
		if got := plain.Header().Get("Content-Encoding"); got != "" {
			t.Errorf("GET %s without Accept-Encoding: Content-Encoding %q", path, got)
		}
		for _, w := range []*httptest.ResponseRecorder{plain, packed} {
			if !strings.Contains(w.Header().Get("Vary"), "Accept-Encoding") {
				t.Errorf("GET %s: Vary %q, want it to have Accept-Encoding", path, w.Header().Get("Vary"))
			}
			if got, want := w.Header().Get("Content-Length"), strconv.Itoa(w.Body.Len()); got != want {
				t.Errorf("GET %s: Content-Length %s, body has %s bytes", path, got, want)
			}
		}
		if plain.Code != packed.Code || plain.Header().Get("Content-Type") != packed.Header().Get("Content-Type") {
			t.Errorf("GET %s as gzip: status %d, %s, want %d, %s",
				path, packed.Code, packed.Header().Get("Content-Type"), plain.Code, plain.Header().Get("Content-Type"))
		}
		body := packed.Body.Bytes()
		if path == logoPath {
			if packed.Header().Get("Content-Encoding") != "" || !bytes.Equal(body, o.Branding.Logo.Data) {
				t.Errorf("GET %s: %q as %q, want the file itself, which is shorter", path, body,
					packed.Header().Get("Content-Encoding"))
			}
			continue
		}
		r, err := gzip.NewReader(packed.Body)
		if err != nil || packed.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("GET %s: Content-Encoding %q, %v, want gzip", path, packed.Header().Get("Content-Encoding"), err)
			continue
		}
		unpacked, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) {
			t.Errorf("GET %s: the content of the gzip form differs (%v)", path, err)
		}
		if len(unpacked) > 3000 && len(body) > len(unpacked)/2 {
			t.Errorf("GET %s: %d bytes as gzip, %d without", path, len(body), len(unpacked))
		}
		head := httptest.NewRequest(http.MethodHead, path, nil)
		head.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, head)
		if w.Body.Len() != 0 || w.Header().Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("HEAD %s: Content-Length %s and %d bytes, want %d and none",
				path, w.Header().Get("Content-Length"), w.Body.Len(), len(body))
		}
	}
}

// TestETag checks that a file that has not changed is not sent again, in either form.
func TestETag(t *testing.T) {
	h := Handler(nil, Options{})
	for _, path := range []string{stylePath, scriptPath} {
		tags := map[string]bool{}
		for _, accept := range []string{"", "gzip"} {
			tag := get(t, h, path, "Accept-Encoding", accept).Header().Get("ETag")
			tags[tag] = true
			w := get(t, h, path, "Accept-Encoding", accept, "If-None-Match", tag)
			if w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != tag ||
				w.Header().Get("Vary") == "" {
				t.Errorf("GET %s as %q if it is not %s: status %d, %d bytes, %v, want 304", path, accept, tag, w.Code,
					w.Body.Len(), w.Header())
			}
			if w := get(t, h, path, "Accept-Encoding", accept, "If-None-Match", `"another"`); w.Code != http.StatusOK {
				t.Errorf("GET %s as %q with an old tag: status %d, want 200", path, accept, w.Code)
			}
		}
		if len(tags) != 2 || tags[""] {
			t.Errorf("%s has the tags %v, want one for each form", path, tags)
		}
	}
}
