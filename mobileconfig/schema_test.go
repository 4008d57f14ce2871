package mobileconfig

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"howett.net/plist"
)

// Apple's tables of github.com/apple/device-management, branch release, commit
// b6202ca2fbd31286a52eb160b67a4db7b4fe1f1f (iOS 18.1, macOS 15.1), directory
// mdm/profiles, one key a line: key, type, R where required, the systems that
// have it where not all that have the payload do, and its values.
// com.apple.jabber and other payloads that should not be sent are left out, so that
// they are reported.
var schema = map[string]struct {
	os   string
	keys string
}{
	"Configuration": {"iOS macOS", `
		PayloadIdentifier string R
		PayloadUUID string R
		PayloadType string R values=Configuration
		PayloadVersion integer R values=1
		PayloadContent array R
		PayloadDisplayName string
		PayloadDescription string
		PayloadOrganization string
		PayloadRemovalDisallowed boolean
		HasRemovalPasscode boolean
		PayloadScope string macOS values=System|User
		RemovalDate date
		DurationUntilRemoval real
		PayloadExpirationDate date
		ConsentText dictionary
		TargetDeviceType integer values=0|1|2|3|4|5|6
		IsEncrypted boolean
		EncryptedPayloadContent data`},
	"common": {"iOS macOS", `
		PayloadIdentifier string R
		PayloadUUID string R
		PayloadType string R
		PayloadVersion integer R values=1
		PayloadDescription string
		PayloadDisplayName string
		PayloadOrganization string`},
	"com.apple.mail.managed": {"iOS macOS", `
		EmailAccountType string R values=EmailTypeIMAP|EmailTypePOP
		IncomingMailServerAuthentication string R values=EmailAuthNone|EmailAuthPassword|EmailAuthCRAMMD5|EmailAuthNTLM|EmailAuthHTTPMD5
		IncomingMailServerHostName string R
		OutgoingMailServerAuthentication string R values=EmailAuthNone|EmailAuthPassword|EmailAuthCRAMMD5|EmailAuthNTLM|EmailAuthHTTPMD5
		OutgoingMailServerHostName string R
		EmailAccountDescription string
		EmailAccountName string
		EmailAddress string
		IncomingMailServerPortNumber integer
		OutgoingMailServerPortNumber integer
		IncomingMailServerUseSSL boolean
		OutgoingMailServerUseSSL boolean
		IncomingMailServerUsername string
		OutgoingMailServerUsername string
		IncomingPassword string
		OutgoingPassword string
		OutgoingPasswordSameAsIncomingPassword boolean
		IncomingMailServerIMAPPathPrefix string
		PreventMove boolean iOS
		PreventAppSheet boolean iOS
		disableMailRecentsSyncing boolean
		allowMailDrop boolean
		SMIMEEnabled boolean iOS
		SMIMESigningEnabled boolean iOS
		SMIMEEncryptionEnabled boolean iOS
		SMIMESigningCertificateUUID string iOS
		SMIMEEncryptionCertificateUUID string iOS
		SMIMESigningUserOverrideable boolean iOS
		SMIMESigningCertificateUUIDUserOverrideable boolean iOS
		SMIMEEncryptByDefault boolean iOS
		SMIMEEncryptByDefaultUserOverrideable boolean iOS
		SMIMEEncryptionCertificateUUIDUserOverrideable boolean iOS
		SMIMEEnableEncryptionPerMessageSwitch boolean iOS
		VPNUUID string iOS`},
	"com.apple.eas.account": {"iOS", `
		EmailAddress string
		Host string
		SSL boolean
		OAuth boolean
		OAuthSignInURL string
		OAuthTokenRequestURL string
		UserName string
		Password string
		OverridePreviousPassword boolean
		MailNumberOfPastDaysToSync integer values=0|1|3|7|14|31
		Certificate data
		CertificateName string
		CertificatePassword string
		PayloadCertificateUUID string
		PreventMove boolean
		PreventAppSheet boolean
		disableMailRecentsSyncing boolean
		allowMailDrop boolean
		EnableMail boolean
		EnableContacts boolean
		EnableCalendars boolean
		EnableReminders boolean
		EnableNotes boolean
		EnableMailUserOverridable boolean
		EnableContactsUserOverridable boolean
		EnableCalendarsUserOverridable boolean
		EnableRemindersUserOverridable boolean
		EnableNotesUserOverridable boolean
		SMIMESigningEnabled boolean
		SMIMESigningCertificateUUID string
		SMIMEEncryptionCertificateUUID string
		SMIMESigningUserOverrideable boolean
		SMIMESigningCertificateUUIDUserOverrideable boolean
		SMIMEEncryptByDefault boolean
		SMIMEEncryptByDefaultUserOverrideable boolean
		SMIMEEncryptionCertificateUUIDUserOverrideable boolean
		SMIMEEnableEncryptionPerMessageSwitch boolean
		CommunicationServiceRules dictionary
		VPNUUID string`},
	"com.apple.ews.account": {"macOS", `
		EmailAddress string
		Host string
		Port integer
		Path string
		SSL boolean
		ExternalHost string
		ExternalPort integer
		ExternalPath string
		ExternalSSL boolean
		UserName string
		Password string
		OAuth boolean
		OAuthSignInURL string
		PayloadCertificateUUID string
		AuthenticationCertificateUUID string
		allowMailDrop boolean`},
	"com.apple.caldav.account": {"iOS macOS", `
		CalDAVAccountDescription string
		CalDAVHostName string R
		CalDAVUsername string
		CalDAVPassword string
		CalDAVPrincipalURL string
		CalDAVUseSSL boolean
		CalDAVPort integer
		VPNUUID string iOS`},
	"com.apple.carddav.account": {"iOS macOS", `
		CardDAVAccountDescription string
		CardDAVHostName string R
		CardDAVUsername string
		CardDAVPassword string
		CardDAVPrincipalURL string iOS
		CardDAVUseSSL boolean
		CardDAVPort integer
		CommunicationServiceRules dictionary iOS
		VPNUUID string iOS`},
}

