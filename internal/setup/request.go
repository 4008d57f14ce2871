package setup

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"signpost/account"
	"signpost/mobileconfig"
)

// request holds the parameters of a request for the page.
type request struct {
	hasAddress bool   // the parameter is there, even if it is empty
	input      string // the address as the person typed it
	name       string // of the person, cleaned
	language   string // asked for explicitly
	device     device
	fixed      bool // the device was asked for, not guessed
	maybeIPad  bool // the device is a Mac by guess, and may be an iPad
	plainText  bool // plain text instead of HTML
	fragment   bool // HTML to embed in another site
}

// readRequest reads the query of the form, or of a link in a welcome mail:
// emailaddress and optionally name, lang, device and format (text, fragment). It returns
// false if the query is longer than anything that a person types.
func readRequest(r *http.Request) (request, bool) {
	query := r.URL.RawQuery
	parameter := func(name string) string {
		value, _ := account.RawParameter(query, name)
		return value
	}
	format := parameter("format")
	plainText, fragment := wantsText(r, format), strings.EqualFold(format, "fragment")
	if len(query) > mobileconfig.MaxQuery {
		return request{hasAddress: true, plainText: plainText, fragment: fragment}, false
	}
	address, hasAddress := account.RawParameter(query, "emailaddress")
	d, fixed := parseDevice(strings.ToLower(parameter("device")))
	agent := r.Header.Get("User-Agent")
	if !fixed {
		d = guessDevice(agent)
	}
	return request{
		hasAddress: hasAddress,
		input:      decodeInput(address),
		name:       mobileconfig.CleanName(unescape(plusToSpace(parameter("name")))),
		language:   unescape(parameter("lang")),
		device:     d,
		fixed:      fixed,
		maybeIPad:  !fixed && maybeIPad(agent),
		plainText:  plainText,
		fragment:   fragment,
	}, true
}

// decodeInput decodes the address as a person typed it. A raw @ means that the
// person typed it into a link, where + is the + of a tag. A form writes %40 for @,
// %2B for + and + for a space. A link without a raw @ is read in that way too: if
// somebody escaped half of it by hand, its tag makes no valid address, which is
// better than another person's.
func decodeInput(address string) string {
	if !strings.Contains(address, "@") {
		address = plusToSpace(address)
	}
	return unescape(address)
}

// plusToSpace undoes the encoding of spaces in forms.
func plusToSpace(value string) string { return strings.ReplaceAll(value, "+", " ") }

// unescape undoes percent escapes, and returns value itself if one is malformed.
func unescape(value string) string {
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// wantsText reports whether the answer is for a terminal or a support desk: the
// request names plain text or a program for terminals and, unlike any browser's, not
// HTML.
func wantsText(r *http.Request, format string) bool {
	if format != "" {
		return strings.EqualFold(format, "text")
	}
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	terminal := slices.ContainsFunc(terminals, func(name string) bool {
		return strings.HasPrefix(r.Header.Get("User-Agent"), name)
	})
	return (terminal || strings.Contains(accept, "text/plain")) && !strings.Contains(accept, "text/html")
}

// terminals lists how the User-Agent headers of programs for terminals begin.
var terminals = []string{"curl/", "Wget/", "HTTPie/", "xh/"}

// visible removes characters that are invisible and change how the rest is read.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case mobileconfig.IsHidden(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
