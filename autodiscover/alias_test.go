package autodiscover

import (
	"testing"

	"signpost/account"
)

// TestAliasDomain checks that a client that sends no address is told nothing where people
// sign in with their address at another domain: the document would have no login, and
// the client would use the address that was typed.
func TestAliasDomain(t *testing.T) {
	p := provider(imap993, smtp465)
	any := account.AnyAt("example.com")
	for login, refused := range map[account.Address]bool{any: false, any.At("example.se"): true} {
		_, err := Outlook(account.Settings{Address: any, Login: login, Provider: p, Servers: p.Servers})
		if (err != nil) != refused {
			t.Errorf("Outlook for any mailbox of example.com that signs in as %s: %v, want an error: %v",
				login, err, refused)
		}
	}
}
