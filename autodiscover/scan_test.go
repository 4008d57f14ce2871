package autodiscover

import (
	"errors"
	"hash/fnv"
	"os"
	"testing"

	"signpost/account"
)

// TestScanRefuses checks the reason for which a request is refused.
func TestScanRefuses(t *testing.T) {
	in := func(text string) string { return "<Autodiscover><Request>" + text + "</Request></Autodiscover>" }
	for body, want := range map[string]string{
		"":                "it is not well-formed XML",
		"<Other/>":        "its root is not Autodiscover",
		"<Autodiscover/>": "it has no Request",
		"<Autodiscover><Response/></Autodiscover>":                      "it has no Request",
		"<Autodiscover><Request/><request/></Autodiscover>":             "it has more than one Request",
		in("<EMailAddress>a</EMailAddress><emailaddress/>"):             "it has more than one EMailAddress",
		in("<LegacyDN>a</LegacyDN><LegacyDN>b</LegacyDN>"):              "it has more than one LegacyDN",
		in("<EMailAddress><b>a</b></EMailAddress>"):                     "its EMailAddress holds elements",
		in("<AcceptableResponseSchema><x/></AcceptableResponseSchema>"): "its AcceptableResponseSchema holds elements",
	} {
		if got, err := scan([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("scan(%s) = %+v, %v, want the error %q", body, got, err, want)
		}
	}
}

// TestServerID checks that errors of different machines can be told apart.
func TestServerID(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	hash := fnv.New32a()
	hash.Write([]byte(name))
	if got := serverID(); got != hash.Sum32() {
		t.Errorf("serverID() = %d, want the hash of %q, %d", got, name, hash.Sum32())
	}
}

// TestTenRedirects checks that a circle of redirects ends.
func TestTenRedirects(t *testing.T) {
	a, err := account.ParseAddress("anna@example.com")
	if err != nil {
		t.Fatal(err)
	}
	s := account.Settings{Address: a, Login: a, Provider: &account.Provider{
		AutodiscoverRedirect: &account.AutodiscoverRedirect{Hostname: "autodiscover.example.net"}}}
	for redirects := range 12 {
		_, err := writeJSON(s, "autodiscover.example.com", "ActiveSync", redirects)
		e, ended := errors.AsType[*Error](err)
		if ended != (redirects >= 10) || ended && e.Reason != "the client has been redirected ten times" {
			t.Errorf("after %d redirects: %v, want an end from the tenth on", redirects, err)
		}
	}
}
