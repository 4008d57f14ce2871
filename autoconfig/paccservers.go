package autoconfig

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
)

// describe picks the servers that PACC can name, the first possible one of each
// type. It fails unless PACC can name all that mail needs: no client is led from
// IMAP to POP3, or left without a way to send, because of what PACC cannot
// express.
func describe(servers []account.Server) ([]account.Server, error) {
	var described []account.Server
	has := func(t account.ServerType) bool {
		return slices.ContainsFunc(described, func(s account.Server) bool { return s.Type == t })
	}
	problems := map[account.ServerType]string{} // the first one of each type
	for _, server := range servers {
		if memberOf(server.Type) == "" || has(server.Type) {
			continue
		}
		if problem := unlikePACC(server); problem != "" {
			problems[server.Type] = cmp.Or(problems[server.Type], problem)
			continue
		}
		described = append(described, server)
		delete(problems, server.Type)
	}
	for _, t := range []account.ServerType{account.IMAP, account.SMTP} {
		if problem := problems[t]; problem != "" {
			return nil, notDescribable("%s: %s", t, problem)
		}
	}
	switch {
	case has(account.JMAP):
	case has(account.IMAP), has(account.POP3):
		if !has(account.SMTP) {
			return nil, notDescribable("it has no smtp server")
		}
	case problems[account.POP3] != "":
		return nil, notDescribable("pop3: %s", problems[account.POP3])
	case problems[account.JMAP] != "":
		return nil, notDescribable("jmap: %s", problems[account.JMAP])
	default:
		return nil, notDescribable("it has neither imap, pop3 nor jmap")
	}
	return described, nil
}

// anyDomain stands for all domains when a URL is checked: with a placeholder in
// its host the URL does not parse, and the result must not depend on the domain
// that was asked about first. It does not begin with a hexadecimal digit, so a
// percent sign before it does not become an escape.
var anyDomain = account.AnyAt("x.invalid")

// unlikePACC returns the reason why PACC cannot describe the server, or "".
func unlikePACC(s account.Server) string {
	if !s.SignsInWithAddress() {
		return "the user name is not the mail address, and PACC has no place for one"
	}
	if account.NamesMailbox(s.Hostname + s.URL) {
		return "the server depends on the mailbox, and PACC has one answer for the domain"
	}
	if !s.Type.HasURL() {
		if s.SocketType != account.SSL {
			return "PACC knows implicit TLS only (socketType SSL)"
		}
		if s.Port != account.DefaultPort(s.Type, account.SSL) {
			return "PACC knows the usual port only"
		}
		return ""
	}
	u, err := url.Parse(account.ExpandURL(s.URL, anyDomain))
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return "PACC knows https URLs only"
	case u.Port() != "":
		return "PACC knows URLs without a port only"
	case s.Type != account.JMAP && strings.Trim(u.Path, "/") == "":
		return "the URL has no path"
	}
	return ""
}

// authentication returns how to sign in, for all described servers together, and the
// servers for which that is true. PACC cannot say that one mail server takes a password
// and another does not, so only what all of them take is told. A calendar or address
// book that takes less is left out.
func authentication(p *account.Provider, servers []account.Server) (*paccAuthentication, []account.Server, error) {
	all := func(accept func(account.Server) bool) bool {
		return !slices.ContainsFunc(servers, func(s account.Server) bool { return !isDAV(s.Type) && !accept(s) })
	}
	a := &paccAuthentication{Password: all(takesPassword)}
	if all(takesOAuth2) && p.OAuth2 != nil {
		a.OAuthPublic.Issuer = issuerURL(p.OAuth2.Issuer)
	}
	if !a.Password && a.OAuthPublic.Issuer == "" {
		return nil, nil, notDescribable("its mail servers have neither a password nor OAuth2 with an " +
			"https issuer in common")
	}
	servers = slices.DeleteFunc(servers, func(s account.Server) bool {
		return a.Password && !takesPassword(s) || a.OAuthPublic.Issuer != "" && !takesOAuth2(s)
	})
	return a, servers, nil
}

func isDAV(t account.ServerType) bool { return t == account.CalDAV || t == account.CardDAV }

func takesPassword(s account.Server) bool {
	return slices.Contains(s.Authentication, account.PasswordCleartext) ||
		slices.Contains(s.Authentication, account.PasswordEncrypted)
}

func takesOAuth2(s account.Server) bool { return slices.Contains(s.Authentication, account.OAuth2Auth) }

// issuerURL returns the issuer as an https URL (RFC 8414 §2), or "" if it cannot
// be one. In autoconfig it may be a bare host name.
func issuerURL(issuer string) string {
	if issuer != "" && !strings.Contains(issuer, "://") {
		issuer = "https://" + issuer
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	return issuer
}
