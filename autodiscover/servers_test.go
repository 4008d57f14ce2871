package autodiscover

import (
	"slices"
	"strings"
	"testing"

	"signpost/account"
)

func TestIsHTTPS(t *testing.T) {
	for url, want := range map[string]bool{
		"https://a/": true, "HTTPS://a/": true, "https://a": true,
		"": false, "h": false, "https:/": false, "https://": false, "http://a.example/": false, "xhttps://a/": false,
	} {
		if got := isHTTPS(url); got != want {
			t.Errorf("isHTTPS(%q) = %v, want %v", url, got, want)
		}
	}
}

// TestEndpoints checks that JSON names the first server of a protocol that it can name.
func TestEndpoints(t *testing.T) {
	any := account.AnyAt("example.com")
	s := account.Settings{Address: any, Login: any, Servers: []account.Server{
		{Type: account.EWS, URL: "http://plain.example/", Login: byAddress},
		{Type: account.EWS, URL: "https://mailbox.example/%EMAILLOCALPART%", Login: byAddress},
		{Type: account.EWS, URL: "https://login.example/", Login: account.Login{Username: account.EmailLocalPart}},
		{Type: account.EWS, URL: "https://first.example/", Login: byAddress},
		{Type: account.EWS, URL: "https://second.example/", Login: byAddress},
		{Type: account.IMAP, Hostname: "imap.example.com", Login: byAddress},
	}}
	want := []endpoint{{"Ews", "https://first.example/"},
		{"AutodiscoverV1", "https://autodiscover.example.com/autodiscover/autodiscover.xml"}}
	if got := jsonEndpoints(s, autodiscoverHost(s)); !slices.Equal(got, want) {
		t.Errorf("jsonEndpoints = %v, want %v", got, want)
	}
}

// TestIsPlain checks every byte against the alphabet.
func TestIsPlain(t *testing.T) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "0123456789" + "@.-_+"
	for c := range 256 {
		if got, want := isPlain(byte(c)), strings.IndexByte(alphabet, byte(c)) >= 0; got != want {
			t.Errorf("isPlain(%q) = %v, want %v", byte(c), got, want)
		}
	}
}
