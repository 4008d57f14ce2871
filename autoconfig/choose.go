package autoconfig

import (
	"errors"
	"fmt"
	"slices"

	"signpost/account"
)

// ErrNotDescribable is what Document and PACC return, wrapped with the reason,
// for settings that their format cannot tell or that nobody could use. It says
// nothing about whether the mailbox works.
var ErrNotDescribable = errors.New("not describable")

func notDescribable(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotDescribable}, a...)...)
}

// sections are the servers that a document names, one of each type.
type sections struct {
	incoming []account.Server // imap first
	outgoing []account.Server // smtp, or none
	others   []account.Server // calendar, address book, filter rules
}

// choose picks the servers that a document names.
//
// Of each type it is the one that the provider prefers; a second would be the
// choice of Evolution and aerc, which take the last. An unencrypted server is
// named only where the provider has nothing better, since Thunderbird for
// Android rejects the whole document for it.
func choose(servers []account.Server) (sections, error) {
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
	if !slices.ContainsFunc(s.incoming, isRead) {
		return sections{}, notDescribable("it has neither imap, pop3, ews nor jmap, so no client that reads autoconfig could use it")
	}
	// FairEmail and Geary look no further than the first.
	if i := slices.IndexFunc(s.incoming, isIMAP); i > 0 {
		imap := s.incoming[i]
		s.incoming = slices.Insert(slices.Delete(s.incoming, i, i+1), 0, imap)
	}
	return s, nil
}

// addFirst appends the server unless its type is there, and puts it in the
// place of an unencrypted one.
func addFirst(servers []account.Server, server account.Server) []account.Server {
	for i, have := range servers {
		if have.Type == server.Type {
			if isPlain(have) && !isPlain(server) {
				servers[i] = server
			}
			return servers
		}
	}
	return append(servers, server)
}

func isPlain(s account.Server) bool {
	return !s.Type.HasURL() && s.SocketType == account.Plain
}

func isIMAP(s account.Server) bool { return s.Type == account.IMAP }

func isEncryptedMailbox(s account.Server) bool {
	return (s.Type == account.IMAP || s.Type == account.POP3) && !isPlain(s)
}

// isRead reports whether somebody who reads autoconfig speaks to the server.
func isRead(s account.Server) bool { return s.Type != account.ActiveSync }
