package format

import (
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"signpost/internal/importer/draft"
)

const profileStart = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>PayloadType</key><string>Configuration</string>
<key>PayloadDisplayName</key><string>Ek &amp; Al</string><key>PayloadContent</key><array>
`

// profileOf returns a profile with payloads, each on a line of its own from line 4 on.
func profileOf(payloads ...string) string {
	return profileStart + strings.Join(payloads, "\n") + "\n</array></dict></plist>\n"
}

// payloadOf returns a payload of a type with the fields of a mail account, or others: name=value.
func payloadOf(kind string, fields ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<dict><key>PayloadType</key><string>com.apple.%s</string>", kind)
	for _, field := range fields {
		key, value, _ := strings.Cut(field, "=")
		if !strings.HasPrefix(value, "<") {
			value = "<string>" + value + "</string>"
		}
		fmt.Fprintf(&b, "<key>%s</key>%s", key, value)
	}
	return b.String() + "</dict>"
}

// mailOf returns the payload of a mail account whose other fields follow.
func mailOf(address, user string, fields ...string) string {
	return payloadOf("mail.managed",
		append([]string{"EmailAddress=" + address, "IncomingMailServerHostName=imap.ek.example",
			"IncomingMailServerUseSSL=<true/>", "IncomingMailServerUsername=" + user, "OutgoingMailServerHostName=smtp.ek.example",
			"OutgoingMailServerUseSSL=<true/>", "OutgoingMailServerUsername=" + user}, fields...)...)
}

// TestProfiles reads profiles that are not as simple as the first one.
func TestProfiles(t *testing.T) {
	anna := mailOf("anna@ek.example", "anna@ek.example")
	const both = "ek.example: imap.ek.example:993 SSL as %EMAILADDRESS%\nek.example: smtp.ek.example:465 SSL as %EMAILADDRESS%\n"
	signed := func(text string) string { // octet strings one after the other, as openssl cms -stream writes them
		out := "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x24\x80"
		for text != "" {
			n := min(len(text), 300)
			out += fmt.Sprintf("\x04\x82%c%s", n>>8, string([]byte{byte(n)})) + text[:n]
			text = text[n:]
		}
		return out + "\x00\x00\x00\x00\x00\x00"
	}
	for _, row := range []struct{ name, text, want string }{
		{"one", profileOf(anna), both},
		{"two people", profileOf(anna, mailOf("bo@al.example", "bo@al.example")), both +
			"al.example: imap.ek.example:993 SSL as %EMAILADDRESS%\nal.example: smtp.ek.example:465 SSL as %EMAILADDRESS%\n"},
		{"another case", profileOf(mailOf("Anna@EK.example", "anna@ek.EXAMPLE")), both},
		{"local part", profileOf(mailOf("Anna@ek.example", "anna")), strings.ReplaceAll(both, "ADDRESS", "LOCALPART")},
		{"domain", profileOf(mailOf("anna@ek.example", `EK\anna`)), strings.ReplaceAll(both, "ADDRESS", "LOCALPART")},
		{"own name", profileOf(mailOf("anna@ek.example", "web1p1")), both + "guessed: the user name of imap: the address\n" +
			"guessed: the user name of smtp: the address\n" +
			"lost: 4 the imap account: its user name is one person's own, and follows no rule; give those of others under accounts\n" +
			"lost: 4 the smtp account: its user name is one person's own, and follows no rule; give those of others under accounts\n"},
		{"no address", profileOf(strings.Replace(anna, "<key>EmailAddress</key><string>anna@ek.example</string>", "", 1)), both +
			"guessed: the domain, from the user name: the profile names no mail address\n"},
		{"neither", profileOf(mailOf("%Email%", "$USERNAME")), "lost: 4 the profile names no mail address, so its domain is not known\n"},
		{"a comment", profileOf("<!-- <key>PayloadType</key><string>com.apple.vpn</string><key>Password</key><string>x</string> -->", anna), both},
		{"secrets", profileOf(mailOf("anna@ek.example", "anna@ek.example", "IncomingPassword=geheim", "OutgoingPassword=geheim",
			"OutgoingPasswordSameAsIncomingPassword=<true/>")), both +
			"lost: 4 IncomingPassword is left out, as a secret\nlost: 4 OutgoingPassword is left out, as a secret\n"},
		{"another payload", profileOf(anna, payloadOf("wifi.managed", "Password=geheim")), both + "lost: 5 Password is left out, as a secret\n" +
			"lost: 5 the payload com.apple.wifi.managed is about something else than mail, calendars and contacts\n"},
		{"bad ports", profileOf(mailOf("anna@ek.example", "anna@ek.example", "IncomingMailServerPortNumber=<integer>99999</integer>",
			"OutgoingMailServerPortNumber=1465")), both +
			"lost: 4 IncomingMailServerPortNumber: \"99999\" is not a port, and the usual one is taken\n" +
			"lost: 4 OutgoingMailServerPortNumber: \"1465\" is not a port, and the usual one is taken\n"},
		{"calendars of both", profileOf(anna, mailOf("bo@al.example", "bo@al.example"),
			payloadOf("caldav.account", "CalDAVHostName=dav.ek.example", "CalDAVUsername=bo@al.example", "CalDAVPrincipalURL=/dav/bo%40al.example/"),
			payloadOf("carddav.account", "CardDAVHostName=dav.ek.example", "CardDAVUsername=ANNA", "CardDAVPrincipalURL=/dav/anna/")),
			both + "ek.example: https://dav.ek.example/:0  as %EMAILLOCALPART%\n" +
				"al.example: imap.ek.example:993 SSL as %EMAILADDRESS%\nal.example: smtp.ek.example:465 SSL as %EMAILADDRESS%\n" +
				"al.example: https://dav.ek.example/:0  as %EMAILADDRESS%\n"},
		{"calendar first", profileOf(payloadOf("caldav.account", "CalDAVHostName=dav.ek.example", "CalDAVUsername=anna"), anna),
			"ek.example: https://dav.ek.example/:0  as %EMAILLOCALPART%\n" + both},
		{"URL for a host", profileOf(anna, payloadOf("eas.account", "Host=https://eas.ek.example", "UserName=anna", "EmailAddress=anna@ek.example")),
			both + "lost: 5 Host: \"https://eas.ek.example\" is a URL, and devices want a host name there\n"},
		{"signed in pieces", signed(profileOf(anna, "<!-- "+strings.Repeat("å", 2000)+" -->")), both},
		{"PEM", string(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: []byte(signed(profileOf(anna)))})), both},
		{"UTF-16", "\xff\xfe<\x00", "file: the file is in UTF-16; save it in UTF-8"},
		{"binary", "bplist00PayloadContent", "file: the profile is a binary property list; plutil -convert xml1 makes one in XML of it"},
		{"encrypted", strings.Replace(profileOf(), "<key>PayloadContent</key><array>", "<key>EncryptedPayloadContent</key><data>aa</data><key>PayloadContent</key><array>", 1),
			"file:3: the profile is encrypted; export it without a recipient"},
		{"cut off", profileOf(anna)[:400], "file:4: unexpected EOF"},
		{"an entity", "<!DOCTYPE a [<!ENTITY a 'aaa'>]>\n<plist><dict><key>&a;</key></dict></plist>", "file:2: invalid character entity &a;"},
		{"deep", "<plist>" + strings.Repeat("<array>", 1000), "file:1: there are too many values within one another"},
		{"no plist", "<plist><dict><string>PayloadContent</string></dict></plist>", "file:1: <string> comes where it has no place"},
		{"Wi-Fi alone", profileOf(payloadOf("wifi.managed")), "file: the profile sets up no mail, calendars or contacts"},
	} {
		var d draft.Draft
		got := ""
		if err := byName(t, "mobileconfig").Read([]File{{Path: "file", Data: []byte(row.text)}}, &d); err != nil {
			got = err.Error()
		} else {
			got = told(&d)
		}
		if got != row.want {
			t.Errorf("%s: reading gives\n%s\nwant\n%s", row.name, got, row.want)
		}
	}
}
