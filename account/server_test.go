package account

import (
	"reflect"
	"slices"
	"testing"
)

// serverTypes lists, for each type, whether it has a URL and its usual ports.
var serverTypes = []struct {
	serverType           ServerType
	hasURL               bool
	ssl, startTLS, plain int
}{
	{IMAP, false, 993, 143, 143},
	{POP3, false, 995, 110, 110},
	{SMTP, false, 465, 587, 587},
	{ManageSieve, false, 0, 4190, 4190},
	{ActiveSync, true, 0, 0, 0},
	{EWS, true, 0, 0, 0},
	{CalDAV, true, 0, 0, 0},
	{CardDAV, true, 0, 0, 0},
	{JMAP, true, 0, 0, 0},
}

func TestServerTypes(t *testing.T) {
	if len(serverTypes) != len(ServerTypes) {
		t.Errorf("ServerTypes has %d types, want %d", len(ServerTypes), len(serverTypes))
	}
	for _, test := range serverTypes {
		if !slices.Contains(ServerTypes, test.serverType) {
			t.Errorf("ServerTypes lacks %s", test.serverType)
		}
		if got := test.serverType.HasURL(); got != test.hasURL {
			t.Errorf("HasURL of %s is %v, want %v", test.serverType, got, test.hasURL)
		}
		for socket, want := range map[SocketType]int{SSL: test.ssl, STARTTLS: test.startTLS, Plain: test.plain} {
			if got := DefaultPort(test.serverType, socket); got != want {
				t.Errorf("DefaultPort(%s, %s) = %d, want %d", test.serverType, socket, got, want)
			}
		}
	}
}

func TestServerExpand(t *testing.T) {
	const all = "%EMAILADDRESS% %EMAILLOCALPART% %EMAILDOMAIN%"
	a := parse(t, "a/b@example.com")
	methods := []Authentication{OAuth2Auth}
	got := Server{Type: CalDAV, Hostname: all, URL: all, PrincipalURL: all, PathPrefix: all, Port: 1, SocketType: SSL,
		Authentication: methods, Login: Login{Username: all, DomainName: all}, PastDays: 3,
		AnswerWithoutLogin: true}.Expand(a)
	const plain, escaped = "a/b@example.com a/b example.com", "a%2Fb@example.com a%2Fb example.com"
	want := Server{Type: CalDAV, Hostname: plain, URL: escaped, PrincipalURL: escaped, PathPrefix: all, Port: 1,
		SocketType: SSL, Authentication: methods, Login: Login{Username: plain, DomainName: all}, PastDays: 3,
		AnswerWithoutLogin: true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Expand gives\n%+v, want\n%+v", got, want)
	}
}

func TestSignsInWithAddress(t *testing.T) {
	for login, want := range map[Login]bool{
		{Username: "%EMAILADDRESS%"}:                  true,
		{Username: "%EMAILLOCALPART%"}:                false,
		{Username: "anna@example.com"}:                false,
		{Username: "%EMAILADDRESS%", DomainName: "D"}: false,
		{}: false,
	} {
		if got := (Server{Login: login}).SignsInWithAddress(); got != want {
			t.Errorf("SignsInWithAddress with %+v is %v, want %v", login, got, want)
		}
	}
}

// TestLoginIs checks that a login is recognised as the address in either spelling of an
// international domain.
func TestLoginIs(t *testing.T) {
	a := parse(t, "anna@åkeriet.example")
	for login, want := range map[Login]bool{
		{Username: "anna@åkeriet.example"}:                         true,
		{Username: "anna@xn--keriet-hua.example"}:                  true,
		{Username: "anna@xn--keriet-hua.example", DomainName: "D"}: false,
		{Username: "bo@åkeriet.example"}:                           false,
		{Username: "anna"}:                                         false,
		{}:                                                         false,
	} {
		if got := login.Is(a); got != want {
			t.Errorf("%+v is the address %s: %v, want %v", login, a, got, want)
		}
	}
}

func TestTakesPassword(t *testing.T) {
	for method, want := range map[Authentication]bool{
		PasswordCleartext: true, PasswordEncrypted: true, NTLM: true,
		GSSAPI: false, TLSClientCert: false, OAuth2Auth: false, NoAuthentication: false, ClientIPAddress: false,
	} {
		if got := (Server{Authentication: []Authentication{method}}).TakesPassword(); got != want {
			t.Errorf("TakesPassword with %s is %v, want %v", method, got, want)
		}
	}
}

func parse(t testing.TB, text string) Address {
	t.Helper()
	a, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
