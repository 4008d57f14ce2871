package living

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/doctor/probe/network"
	"signpost/internal/freeport"
	"signpost/internal/golden"
	"signpost/internal/importer"
	"signpost/internal/importer/draft"
	"signpost/internal/importer/town"
)

// config returns an autoconfig document with sections.
func config(sections ...string) string {
	return `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="hamn"><domain>udde.example</domain>` +
		`<displayName>Hamn Mail</displayName>` + strings.Join(sections, "") + `</emailProvider></clientConfig>`
}

// section returns a server section, for "imap imap.hamn.example 993 SSL" and a user name.
func serverSection(server, username string) string {
	words := strings.Fields(server)
	element := "incomingServer"
	if words[0] == "smtp" {
		element = "outgoingServer"
	}
	return fmt.Sprintf(`<%s type="%s"><hostname>%s</hostname><port>%s</port><socketType>%s</socketType><username>%s</username>`+
		`<authentication>password-cleartext</authentication></%s>`, element, words[0], words[1], words[2], words[3], username, element)
}

// pox returns an answer of Autodiscover with protocols, each "IMAP imap.hamn.example 993".
func pox(login string, protocols ...string) string {
	var all string
	for _, p := range protocols {
		words := strings.Fields(p)
		all += fmt.Sprintf(`<Protocol><Type>%s</Type><Server>%s</Server><Port>%s</Port><LoginName>%s</LoginName>`+
			`<SSL>on</SSL><SPA>off</SPA></Protocol>`, words[0], words[1], words[2], login)
	}
	return poxOf(`<Account><AccountType>email</AccountType><Action>settings</Action>` + all + `</Account>`)
}

func poxOf(content string) string {
	return `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
		`<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">` + content +
		`</Response></Autodiscover>`
}

// withOAuth2 adds the place that gives out tokens to a document.
func withOAuth2(document, issuer string) string {
	return strings.Replace(document, "</clientConfig>", "<oAuth2><issuer>"+issuer+"</issuer><scope>mail</scope><authURL>https://"+
		issuer+"/auth</authURL><tokenURL>https://"+issuer+"/token</tokenURL></oAuth2></clientConfig>", 1)
}

const phone = `<?xml version="1.0"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">` +
	`<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"><Action><Settings><Server>` +
	`<Type>MobileSync</Type><Url>https://sync.hamn.example/Microsoft-Server-ActiveSync</Url>` +
	`<Name>https://sync.hamn.example/Microsoft-Server-ActiveSync</Name></Server></Settings></Action></Response></Autodiscover>`

const paccDocument = `{"protocols":{"imap":{"host":"imap.hamn.example"},"smtp":{"host":"smtp.hamn.example"}},` +
	`"authentication":{"password":true}}`

func paccRecord() string {
	sum := sha256.Sum256([]byte(paccDocument))
	return `_ua-auto-config.udde.example. 300 IN TXT "v=UAAC1; a=sha256; d=` +
		base64.StdEncoding.EncodeToString(sum[:]) + `"`
}

const (
	autoconfigURL = "GET https://autoconfig.udde.example/mail/config-v1.1.xml"
	wellKnownURL  = "GET https://udde.example/.well-known/autoconfig/mail/config-v1.1.xml"
	plainURL      = "GET http://autoconfig.udde.example/mail/config-v1.1.xml"
	poxURL        = "https://autodiscover.udde.example/autodiscover/autodiscover.xml"
	jsonURL       = "GET https://autodiscover.udde.example/autodiscover/autodiscover.json"

	autoconfigHost   = "autoconfig.udde.example. 300 IN A $ADDRESS"
	autodiscoverHost = "autodiscover.udde.example. 300 IN A $ADDRESS"
	imapRecord       = "_imaps._tcp.udde.example. 300 IN SRV 0 1 993 imap.hamn.example."
	mxRecord         = "udde.example. 300 IN MX 10 mx1.in.hamn.example."
)

var (
	hamnIMAP = serverSection("imap imap.hamn.example 993 SSL", "%EMAILADDRESS%")
	hamnSMTP = serverSection("smtp smtp.hamn.example 465 SSL", "%EMAILADDRESS%")
)

