package mobileconfig

import (
	"testing"

	"signpost/account"
)

func TestSplitURL(t *testing.T) {
	tests := []struct {
		url  string
		want serverURL // zero: refused
	}{
		{"https://ex.example.se/Microsoft-Server-ActiveSync",
			serverURL{"https", "ex.example.se", 443, "/Microsoft-Server-ActiveSync"}},
		{"https://ex.example.se/EWS/Exchange%20X.asmx?a=b", serverURL{"https", "ex.example.se", 443, "/EWS/Exchange%20X.asmx?a=b"}},
		{"HTTPS://ex.example.se", serverURL{"https", "ex.example.se", 443, ""}},
		{"http://ex.example.se/", serverURL{"http", "ex.example.se", 80, "/"}},
		{"https://dav.example.se:8443/anna@example.se/", serverURL{"https", "dav.example.se", 8443, "/anna@example.se/"}},
		{"https://[2001:db8::1]:8443/", serverURL{"https", "2001:db8::1", 8443, "/"}},
		{"https://[2001:db8::1]/", serverURL{"https", "2001:db8::1", 443, "/"}},
		{"https://ex.example.se:99999/", serverURL{}},
		{"https://ex.example.se:x/", serverURL{}},
		{"https:///path", serverURL{}},
		{"ftp://ex.example.se/", serverURL{}},
		{"ex.example.se", serverURL{}},
		{"", serverURL{}},
	}
	for _, test := range tests {
		got, ok := splitURL(test.url)
		if got != test.want && ok || ok != (test.want != serverURL{}) {
			t.Errorf("splitURL(%q) = %+v, %v, want %+v", test.url, got, ok, test.want)
		}
		if again, _ := splitURL(got.join()); ok && again != got {
			t.Errorf("splitURL(%q) = %+v after a join, want %+v", test.url, again, got)
		}
	}
}

func TestIsActiveSyncPath(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "/": true, "/Microsoft-Server-ActiveSync": true, "/microsoft-server-activesync/": true,
		"/push": false, "//": false, "/Microsoft-Server-ActiveSync/default.eas": false,
	} {
		if got := isActiveSyncPath(path); got != want {
			t.Errorf("isActiveSyncPath(%q) = %v, want %v", path, got, want)
		}
		s := withMethods(web(account.ActiveSync, "https://ex.example.se"+path), password...)
		if got := ContentsOf(account.Settings{Servers: []account.Server{s}}, Phone).Exchange; got != want {
			t.Errorf("the profile for %s holds Exchange: %v, want %v", s.URL, got, want)
		}
	}
}

func TestLogin(t *testing.T) {
	for _, test := range []struct {
		login account.Login
		text  string
		back  account.Login
	}{
		{account.Login{Username: "mail_domain.se", DomainName: "hosting01"}, `hosting01\mail_domain.se`,
			account.Login{Username: "mail_domain.se", DomainName: "hosting01"}},
		{account.Login{Username: "mail@domain.se"}, "mail@domain.se", account.Login{Username: "mail@domain.se"}},
		{account.Login{Username: `hosting01\mail`}, `hosting01\mail`,
			account.Login{Username: "mail", DomainName: "hosting01"}},
		{account.Login{Username: `hosting01\mail`, DomainName: "hosting01"}, `hosting01\mail`,
			account.Login{Username: "mail", DomainName: "hosting01"}},
	} {
		if got := joinLogin(test.login); got != test.text || splitLogin(got) != test.back {
			t.Errorf("joinLogin(%+v) = %q, which splits into %+v, want %q and %+v",
				test.login, got, splitLogin(got), test.text, test.back)
		}
	}
}
