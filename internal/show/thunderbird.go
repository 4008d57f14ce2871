package show

import (
	"slices"
	"strings"

	"signpost/account"
)

// readAsThunderbird sets the servers that Thunderbird makes an account from, or the
// reason why it makes none (FetchConfig's readFromXML): it skips sections of other types
// and of methods that it does not know, and refuses a document without an incoming or an
// outgoing server. It finds calendars and address books by DNS, from the mail account.
//
// Thunderbird for Android does the same, but knows no EWS, takes IMAP only, and refuses a
// document that names a server without encryption. Geary and Mailspring take IMAP only,
// too; KMail takes POP3.
func (c *Client) readAsThunderbird(servers []account.Server) {
	desktop := c.Client == string(account.Thunderbird)
	var kept []account.Server
	var skipped []string
	incoming, outgoing := false, false
	for _, s := range servers {
		switch {
		case s.Type == account.IMAP, s.Type == account.POP3, s.Type == account.SMTP, s.Type == account.EWS && desktop:
		case s.Type == account.EWS, s.Type == account.ActiveSync, s.Type == account.JMAP:
			skipped = append(skipped, "it does not speak "+string(s.Type))
			continue
		default:
			continue
		}
		if !slices.ContainsFunc(s.Authentication, thunderbirdKnows(s)) {
			skipped = append(skipped, "it knows no way to sign in to "+string(s.Type)+" that the server takes")
			continue
		}
		incoming = incoming || s.Type != account.SMTP
		outgoing = outgoing || s.Type == account.SMTP
		kept = append(kept, s)
	}
	if incoming && outgoing {
		c.Servers = serversOf(kept)
		if !desktop {
			c.Note = aboutMobile(kept)
		}
		return
	}
	switch {
	case incoming:
		skipped = append(skipped, "it refuses an account without a server for sending")
	case outgoing:
		skipped = append(skipped, "it refuses an account without a server for reading")
	}
	c.Nothing = "it finds no account in the document: " + strings.Join(skipped, "; ")
	c.Note = "other readers of autoconfig get " + typesOf(servers)
}

// aboutMobile says which of the clients that never send the address find nothing.
func aboutMobile(servers []account.Server) string {
	switch {
	case !slices.ContainsFunc(servers, func(s account.Server) bool { return s.Type == account.IMAP }):
		return "only KMail takes POP3; the others find nothing"
	case slices.ContainsFunc(servers, func(s account.Server) bool { return s.SocketType == account.Plain }):
		return "Thunderbird for Android finds nothing: it refuses a document with an unencrypted server"
	}
	return ""
}

// thunderbirdKnows returns a function that reports whether Thunderbird knows a method for
// the server.
func thunderbirdKnows(s account.Server) func(account.Authentication) bool {
	return func(method account.Authentication) bool {
		switch method {
		case account.TLSClientCert:
			return false
		case account.OAuth2Auth:
			return s.HasKnownOAuth2()
		}
		return true
	}
}

// typesOf lists the types of the servers.
func typesOf(servers []account.Server) string {
	names := make([]string, len(servers))
	for i, s := range servers {
		names[i] = string(s.Type)
	}
	return strings.Join(names, ", ")
}
