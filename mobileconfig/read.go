package mobileconfig

import (
	"errors"
	"slices"

	"howett.net/plist"

	"signpost/account"
)

// maxProfile is the length in bytes of the longest document that Read accepts. A
// profile has a few kilobytes.
const maxProfile = 256 << 10

// errMalformed stands in for the parsers' own errors, which quote the document.
var errMalformed = errors.New("not a profile: it is damaged or no XML property list")

// Read reads an unsigned profile back into settings: the address, and the servers
// with their logins as literal text.
//
// What a profile leaves open is filled in with the usual value: STARTTLS only at
// the ports 143, 110, 587 and 25, an ActiveSync URL with the protocol's only path,
// calendars and contacts at the root of their host.
func Read(document []byte) (s account.Settings, err error) {
	defer func() {
		// The property list parser passes run-time errors on as panics.
		if recover() != nil {
			s, err = account.Settings{}, errMalformed
		}
	}()
	if len(document) > maxProfile {
		return s, errors.New("not a profile: it is longer than 256 KiB")
	}
	var profile struct {
		PayloadType         string
		PayloadOrganization string
		PayloadContent      []dict
	}
	// The parser knows three more formats. It expands no entities.
	if format, err := plist.Unmarshal(document, &profile); err != nil || format != plist.XMLFormat {
		return s, errMalformed
	}
	if profile.PayloadType != "Configuration" {
		return s, errors.New("not a profile: its PayloadType is not Configuration")
	}
	var servers []account.Server
	for _, payload := range profile.PayloadContent {
		address, some := readPayload(payload)
		servers = append(servers, some...)
		if s.Address.IsZero() {
			s.Address, _ = account.ParseAddress(address)
		}
	}
	if len(servers) == 0 {
		return account.Settings{}, errors.New("the profile sets up no mail, calendars or contacts")
	}
	s.Custom = true // the servers are only this mailbox's
	s.Provider = &account.Provider{DisplayName: profile.PayloadOrganization}
	s.Login, s.Servers = s.Address, servers
	for i := range servers {
		literal(&servers[i])
	}
	return s, nil
}

// literal protects the server's texts, so that Expand leaves them as they are.
func literal(s *account.Server) {
	s.Hostname = account.Verbatim(s.Hostname)
	s.URL = account.Verbatim(s.URL)
	s.PrincipalURL = account.Verbatim(s.PrincipalURL)
	s.Login.Username = account.Verbatim(s.Login.Username)
}

// readPayload returns the address and the servers of a payload.
func readPayload(p dict) (address string, servers []account.Server) {
	switch p.text("PayloadType") {
	case "com.apple.mail.managed":
		incoming := account.IMAP
		if p.text("EmailAccountType") == "EmailTypePOP" {
			incoming = account.POP3
		}
		in, out := readMailServer(p, incoming, "Incoming"), readMailServer(p, account.SMTP, "Outgoing")
		in.PathPrefix = p.text("IncomingMailServerIMAPPathPrefix")
		return p.text("EmailAddress"), []account.Server{in, out}
	case "com.apple.eas.account":
		s := readWebServer(p, account.ActiveSync, "", activeSyncPath, false)
		s.PastDays = p.number("MailNumberOfPastDaysToSync", DefaultPastDays)
		if !slices.Contains(PastDays, s.PastDays) {
			s.PastDays = DefaultPastDays
		}
		return p.text("EmailAddress"), []account.Server{s}
	case "com.apple.ews.account":
		s := readWebServer(p, account.EWS, "", p.text("Path"), true)
		return p.text("EmailAddress"), []account.Server{s}
	case "com.apple.caldav.account":
		s := readWebServer(p, account.CalDAV, "CalDAV", "/", true)
		return p.text("CalDAVAccountDescription"), []account.Server{s}
	case "com.apple.carddav.account":
		s := readWebServer(p, account.CardDAV, "CardDAV", "/", true)
		return p.text("CardDAVAccountDescription"), []account.Server{s}
	}
	return "", nil
}

// readMailServer reads the keys of a mail payload for one direction.
func readMailServer(p dict, t account.ServerType, direction string) account.Server {
	s := account.Server{
		Type:       t,
		Hostname:   p.text(direction + "MailServerHostName"),
		SocketType: account.Plain,
		Login:      splitLogin(p.text(direction + "MailServerUsername")),
	}
	tls := p.flag(direction+"MailServerUseSSL", false)
	if tls {
		s.SocketType = account.SSL
	}
	s.Port = p.number(direction+"MailServerPortNumber", account.DefaultPort(t, s.SocketType))
	if tls && slices.Contains([]int{143, 110, 587, 25}, s.Port) {
		s.SocketType = account.STARTTLS
	}
	for _, m := range mailAuthentications {
		if m.apples == p.text(direction+"MailServerAuthentication") {
			s.Authentication = []account.Authentication{m.ours}
		}
	}
	return s
}

// readWebServer reads the keys of a payload whose server has a URL; usesTLS is the
// default of SSL.
func readWebServer(p dict, t account.ServerType, prefix, path string, usesTLS bool) account.Server {
	host, user, tls := "Host", "UserName", "SSL"
	if prefix != "" {
		host, user, tls = prefix+"HostName", prefix+"Username", prefix+"UseSSL"
	}
	url := serverURL{scheme: "http", host: p.text(host), port: 80, path: path}
	if p.flag(tls, usesTLS) {
		url.scheme, url.port = "https", 443
	}
	if t != account.ActiveSync {
		url.port = p.number(prefix+"Port", url.port)
	}
	s := account.Server{
		Type:           t,
		URL:            url.join(),
		Login:          splitLogin(p.text(user)),
		Authentication: []account.Authentication{account.PasswordCleartext},
	}
	if prefix != "" {
		s.PrincipalURL = p.text(prefix + "PrincipalURL")
	} else if p.flag("OAuth", false) {
		s.Authentication = []account.Authentication{account.OAuth2Auth}
	}
	return s
}

// text returns a string, and "" if there is none.
func (d dict) text(key string) string {
	text, _ := d[key].(string)
	return text
}

// flag returns a boolean, and defaultValue if there is none.
func (d dict) flag(key string, defaultValue bool) bool {
	if flag, ok := d[key].(bool); ok {
		return flag
	}
	return defaultValue
}

// number returns a port or a number of days, and defaultValue if there is none.
func (d dict) number(key string, defaultValue int) int {
	switch n := d[key].(type) {
	case uint64:
		if n <= 65535 {
			return int(n)
		}
	case float64: // some write ports as real, and devices accept that
		if n == float64(uint16(n)) {
			return int(n)
		}
	}
	return defaultValue
}