type key struct {
	kind     string
	required bool
	os       string // of one system only
	values   []string
}

func keysOf(table string) map[string]key {
	keys := map[string]key{}
	for line := range strings.Lines(strings.TrimSpace(schema[table].keys)) {
		words := strings.Fields(line)
		k := key{kind: words[1]}
		for _, word := range words[2:] {
			switch values, ok := strings.CutPrefix(word, "values="); {
			case ok:
				k.values = strings.Split(values, "|")
			case word == "R":
				k.required = true
			default:
				k.os = word
			}
		}
		keys[words[0]] = k
	}
	return keys
}

// exempt matches keys that one system lacks and that profiles for both have: a system
// ignores unknown keys in a payload that it knows.
// (mailcow-dockerized has sent the S/MIME keys to Macs since 2020.)
var exempt = regexp.MustCompile(`^(PayloadScope|SMIME.*(Overrideable|Switch)|CardDAVPrincipalURL)$`)

// validate checks a profile against Apple's tables for the systems that are to
// install it, and for what the tables do not say: distinct UUIDs, no empty strings,
// no password.
func validate(document []byte, systems []string) (faults []string) {
	var profile map[string]any
	if _, err := plist.Unmarshal(document, &profile); err != nil {
		return []string{err.Error()}
	}
	fault := func(format string, a ...any) { faults = append(faults, fmt.Sprintf(format, a...)) }
	seen := map[string]bool{}
	check := func(where string, d map[string]any, keys map[string]key) {
		for name, k := range keys {
			if _, ok := d[name]; !ok && k.required {
				fault("%s: %s is missing", where, name)
			}
		}
		for name, value := range d {
			k, ok := keys[name]
			if !ok {
				fault("%s: %s is unknown", where, name)
				continue
			}
			if got := kindOf(value); got != k.kind {
				fault("%s: %s is %s, not %s", where, name, got, k.kind)
			}
			if k.values != nil && !slices.Contains(k.values, fmt.Sprint(value)) {
				fault("%s: %s has the value %v", where, name, value)
			}
			if value == "" {
				fault("%s: %s is empty", where, name)
			}
			if strings.HasSuffix(name, "Password") && k.kind == "string" {
				fault("%s: %s is a password", where, name)
			}
			for _, os := range systems {
				if k.os != "" && k.os != os && (len(systems) == 1 || !exempt.MatchString(name)) {
					fault("%s: %s is not for %s", where, name, os)
				}
			}
		}
		id, _ := d["PayloadUUID"].(string)
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
			fault("%s: PayloadUUID %q is no UUID version 5", where, id)
		}
		for _, unique := range []string{id, fmt.Sprint(d["PayloadIdentifier"])} {
			if seen[unique] {
				fault("%s: %s is used twice", where, unique)
			}
			seen[unique] = true
		}
	}
	check("profile", profile, keysOf("Configuration"))
	content, _ := profile["PayloadContent"].([]any)
	if len(content) == 0 {
		fault("profile: no payloads")
	}
	for _, item := range content {
		payload, _ := item.(map[string]any)
		t, _ := payload["PayloadType"].(string)
		table, ok := schema[t]
		if !ok || t == "Configuration" || t == "common" {
			fault("payload type %q is unknown", t)
			continue
		}
		for _, os := range systems {
			if !slices.Contains(strings.Fields(table.os), os) {
				fault("payload type %s is not for %s", t, os)
			}
		}
		keys := keysOf(t)
		for name, k := range keysOf("common") {
			keys[name] = k
		}
		check(t, payload, keys)
	}
	return faults
}

