package client

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/dns"
	"signpost/internal/doctor/document"
)

// exchangeType is Thunderbird's type for a server that Autodiscover or an old document
// describes by URLs.
const exchangeType account.ServerType = "exchange"

// thunderbirdConfig is an AccountConfig: the servers that are preferred, and the others.
type thunderbirdConfig struct {
	incoming, outgoing Server
	alternatives       []Server // incoming
}

// replaceVariables fills in placeholders in user names and host names (AccountConfig.sys.mjs).
func (c *thunderbirdConfig) replaceVariables(a account.Address) {
	for _, server := range []*Server{&c.incoming, &c.outgoing} {
		server.Username = expand(server.Username, a)
		server.Hostname = expand(server.Hostname, a)
	}
}

// xmlTypes are the content types that make a body XML.
var xmlTypes = []string{"text/xml", "application/xml", "text/rdf"}

// noResult says why fetchHTTP has no result, or nothing: any 2xx has one, unless it calls itself
// JSON and is none, or XML and has no byte (FetchHTTP.sys.mjs).
func noResult(page Page) string {
	switch contentType := page.ContentType(); {
	case !page.Success():
		return page.Says()
	case hasPrefix(contentType, "text/json", "application/json") && !json.Valid(page.Body):
		return page.Says() + ", but no JSON"
	case hasPrefix(contentType, xmlTypes...) && len(page.Body) == 0:
		return page.Says() + ", but empty"
	}
	return ""
}

func hasPrefix(text string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
}

// readXML reads the body as XML if the content type is one of three; any other makes it a
// text. Gecko answers broken XML with a document that describes the error.
func readXML(page Page) (*document.Element, string) {
	if !hasPrefix(page.ContentType(), xmlTypes...) {
		return nil, "not sent as XML"
	}
	x := document.ReadXML(page.Body)
	if x.Error != nil {
		return nil, x.Error.Error()
	}
	return x.Root, ""
}

// readConfig reads an autoconfig document as readFromXML.sys.mjs does, or says why it is
// refused. A server with a mistake is left out.
func readConfig(page Page) (*thunderbirdConfig, string) {
	root, why := readXML(page)
	if why != "" {
		return nil, why
	}
	provider := root.Child("emailProvider")
	if root.Name != "clientConfig" || provider == nil {
		return nil, "no emailProvider in it"
	}
	id, _ := provider.Attribute("id")
	if _, ok := sanitizeHostname(parseText(id)); !ok || id == "" {
		return nil, "the id of emailProvider is no host name"
	}
	if !slices.ContainsFunc(provider.All("domain"), func(e *document.Element) bool {
		_, ok := sanitizeHostname(jxon(e))
		return ok
	}) {
		return nil, "no domain that is a host name"
	}
	var c thunderbirdConfig
	why = "no incomingServer"
	for _, e := range provider.All("incomingServer") {
		server, problem := readServer(e, "pop3", "imap", "nntp", "exchange", "ews", "owa")
		switch {
		case problem != "":
			why = "incomingServer: " + problem
		case c.incoming.Hostname == "":
			c.incoming = server
		default:
			c.alternatives = append(c.alternatives, server)
		}
	}
	if c.incoming.Hostname == "" {
		return nil, why
	}
	why = "no outgoingServer"
	for _, e := range provider.All("outgoingServer") {
		server, problem := readServer(e, "smtp")
		if problem != "" {
			why = "outgoingServer: " + problem
			continue
		}
		c.outgoing = server
		return &c, ""
	}
	return nil, why
}

// readServer reads a server section, or says why it is left out.
func readServer(e *document.Element, types ...string) (Server, string) {
	kind, _ := e.Attribute("type")
	if !slices.Contains(types, kind) {
		return Server{}, "type " + strconv.Quote(kind)
	}
	server := Server{Type: account.ServerType(kind)}
	outgoing := kind == "smtp"
	if host := e.Child("hostname"); host != nil || outgoing {
		var ok bool
		if server.Hostname, ok = sanitizeHostname(jxon(host)); !ok {
			return server, "the hostname is none"
		}
	}
	if port := e.Child("port"); port != nil || outgoing {
		var ok bool
		if server.Port, ok = sanitizePort(jxon(port)); !ok {
			return server, "the port is none"
		}
	}
	if link := e.Child("url"); link != nil && !outgoing {
		server.takeURL(jxon(link))
	}
	server.Username = jxon(e.Child("username"))
	for _, one := range e.All("socketType") {
		if s := account.SocketType(jxon(one)); s == account.SSL || s == account.STARTTLS || s == account.Plain {
			server.SocketType = s
			break
		}
	}
	if server.SocketType == "" {
		return server, "socketType " + strconv.Quote(jxon(e.Child("socketType")))
	}
	if server.Hostname == "" {
		return server, "no hostname"
	}
	var ok bool
	if server.Authentication, ok = readAuthentication(e, server); !ok {
		return server, "no authentication that Thunderbird knows"
	}
	if outgoing && e.Child("username") == nil && !takesPassword(server.Authentication) {
		server.Username = ""
	}
	return server, ""
}

