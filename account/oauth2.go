package account

import (
	"net/url"
	"slices"
	"strings"
)

// oAuth2Hosts are the hosts for which Thunderbird knows where to get a token, with all
// names below them (mailnews/base/src/OAuth2Providers.sys.mjs). It ignores the section
// oAuth2 of a document. Other clients have similar lists.
var oAuth2Hosts = []string{
	"googlemail.com", "gmail.com", "yahoo.com", "att.net", "aol.com", "office365.com", "outlook.com", "hotmail.com",
	"thundermail.com", "imap.mail.ru", "smtp.mail.ru", "imap.yandex.com", "smtp.yandex.com",
	"imap.seznam.cz", "pop3.seznam.cz", "smtp.seznam.cz", "imap.fastmail.com", "pop.fastmail.com", "smtp.fastmail.com",
	"imap.comcast.net", "pop.comcast.net", "smtp.comcast.net",
}

// HasKnownOAuth2 reports whether Thunderbird, and most other clients, know where to get
// an OAuth2 token for the server without being told.
func (s Server) HasKnownOAuth2() bool {
	host := s.Hostname
	if u, err := url.Parse(s.URL); err == nil && s.Type.HasURL() {
		host = u.Hostname()
	}
	return slices.ContainsFunc(oAuth2Hosts, func(known string) bool {
		return host == known || strings.HasSuffix(host, "."+known)
	})
}
