package config

import (
	"net/url"
	"slices"
	"strings"

	"signpost/account"
)

// urlRule says which URLs are allowed in a place.
type urlRule struct {
	https        bool // http is not allowed
	placeholders []string
}

var (
	serverURL = urlRule{https: true, placeholders: append([]string{account.MailHost}, allPlaceholders...)}
	tokenURL  = urlRule{https: true}
	// A page for people may use http, with a warning.
	pageURL = urlRule{placeholders: []string{account.EmailDomain}}
)

// url reads a URL and converts its host to A-labels. The rest stays as written.
func (v *value) url(rule urlRule) string {
	text := v.text("a URL")
	if text == "" {
		return ""
	}
	scheme, rest, _ := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	authority := rest[:strings.IndexAny(rest+"/", "/?#")]
	path := rest[len(authority):]
	switch {
	case authority == "" || scheme != "https" && scheme != "http":
		v.fault("%s is not a URL, write https://…", quote(text))
	case scheme == "http" && rule.https:
		v.fault("%s is not encrypted, write https://…", quote(text))
	case strings.Contains(authority, "@"):
		v.fault("%s contains a user name; remove it", quote(text))
	case strings.Contains(path, "#") && rule.https:
		v.fault("%s contains a fragment (#…), which no server sees", quote(text))
	case strings.ContainsFunc(path, mustEscape):
		v.fault("%s contains characters that a URL must escape with %%", quote(text))
	default:
		host := v.urlHost(authority, rule)
		if host == "" || !v.validPath(path, rule) {
			return ""
		}
		if scheme == "http" {
			v.warn("%s is not encrypted", quote(text))
		}
		return scheme + "://" + host + path
	}
	return ""
}

// inHost returns the placeholders that the host may have.
func (r urlRule) inHost() (allowed []string) {
	for _, name := range []string{account.EmailDomain, account.MailHost} {
		if slices.Contains(r.placeholders, name) {
			allowed = append(allowed, name)
		}
	}
	return allowed
}

func mustEscape(r rune) bool { return r > '~' || strings.ContainsRune("\"<>\\^`{|} ", r) }

func (v *value) urlHost(authority string, rule urlRule) string {
	name, port, hasPort := strings.Cut(authority, ":")
	if hasPort && !isPort(port) {
		return v.refuse("%s has a port that is not a number from 1 to 65535", quote(authority))
	}
	if name == "" {
		return v.refuse("%s has no host name", quote(authority))
	}
	host := v.hostText(name, rule.inHost()...)
	if host != "" && hasPort {
		host += ":" + port
	}
	return host
}

func (v *value) validPath(path string, rule urlRule) bool {
	if !v.placeholders(path, rule.placeholders...) {
		return false
	}
	for _, name := range rule.placeholders {
		path = strings.ReplaceAll(path, name, "x")
	}
	if _, err := url.Parse("https://host" + path); err != nil {
		v.fault("%s has a %% that does not begin an escape such as %%20", quote(path))
		return false
	}
	return true
}
