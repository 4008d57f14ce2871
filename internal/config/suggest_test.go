package config

import "testing"

func TestSuggest(t *testing.T) {
	server := serverKeys.names()
	types := []string{"imap", "pop3", "smtp", "activesync", "ews", "caldav", "carddav", "jmap", "managesieve"}
	for _, row := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"hots", server, "hostname"},
		{"host", server, "hostname"},
		{"hostName", server, "hostname"},
		{"prot", server, "port"},
		{"sockettype", server, "socketType"},
		{"tls", server, "socketType"},
		{"auth", server, "authentication"},
		{"authentification", server, "authentication"},
		{"user", server, "username"},
		{"usrename", server, "username"},
		{"domain", server, "domainName"},
		{"domain", providerKeys.names(), "domains"},
		{"colour", server, ""},
		{"x", server, ""},
		{"", server, ""},
		{"IMAP4", types, "imap"},
		{"Pop", types, "pop3"},
		{"eas", types, "activesync"},
		{"nntp", types, ""},
		{"åäö", server, ""},
		{"%emailadress%", allPlaceholders, "%EMAILADDRESS%"},
		{"%USERNAME%", allPlaceholders, ""},
	} {
		if got := suggest(row.word, row.candidates); got != row.want {
			t.Errorf("suggest(%q, %q) = %q, want %q", row.word, row.candidates, got, row.want)
		}
	}
}

// TestSynonyms checks that every synonym stands for a word of the configuration.
func TestSynonyms(t *testing.T) {
	ours := map[string]bool{"true": true, "false": true, "SSL": true, "plain": true}
	for _, names := range [][]string{
		topKeys.names(), providerKeys.names(), serverKeys.names(), pairKeys.names(), redirectKeys.names(),
		oAuth2Keys.names(), brandingKeys.names(), limitKeys.names(),
		{"imap", "pop3", "smtp", "activesync", "managesieve", "password-cleartext", "password-encrypted", "OAuth2"},
	} {
		for _, name := range names {
			ours[name] = true
		}
	}
	for word, names := range synonyms {
		for _, name := range names {
			if !ours[name] || name == word {
				t.Errorf("synonyms[%q] has %q, which is no word of the configuration", word, name)
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"hots", "host", 1},
		{"kitten", "sitting", 3}, {"port", "ports", 1}, {"ab", "ba", 1}, {"abcd", "badc", 2},
		{"xa", "ay", 2}, {"abc", "ac", 1}, {"ac", "abc", 1}, {"ca", "abc", 3},
	} {
		if got := distance(row.a, row.b); got != row.want {
			t.Errorf("distance(%q, %q) = %d, want %d", row.a, row.b, got, row.want)
		}
	}
}
