package autoconfig

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// Read reads a config-v1.1 document as a client would that was told the address
// (or AnyAt a domain). The servers come with their placeholders, in the order of
// the document; Expanded completes them.
//
// It takes what the tolerant ones among the clients take: the spellings of 1.1
// and 1.2, white space around values, values in any case, unknown elements. Of
// a repeated value the first counts, as in Thunderbird's readFromXML, and like
// there a section that nobody could use is left out and not an error. Not read
// are methods that need no login, such as client-IP-address.
func Read(document []byte, a account.Address) (account.Settings, error) {
	root, err := parseXML(document)
	if err != nil {
		return account.Settings{}, err
	}
	if !is(root, "clientConfig") {
		return account.Settings{}, noDocument("its root element is not clientConfig")
	}
	mail := first(root, "emailProvider")
	if mail == nil {
		return account.Settings{}, noDocument("it has no emailProvider")
	}
	s := account.Settings{Address: a, Login: a, Provider: &account.Provider{
		ID:               strings.TrimSpace(mail.SelectAttrValue("id", "")),
		DisplayName:      oneLine(value(mail, "displayName")),
		DisplayShortName: oneLine(value(mail, "displayShortName")),
		Webmail:          webmail(root),
		Documentation:    documentation(mail),
		OAuth2:           oAuth2(root, mail),
	}}
	s.LookupDomain = secondDomain(mail, a)
	for _, e := range mail.ChildElements() {
		if is(e, "incomingServer") || is(e, "outgoingServer") {
			s.Servers = append(s.Servers, readSection(e, a)...)
		}
	}
	for _, e := range root.ChildElements() {
		if is(e, "calendar") || is(e, "addressbook") || is(e, "addressBook") || is(e, "setupServer") {
			s.Servers = append(s.Servers, readSection(e, a)...)
		}
	}
	if len(s.Servers) == 0 {
		return account.Settings{}, noDocument("it has no server with all that a client needs")
	}
	s.Provider.Servers = s.Servers
	return s, nil
}

// secondDomain is the domain that the document names beside the address's own.
// A document with many domains, as ISPDB has them, says nothing by it.
func secondDomain(mail *etree.Element, a account.Address) string {
	var others []string
	own := false
	for _, text := range values(mail, "domain") {
		switch domain, err := account.ParseDomain(account.Expand(text, a)); {
		case err != nil:
		case domain == a.Domain():
			own = true
		case !slices.Contains(others, domain):
			others = append(others, domain)
		}
	}
	if own && len(others) == 1 {
		return others[0]
	}
	return ""
}

func webmail(root *etree.Element) string {
	for _, tag := range []string{"loginPage", "loginPageInfo"} {
		if page := first(first(root, "webMail"), tag); page != nil {
			if link := strings.TrimSpace(page.SelectAttrValue("url", "")); link != "" {
				return link
			}
		}
	}
	return ""
}

func documentation(mail *etree.Element) []account.Documentation {
	var pages []account.Documentation
	for _, e := range all(mail, "documentation") {
		page := account.Documentation{URL: strings.TrimSpace(e.SelectAttrValue("url", ""))}
		if page.URL == "" {
			continue
		}
		for _, descr := range all(e, "descr") {
			if text := oneLine(content(descr)); text != "" {
				page.Titles = append(page.Titles, account.Title{Language: descr.SelectAttrValue("lang", ""), Text: text})
			}
		}
		pages = append(pages, page)
	}
	return pages
}

// oAuth2 reads the section from the root, where it belongs, or from
// emailProvider, where Thunderbird for Android looks for it.
func oAuth2(root, mail *etree.Element) *account.OAuth2 {
	e := first(root, "oAuth2")
	if e == nil {
		e = first(mail, "oAuth2")
	}
	if e == nil {
		return nil
	}
	return &account.OAuth2{
		Issuer:   value(e, "issuer"),
		Scopes:   strings.Fields(strings.Join(values(e, "scope"), " ")),
		AuthURL:  value(e, "authURL"),
		TokenURL: value(e, "tokenURL"),
	}
}

