package config

import (
	"slices"
	"strings"
)

// synonyms maps words of other programs to ours. If a word can mean several of
// ours, the first one that is valid in its place counts.
var synonyms = map[string][]string{
	"address": {"hostname", "redirectAddr"}, "aliases": {"accounts"}, "auth": {"authentication"},
	"basic": {"password-cleartext"}, "bind": {"listen"}, "cert": {"certificate"}, "color": {"accent"},
	"colour": {"accent"}, "cram-md5": {"password-encrypted"}, "domain": {"domains", "domainName"},
	"eas": {"activesync"}, "encryption": {"socketType"}, "exchange": {"activesync"}, "logging": {"log"},
	"login": {"username", "password-cleartext"}, "metrics": {"admin"}, "no": {"false"}, "none": {"plain"},
	"ntdomain": {"domainName"}, "oauth": {"oAuth2", "OAuth2"}, "off": {"plain", "false"}, "on": {"true"},
	"password": {"passwords", "password-cleartext"}, "pop": {"pop3"}, "protocol": {"type"}, "rate": {"requests"},
	"redirect": {"hostname"}, "scopes": {"scope"}, "security": {"socketType"}, "server": {"servers", "hostname"},
	"sieve": {"managesieve"}, "ssl": {"SSL", "socketType"}, "ssl/tls": {"SSL"}, "submission": {"smtp"},
	"tls": {"SSL", "socketType"}, "trusted": {"trustedProxies"}, "uri": {"url"}, "user": {"username"}, "yes": {"true"},
}

// suggest returns the candidate that an unknown word most likely means, or "".
func suggest(word string, candidates []string) string {
	word = strings.ToLower(word)
	for _, name := range synonyms[word] {
		if slices.Contains(candidates, name) {
			return name
		}
	}
	if len(word) > 64 {
		return ""
	}
	// Costs are doubled, so that a match with the beginning of a candidate ("hots"
	// for "hostname") counts half a letter more than one with a whole candidate.
	best, least := "", 2*((len(word)+1)/3)+2
	for _, candidate := range candidates {
		lower := strings.ToLower(candidate)
		cost := 2 * distance(word, lower)
		if len(lower) > len(word) {
			cost = min(cost, 2*distance(word, lower[:len(word)])+1)
		}
		if cost < least && cost < 2*len(word) {
			best, least = candidate, cost
		}
	}
	return best
}

// didYouMean returns the end of a message about an unknown word: the most likely
// candidate, or all candidates if there are few.
func didYouMean(word string, candidates []string) string {
	if name := suggest(word, candidates); name != "" {
		return ", did you mean " + quote(name) + "?"
	}
	if len(candidates) == 0 || len(candidates) > 10 {
		return ""
	}
	return "; valid here: " + strings.Join(candidates, ", ")
}

// distance returns how many bytes must be inserted, removed, replaced or swapped
// with their neighbour to turn a into b (optimal string alignment).
func distance(a, b string) int {
	previous, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
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
				row[j] = min(row[j], previous[j-2]+1)
			}
		}
		previous, above, row = above, row, previous
	}
	return above[len(b)]
}
