package mobileconfig

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"howett.net/plist"

	"signpost/account"
	"signpost/internal/golden"
)

func goldenFile(name string) string {
	return filepath.Join("..", "testdata", "golden", "mobileconfig", name+".mobileconfig")
}

// TestGolden compares every profile with its golden file and Apple's tables.
func TestGolden(t *testing.T) {
	for _, p := range profiles(t) {
		t.Run(p.file, func(t *testing.T) {
			got := document(t, settings(t, p.provider, p.address), p.options)
			golden.Check(t, goldenFile(p.file), got)
			for _, fault := range validate(got, p.os) {
				t.Error(fault)
			}
		})
	}
}

// TestSystems checks the profiles of every example system against Apple's tables.
func TestSystems(t *testing.T) {
	for name, p := range LoadProviders(t) {
		for device, systems := range map[Device][]string{AnyDevice: nil, Phone: ios, Mac: macos} {
			s := settings(t, p, "anna@example.se")
			document, err := Document(s, Options{Service: testService, Device: device})
			if _, ok := errors.AsType[*NoProfileError](err); ok {
				if got := ContentsOf(s, device); got != (Contents{}) {
					t.Errorf("%s on %q: no profile (%v), but ContentsOf = %+v", name, device, err, got)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range validate(document, systems) {
				t.Errorf("%s on %q: %s", name, device, fault)
			}
			if ContentsOf(s, device) == (Contents{}) {
				t.Errorf("%s on %q: there is a profile, but ContentsOf is zero", name, device)
			}
		}
	}
}

// parse returns the profile without its payloads, and the payloads.
func parse(t testing.TB, document []byte) (profile map[string]any, payloads []map[string]any) {
	t.Helper()
	if _, err := plist.Unmarshal(document, &profile); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	for _, item := range profile["PayloadContent"].([]any) {
		payloads = append(payloads, item.(map[string]any))
	}
	delete(profile, "PayloadContent")
	return profile, payloads
}

// content returns a payload without the keys that all payloads have and without the
// S/MIME switches.
func content(payload map[string]any) map[string]any {
	rest := map[string]any{}
	for name, value := range payload {
		if name == "PayloadType" || !strings.HasPrefix(name, "Payload") && !strings.HasPrefix(name, "SMIME") {
			rest[name] = value
		}
	}
	return rest
}

// TestScenarios compares the payloads of each kind of account, key by key, except the
// S/MIME switches, which TestSMIME checks.
func TestScenarios(t *testing.T) {
	mailAccount := map[string]any{
		"PayloadType":                            "com.apple.mail.managed",
		"EmailAccountType":                       "EmailTypeIMAP",
		"EmailAccountDescription":                "anna@example.se",
		"EmailAccountName":                       "Anna Ek",
		"EmailAddress":                           "anna@example.se",
		"IncomingMailServerHostName":             "imap.example.se",
		"IncomingMailServerPortNumber":           uint64(993),
		"IncomingMailServerUseSSL":               true,
		"IncomingMailServerUsername":             "anna@example.se",
		"IncomingMailServerAuthentication":       "EmailAuthPassword",
		"OutgoingMailServerHostName":             "smtp.example.se",
		"OutgoingMailServerPortNumber":           uint64(465),
		"OutgoingMailServerUseSSL":               true,
		"OutgoingMailServerUsername":             "anna@example.se",
		"OutgoingMailServerAuthentication":       "EmailAuthPassword",
		"OutgoingPasswordSameAsIncomingPassword": true,
	}
	with := func(changes map[string]any) map[string]any {
		all := map[string]any{}
		for name, value := range mailAccount {
			all[name] = value
		}
		for name, value := range changes {
			all[name] = value
		}
		return all
	}
	dav := func(prefix string) map[string]any {
		return map[string]any{
			"PayloadType":                 "com.apple." + strings.ToLower(prefix) + ".account",
			prefix + "AccountDescription": "anna@example.se",
			prefix + "HostName":           "dav.example.se",
			prefix + "Port":               uint64(443),
			prefix + "UseSSL":             true,
			prefix + "Username":           "anna@example.se",
		}
	}
	popWithTLS := &account.Provider{DisplayName: "Example", Servers: append(popOnly.Servers[:2:2],
		server(account.POP3, "pop.example.se", account.SSL))}
	tests := []struct {
		scenario string
		provider *account.Provider
		address  string
		options  Options
		want     []map[string]any
	}{
		{"1 IMAP and SMTP with TLS", small, "anna@example.se", Options{Name: "Anna Ek"}, []map[string]any{mailAccount}},
		{"2 POP and SMTP with STARTTLS", popOnly, "anna@example.se", Options{Name: "Anna Ek"},
			[]map[string]any{with(map[string]any{
				"EmailAccountType":             "EmailTypePOP",
				"IncomingMailServerHostName":   "pop.example.se",
				"IncomingMailServerPortNumber": uint64(110),
				"OutgoingMailServerPortNumber": uint64(587),
			})}},
		{"2 POP that has 995 as well", popWithTLS, "anna@example.se", Options{Name: "Anna Ek"},
			[]map[string]any{with(map[string]any{
				"EmailAccountType":             "EmailTypePOP",
				"IncomingMailServerHostName":   "pop.example.se",
				"IncomingMailServerPortNumber": uint64(995),
				"OutgoingMailServerPortNumber": uint64(587),
			})}},
		{"3 hosted Exchange", hostedExchange, "mail@domain.se", Options{Name: "Anna Ek"}, []map[string]any{{
			"PayloadType":                "com.apple.eas.account",
			"Host":                       "ex.example.com",
			"EmailAddress":               "mail@domain.se",
			"UserName":                   `hosting01\mail_domain.se`,
			"SSL":                        true,
			"MailNumberOfPastDaysToSync": uint64(7),
		}}},
		{"4 calendars and contacts", withDAV, "anna@example.se", Options{Name: "Anna Ek"},
			[]map[string]any{mailAccount, dav("CalDAV"), dav("CardDAV")}},
		{"4 only mail", withDAV, "anna@example.se", Options{Name: "Anna Ek", MailOnly: true}, []map[string]any{mailAccount}},
		{"Exchange for a Mac", groupware, "anna@example.se", Options{Device: Mac}, []map[string]any{{
			"PayloadType":  "com.apple.ews.account",
			"Host":         "ex.example.se",
			"Port":         uint64(443),
			"Path":         "/EWS/Exchange.asmx",
			"EmailAddress": "anna@example.se",
			"UserName":     `CORP\anna`,
			"SSL":          true,
		}}},
	}
	for _, test := range tests {
		t.Run(test.scenario, func(t *testing.T) {
			_, payloads := parse(t, document(t, settings(t, test.provider, test.address), test.options))
			var got []map[string]any
			for _, p := range payloads {
				got = append(got, content(p))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestProfile compares the profile around the payloads, for every kind of account.
func TestProfile(t *testing.T) {
	tests := []struct {
		provider *account.Provider
		address  string
		device   Device
		extra    map[string]any
	}{
		{small, "anna@example.se", AnyDevice, map[string]any{"PayloadScope": "User"}},
		{small, "anna@example.se", Mac, map[string]any{"PayloadScope": "User"}},
		{small, "anna@example.se", Phone, map[string]any{"TargetDeviceType": uint64(1)}},
		{hostedExchange, "mail@domain.se", AnyDevice, map[string]any{"TargetDeviceType": uint64(1)}},
		{groupware, "anna@example.se", Mac, map[string]any{"TargetDeviceType": uint64(5), "PayloadScope": "User"}},
	}
	for _, test := range tests {
		s := settings(t, test.provider, test.address)
		id := newIdentity(testService, s.Address.Key())
		want := map[string]any{
			"PayloadType":         "Configuration",
			"PayloadVersion":      uint64(1),
			"PayloadIdentifier":   id.identifier,
			"PayloadUUID":         id.uuid(kindProfile),
			"PayloadDisplayName":  test.provider.DisplayName + ": " + test.address,
			"PayloadOrganization": test.provider.DisplayName,
			"PayloadDescription":  "Sets up your account at " + test.provider.DisplayName + " on this device. There is no password inside: you sign in on the device.",
		}
		for name, value := range test.extra {
			want[name] = value
		}
		got, _ := parse(t, document(t, s, Options{Device: test.device}))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("profile of %s on %q: -want +got:\n%s", test.provider.ID, test.device, diff)
		}
	}
}

// TestNames checks the names of payloads. An Exchange account is named by the address.
func TestNames(t *testing.T) {
	for _, test := range []struct {
		provider *account.Provider
		device   Device
		want     []string
	}{
		{withDAV, AnyDevice, []string{"Mail", "Calendars", "Contacts"}},
		{groupware, AnyDevice, []string{"anna@example.se"}},
		{groupware, Mac, []string{"anna@example.se"}},
	} {
		_, payloads := parse(t,
			document(t, settings(t, test.provider, "anna@example.se"), Options{Device: test.device}))
		var got []string
		for _, p := range payloads {
			got = append(got, p["PayloadDisplayName"].(string))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("names of the payloads of %s on %q: -want +got:\n%s", test.provider.ID, test.device, diff)
		}
	}
}

// TestSMIME checks that the S/MIME switches are there, except on a Mac.
func TestSMIME(t *testing.T) {
	switches := []string{"SMIMESigningUserOverrideable", "SMIMESigningCertificateUUIDUserOverrideable",
		"SMIMEEncryptByDefaultUserOverrideable", "SMIMEEncryptionCertificateUUIDUserOverrideable",
		"SMIMEEnableEncryptionPerMessageSwitch"}
	for _, test := range []struct {
		provider *account.Provider
		device   Device
		want     any
	}{
		{small, AnyDevice, true}, {small, Phone, true}, {hostedExchange, AnyDevice, true}, {small, Mac, nil},
		{groupware, Mac, nil},
	} {
		_, payloads := parse(t,
			document(t, settings(t, test.provider, "anna@example.se"), Options{Device: test.device}))
		for _, name := range switches {
			if got := payloads[0][name]; got != test.want {
				t.Errorf("%s on %q: %s is %v, want %v", test.provider.ID, test.device, name, got, test.want)
			}
		}
	}
}

// TestPrincipal checks that PrincipalURL is written where it is configured, except for
// contacts on a Mac.
func TestPrincipal(t *testing.T) {
	calendars, contacts := withDAV.Servers[2], withDAV.Servers[3]
	calendars.PrincipalURL, contacts.PrincipalURL = "/calendars/%EMAILLOCALPART%/", "/contacts/%EMAILLOCALPART%/"
	p := &account.Provider{DisplayName: "Example", Servers: []account.Server{calendars, contacts}}
	for device, want := range map[Device]any{AnyDevice: "/contacts/anna/", Phone: "/contacts/anna/", Mac: nil} {
		_, payloads := parse(t, document(t, settings(t, p, "anna@example.se"), Options{Device: device}))
		a, b := payloads[0]["CalDAVPrincipalURL"], payloads[1]["CardDAVPrincipalURL"]
		if a != "/calendars/anna/" || b != want {
			t.Errorf("device %q: PrincipalURLs = %v, %v, want /calendars/anna/, %v", device, a, b, want)
		}
	}
}

// TestMailOnly checks that a profile without calendars has the same bytes as that of a
// provider that has none.
func TestMailOnly(t *testing.T) {
	with := document(t, settings(t, withDAV, "anna@example.se"), Options{MailOnly: true})
	without := document(t, settings(t, small, "anna@example.se"), Options{})
	if !bytes.Equal(with, without) {
		t.Errorf("MailOnly: -without calendars +with:\n%s", cmp.Diff(string(without), string(with)))
	}
	_, payloads := parse(t, document(t, settings(t, groupware, "anna@example.se"), Options{MailOnly: true}))
	for name, want := range map[string]any{"EnableMail": nil, "EnableContacts": false, "EnableCalendars": false,
		"EnableReminders": false, "EnableNotes": false, "EnableCalendarsUserOverridable": nil} {
		if got := payloads[0][name]; got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

func TestToken(t *testing.T) {
	for _, test := range []struct {
		methods []account.Authentication
		device  Device
		want    any
	}{
		{token, AnyDevice, true},
		{token, Mac, true},
		{[]account.Authentication{account.OAuth2Auth, account.PasswordCleartext}, AnyDevice, nil},
		{[]account.Authentication{account.OAuth2Auth, account.NTLM}, AnyDevice, true}, // ActiveSync has no NTLM
		{[]account.Authentication{account.OAuth2Auth, account.NTLM}, Mac, nil},
	} {
		p := &account.Provider{DisplayName: "Example", Servers: []account.Server{
			withMethods(groupware.Servers[0], test.methods...), withMethods(groupware.Servers[1], test.methods...)}}
		_, payloads := parse(t, document(t, settings(t, p, "anna@example.se"), Options{Device: test.device}))
		if got := payloads[0]["OAuth"]; got != test.want {
			t.Errorf("%v on %q: OAuth is %v, want %v", test.methods, test.device, got, test.want)
		}
	}
}

// TestNoProfile checks that a provider without a complete profile gets an error with
// the reason, and never half a profile.
func TestNoProfile(t *testing.T) {
	imap, smtp := small.Servers[0], small.Servers[1]
	plain := server(account.IMAP, "imap.example.se", account.Plain)
	dav := withDAV.Servers[2]
	easAt := func(url string) account.Server { return web(account.ActiveSync, url) }
	tests := []struct {
		servers []account.Server
		device  Device
		reason  string
	}{
		{nil, AnyDevice, "there is no server that Apple's mail, calendar or contacts could use"},
		{[]account.Server{web(account.JMAP, "https://jmap.example.se/")}, AnyDevice, "there is no server that Apple's"},
		{[]account.Server{imap}, AnyDevice, "there is no smtp server"},
		{[]account.Server{plain, smtp}, AnyDevice, "imap imap.example.se:143: it is not encrypted"},
		{[]account.Server{plain, smtp, dav}, AnyDevice, "imap imap.example.se:143: it is not encrypted"},
		{[]account.Server{server(account.IMAP, "mail.%EMAILDOMAIN%", account.Plain), smtp}, AnyDevice,
			"imap mail.example.se:143: it is not encrypted"},
		{[]account.Server{imap, server(account.SMTP, "smtp.example.se", account.Plain)}, AnyDevice,
			"smtp smtp.example.se:587: it is not encrypted"},
		{[]account.Server{server(account.SMTP, "smtp.example.se", account.Plain), imap}, AnyDevice,
			"smtp smtp.example.se:587: it is not encrypted"},
		{[]account.Server{withMethods(imap, token...), smtp}, AnyDevice, "Apple's mail account cannot sign in with OAuth2"},
		{[]account.Server{withMethods(imap), smtp}, AnyDevice, "Apple's mail account cannot sign in with no method at all"},
		{[]account.Server{withMethods(imap, account.GSSAPI, account.TLSClientCert), smtp}, AnyDevice,
			"cannot sign in with GSSAPI or TLS-client-cert"},
		{hostedExchange.Servers, Mac, "a Mac does not speak ActiveSync"},
		{groupware.Servers[1:2], AnyDevice, "an iPhone or iPad does not speak Exchange Web Services"},
		{[]account.Server{easAt("http://ex.example.se/Microsoft-Server-ActiveSync")}, AnyDevice, "it is not encrypted"},
		{[]account.Server{easAt("https://ex.example.se:8443/Microsoft-Server-ActiveSync")}, AnyDevice, "no port but 443"},
		{[]account.Server{easAt("https://ex.example.se/push")}, AnyDevice, "no path but /Microsoft-Server-ActiveSync"},
		{[]account.Server{easAt("ex.example.se")}, AnyDevice, "not an http or https URL"},
		{[]account.Server{withMethods(groupware.Servers[0], account.NTLM)}, AnyDevice,
			"ActiveSync account cannot sign in with NTLM"},
		{[]account.Server{withMethods(groupware.Servers[1], account.GSSAPI)}, Mac,
			"Exchange account cannot sign in with GSSAPI"},
		{[]account.Server{web(account.CalDAV, "http://dav.example.se/")}, AnyDevice,
			"caldav http://dav.example.se/: it is not encrypted"},
		{[]account.Server{withMethods(dav, token...)}, AnyDevice, "cannot sign in with OAuth2"},
	}
	for _, test := range tests {
		p := &account.Provider{DisplayName: "Example", Servers: test.servers}
		got, err := Document(settings(t, p, "anna@example.se"), Options{Service: testService, Device: test.device})
		if _, ok := errors.AsType[*NoProfileError](err); !ok || !strings.Contains(err.Error(), test.reason) {
			t.Errorf("Document = %s, %v, want a *NoProfileError with %q", got, err, test.reason)
		}
		const noSMTP = "there is no smtp server"
		hasSMTP := slices.ContainsFunc(test.servers, func(s account.Server) bool { return s.Type == account.SMTP })
		if err != nil && hasSMTP && strings.Contains(err.Error(), noSMTP) {
			t.Errorf("Document with an smtp server: %v, want no word that there is none", err)
		}
	}
}

// TestSelection checks which of several servers the profile holds.
func TestSelection(t *testing.T) {
	imap, smtp, pop := small.Servers[0], small.Servers[1], server(account.POP3, "pop.example.se", account.SSL)
	plain := server(account.IMAP, "plain.example.se", account.Plain)
	starttls := server(account.IMAP, "starttls.example.se", account.STARTTLS)
	eas, ews, dav := groupware.Servers[0], groupware.Servers[1], withDAV.Servers[2]
	tests := []struct {
		servers []account.Server
		device  Device
		want    string // types of the payloads and, for mail, the host
	}{
		{[]account.Server{pop, imap, smtp}, AnyDevice, "mail imap.example.se"},
		{[]account.Server{starttls, imap, smtp}, AnyDevice, "mail imap.example.se"},
		{[]account.Server{imap, server(account.IMAP, "second.example.se", account.SSL), smtp}, AnyDevice,
			"mail imap.example.se"},
		{[]account.Server{plain, starttls, smtp}, AnyDevice, "mail starttls.example.se"},
		{[]account.Server{plain, pop, smtp}, AnyDevice, "mail pop.example.se"},
		{[]account.Server{withMethods(imap, token...), pop, smtp}, AnyDevice, "mail pop.example.se"},
		{[]account.Server{imap, smtp, eas, ews, dav}, AnyDevice, "mail imap.example.se caldav"},
		{[]account.Server{imap, smtp, eas, ews, dav}, Mac, "mail imap.example.se caldav"},
		{[]account.Server{eas, ews, imap, smtp, dav}, AnyDevice, "eas"},
		{[]account.Server{eas, ews, imap, smtp, dav}, Mac, "ews"},
		{[]account.Server{eas, imap, smtp, dav}, Mac, "mail imap.example.se caldav"},
		{[]account.Server{imap, eas}, AnyDevice, "eas"}, // no smtp: no mail account
		{[]account.Server{imap, smtp, web(account.CalDAV, "http://dav.example.se")}, AnyDevice, "mail imap.example.se"},
		{[]account.Server{dav}, AnyDevice, "caldav"},
	}
	for _, test := range tests {
		p := &account.Provider{DisplayName: "Example", Servers: test.servers}
		_, payloads := parse(t, document(t, settings(t, p, "anna@example.se"), Options{Device: test.device}))
		var got []string
		for _, p := range payloads {
			got = append(got, strings.Split(p["PayloadType"].(string), ".")[2])
			if host, ok := p["IncomingMailServerHostName"]; ok {
				got = append(got, host.(string))
			}
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("payloads for %v on %q = %q, want %q", test.servers, test.device, s, test.want)
		}
	}
}

// TestIdentity checks that the identifiers of a profile are the same for all spellings
// of the address and for all devices, and differ in all other cases. The fixed values
// must never change, because profiles with them are installed on devices. They were
// computed with Python's hashlib and uuid.uuid5.
func TestIdentity(t *testing.T) {
	identifiers := func(host, address string, o Options) (ids []string) {
		o.Service = host
		text, err := Document(settings(t, withDAV, address), o)
		if err != nil {
			t.Fatal(err)
		}
		profile, payloads := parse(t, text)
		for _, p := range append(payloads, profile) {
			ids = append(ids, p["PayloadIdentifier"].(string), p["PayloadUUID"].(string))
		}
		return ids
	}
	anna := identifiers(testService, "anna@example.se", Options{})
	want := []string{
		"com.mamutmail.setup.mail.f2a216c0b7bc0f42c605b87b114643d4.mail", "f34ca805-3354-54c2-a0dc-7952a295ff09",
		"com.mamutmail.setup.mail.f2a216c0b7bc0f42c605b87b114643d4.caldav", "db966d7c-c96c-5da7-870d-ca6bb1747fa6",
		"com.mamutmail.setup.mail.f2a216c0b7bc0f42c605b87b114643d4.carddav", "4eb21944-d5cd-5d94-902a-3c96a09aac16",
		"com.mamutmail.setup.mail.f2a216c0b7bc0f42c605b87b114643d4", "3afb31af-d6e7-532b-857d-0257a5d8f15c",
	}
	if diff := cmp.Diff(want, anna); diff != "" {
		t.Errorf("fixed values: -want +got:\n%s", diff)
	}
	for _, same := range [][]string{
		identifiers(testService, "Anna@Example.SE", Options{}),
		identifiers(testService, " anna@example.se ", Options{Name: "Anna", Texts: Texts{Description: "x"}}),
		identifiers("Setup.MamutMail.com.", "anna@example.se", Options{Device: Mac}),
	} {
		if diff := cmp.Diff(anna, same); diff != "" {
			t.Errorf("the same mailbox, spelled otherwise: -want +got:\n%s", diff)
		}
	}
	seen := map[string]bool{}
	for _, ids := range [][]string{
		anna,
		identifiers(testService, "anna+x@example.se", Options{}),
		identifiers(testService, "anna@example.com", Options{}),
		identifiers("setup.example.se", "anna@example.se", Options{}),
		identifiers("", "anna@example.se", Options{}),
	} {
		for _, id := range ids {
			if seen[id] {
				t.Errorf("identifier %s belongs to two mailboxes or services", id)
			}
			seen[id] = true
		}
	}
}

func TestNoAddress(t *testing.T) {
	for _, a := range []account.Address{{}, account.AnyAt("example.se")} {
		_, err := Document(account.Settings{Address: a, Login: a, Provider: small, Servers: small.Servers}, Options{})
		if err != ErrNoAddress {
			t.Errorf("Document for %v: %v, want ErrNoAddress", a, err)
		}
	}
}

// TestAlias checks that a person sends from the alias and signs in to the mailbox.
func TestAlias(t *testing.T) {
	s := settings(t, small, "kontakt@example.se")
	s.Login, _ = account.ParseAddress("anna@example.se")
	_, payloads := parse(t, document(t, s, Options{}))
	for name, want := range map[string]string{"EmailAddress": "kontakt@example.se",
		"EmailAccountDescription":    "kontakt@example.se",
		"IncomingMailServerUsername": "anna@example.se", "OutgoingMailServerUsername": "anna@example.se"} {
		if got := payloads[0][name]; got != want {
			t.Errorf("%s = %v, want %s", name, got, want)
		}
	}
}

// TestCleanName checks what is kept of a stranger's name.
func TestCleanName(t *testing.T) {
	long := strings.Repeat("å", 99)
	tests := []struct{ name, want string }{
		{"Anna Ek", "Anna Ek"},
		{"Åsa \"Öberg\" & Søn <日本> 😀", "Åsa \"Öberg\" & Søn <日本> 😀"},
		{"A\u030asa", "A\u030asa"}, // not composed: as it was given
		{"👩\u200d💻 \u0645\u06cc\u200c\u062e\u0648\u0627", "👩\u200d💻 \u0645\u06cc\u200c\u062e\u0648\u0627"}, // joiners
		{"  Anna \t\r\n Ek  ", "Anna Ek"},
		{"Åsa \xff Öberg", "Åsa Öberg"},
		{strings.Repeat("å", 150), strings.Repeat("å", 100)},
		{"👩‍👩‍👧", "👩‍👩‍👧"},
		{"Anna\x00\x1b[31mEk\x7f\u0085", "Anna[31mEk"},
		{"\u202eke annA\u202c", "ke annA"},
		{"\u2066a\u2069\u200e\u200f\u061c\ufeff", "a"},
		{"a\ufffe\U0001ffffb\ufdd0", "ab"},
		{"a\xffb", "ab"},
		{"a\u2028b", "a b"},
		{long + "bc", long + "b"},
		{long + "b c", long + "b"},
		{long + " b", long}, // no space at the end
		{"", ""},
		{" \n ", ""},
		{"%s%d {{7*7}} ${x} ]]>", "%s%d {{7*7}} ${x} ]]>"},
	}
	for _, test := range tests {
		if got := CleanName(test.name); got != test.want {
			t.Errorf("CleanName(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}
