package mobileconfig

import (
	"slices"
	"strings"

	"signpost/account"
)

// payload holds the keys that all payloads and the profile have.
func (b builder) payload(k kind, payloadType string) dict {
	return dict{
		"PayloadType":       payloadType,
		"PayloadVersion":    1,
		"PayloadIdentifier": b.id.identifier(k),
		"PayloadUUID":       b.id.uuid(k),
	}
}

func (b builder) payloads(chosen accounts, mailOnly bool) []dict {
	var all []dict
	if s := chosen.incoming; s != nil {
		all = append(all, b.mail(*s, *chosen.outgoing))
	}
	if s := chosen.exchange; s != nil && s.Type == account.ActiveSync {
		all = append(all, b.activeSync(*s, mailOnly))
	} else if s != nil {
		all = append(all, b.webServices(*s))
	}
	if s := chosen.calendars; s != nil {
		all = append(all, b.dav(*s, calendar, "com.apple.caldav.account", "CalDAV", b.texts.Calendars))
	}
	if s := chosen.contacts; s != nil {
		all = append(all, b.dav(*s, contacts, "com.apple.carddav.account", "CardDAV", b.texts.Contacts))
	}
	return all
}

// mail is IMAP or POP with submission. Ports and UseSSL are always written: the
// defaults are 25, 587 or 465 by trial, and no encryption. UseSSL needs no look
// at the server, as choose takes none without encryption.
func (b builder) mail(in, out account.Server) dict {
	p := b.payload(mail, "com.apple.mail.managed")
	p.set("PayloadDisplayName", b.texts.Mail)
	p.set("EmailAddress", b.address)
	p.set("EmailAccountDescription", b.address)
	p.set("EmailAccountName", b.name)
	p["EmailAccountType"] = "EmailTypePOP"
	if in.Type == account.IMAP {
		p["EmailAccountType"] = "EmailTypeIMAP"
		p.set("IncomingMailServerIMAPPathPrefix", in.PathPrefix)
	}
	p["IncomingMailServerAuthentication"] = mailAuthentication(in)
	p["IncomingMailServerHostName"] = in.Hostname
	p["IncomingMailServerPortNumber"] = in.Port
	p["IncomingMailServerUseSSL"] = true
	p.set("IncomingMailServerUsername", joinLogin(in.Login))
	p["OutgoingMailServerAuthentication"] = mailAuthentication(out)
	p["OutgoingMailServerHostName"] = out.Hostname
	p["OutgoingMailServerPortNumber"] = out.Port
	p["OutgoingMailServerUseSSL"] = true
	p.set("OutgoingMailServerUsername", joinLogin(out.Login))
	// Without it the device asks for the same password twice.
	p["OutgoingPasswordSameAsIncomingPassword"] = true
	if b.device != Mac {
		unlockSMIME(p)
	}
	return p
}

// unlockSMIME leaves the person the switches for S/MIME. Their default is locked,
// and people with certificates complained (mailcow-dockerized#3622,
// mailinabox#1199). The keys are for iOS 12 and later; a Mac has no such locks
// and no such keys.
func unlockSMIME(p dict) {
	p["SMIMESigningUserOverrideable"] = true
	p["SMIMESigningCertificateUUIDUserOverrideable"] = true
	p["SMIMEEncryptByDefaultUserOverrideable"] = true
	p["SMIMEEncryptionCertificateUUIDUserOverrideable"] = true
	p["SMIMEEnableEncryptionPerMessageSwitch"] = true
}

// activeSync is Exchange on iPhone and iPad. There is no key for the account's
// name in Settings, which is PayloadDisplayName, nor for the domain, which
// stands before the user name ("The user name with the optional domain", Apple
// Platform Deployment, "Exchange ActiveSync payload settings").
//
// With OAuth the device finds the server and the place to sign in by
// Autodiscover. OAuthSignInURL would take that away from it, so it is not
// written, and Host is, though then not looked at, for whoever reads the profile.
func (b builder) activeSync(s account.Server, mailOnly bool) dict {
	p := b.payload(exchange, "com.apple.eas.account")
	p.set("PayloadDisplayName", b.address)
	p.set("EmailAddress", b.address)
	url, _ := splitURL(s.URL)
	p["Host"] = url.host
	p["SSL"] = true // the default is none
	p.set("UserName", joinLogin(s.Login))
	if slices.Contains(pastDays, s.PastDays) {
		p["MailNumberOfPastDaysToSync"] = s.PastDays
	}
	if byToken(s) {
		p["OAuth"] = true
	}
	if mailOnly {
		// A choice for a start: the person can turn each on in Settings.
		for _, service := range []string{"Contacts", "Calendars", "Reminders", "Notes"} {
			p["Enable"+service] = false
		}
	}
	unlockSMIME(p)
	return p
}

// pastDays are the values of MailNumberOfPastDaysToSync; 0 is all.
var pastDays = []int{0, 1, 3, 7, 14, 31}

// webServices is Exchange on a Mac. The server inside and outside the company's
// network is the same, so the External keys are left out.
func (b builder) webServices(s account.Server) dict {
	p := b.payload(exchWeb, "com.apple.ews.account")
	p.set("PayloadDisplayName", b.address)
	p.set("EmailAddress", b.address)
	url, _ := splitURL(s.URL)
	p["Host"] = url.host
	p["Port"] = url.port
	p.set("Path", url.path)
	p["SSL"] = true
	p.set("UserName", joinLogin(s.Login))
	if byToken(s) {
		p["OAuth"] = true
	}
	return p
}

// dav is CalDAV or CardDAV. The path of the server's URL is left out: devices
// ask /.well-known/caldav for it (RFC 6764 §6) and several have failed when told
// (mailinabox#1402, nextcloud/server#2065). PrincipalURL is for the server
// without one; contacts on a Mac have no such key.
func (b builder) dav(s account.Server, k kind, payloadType, prefix, name string) dict {
	p := b.payload(k, payloadType)
	p.set("PayloadDisplayName", name)
	url, _ := splitURL(s.URL)
	p.set(prefix+"AccountDescription", b.address)
	p[prefix+"HostName"] = url.host
	p[prefix+"Port"] = url.port
	p[prefix+"UseSSL"] = true
	p.set(prefix+"Username", joinLogin(s.Login))
	if k != contacts || b.device != Mac {
		p.set(prefix+"PrincipalURL", s.PrincipalURL)
	}
	return p
}

// joinLogin writes a login as the one field that Apple has for it,
// domain\user. A user name that has a backslash already says its domain.
func joinLogin(l account.Login) string {
	if l.DomainName == "" || strings.Contains(l.Username, `\`) {
		return l.Username
	}
	return l.DomainName + `\` + l.Username
}

// splitLogin is the opposite of joinLogin.
func splitLogin(text string) account.Login {
	if domain, user, ok := strings.Cut(text, `\`); ok {
		return account.Login{DomainName: domain, Username: user}
	}
	return account.Login{Username: text}
}
