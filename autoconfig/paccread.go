package autoconfig

import (
	"encoding/json"
	"strings"

	"signpost/account"
)

// ReadPACC reads a user-agent-configuration.json as a client with the address
// does (or a client that knows only the domain, for AnyAt). Unknown members are
// ignored, as the draft asks; of the two names for submission the newer one
// counts. The format has no placeholders: what looks like one is text.
func ReadPACC(document []byte, a account.Address) (account.Settings, error) {
	if err := checkText(document); err != nil {
		return account.Settings{}, err
	}
	var d pacc
	// encoding/json limits the depth of nesting itself.
	if json.Unmarshal(document, &d) != nil {
		return account.Settings{}, noDocument("it is not JSON of the right form")
	}
	s := account.Settings{Address: a, Login: a, Provider: &account.Provider{
		DisplayName:      oneLine(d.Info.Provider.Name),
		DisplayShortName: oneLine(d.Info.Provider.ShortName),
	}}
	if page := d.Info.Help.Documentation; page != "" {
		s.Provider.Documentation = []account.Documentation{{URL: account.Verbatim(page)}}
	}
	s.Provider.Developer = account.Verbatim(d.Info.Help.Developer)
	if logos := d.Info.Provider.Logo; len(logos) > 0 {
		s.Provider.Logo = account.Verbatim(logos[0].URL)
	}
	for _, uri := range d.Info.Help.Contact {
		readContact(&s.Provider.Support.Contact, uri)
	}
	methods := []account.Authentication{account.PasswordCleartext}
	if d.Authentication != nil {
		methods = nil
		if issuer := d.Authentication.OAuthPublic.Issuer; isURL(issuer) {
			s.Provider.OAuth2 = &account.OAuth2{Issuer: issuer}
			methods = append(methods, account.OAuth2Auth)
		}
		if d.Authentication.Password {
			methods = append(methods, account.PasswordCleartext)
		}
	}
	if len(methods) == 0 {
		return account.Settings{}, noDocument("it knows no way to sign in")
	}
	for _, m := range paccMembers {
		endpoint, ok := d.Protocols[m.name]
		if !ok && m.serverType == account.SMTP {
			endpoint = d.Protocols[oldSubmit]
		}
		server := account.Server{
			Type:           m.serverType,
			Authentication: methods,
			Login:          account.Login{Username: account.EmailAddress},
		}
		if m.serverType.HasURL() {
			server.URL = account.Verbatim(endpoint.URL)
			if !isURL(endpoint.URL) {
				continue
			}
		} else {
			server.Hostname = endpoint.Host
			server.SocketType = account.SSL
			server.Port = account.DefaultPort(m.serverType, account.SSL)
			if _, err := account.ParseDomain(server.Hostname); err != nil {
				continue
			}
		}
		s.Servers = append(s.Servers, server)
	}
	if len(s.Servers) == 0 {
		return account.Settings{}, noDocument("it names no server")
	}
	s.Provider.Servers = s.Servers
	return s, nil
}

// readContact adds one way to the support staff.
func readContact(c *account.Contact, uri string) {
	if email, ok := strings.CutPrefix(uri, "mailto:"); ok {
		c.Email = email
	} else if phone, ok := strings.CutPrefix(uri, "tel:"); ok {
		c.Phone = phone
	} else {
		c.URL = uri
	}
}
