package mobileconfig

import (
	"slices"
	"strings"

	"signpost/account"
)

// newPayload returns a payload with the keys that all have.
func (b builder) newPayload(k kind, payloadType, displayName string) dict {
	p := dict{
		"PayloadType":       payloadType,
		"PayloadVersion":    1,
		"PayloadIdentifier": b.identity.identifier + "." + string(k),
		"PayloadUUID":       b.identity.uuid(k),
	}
	p.set("PayloadDisplayName", displayName)
	return p
}

// payloads returns a payload for each of the accounts.
func (b builder) payloads(chosen selection) []dict {
	var all []dict
	if s := chosen.incoming; s != nil {
		all = append(all, b.mail(*s, *chosen.outgoing))
	}
	if s := chosen.exchange; s != nil && s.Type == account.ActiveSync {
		all = append(all, b.activeSync(*s))
	} else if s != nil {
		all = append(all, b.exchangeWebServices(*s))
	}
	if s := chosen.calendars; s != nil {
		all = append(all, b.dav(*s, kindCalDAV, "CalDAV", b.Texts.Calendars))
	}
	if s := chosen.contacts; s != nil {
		all = append(all, b.dav(*s, kindCardDAV, "CardDAV", b.Texts.Contacts))
	}
	return all
}

// mail returns the payload for IMAP or POP with submission. Ports and UseSSL are
// always written: the defaults are no encryption and, for submission, 25, 587 or
// 465 by trial. UseSSL is always true because selectServers accepts only servers
// with encryption.
func (b builder) mail(in, out account.Server) dict {
	p := b.newPayload(kindMail, "com.apple.mail.managed", b.Texts.Mail)
	p["EmailAddress"] = b.address
	p["EmailAccountDescription"] = b.address
	p.set("EmailAccountName", b.Name)
	p["EmailAccountType"] = "EmailTypePOP"
	if in.Type == account.IMAP {
		p["EmailAccountType"] = "EmailTypeIMAP"
		p.set("IncomingMailServerIMAPPathPrefix", in.PathPrefix)
	}
	for direction, server := range map[string]account.Server{"Incoming": in, "Outgoing": out} {
		p[direction+"MailServerAuthentication"] = mailAuthentication(server)
		p[direction+"MailServerHostName"] = server.Hostname
		p[direction+"MailServerPortNumber"] = server.Port
		p[direction+"MailServerUseSSL"] = true
		if !server.NeedsNoLogin() {
			p.set(direction+"MailServerUsername", joinLogin(server.Login))
		}
	}
	// Without this the device asks for the same password twice.
	p["OutgoingPasswordSameAsIncomingPassword"] = !out.NeedsNoLogin()
	if b.Device != Mac {
		unlockSMIME(p)
	}
	return p
}

// unlockSMIME lets the person change the settings for S/MIME. They are locked by
// default, and people with certificates complained (mailcow-dockerized#3622,
// mailinabox#1199). The keys are for iOS 12 and later; a Mac has neither the locks
// nor the keys.
func unlockSMIME(p dict) {
	p["SMIMESigningUserOverrideable"] = true
	p["SMIMESigningCertificateUUIDUserOverrideable"] = true
	p["SMIMEEncryptByDefaultUserOverrideable"] = true
	p["SMIMEEncryptionCertificateUUIDUserOverrideable"] = true
	p["SMIMEEnableEncryptionPerMessageSwitch"] = true
}

// exchange returns the keys that both payloads for Exchange have. There is no key
// for the account's name in Settings, which is PayloadDisplayName, nor for the
// domain, which stands before the user name ("The user name with the optional
// domain", Apple Platform Deployment, "Exchange ActiveSync payload settings").
func (b builder) exchange(s account.Server, k kind) (dict, serverURL) {
	p := b.newPayload(k, "com.apple."+string(k)+".account", b.address)
	p["EmailAddress"] = b.address
	url, _ := splitURL(s.URL)
	p["Host"] = url.host
	p["SSL"] = true // the default of ActiveSync is none
	p.set("UserName", joinLogin(s.Login))
	if tokenOnly(s) {
		p["OAuth"] = true
	}
	return p, url
}

// activeSync returns the payload for Exchange on iPhone and iPad.
//
// With OAuth the device finds the server and the sign-in page by Autodiscover.
// OAuthSignInURL would prevent that, so it is left out. Host is written although
// the device then ignores it, for people who read the profile.
func (b builder) activeSync(s account.Server) dict {
	p, _ := b.exchange(s, kindActiveSync)
	if slices.Contains(PastDays, s.PastDays) {
		p["MailNumberOfPastDaysToSync"] = s.PastDays
	}
	if b.MailOnly {
		// This is only the initial state: the person can turn each on in
		// Settings.
		for _, service := range []string{"Contacts", "Calendars", "Reminders", "Notes"} {
			p["Enable"+service] = false
		}
	}
	unlockSMIME(p)
	return p
}

// PastDays lists the values of MailNumberOfPastDaysToSync; 0 is all.
var PastDays = []int{0, 1, 3, 7, 14, 31}

// DefaultPastDays is Apple's own value where a profile gives none.
const DefaultPastDays = 7

// exchangeWebServices returns the payload for Exchange on a Mac. The server inside
// and outside the company's network is the same, so the External keys are left out.
func (b builder) exchangeWebServices(s account.Server) dict {
	p, url := b.exchange(s, kindEWS)
	p["Port"] = url.port
	p.set("Path", url.path)
	return p
}

// dav returns the payload for CalDAV or CardDAV. The path of the server's URL is
// left out: devices ask /.well-known/caldav for it (RFC 6764 §6), and several have
// failed when a profile gave it (mailinabox#1402, nextcloud/server#2065).
// PrincipalURL is for servers without such a redirect; contacts on a Mac have no
// such key.
func (b builder) dav(s account.Server, k kind, prefix, name string) dict {
	p := b.newPayload(k, "com.apple."+string(k)+".account", name)
	url, _ := splitURL(s.URL)
	p[prefix+"AccountDescription"] = b.address
	p[prefix+"HostName"] = url.host
	p[prefix+"Port"] = url.port
	p[prefix+"UseSSL"] = true
	p.set(prefix+"Username", joinLogin(s.Login))
	if k != kindCardDAV || b.Device != Mac {
		p.set(prefix+"PrincipalURL", s.PrincipalURL)
	}
	return p
}

// joinLogin writes a login into the one field that Apple has for it, domain\user. A
// user name with a backslash has its domain already.
func joinLogin(l account.Login) string {
	if l.DomainName == "" || strings.Contains(l.Username, `\`) {
		return l.Username
	}
	return l.DomainName + `\` + l.Username
}

// splitLogin is the inverse of joinLogin.
func splitLogin(text string) account.Login {
	if domain, user, ok := strings.Cut(text, `\`); ok {
		return account.Login{DomainName: domain, Username: user}
	}
	return account.Login{Username: text}
}