func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case uint64:
		return "integer"
	case bool:
		return "boolean"
	case float64:
		return "real"
	case []any:
		return "array"
	case map[string]any:
		return "dictionary"
	}
	return fmt.Sprintf("%T", value)
}

// TestValidator checks that each of the validator's rules can fail.
func TestValidator(t *testing.T) {
	good := string(document(t, settings(t, withDAV, "anna@example.se"), Options{Name: "Anna Ek"}))
	if faults := validate([]byte(good), both); faults != nil {
		t.Fatal(faults)
	}
	tests := []struct{ fault, old, new string }{
		{"EmailAccountType is missing", "<key>EmailAccountType</key>", "<key>VPNUUID</key>"},
		{"PayloadEnabled is unknown", "<key>EmailAccountName</key>", "<key>PayloadEnabled</key>"},
		{"CalDAVPort is real, not integer", "<key>CalDAVPort</key>\n\t\t\t\t<integer>443</integer>",
			"<key>CalDAVPort</key><real>443</real>"},
		{"IncomingMailServerUseSSL is integer, not boolean", "<key>IncomingMailServerUseSSL</key>\n\t\t\t\t<true/>",
			"<key>IncomingMailServerUseSSL</key><integer>1</integer>"},
		{"EmailAccountType has the value EmailTypeExchange", "EmailTypeIMAP", "EmailTypeExchange"},
		{"PayloadVersion has the value 2", "<integer>1</integer>", "<integer>2</integer>"},
		{"EmailAccountName is empty", "Anna Ek", ""},
		{"IncomingPassword is a password", "<key>EmailAccountName</key>", "<key>IncomingPassword</key>"},
		{"PreventMove is not for macOS", "<key>OutgoingPasswordSameAsIncomingPassword</key>", "<key>PreventMove</key>"},
		{"com.apple.eas.account is not for macOS", "com.apple.mail.managed", "com.apple.eas.account"},
		{"payload type \"com.apple.jabber.account\" is unknown", "com.apple.mail.managed", "com.apple.jabber.account"},
		{"is used twice", newIdentity(testService, "anna@example.se").uuid(kindCardDAV),
			newIdentity(testService, "anna@example.se").uuid(kindCalDAV)},
		{"is no UUID version 5", newIdentity(testService, "anna@example.se").uuid(kindCardDAV), "none"},
	}
	for _, test := range tests {
		if !strings.Contains(good, test.old) {
			t.Errorf("%s: the profile has no %q", test.fault, test.old)
		}
		faults := validate([]byte(strings.ReplaceAll(good, test.old, test.new)), both)
		if !strings.Contains(strings.Join(faults, "\n"), test.fault) {
			t.Errorf("validate = %q, want a fault %q", faults, test.fault)
		}
	}
}