func takesPassword(a account.Authentication) bool {
	return a == account.PasswordCleartext || a == account.PasswordEncrypted
}

func (s *Server) takeURL(text string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return
	}
	if host, ok := sanitizeHostname(u.Hostname()); ok {
		s.URL, s.Hostname = text, host
		s.SocketType = map[string]account.SocketType{"http": account.Plain, "https": account.SSL}[u.Scheme]
	}
}

// readAuthentication takes the first method that Thunderbird knows. OAuth2 counts only at
// the hosts of its own list (OAuth2Providers.sys.mjs).
func readAuthentication(e *document.Element, server Server) (account.Authentication, bool) {
	for _, one := range e.All("authentication") {
		switch text := jxon(one); text {
		case "password-cleartext", "plain":
			return account.PasswordCleartext, true
		case "password-encrypted", "secure":
			return account.PasswordEncrypted, true
		case "GSSAPI", "NTLM":
			return account.Authentication(text), true
		case "OAuth2":
			if thunderbirdKnowsOAuth2(server) {
				return account.OAuth2Auth, true
			}
		case "none", "client-IP-address", "smtp-after-pop":
			if server.Type == account.SMTP {
				return account.NoAuthentication, true
			}
		}
	}
	return "", false
}

// thunderbirdKnowsOAuth2 reports whether a server, or a domain above it, is in
// OAuth2Providers.sys.mjs.
func thunderbirdKnowsOAuth2(server Server) bool {
	if server.Type == exchangeType || server.Type == account.EWS {
		return isMicrosoft(server.Hostname)
	}
	return (account.Server{Hostname: server.Hostname}).HasKnownOAuth2()
}

// isMicrosoft reports whether Thunderbird signs in at Microsoft to ask the host for an Exchange
// account.
func isMicrosoft(host string) bool {
	return slices.ContainsFunc([]string{"office365.com", "outlook.com", "hotmail.com"}, func(domain string) bool {
		return host == domain || strings.HasSuffix(host, "."+domain)
	})
}

// jxon returns the text that Thunderbird sees in a leaf (JXON.sys.mjs): an element that is not
// there is "undefined", an empty one true, one with an attribute an object.
func jxon(e *document.Element) string {
	switch {
	case e == nil:
		return "undefined"
	case len(e.Children) > 0, len(e.Attributes) > 0:
		return "[object Object]"
	case e.Raw == "":
		return "true"
	case e.Text == "":
		return "[object Object]" // a comment alone
	}
	return parseText(e.Text)
}

var number = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

// parseText makes a text what JavaScript makes of it when it looks like a number or a boolean.
func parseText(text string) string {
	if lower := strings.ToLower(text); lower == "true" || lower == "false" {
		return lower
	}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return "NaN"
	}
	if !number.MatchString(trimmed) {
		return text
	}
	value, err := strconv.ParseFloat(trimmed, 64)
	if err != nil {
		return text // too large to be finite
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

var (
	withPlaceholder = regexp.MustCompile(`^[a-zA-Z0-9.-]*(%[A-Z0-9]+%[a-zA-Z0-9.-]*)+$`)
	legalHostname   = regexp.MustCompile(`(?i)^(([a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9])\.)*` +
		`([a-z0-9]|[a-z0-9][a-z0-9-]{0,61}[a-z0-9])\.?$`)
)

// sanitizeHostname checks a host name as InputSanitizer.sys.mjs does.
func sanitizeHostname(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if withPlaceholder.MatchString(text) {
		return text, true
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return text, true
	}
	return strings.ToLower(text), text != "undefined" && len(text) <= 255 && legalHostname.MatchString(text)
}

var leadingInteger = regexp.MustCompile(`^\s*[+-]?[0-9]+`)

func sanitizePort(text string) (int, bool) {
	port, err := strconv.Atoi(strings.TrimSpace(leadingInteger.FindString(text)))
	return port, err == nil && port >= 1 && port <= 65535
}

func registrable(name string) string { return dns.Registrable(name) }
