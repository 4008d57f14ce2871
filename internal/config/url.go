package config

import (
	"net/url"
	"slices"
	"strings"

	"signpost/account"
)

// urlRule is what a URL may be like.
type urlRule struct {
	https        bool     // nothing else
	placeholders []string // that may stand in it
}

var (
	serverURL = urlRule{https: true, placeholders: allPlaceholders}
	tokenURL  = urlRule{https: true}
	// A page is for people and may be at http, with a warning.
	pageURL = urlRule{placeholders: []string{account.EmailDomain}}
)

// url reads a URL and brings its host into A-labels; the rest stays as written.
func (v *value) url(rule urlRule) (string, bool) {
	text, ok := v.text("a URL")
	if !ok {
		return "", false
	}
	scheme, rest, _ := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	authority, path := rest[:end], rest[end:]
	switch {
	case authority == "" || scheme != "https" && scheme != "http":
		v.fault("%s is not a URL, write https://…", quote(text))
	case scheme == "http" && rule.https:
		v.fault("%s is not encrypted, write https://…", quote(text))
	case strings.Contains(authority, "@"):
		v.fault("%s holds a user name, which has a key of its own", quote(text))
	case strings.Contains(path, "#") && rule.https:
		v.fault("%s holds a fragment (#…), which no server sees", quote(text))
	case strings.ContainsFunc(path, func(r rune) bool { return r > '~' || strings.ContainsRune("\"<>\\^`{|} ", r) }):
		v.fault("%s holds characters that a URL must escape with %%", quote(text))
	default:
		host, ok := v.urlHost(authority, rule)
		if !ok || !v.urlPath(path, rule) {
			return "", false
		}
		if scheme == "http" {
			v.warn("%s is not encrypted", quote(text))
		}
		return scheme + "://" + host + path, true
	}
	return "", false
}

func (v *value) urlHost(authority string, rule urlRule) (string, bool) {
	name, port, hasPort := strings.Cut(authority, ":")
	if hasPort {
		if !isPort(port) {
			v.fault("%s has a port that is not a number from 1 to 65535", quote(authority))
			return "", false
		}
		port = ":" + port
	}
	name, ok := v.hostText(name, slices.Contains(rule.placeholders, account.EmailDomain))
	return name + port, ok
}

func (v *value) urlPath(path string, rule urlRule) bool {
	if !v.placeholders(path, rule.placeholders...) {
		return false
	}
	filled := path
	for _, name := range rule.placeholders {
		filled = strings.ReplaceAll(filled, name, "x")
	}
	if _, err := url.Parse("https://host" + filled); err != nil {
		v.fault("%s has a %% that begins no escape such as %%20", quote(path))
		return false
	}
	return true
}
