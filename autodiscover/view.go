package autodiscover

import (
	"slices"
	"strings"

	"signpost/account"
)

// view is what a document is written from: the settings of one mailbox, of a
// domain of which no mailbox was named, or (prepare) of every mailbox of a
// provider, with the placeholders left in the text for a Template to complete.
//
// Which servers are told is decided on the servers as they are configured, so
// that it cannot differ between a prepared document and one made for a mailbox.
type view struct {
	settings account.Settings
	prepare  bool
}

// address is the mailbox that the document names, empty where there is none.
func (v view) address() string {
	switch {
	case v.settings.Address.IsAny():
		return ""
	case v.prepare:
		return account.EmailAddress
	}
	return v.settings.Address.String()
}

// complete is the server as the document spells it.
func (v view) complete(s account.Server) account.Server {
	if v.prepare {
		s.Login.DomainName = account.Verbatim(s.Login.DomainName)
		return s
	}
	return s.Expand(v.settings.Login)
}

// first is the most preferred server of the type that the document can tell
// of. A server without encryption is told only where there is no other: in
// every client that reads these documents it means passwords in clear text.
func (v view) first(t account.ServerType) (account.Server, bool) {
	var plain *account.Server
	for i := range v.settings.Servers {
		s := &v.settings.Servers[i]
		switch {
		case s.Type != t || !takesPassword(*s) || v.namesMailbox(*s):
		case s.SocketType == account.Plain:
			if plain == nil {
				plain = s
			}
		default:
			return *s, true
		}
	}
	if plain != nil {
		return *plain, true
	}
	return account.Server{}, false
}

// namesMailbox reports whether the server cannot be told because its host name
// or URL needs a mailbox and there is none.
func (v view) namesMailbox(s account.Server) bool {
	if !v.settings.Address.IsAny() {
		return false
	}
	place := s.Hostname + s.URL
	return strings.Contains(place, account.EmailAddress) || strings.Contains(place, account.EmailLocalPart)
}

// takesPassword reports whether the server can be signed in to with a password,
// the only way that these formats know.
func takesPassword(s account.Server) bool { return password(s) != "" }

// password is the most preferred way of signing in with a password.
func password(s account.Server) account.Authentication {
	if len(s.Authentication) == 0 {
		return account.PasswordCleartext
	}
	for _, a := range s.Authentication {
		switch a {
		case account.PasswordCleartext, account.PasswordEncrypted, account.NTLM:
			return a
		}
	}
	return ""
}

// types lists the types of the servers for a message, each once.
func types(servers []account.Server) string {
	var names []string
	for _, s := range servers {
		if name := string(s.Type); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return "none at all"
	}
	return strings.Join(names, ", ")
}
