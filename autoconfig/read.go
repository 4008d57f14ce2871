package autoconfig

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// Read reads a config-v1.1 document as a client with the address does (or a
// client that knows only the domain, for AnyAt). The servers keep their
// placeholders, in the order of the document; Expanded completes them.
//
// Read accepts what tolerant clients accept: the spellings of 1.1 and 1.2, white
// space around values, values in any case, unknown elements. As in Thunderbird's
// readFromXML, the first of repeated values counts, and a section that no client
// could use is left out without an error: Settings.Dropped says which, and why.
func Read(document []byte, a account.Address) (account.Settings, error) {
	root, err := parseXML(document)
	if err != nil {
		return account.Settings{}, err
	}
	if root.FullTag() != "clientConfig" {
		return account.Settings{}, noDocument("its root element is not clientConfig")
	}
	mail := firstChild(root, "emailProvider")
	if mail == nil {
		return account.Settings{}, noDocument("it has no emailProvider")
	}
	s := account.Settings{Address: a, Login: a, Provider: &account.Provider{
		ID:               attribute(mail, "id"),
		DisplayName:      oneLine(firstText(mail, "displayName")),
		DisplayShortName: oneLine(firstText(mail, "displayShortName")),
		Webmail:          webmail(root),
		Documentation:    documentation(mail),
		OAuth2:           oAuth2(root, mail),
	}}
	s.LookupDomain = secondDomain(mail, a)
	sections := slices.Concat(children(mail, "incomingServer", "outgoingServer"),
		children(root, "calendar", "addressbook", "addressBook", "setupServer"))
	for _, e := range sections {
		servers, problem := readSection(e, a)
		s.Servers = append(s.Servers, servers...)
		if problem != "" {
			s.Dropped = append(s.Dropped, strings.TrimSpace(e.Tag+" "+oneLine(attribute(e, "type")))+": "+problem)
		}
	}
	if len(s.Servers) == 0 {
		return account.Settings{}, noDocument("it has no server with all that a client needs")
	}
	s.Provider.Servers = s.Servers
	return s, nil
}

