package account

import "testing"

// TestHasKnownOAuth2 checks for which servers clients know where to get a token.
func TestHasKnownOAuth2(t *testing.T) {
	for _, test := range []struct {
		server Server
		want   bool
	}{
		{Server{Type: IMAP, Hostname: "outlook.office365.com"}, true},
		{Server{Type: IMAP, Hostname: "gmail.com"}, true},
		{Server{Type: IMAP, Hostname: "imap.notgmail.com"}, false},
		{Server{Type: POP3, Hostname: "pop3.seznam.cz"}, true},
		{Server{Type: IMAP, Hostname: "imap.yandex.com"}, true},
		{Server{Type: IMAP, Hostname: "imap.yandex.ru"}, false}, // Thunderbird has .com alone
		{Server{Type: EWS, URL: "https://outlook.office365.com/EWS/Exchange.asmx"}, true},
		{Server{Type: EWS, URL: "https://ex.skog.example/EWS/Exchange.asmx"}, false},
	} {
		if got := test.server.HasKnownOAuth2(); got != test.want {
			t.Errorf("HasKnownOAuth2 of %s %s%s = %v, want %v",
				test.server.Type, test.server.Hostname, test.server.URL, got, test.want)
		}
	}
}
