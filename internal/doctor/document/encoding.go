package document

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// utf8Encoding is the encoding of documents that name none (XML 1.0 §4.3.3).
const utf8Encoding = "utf-8"

// declared finds the encoding in an XML declaration (XML 1.0 §4.3.3).
var declared = regexp.MustCompile(`^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']`)

// decode returns a document in UTF-8 and the name of the encoding that it has. What is in an
// unknown encoding stays as it is.
func decode(body []byte) (text, encoding string) {
	encoding = utf8Encoding
	switch {
	case bytes.HasPrefix(body, []byte("\ufeff")):
		return string(body[len("\ufeff"):]), encoding
	case bytes.HasPrefix(body, []byte{0xfe, 0xff}):
		body, encoding = body[2:], "utf-16be"
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}):
		body, encoding = body[2:], "utf-16le"
	default:
		if m := declared.FindSubmatch(body[:min(len(body), 200)]); m != nil {
			encoding = strings.ToLower(string(m[1]))
		}
		if strings.HasPrefix(encoding, "utf-16") {
			// The declaration could be read, so it is wrong.
			return string(body), utf8Encoding
		}
	}
	if encoding == utf8Encoding {
		return string(body), encoding
	}
	known, err := htmlindex.Get(encoding)
	if err != nil {
		return string(body), encoding
	}
	decoded, err := known.NewDecoder().Bytes(body)
	if err != nil {
		return string(body), encoding
	}
	return string(decoded), encoding
}
