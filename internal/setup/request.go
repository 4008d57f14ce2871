package setup

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// maxQuery bounds a query; an address and a name need a tenth of it.
const maxQuery = 8 << 10

// maxName is how many characters of a person's name are kept.
const maxName = 100

// request is what a person asks for.
type request struct {
	asked    bool   // whether there is an address, even an empty one
	typed    string // the address as it was typed
	name     string
	language string // that was asked for in so many words
	device   device
	chosen   bool // the device was asked for, not guessed
	text     bool // plain text instead of a page
}

// readRequest reads the query of the form, or of a link in a welcome mail:
// emailaddress, and optionally name, lang, device and format (text). A query
// that is too long for anything that a person types is not read.
func readRequest(r *http.Request) (request, bool) {
	query := r.URL.RawQuery
	format, _ := parameter(query, "format")
	if len(query) > maxQuery {
		return request{asked: true, text: wantsText(r, format)}, false
	}
	address, asked := parameter(query, "emailaddress")
	name, _ := parameter(query, "name")
	lang, _ := parameter(query, "lang")
	wanted, _ := parameter(query, "device")
	d, chosen := chosenDevice(strings.ToLower(wanted))
	if !chosen {
		d = deviceOf(r.Header.Get("User-Agent"))
	}
	return request{
		asked:    asked,
		typed:    typed(address),
		name:     cleanName(unescape(spaced(name))),
		language: unescape(lang),
		device:   d,
		chosen:   chosen,
		text:     wantsText(r, format),
	}, true
}

// parameter is the first value of the name, not yet unescaped. url.ParseQuery
// would make a space of every + and drop pairs with a stray % or ;.
func parameter(query, name string) (string, bool) {
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// typed is the address as a person typed it. With a raw @ the person typed it
// into a link, where + is the + of a tag. A form writes %40 for @, %2B for + and
// + for a space, and so does a link that holds no raw @: if it was half escaped
// by hand, its tag makes no address, which is better than another person's.
func typed(address string) string {
	if !strings.Contains(address, "@") {
		address = spaced(address)
	}
	return unescape(address)
}

// spaced undoes what forms make of spaces.
func spaced(value string) string { return strings.ReplaceAll(value, "+", " ") }

func unescape(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// wantsText reports whether a person at a terminal or a support desk asks, who
// names plain text and, other than any browser, not HTML.
func wantsText(r *http.Request, format string) bool {
	if format != "" {
		return strings.EqualFold(format, "text")
	}
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accept, "text/plain") && !strings.Contains(accept, "text/html")
}

// cleanName drops what is invisible in a name, which the profile would drop too.
func cleanName(name string) string {
	name = strings.Join(strings.Fields(visible(name)), " ")
	if runes := []rune(name); len(runes) > maxName {
		name = strings.TrimSpace(string(runes[:maxName]))
	}
	return name
}

// visible drops what cannot be seen and changes how the rest is read.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
