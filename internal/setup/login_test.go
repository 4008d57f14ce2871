package setup

import (
	"context"
	"html"
	"strings"
	"testing"

	"signpost/account"
)

// TestLogins checks that the page shows the logins of the settings, spelled as in the
// documents for mail clients. In an international domain the address above them may be
// spelled otherwise.
func TestLogins(t *testing.T) {
	check := func(resolve account.Resolver, o Options, address string) {
		t.Helper()
		a, err := account.ParseAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		s, err := resolve(t.Context(), account.Query{Address: a, Client: account.Page})
		if err != nil {
			t.Fatal(err)
		}
		page := askFor(t, Handler(resolve, o), address).Body.String()
		for _, server := range s.Expanded() {
			want := "<code>" + html.EscapeString(server.Login.Username) + "</code>"
			if !strings.Contains(part(t, page, other), want) {
				t.Errorf("the page for %s lacks the login %s of %s", address, server.Login.Username, server.Type)
			}
		}
	}
	for _, s := range systems(t) {
		for _, address := range s.Addresses {
			check(s.Resolve, s.Options, address)
		}
	}
	resolve, o := load(t, "own-domain")
	check(resolve, o, "kalle@åkeriet.example")

	// The operator may spell logins in Unicode.
	literally, _ := literal(server(account.IMAP), server(account.SMTP))
	unicode := func(ctx context.Context, q account.Query) (account.Settings, error) {
		s, err := literally(ctx, q)
		s.Servers = append([]account.Server{}, s.Servers...)
		for i := range s.Servers {
			s.Servers[i].Login.Username = "kalle@åkeriet.example"
		}
		return s, err
	}
	check(unicode, Options{}, "kalle@xn--keriet-hua.example")
}
