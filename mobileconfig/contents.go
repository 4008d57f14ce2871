package mobileconfig

import (
	"fmt"
	"slices"
	"strings"

	"signpost/account"
)

// NoProfileError says why a provider's servers make no profile for a device.
type NoProfileError struct {
	Reasons []string // for operators: they name servers
}

func (e *NoProfileError) Error() string {
	return "no Apple profile: " + strings.Join(e.Reasons, "; ")
}

// selection holds the servers of a profile. Either exchange is set, or incoming and
// outgoing are; none of the three if the provider has only calendars or contacts.
type selection struct {
	exchange           *account.Server
	incoming, outgoing *account.Server
	calendars          *account.Server
	contacts           *account.Server
}

// selectServers returns the servers that a profile for the device can hold. Of
// several of a type it selects the first with TLS from the first byte, or else the
// first, whatever the provider prefers: a profile cannot ask for STARTTLS, and a packet
// trace of iOS 8.4 (five-ten-sg.com, 2015) shows that devices try TLS from the first
// byte first, even on port 587. IMAP has priority over POP, which moves mail to a
// single device.
func selectServers(servers []account.Server, device Device, mailOnly bool) (selection, error) {
	var chosen selection
	var reasons []string
	pick := func(t account.ServerType) *account.Server {
		var best *account.Server
		for i := range servers {
			if servers[i].Type != t {
				continue
			}
			if reason := unfit(servers[i], device); reason != "" {
				reasons = append(reasons, describe(servers[i])+": "+reason)
			} else if best == nil || best.SocketType != account.SSL && servers[i].SocketType == account.SSL {
				best = &servers[i]
			}
		}
		return best
	}
	listed := func(types ...account.ServerType) int {
		return slices.IndexFunc(servers, func(s account.Server) bool { return slices.Contains(types, s.Type) })
	}

	exchange := pick(account.ActiveSync)
	if web := pick(account.EWS); exchange == nil {
		exchange = web // the device can use only one of the two
	}
	incoming := pick(account.IMAP)
	if incoming == nil {
		incoming = pick(account.POP3)
	}
	outgoing := pick(account.SMTP)
	if incoming != nil && outgoing == nil && listed(account.SMTP) < 0 {
		reasons = append(reasons, "there is no smtp server, and a mail account needs one")
	}

	complete := incoming != nil && outgoing != nil
	switch {
	case exchange != nil && (!complete || listed(exchange.Type) < listed(account.IMAP, account.POP3)):
		chosen.exchange = exchange
		return chosen, nil
	case complete:
		chosen.incoming, chosen.outgoing = incoming, outgoing
	case listed(account.IMAP, account.POP3, account.ActiveSync, account.EWS) >= 0:
		// Calendars without the mail that the person wants would look like success.
		return selection{}, &NoProfileError{reasons}
	}
	if !mailOnly {
		chosen.calendars = pick(account.CalDAV)
		chosen.contacts = pick(account.CardDAV)
	}
	if chosen == (selection{}) {
		reasons = append(reasons, "there is no server that Apple's mail, calendar or contacts could use")
		return selection{}, &NoProfileError{reasons}
	}
	return chosen, nil
}

// Contents says what a profile holds. The zero value means that there is none.
type Contents struct {
	Mail     bool // a mail account, IMAP or POP
	Exchange bool // an Exchange account, which includes calendars and contacts
	Extras   bool // calendars or contacts, in accounts of their own
	Token    bool // people sign in on a web page
}

// ContentsOf returns what the profile for the device holds.
func ContentsOf(s account.Settings, device Device) Contents {
	chosen, err := selectServers(s.Expanded(), device, false)
	if err != nil {
		return Contents{}
	}
	return Contents{
		Mail:     chosen.incoming != nil,
		Exchange: chosen.exchange != nil,
		Extras:   chosen.calendars != nil || chosen.contacts != nil,
		Token:    chosen.exchange != nil && tokenOnly(*chosen.exchange),
	}
}

