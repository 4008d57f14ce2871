package format

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"signpost/account"
)

// cleanURL returns an https URL with its host in A-labels, or says why a text is none that a
// configuration can hold. It may have placeholders.
func cleanURL(text string) (clean, problem string) { return checkURL(text, false) }

// checkURL is cleanURL. The URL of a page for people may have http and a fragment.
func checkURL(text string, page bool) (clean, problem string) {
	scheme, rest, ok := strings.Cut(text, "://")
	if ok { // as browsers send letters beyond ASCII
		rest = rest[:hostEnd(rest)] + escapeLetters(rest[hostEnd(rest):])
		text = scheme + "://" + rest
	}
	switch {
	case strings.Contains(rest[:hostEnd(rest)], "@"):
		return "", "the URL has a name or a password before its host, which is left out" // and not shown
	case text == "":
		return "", "it has no URL"
	case !ok:
		return "", fmt.Sprintf("%q is not a URL", text)
	case !strings.EqualFold(scheme, "https") && !(page && strings.EqualFold(scheme, "http")):
		return "", fmt.Sprintf("%s is not https", text)
	case !wellFormed(percentEscape.ReplaceAllString(text, "")):
		return "", fmt.Sprintf("%s has a percent sign that begins neither an escape nor a placeholder of Signpost's",
			text)
	case strings.ContainsFunc(rest[hostEnd(rest):], mustEscape):
		return "", fmt.Sprintf("%q has a character that a URL must not have", text)
	}
	end := hostEnd(rest)
	host, port, hasPort := strings.Cut(rest[:end], ":")
	domain, err := account.ParseDomain(hole.Replace(host))
	if n, bad := strconv.Atoi(port); hasPort && (bad != nil || n < 1 || n > 65535) || err != nil {
		return "", fmt.Sprintf("%q is not a URL", text)
	}
	if !strings.Contains(host, "%") {
		host = domain
	}
	if strings.Contains(rest[end:], "#") && !page {
		return "", fmt.Sprintf("%s has a fragment, which no server sees", text)
	}
	scheme = strings.ToLower(scheme)
	if hasPort && port != map[string]string{"https": "443", "http": "80"}[scheme] {
		host += ":" + port
	}
	return scheme + "://" + host + rest[end:], ""
}

// hostEnd returns where the host and the port of a URL end.
func hostEnd(rest string) int {
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		return end
	}
	return len(rest)
}

// escapeLetters escapes what is not ASCII (RFC 3987 section 3.1).
func escapeLetters(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < 0x80 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func mustEscape(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }

var percentEscape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// plainURL is cleanURL for a URL that is the same for everybody.
func plainURL(text string) (clean, problem string) {
	if strings.Contains(text, "%EMAIL") {
		return "", fmt.Sprintf("%s has a placeholder, and this URL is the same for everybody", text)
	}
	return cleanURL(text)
}

// pageURL is cleanURL for a page for people, which may use http, and name the domain.
func pageURL(text string) (clean, problem string) {
	for _, placeholder := range []string{account.EmailAddress, account.EmailLocalPart} {
		if strings.Contains(text, placeholder) {
			return "", fmt.Sprintf("%s has a placeholder that the URL of a page cannot have", text)
		}
	}
	return checkURL(text, true)
}

// contactURL is pageURL for the page of the whole service.
func contactURL(text string) (clean, problem string) {
	if strings.Contains(text, account.EmailDomain) {
		return "", fmt.Sprintf("%s has a placeholder, and this URL is the same for everybody", text)
	}
	return pageURL(text)
}