// secondDomain returns the one domain that the document names beside the
// address's own. The many domains of a document of ISPDB have no meaning here.
func secondDomain(mail *etree.Element, a account.Address) string {
	var others []string
	own := false
	for _, text := range texts(mail, "domain") {
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

// webmail returns the URL of the page where a person signs in to webmail, or "".
func webmail(root *etree.Element) string {
	section := firstChild(root, "webMail")
	return cmp.Or(attribute(firstChild(section, "loginPage"), "url"),
		attribute(firstChild(section, "loginPageInfo"), "url"))
}

// documentation returns the help pages that have a URL.
func documentation(mail *etree.Element) []account.Documentation {
	var pages []account.Documentation
	for _, e := range children(mail, "documentation") {
		page := account.Documentation{URL: attribute(e, "url")}
		if page.URL == "" {
			continue
		}
		for _, descr := range children(e, "descr") {
			if text := oneLine(content(descr)); text != "" {
				page.Titles = append(page.Titles, account.Title{Language: attribute(descr, "lang"), Text: text})
			}
		}
		pages = append(pages, page)
	}
	return pages
}

// oAuth2 reads the section from the root, where it belongs, or from
// emailProvider, where Thunderbird for Android looks for it.
func oAuth2(root, mail *etree.Element) *account.OAuth2 {
	e := cmp.Or(firstChild(root, "oAuth2"), firstChild(mail, "oAuth2"))
	if e == nil {
		return nil
	}
	return &account.OAuth2{
		Issuer:   firstText(e, "issuer"),
		Scopes:   strings.Fields(strings.Join(texts(e, "scope"), " ")),
		AuthURL:  firstText(e, "authURL"),
		TokenURL: firstText(e, "tokenURL"),
		ClientID: firstText(e, "clientID"),
	}
}

// readSection reads a server section, in the spelling of 1.1 or 1.2. The old type
// "exchange" can have two servers, which in 1.2 have sections of their own. If there
// is no server in it, problem says why.
func readSection(e *etree.Element, a account.Address) (servers []account.Server, problem string) {
	read := func(t account.ServerType, url string) {
		s, why := readServer(e, t, url, a)
		if why == "" {
			servers = append(servers, s)
		} else {
			problem = why
		}
	}
	switch t := account.ServerType(strings.ToLower(attribute(e, "type"))); {
	case t == "exchange":
		read(account.EWS, firstText(e, "ewsURL"))
		read(account.ActiveSync, firstText(e, "easURL"))
	case strings.EqualFold(elements[t], e.Tag):
		read(t, cmp.Or(firstText(e, "url"), firstText(e, "serverURL")))
	default:
		problem = "a type that is not known here"
	}
	if len(servers) > 0 {
		problem = ""
	}
	return servers, problem
}

// readServer reads a server of the type. If something that a client needs is missing,
// problem says what. A relay needs no user name; like the writer, readServer then
// assumes the address.
func readServer(
	e *etree.Element, t account.ServerType, url string, a account.Address,
) (s account.Server, problem string) {
	s = account.Server{Type: t, Authentication: readMethods(e, t), Login: readLogin(firstText(e, "username"), a)}
	if s.Login.Username == "" && (t.HasURL() || s.NeedsNoLogin()) {
		s.Login.Username = account.EmailAddress
	}
	if t.HasURL() {
		s.URL = url
	} else {
		s.Hostname, s.SocketType = firstText(e, "hostname"), readSocketType(e)
		s.Port, _ = strconv.Atoi(firstText(e, "port"))
	}
	_, err := account.ParseDomain(account.Expand(s.Hostname, a))
	switch {
	case len(s.Authentication) == 0:
		return s, "no authentication that is known here"
	case t.HasURL() && !isURL(account.ExpandURL(s.URL, a)):
		return s, "no usable URL"
	case t.HasURL():
		return s, ""
	case err != nil:
		return s, "no usable hostname"
	case s.Port < 1 || s.Port > 65535:
		return s, "no usable port"
	case s.SocketType == "":
		return s, "no socketType that is known here"
	case s.Login.Username == "":
		return s, "no username"
	}
	return s, ""
}

// readLogin splits a user name into the parts that username joins, and recognises the
// address where its domain is spelled out.
func readLogin(name string, a account.Address) account.Login {
	if domain, user, ok := strings.Cut(name, `\`); ok && domain != "" && user != "" {
		return account.Login{DomainName: domain, Username: user}
	}
	if name == account.EmailLocalPart+"@"+a.Domain() {
		name = account.EmailAddress
	}
	return account.Login{Username: name}
}

// isURL reports whether the text is a URL that a client can use for a server.
func isURL(text string) bool {
	u, err := url.Parse(mailboxInURL.Replace(text))
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "wss") && u.Host != ""
}

// mailboxInURL replaces the placeholders that a client without an address leaves in a URL.
var mailboxInURL = strings.NewReplacer(account.EmailAddress, "mailbox", account.EmailLocalPart, "mailbox")

// readSocketType returns the first known socket type, as readFromXML does.
func readSocketType(e *etree.Element) account.SocketType {
	for _, text := range texts(e, "socketType") {
		for _, t := range []account.SocketType{account.SSL, account.STARTTLS, account.Plain} {
			if strings.EqualFold(text, string(t)) {
				return t
			}
		}
	}
	return ""
}

// readMethods returns the methods that servers of the type can have, in the order of
// the section.
func readMethods(e *etree.Element, t account.ServerType) []account.Authentication {
	var methods []account.Authentication
	for _, text := range texts(e, "authentication") {
		name := strings.ToLower(text)
		method := methodsByName[name]
		if strings.HasPrefix(name, "scram-") {
			method = account.PasswordEncrypted
		}
		relay := method == account.NoAuthentication || method == account.ClientIPAddress
		if method != "" && !slices.Contains(methods, method) && (!relay || t == account.SMTP) {
			methods = append(methods, method)
		}
	}
	return methods
}

// methodsByName maps the spellings of all versions, those of Thunderbird, and
// the SASL and HTTP names that come with an attribute system.
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
	"none":               account.NoAuthentication,
	"client-ip-address":  account.ClientIPAddress,
	"client-ip-based":    account.ClientIPAddress, // KMail's
}