// unfit returns why a profile for the device cannot hold the server, or "".
func unfit(s account.Server, device Device) string {
	can := func(a account.Authentication) bool { return slices.Contains(s.Authentication, a) }
	var url serverURL
	if s.Type.HasURL() {
		var ok bool
		if url, ok = splitURL(s.URL); !ok {
			return "it is not an http or https URL"
		} else if url.scheme != "https" {
			// iOS sends CalDAV no credentials without TLS (Kozea/Radicale#870).
			return "it is not encrypted, and a profile would send the password there"
		}
	}
	switch s.Type {
	case account.IMAP, account.POP3, account.SMTP:
		switch {
		case s.SocketType != account.SSL && s.SocketType != account.STARTTLS:
			return "it is not encrypted, and a profile would send the password there"
		case mailAuthentication(s) == "":
			return "Apple's mail account cannot sign in with " + methods(s)
		}
	case account.ActiveSync:
		switch {
		case device == Mac:
			return "a Mac does not speak ActiveSync"
		case url.port != 443:
			return "Apple's ActiveSync account knows no port but 443"
		case !isActiveSyncPath(url.path):
			return "Apple's ActiveSync account knows no path but " + activeSyncPath
		case !can(account.PasswordCleartext) && !can(account.OAuth2Auth):
			return "Apple's ActiveSync account cannot sign in with " + methods(s)
		}
	case account.EWS:
		switch {
		case device != Mac:
			return "an iPhone or iPad does not speak Exchange Web Services"
		case !can(account.PasswordCleartext) && !can(account.NTLM) && !can(account.OAuth2Auth):
			return "Apple's Exchange account cannot sign in with " + methods(s)
		}
	case account.CalDAV, account.CardDAV:
		if !can(account.PasswordCleartext) && !can(account.PasswordEncrypted) {
			return "Apple's calendar and contacts accounts cannot sign in with " + methods(s)
		}
	}
	return ""
}

// mailAuthentication returns Apple's name for how to sign in to a mail server, or ""
// if it has none: profiles have no OAuth2 for IMAP. A password inside TLS has
// priority wherever it is offered, because password-encrypted may also mean SCRAM,
// and Apple's CRAM-MD5 is not that.
func mailAuthentication(s account.Server) string {
	for _, m := range mailAuthentications {
		if slices.Contains(s.Authentication, m.ours) {
			return m.apples
		}
	}
	return ""
}

// mailAuthentications maps Apple's methods to ours. The first of each of ours is
// written, all are read.
var mailAuthentications = []struct {
	apples string
	ours   account.Authentication
}{
	{"EmailAuthPassword", account.PasswordCleartext},
	{"EmailAuthCRAMMD5", account.PasswordEncrypted},
	{"EmailAuthHTTPMD5", account.PasswordEncrypted}, // DIGEST-MD5
	{"EmailAuthNTLM", account.NTLM},
	{"EmailAuthNone", account.ClientIPAddress},
	{"EmailAuthNone", account.NoAuthentication},
}

// tokenOnly reports whether the person signs in on a web page, because the server
// accepts no password that the payload could ask for.
func tokenOnly(s account.Server) bool {
	can := func(a account.Authentication) bool { return slices.Contains(s.Authentication, a) }
	password := can(account.PasswordCleartext) || s.Type == account.EWS && can(account.NTLM)
	return can(account.OAuth2Auth) && !password
}

// methods lists the server's authentication methods, for messages.
func methods(s account.Server) string {
	var names []string
	for _, a := range s.Authentication {
		names = append(names, string(a))
	}
	if names == nil {
		return "no method at all"
	}
	return strings.Join(names, " or ")
}

// describe names the server in messages.
func describe(s account.Server) string {
	if s.Type.HasURL() {
		return fmt.Sprintf("%s %s", s.Type, s.URL)
	}
	return fmt.Sprintf("%s %s:%d", s.Type, s.Hostname, s.Port)
}
