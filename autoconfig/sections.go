package autoconfig

import (
	"errors"
	"fmt"
	"slices"

	"signpost/account"
)

// ErrNotDescribable is returned by Document and PACC, wrapped with the reason,
// for settings that their format cannot express or that no client could use. It
// does not mean that the mailbox does not work.
var ErrNotDescribable = errors.New("not describable")

func notDescribable(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotDescribable}, a...)...)
}

// sections holds the servers that a document names, one of each type.
type sections struct {
	incoming []account.Server
	outgoing []account.Server // smtp, or none
	others   []account.Server // calendar, address book, filter rules
}

// divide picks the servers that a document names and sorts them into sections, in the
// provider's order of preference.
//
// It picks only the provider's preferred server of each type, because Evolution
// and aerc would use the last of several. An unencrypted server is named only
// if the provider has nothing better, since Thunderbird for Android rejects the
// whole document for it.
func divide(servers []account.Server) (sections, error) {
	var s sections
	for _, server := range servers {
		switch server.Type {
		case account.IMAP, account.POP3, account.EWS, account.ActiveSync, account.JMAP:
			s.incoming = addFirst(s.incoming, server)
		case account.SMTP:
			s.outgoing = addFirst(s.outgoing, server)
		case account.CalDAV, account.CardDAV, account.ManageSieve:
			s.others = addFirst(s.others, server)
		}
	}
	if slices.ContainsFunc(s.incoming, isEncryptedMailbox) {
		s.incoming = slices.DeleteFunc(s.incoming, isPlain)
	}
	if !slices.ContainsFunc(s.incoming, isReadable) {
		const problem = "it has neither imap, pop3, ews nor jmap, so no client that reads autoconfig could use it"
		return sections{}, notDescribable(problem)
	}
	// FairEmail and Geary read only the first incoming server, so it should not be one
	// that Thunderbird skips.
	first := slices.DeleteFunc(slices.Clone(s.incoming), isRare)
	s.incoming = append(first, slices.DeleteFunc(s.incoming, func(s account.Server) bool { return !isRare(s) })...)
	// The only user name that makes sense at a relay is that of the mailbox: FairEmail
	// takes the last one of the document, and Thunderbird expects one everywhere.
	for i := range s.outgoing {
		if s.outgoing[i].NeedsNoLogin() {
			s.outgoing[i].Login = s.incoming[0].Login
		}
	}
	return s, nil
}

// addFirst appends the server unless there is one of its type. It replaces an
// unencrypted one by an encrypted one.
func addFirst(servers []account.Server, server account.Server) []account.Server {
	i := slices.IndexFunc(servers, func(s account.Server) bool { return s.Type == server.Type })
	switch {
	case i < 0:
		return append(servers, server)
	case isPlain(servers[i]) && !isPlain(server):
		servers[i] = server
	}
	return servers
}

func isPlain(s account.Server) bool { return !s.Type.HasURL() && s.SocketType == account.Plain }

// isRare reports whether few readers of the format use the type of the server.
func isRare(s account.Server) bool { return s.Type == account.ActiveSync || s.Type == account.JMAP }

func isEncryptedMailbox(s account.Server) bool {
	return (s.Type == account.IMAP || s.Type == account.POP3) && !isPlain(s)
}

// isReadable reports whether some client that reads autoconfig can use the
// incoming server.
func isReadable(s account.Server) bool { return s.Type != account.ActiveSync }

// takeOAuth2 reports whether one of the servers accepts OAuth2.
func (s sections) takeOAuth2() bool {
	return slices.ContainsFunc(slices.Concat(s.incoming, s.outgoing, s.others), takesOAuth2)
}