// places are domains with what the network says of them.
var places = []struct {
	name  string
	zone  []string
	pages map[string]town.Page
	// found is whether anything is; contradictions the number of them.
	found          bool
	contradictions int
}{
	{
		name: "healthy", found: true,
		zone: []string{autoconfigHost, autodiscoverHost, mxRecord, imapRecord, paccRecord(),
			"ua-auto-config.udde.example. 300 IN A $ADDRESS",
			"_imap._tcp.udde.example. 300 IN SRV 0 0 0 .",
			"_submissions._tcp.udde.example. 300 IN SRV 0 1 465 smtp.hamn.example.",
			"_submission._tcp.udde.example. 300 IN SRV 5 1 587 smtp.hamn.example.",
			"_caldavs._tcp.udde.example. 300 IN SRV 0 1 443 dav.hamn.example.",
			`_caldavs._tcp.udde.example. 300 IN TXT "path=/dav/"`,
			"_jmap._tcp.udde.example. 300 IN SRV 0 1 443 jmap.hamn.example.",
			"_sieve._tcp.udde.example. 300 IN SRV 0 1 4190 imap.hamn.example."},
		pages: map[string]town.Page{
			autoconfigURL:     {Body: config(hamnIMAP, hamnSMTP)},
			"POST " + poxURL:  {Body: pox("postmaster@udde.example", "IMAP imap.hamn.example 993", "SMTP smtp.hamn.example 465")},
			"PHONE " + poxURL: {Body: phone},
			jsonURL + "?Email=postmaster%40udde.example&Protocol=ActiveSync":                    {Type: "application/json", Body: `{"Protocol":"ActiveSync","Url":"https://sync.hamn.example/Microsoft-Server-ActiveSync"}`},
			"GET https://ua-auto-config.udde.example/.well-known/user-agent-configuration.json": {Type: "application/json", Body: paccDocument},
		},
	},
	{name: "nothing", zone: []string{"udde.example. 300 IN A $ADDRESS"}},
	{
		name: "microsoft", found: true,
		zone: []string{"udde.example. 300 IN MX 0 udde-example.mail.protection.outlook.com.",
			"autodiscover.udde.example. 300 IN CNAME autodiscover.outlook.com."},
	},
	{
		name: "contradiction", found: true, contradictions: 6,
		zone: []string{autoconfigHost, autodiscoverHost, mxRecord,
			"udde.example. 300 IN A $ADDRESS",
			"_imaps._tcp.udde.example. 300 IN SRV 0 1 993 mail.gammal.example.",
			"_submission._tcp.udde.example. 300 IN SRV 0 0 0 .",
			"imap.hamn.example. 300 IN A 127.0.0.1", "mail.gammal.example. 300 IN A 127.0.0.2"},
		pages: map[string]town.Page{
			autoconfigURL: {Body: config(hamnIMAP, serverSection("smtp smtp.hamn.example 587 STARTTLS", "%EMAILADDRESS%"))},
			wellKnownURL: {Body: config(serverSection("imap imap.hamn.example 993 STARTTLS", "%EMAILLOCALPART%"),
				serverSection("smtp smtp.hamn.example 587 STARTTLS", "%EMAILADDRESS%"))},
			"POST " + poxURL: {Body: pox("postmaster", "IMAP imap.hamn.example 993", "SMTP smtp.hamn.example 25")},
		},
	},
	{
		name: "microsoft-by-mx", found: true, zone: []string{"udde.example. 300 IN MX 0 udde-example.mail.protection.outlook.com."},
	},
	{
		name: "left-over", found: true, contradictions: 1, // of the former provider
		zone: []string{autoconfigHost, mxRecord, "autodiscover.udde.example. 300 IN CNAME autodiscover.outlook.com."},
		pages: map[string]town.Page{
			autoconfigURL: {Body: config(hamnIMAP, hamnSMTP)},
		},
	},
	{
		name: "exchange", found: true,
		zone: []string{autodiscoverHost, "exchange.hamn.example. 300 IN A $ADDRESS"},
		pages: map[string]town.Page{
			"POST " + poxURL: {Status: 302, Location: "https://exchange.hamn.example/autodiscover/autodiscover.xml"},
			"POST https://exchange.hamn.example/autodiscover/autodiscover.xml": {Body: poxOf(`<Account><AccountType>email</AccountType>` +
				`<Action>settings</Action><Protocol><Type>EXCH</Type><Server>x.hamn.example</Server></Protocol></Account>`)},
		},
	},
	{
		name: "another-address", found: true, // at the domain that Exchange knows the mailboxes by
		zone: []string{autodiscoverHost},
		pages: map[string]town.Page{
			"POST " + poxURL: {Body: poxOf(`<Account><AccountType>email</AccountType><Action>redirectAddr</Action>` +
				`<RedirectAddr>postmaster@udde.hamn.example</RedirectAddr></Account>`)},
		},
	},
	{
		name: "password", found: true, contradictions: 1, // is asked for by Autodiscover; and two issuers
		zone: []string{autoconfigHost, autodiscoverHost, "udde.example. 300 IN A $ADDRESS"},
		pages: map[string]town.Page{
			autoconfigURL:     {Body: withOAuth2(config(hamnIMAP, hamnSMTP), "login.hamn.example")},
			wellKnownURL:      {Body: withOAuth2(config(hamnIMAP, hamnSMTP), "login.gammal.example")},
			"POST " + poxURL:  {Status: 401},
			"PHONE " + poxURL: {Status: 401},
		},
	},
	{
		name: "hoster", found: true, // only the MX host's domain has a document
		zone: []string{mxRecord, "autoconfig.hamn.example. 300 IN A $ADDRESS"},
		pages: map[string]town.Page{
			"GET https://autoconfig.hamn.example/mail/config-v1.1.xml": {Body: config(hamnIMAP, hamnSMTP)},
		},
	},
	{
		name: "with-address", found: true, // nothing is said without one, and then the mailbox's own values
		zone: []string{autoconfigHost},
		pages: map[string]town.Page{
			autoconfigURL: {Status: 400},
			autoconfigURL + "?emailaddress=postmaster%40udde.example": {Body: config(
				serverSection("imap imap.hamn.example 993 SSL", "postmaster"), serverSection("smtp smtp.hamn.example 465 SSL", "postmaster_udde.example"))},
		},
	},
	{
		name: "another-name", found: true, // of the same machine, and a further port of it
		zone: []string{autoconfigHost, "_imaps._tcp.udde.example. 300 IN SRV 0 1 993 mail.udde.example.",
			"_submission._tcp.udde.example. 300 IN SRV 0 1 587 smtp.hamn.example.",
			"imap.hamn.example. 300 IN A 127.0.0.1", "mail.udde.example. 300 IN A 127.0.0.1"},
		pages: map[string]town.Page{autoconfigURL: {Body: config(hamnIMAP, hamnSMTP)}},
	},
	{
		name: "untrusted", // a redirect by http, a bad certificate, a redirect to http, no digest
		zone: []string{autoconfigHost, "udde.example. 300 IN A $ADDRESS", "bad.autoconfig.hamn.example. 300 IN A $ADDRESS",
			"ua-auto-config.udde.example. 300 IN A $ADDRESS"},
		pages: map[string]town.Page{
			plainURL:      {Status: 302, Location: "https://autoconfig.hamn.example/mail/config-v1.1.xml"},
			autoconfigURL: {Status: 302, Location: "https://bad.autoconfig.hamn.example/mail/config-v1.1.xml"},
			wellKnownURL:  {Status: 302, Location: "http://udde.example/other"},
			"GET https://bad.autoconfig.hamn.example/mail/config-v1.1.xml": {Body: config(hamnIMAP, hamnSMTP)},
			"GET http://udde.example/other":                                {Body: config(hamnIMAP, hamnSMTP)},
			"GET https://ua-auto-config.udde.example/.well-known/user-agent-configuration.json": {Type: "application/json",
				Body: paccDocument},
		},
	},
	{
		name: "hostile", // nothing of this may be taken
		zone: []string{autoconfigHost, autodiscoverHost, "udde.example. 300 IN A $ADDRESS", "_imap._tcp.udde.example. 300 IN SRV 0 1 0 imap.hamn.example.",
			`_caldavs._tcp.udde.example. 300 IN TXT "path=/dav\"/"`},
		pages: map[string]town.Page{
			autoconfigURL: {Body: config(serverSection("imap 192.0.2.1 993 SSL", "x"), serverSection("imap localhost 993 SSL", "x"), serverSection("imap imap.hamn.example 993 SSL", "x\u009b2J"),
				serverSection("smtp -x.example 465 SSL", "x"))},
			wellKnownURL:     {Body: strings.Repeat("<a>", 100_000)},
			plainURL:         {Body: `<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><clientConfig>&c;</clientConfig>`},
			"POST " + poxURL: {Body: poxOf(`<Account><AccountType>email</AccountType><Action>redirectUrl</Action><RedirectUrl>` + poxURL + `</RedirectUrl></Account>`)},
			jsonURL:          {Type: "application/json", Body: `{"Protocol":"ActiveSync","Url":"http://a:b@udde.example/\u001b[2J"}`},
		},
	},
}

