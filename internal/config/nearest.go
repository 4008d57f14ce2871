package config

import (
	"slices"
	"strings"
)

// misnomers are other programs' words for ours. Where a word can stand for
// several, the first that exists in the place is meant.
var misnomers = map[string][]string{
	"address": {"hostname", "redirectAddr"}, "aliases": {"accounts"}, "bind": {"listen"}, "cert": {"certificate"},
	"auth": {"authentication"}, "basic": {"password-cleartext"}, "color": {"accent"}, "colour": {"accent"}, "cram-md5": {"password-encrypted"},
	"domain": {"domains", "domainName"}, "eas": {"activesync"}, "encryption": {"socketType"}, "exchange": {"activesync"},
	"logging": {"log"}, "login": {"username", "password-cleartext"}, "metrics": {"admin"}, "none": {"plain"}, "off": {"plain", "false"}, "on": {"true"},
	"oauth": {"oAuth2", "OAuth2"}, "password": {"passwords", "password-cleartext"}, "pop": {"pop3"}, "protocol": {"type"},
	"no": {"false"}, "rate": {"requests"}, "redirect": {"hostname"}, "scopes": {"scope"}, "security": {"socketType"}, "server": {"servers", "hostname"},
	"sieve": {"managesieve"}, "ssl": {"SSL", "socketType"}, "ssl/tls": {"SSL"}, "submission": {"smtp"}, "tls": {"SSL", "socketType"},
	"ntdomain": {"domainName"}, "trusted": {"trustedProxies"}, "user": {"username"}, "uri": {"url"}, "yes": {"true"},
}

// nearest is the candidate that an unknown word most likely means, or "".
func nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	for _, meant := range misnomers[word] {
		if slices.Contains(candidates, meant) {
			return meant
		}
	}
	if len(word) > 64 {
		return ""
	}
	best, least := "", 2*((len(word)+1)/3)+2
	for _, candidate := range candidates {
		lower := strings.ToLower(candidate)
		d := 2 * distance(word, lower)
		if len(lower) > len(word) {
			// "hots" is a misspelt beginning of "hostname".
			d = min(d, 2*distance(word, lower[:len(word)])+1)
		}
		if d < least && d < 2*len(word) {
			best, least = candidate, d
		}
	}
	return best
}

// didYouMean is what follows an unknown word in a message: the nearest right
// one, or all where there are few.
func didYouMean(word string, candidates []string) string {
	if right := nearest(word, candidates); right != "" {
		return ", did you mean " + quote(right) + "?"
	}
	if len(candidates) == 0 || len(candidates) > 10 {
		return ""
	}
	return "; known here: " + strings.Join(candidates, ", ")
}

// distance counts the letters to insert, drop, replace or swap with their
// neighbour to get from a to b.
func distance(a, b string) int {
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
