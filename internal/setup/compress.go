package setup

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// acceptsGzip reports whether the request asks for gzip (RFC 9110 §12.5.3). All
// browsers do.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, weighted := strings.Cut(strings.ToLower(coding), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		_, weight, _ = strings.Cut(weight, "q=")
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		return !weighted || err == nil && q > 0
	}
	return false
}

// pageWriters holds the writers of pages, as a new one allocates 1 MB. They are fast: a
// page takes about a tenth more time, and becomes a third as long.
var pageWriters = sync.Pool{New: func() any { return newGzipWriter(gzip.BestSpeed) }}

func newGzipWriter(level int) *gzip.Writer {
	w, err := gzip.NewWriterLevel(nil, level)
	if err != nil {
		panic(err) // a constant
	}
	return w
}

// compressPage returns a page in gzip form.
//
// A page may be compressed although it repeats the address of the request. That is
// dangerous where an attacker's text and a secret stand in one answer, because its
// length tells how much of the secret the attacker has guessed (BREACH). No answer of
// this package holds a secret: there are no cookies, sessions or tokens, and whoever
// sends the same request gets the same answer.
func compressPage(page []byte) []byte {
	w := pageWriters.Get().(*gzip.Writer)
	defer pageWriters.Put(w)
	return compress(w, page)
}

func compress(w *gzip.Writer, data []byte) []byte {
	var b bytes.Buffer
	w.Reset(&b)
	w.Write(data) // a Buffer does not fail
	w.Close()
	return b.Bytes()
}