// readSection reads a server section. The old type "exchange" can name two.
func readSection(e *etree.Element, a account.Address) []account.Server {
	name := strings.ToLower(strings.TrimSpace(e.SelectAttrValue("type", "")))
	if name == "exchange" {
		var servers []account.Server
		for _, old := range exchangeURLs {
			if s, ok := readServer(e, old.serverType, old.tag, a); ok {
				servers = append(servers, s)
			}
		}
		return servers
	}
	t := account.ServerType(name) // the words of account are the format's own
	if !slices.Contains(account.ServerTypes, t) || sectionOf(e) != elements[t] {
		return nil
	}
	tag := "url"
	if first(e, tag) == nil {
		tag = "serverURL"
	}
	if s, ok := readServer(e, t, tag, a); ok {
		return []account.Server{s}
	}
	return nil
}

// exchangeURLs are the URLs of a section of type exchange, which 1.2 splits up.
var exchangeURLs = []struct {
	serverType account.ServerType
	tag        string
}{
	{account.EWS, "ewsURL"},
	{account.ActiveSync, "easURL"},
}

// sectionOf is the name of the section in the spelling of 1.2.
func sectionOf(e *etree.Element) string {
	if e.Tag == "addressBook" {
		return elements[account.CardDAV]
	}
	return e.Tag
}

// readServer reads a server of the type, if everything that it needs is there.
func readServer(e *etree.Element, t account.ServerType, urlTag string, a account.Address) (account.Server, bool) {
	s := account.Server{Type: t, Authentication: readMethods(e), Login: readLogin(value(e, "username"))}
	if len(s.Authentication) == 0 {
		return s, false
	}
	if t.HasURL() {
		s.URL = value(e, urlTag)
		if s.Login.Username == "" {
			s.Login.Username = account.EmailAddress
		}
		return s, isURL(account.ExpandURL(s.URL, a))
	}
	s.Hostname = value(e, "hostname")
	s.SocketType = readSocketType(e)
	var err error
	s.Port, err = strconv.Atoi(value(e, "port"))
	if err != nil || s.Port < 1 || s.Port > 65535 || s.SocketType == "" || s.Login.Username == "" {
		return s, false
	}
	_, err = account.ParseDomain(account.Expand(s.Hostname, a))
	return s, err == nil
}

// readLogin takes a user name apart as username puts it together.
func readLogin(name string) account.Login {
	if domain, user, ok := strings.Cut(name, `\`); ok && domain != "" && user != "" {
		return account.Login{DomainName: domain, Username: user}
	}
	return account.Login{Username: name}
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "wss") && u.Host != ""
}

// readSocketType is the first known one, as in readFromXML.
func readSocketType(e *etree.Element) account.SocketType {
	for _, text := range values(e, "socketType") {
		for _, known := range []account.SocketType{account.SSL, account.STARTTLS, account.Plain} {
			if strings.EqualFold(text, string(known)) {
				return known
			}
		}
	}
	return ""
}

// readMethods lists the known methods in the order of the section.
func readMethods(e *etree.Element) []account.Authentication {
	var methods []account.Authentication
	for _, text := range values(e, "authentication") {
		name := strings.ToLower(text)
		method := methodsByName[name]
		if strings.HasPrefix(name, "scram-") {
			method = account.PasswordEncrypted
		}
		if method != "" && !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
	}
	return methods
}

// methodsByName are the spellings of all versions, those of Thunderbird, and
// the SASL and HTTP names that stand with an attribute system.
var methodsByName = map[string]account.Authentication{
	"password-cleartext": account.PasswordCleartext,
	"plain":              account.PasswordCleartext,
	"login":              account.PasswordCleartext,
	"basic":              account.PasswordCleartext,
	"http-basic":         account.PasswordCleartext,
	"password-encrypted": account.PasswordEncrypted,
	"secure":             account.PasswordEncrypted,
	"cram-md5":           account.PasswordEncrypted,
	"digest-md5":         account.PasswordEncrypted,
	"digest":             account.PasswordEncrypted,
	"http-digest":        account.PasswordEncrypted,
	"ntlm":               account.NTLM,
	"gssapi":             account.GSSAPI,
	"tls-client-cert":    account.TLSClientCert,
	"external":           account.TLSClientCert,
	"oauth2":             account.OAuth2Auth,
	"oauth":              account.OAuth2Auth,
	"oauthbearer":        account.OAuth2Auth,
	"xoauth2":            account.OAuth2Auth,
}