// TestPlaces asks real servers about domains, and compares what the survey says and what is drafted
// with golden files.
func TestPlaces(t *testing.T) {
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			internet := town.Start(t, place.pages, place.zone...)
			s, err := Ask(t.Context(), internet.Network(t), "udde.example")
			if err != nil {
				t.Fatal(err)
			}
			if s.Found() != place.found || len(s.Contradictions) != place.contradictions {
				t.Errorf("found %v, contradictions %q; want %v and %d",
					s.Found(), s.Contradictions, place.found, place.contradictions)
			}
			if len(s.Unknown) > 0 {
				t.Errorf("Unknown = %q, want all answered", s.Unknown)
			}
			var out strings.Builder
			if err := s.WriteText(&out); err != nil {
				t.Fatal(err)
			}
			if s.Found() {
				var d draft.Draft
				s.Draft(&d)
				out.WriteString("\n" + written(&d))
				if _, err := importer.Save(t.Context(), filepath.Join(t.TempDir(), "signpost.yaml"), false, &d); err != nil {
					t.Errorf("the draft becomes no configuration: %v", err)
				}
			}
			golden.Check(t, "testdata/"+place.name+".golden", []byte(out.String()))
			for _, asked := range internet.Asked() {
				if strings.Contains(asked, "@") && !strings.Contains(asked, "postmaster@udde.example") {
					t.Errorf("a server was asked %q, want no mailbox but postmaster's", asked)
				}
			}
		})
	}
}

