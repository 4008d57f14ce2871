package autodiscover

import (
	"slices"
	"strings"

	"signpost/account"
)

// preferred returns the most preferred server of the type that a document can
// name. A server without encryption is named only if there is no other: in every
// client that reads these documents it means passwords in clear text.
func preferred(s account.Settings, t account.ServerType) (account.Server, bool) {
	var usable []account.Server
	for _, server := range s.Servers {
		if server.Type == t && takesPassword(server) && !lacksMailbox(s, server) {
			usable = append(usable, server)
		}
	}
	if len(usable) == 0 {
		return account.Server{}, false
	}
	encrypted := slices.IndexFunc(usable, func(s account.Server) bool { return s.SocketType != account.Plain })
	return usable[max(encrypted, 0)], true
}

// lacksMailbox reports whether the host name or URL of the server depends on a
// mailbox that the settings do not have.
func lacksMailbox(s account.Settings, server account.Server) bool {
	return s.Address.IsAny() && account.NamesMailbox(server.Hostname+server.URL)
}

// takesPassword reports whether the server accepts a password, the only way of
// signing in that these formats know, or needs no login.
func takesPassword(s account.Server) bool { return passwordMethod(s) != "" || s.NeedsNoLogin() }

// passwordMethod returns the most preferred way of signing in with a password,
// or "".
func passwordMethod(s account.Server) account.Authentication {
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

// typeNames lists the types of the servers for a message, each once.
func typeNames(servers []account.Server) string {
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

func isIncomingMail(s account.Server) bool { return s.Type == account.IMAP || s.Type == account.POP3 }

func isHTTPS(url string) bool {
	return len(url) > len("https://") && strings.EqualFold(url[:len("https://")], "https://")
}