// written writes a draft as a reader of a golden file sees it best.
func written(d *draft.Draft) string {
	var b strings.Builder
	p := d.Products[0]
	fmt.Fprintf(&b, "# draft from %s\n%q for %v\n", d.Title, p.Provider.DisplayName, p.Domains)
	for _, s := range p.Provider.Servers {
		fmt.Fprintf(&b, "%s %s, login %q, %s\n", s.Type, placeOf(s), text(s.Login), methods(s.Authentication))
	}
	if r := p.Provider.AutodiscoverRedirect; r != nil {
		fmt.Fprintf(&b, "autodiscover at %s%s\n", r.Hostname, r.Address)
	}
	for _, guess := range p.Guesses {
		fmt.Fprintf(&b, "guessed: %s\n", guess)
	}
	for _, r := range d.Lost {
		fmt.Fprintf(&b, "lost: %s: %s\n", r.Place, r.Text)
	}
	for _, hint := range d.Hints {
		fmt.Fprintf(&b, "hint: %s\n", hint)
	}
	return b.String()
}

// TestSilence checks that servers that do not answer are named, and are not taken for a no.
func TestSilence(t *testing.T) {
	internet := town.Start(t,
		map[string]town.Page{autoconfigURL: {Status: 503}, wellKnownURL: {Body: config(hamnIMAP, hamnSMTP)}},
		autoconfigHost, "udde.example. 300 IN A $ADDRESS")
	s, err := Ask(t.Context(), internet.Network(t), "udde.example")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"https://autoconfig.udde.example/mail/config-v1.1.xml: its server fails with status 503"}
	if !slices.Equal(s.Unknown, want) {
		t.Errorf("Unknown = %q, want %q", s.Unknown, want)
	}
}

// TestNoDNS checks that a resolver that does not answer is an error, and no list of questions.
func TestNoDNS(t *testing.T) {
	n, err := network.New(network.Options{Servers: []string{"127.0.0.1:" + freeport.Choose(t)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Ask(t.Context(), n, "udde.example")
	if _, ok := errors.AsType[*DNSError](err); !ok {
		t.Errorf("Ask without DNS = %v, want a *DNSError", err)
	}
}

func TestGeneralise(t *testing.T) {
	a, err := account.ParseAddress("postmaster@udde.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ text, want string }{
		{"postmaster@udde.example", "%EMAILADDRESS%"},
		{"postmaster", "%EMAILLOCALPART%"},
		{"Postmaster", "%EMAILLOCALPART%"},
		{"postmaster_udde.example", "%EMAILLOCALPART%_%EMAILDOMAIN%"},
		{`KUND\postmaster`, `KUND\%EMAILLOCALPART%`},
		{"postmasters", "postmasters"},
		{"udde.example", "udde.example"},
		{"u67578", "u67578"},
		{"%EMAILADDRESS%", "%EMAILADDRESS%"},
	} {
		if got := generalise(row.text, a); got != row.want {
			t.Errorf("generalise(%q) = %q, want %q", row.text, got, row.want)
		}
	}
}
