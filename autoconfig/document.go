package autoconfig

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// Document returns the config-v1.1 document for the settings, or an error that
// wraps ErrNotDescribable. If s.Address.IsAny(), the document has placeholders
// in place of the mailbox.
func Document(s account.Settings) ([]byte, error) {
	return new(documents).write(s)
}

// documents writes config-v1.1 documents.
type documents struct{ account.Documents[variant] }

// variant is what the documents of one provider differ in. It has few values.
type variant struct {
	lookupDomain  string
	international bool
}

// write returns what Document returns for the settings.
func (d *documents) write(s account.Settings) ([]byte, error) {
	if s.LookupDomain == s.Address.Domain() {
		s.LookupDomain = ""
	}
	template, err := d.Template(&s, variant{s.LookupDomain, isInternational(s)}, writeDocument)
	if err != nil {
		return nil, err
	}
	return template.Append(nil, s.Address, escapeText), nil
}

// isInternational reports whether the domain has other letters than ASCII. It may be
// written in A-labels or in Unicode, and the mail server knows only one of the two.
func isInternational(s account.Settings) bool { return strings.Contains(s.Address.Domain(), "xn--") }

// references are the characters that the text of a document cannot hold. etree
// writes the same references into the text of the template (CanonicalText).
var references = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escapeText(dst []byte, text string) []byte { return append(dst, references.Replace(text)...) }

// writeDocument writes the template of a document. The elements stand where
// Thunderbird's readFromXML looks for them and are spelled as in
// draft-ietf-mailmaint-autoconfig-06.
func writeDocument(s account.Settings) ([]byte, error) {
	if isInternational(s) {
		spellOutAddress(s.Servers)
	}
	servers, err := divide(s.Servers)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.WriteSettings = etree.WriteSettings{CanonicalText: true}
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement("clientConfig")
	root.CreateAttr("version", version(servers))

	// FairEmail uses the last <username> of the document for its mail servers,
	// so sections with another login go before emailProvider.
	mailLogin := lastMailLogin(servers)
	for _, server := range servers.others {
		if withUsername(server.Login) != mailLogin {
			writeServer(root, server)
		}
	}
	writeProvider(root, s, servers)
	for _, server := range servers.others {
		if withUsername(server.Login) == mailLogin {
			writeServer(root, server)
		}
	}
	if url := link(s.Provider.Webmail); url != "" {
		root.CreateElement("webMail").CreateElement("loginPage").CreateAttr("url", url)
	}
	if s.Provider.OAuth2 != nil && servers.takeOAuth2() {
		writeOAuth2(root, s.Provider.OAuth2)
	}
	doc.Indent(2)
	return doc.WriteToBytes()
}

// version returns 1.1, which every published file has, unless the document has
// something that came with 1.2. No known client reads it.
func version(s sections) string {
	if len(s.others) > 0 {
		return "1.2"
	}
	for _, server := range s.incoming {
		if server.Type.HasURL() {
			return "1.2"
		}
	}
	return "1.1"
}

// lastMailLogin returns the login that stands last in emailProvider.
func lastMailLogin(s sections) account.Login {
	servers := s.outgoing
	if len(servers) == 0 {
		servers = s.incoming
	}
	return withUsername(servers[len(servers)-1].Login)
}

// writeProvider writes emailProvider. It names only the domain of the address
// and, for Parula, the one that led the client here: a list of all domains
// would tell strangers who the customers are.
func writeProvider(root *etree.Element, s account.Settings, servers sections) {
	e := root.CreateElement("emailProvider")
	e.CreateAttr("id", account.EmailDomain)
	addLeaf(e, "domain", account.EmailDomain)
	addLeaf(e, "domain", s.LookupDomain)
	addLeaf(e, "displayName", cmp.Or(oneLine(s.Provider.DisplayName), account.EmailDomain))
	addLeaf(e, "displayShortName", oneLine(s.Provider.DisplayShortName))
	for _, server := range servers.incoming {
		writeServer(e, server)
	}
	for _, server := range servers.outgoing {
		writeServer(e, server)
	}
	for _, page := range s.Provider.Documentation {
		url := link(page.URL)
		if url == "" {
			continue
		}
		d := e.CreateElement("documentation")
		d.CreateAttr("url", url)
		for _, title := range page.Titles {
			if descr := addLeaf(d, "descr", oneLine(title.Text)); descr != nil && title.Language != "" {
				descr.CreateAttr("lang", title.Language)
			}
		}
	}
}

// link returns the URL of a page, or nothing if it depends on the mailbox: a
// stranger's address would have to be escaped for the place where it stands,
// and no client needs such a link.
func link(url string) string {
	if account.NamesMailbox(url) {
		return ""
	}
	return url
}

// elements are the names of the sections that describe servers.
var elements = map[account.ServerType]string{
	account.IMAP:        "incomingServer",
	account.POP3:        "incomingServer",
	account.EWS:         "incomingServer",
	account.ActiveSync:  "incomingServer",
	account.JMAP:        "incomingServer",
	account.SMTP:        "outgoingServer",
	account.CalDAV:      "calendar",
	account.CardDAV:     "addressbook",
	account.ManageSieve: "setupServer",
}

// writeServer writes one server section. It has no attribute besides type:
// Evolution rejects the document for any other.
func writeServer(parent *etree.Element, server account.Server) {
	e := parent.CreateElement(elements[server.Type])
	e.CreateAttr("type", string(server.Type))
	if server.Type.HasURL() {
		addLeaf(e, "url", server.URL)
	} else {
		addLeaf(e, "hostname", server.Hostname)
		addLeaf(e, "port", strconv.Itoa(server.Port))
		addLeaf(e, "socketType", string(server.SocketType))
	}
	for _, method := range server.Authentication {
		writeMethod(e, server.Type, method)
	}
	addLeaf(e, "username", username(server.Login))
}

// writeMethod writes an authentication method. For servers with a URL,
// draft-ietf-mailmaint-autoconfig-06 names it by the HTTP scheme, with the attribute
// system="http". The spelling without the attribute goes before: Parula and
// Thunderbird read an element with an attribute as no method, and take the first that
// they know. Thunderbird reads ews with the names for mail servers.
func writeMethod(parent *etree.Element, t account.ServerType, method account.Authentication) {
	scheme := httpSchemes[method]
	if !t.HasURL() || scheme == "" {
		addLeaf(parent, "authentication", string(method))
		return
	}
	addLeaf(parent, "authentication", strings.ToLower(scheme))
	if t == account.EWS && method == account.PasswordCleartext {
		addLeaf(parent, "authentication", string(method))
	}
	addLeaf(parent, "authentication", scheme).CreateAttr("system", "http")
}

// httpSchemes are the names of HTTP schemes that take a password.
var httpSchemes = map[account.Authentication]string{
	account.PasswordCleartext: "Basic",
	account.PasswordEncrypted: "Digest",
}

// spellOutAddress replaces the address as a user name by its two parts, which are
// completed here: clients complete %EMAILADDRESS% as the person typed it.
func spellOutAddress(servers []account.Server) {
	for i := range servers {
		login := &servers[i].Login
		if withUsername(*login).Username == account.EmailAddress {
			login.Username = account.EmailLocalPart + "@" + account.EmailDomain
		}
	}
}

// withUsername returns the login with a user name in any case. Thunderbird would
// read a missing <username> as the name "undefined".
func withUsername(l account.Login) account.Login {
	l.Username = cmp.Or(strings.TrimSpace(l.Username), account.EmailAddress)
	return l
}

// username spells a login as described in the package comment.
func username(l account.Login) string {
	name := withUsername(l).Username
	switch {
	case l.DomainName != "":
		return l.DomainName + `\` + name
	case name == account.EmailAddress, name == account.EmailLocalPart:
		return account.Verbatim(name)
	}
	return name
}

// writeOAuth2 writes what a client needs to request a token. Thunderbird has a
// list of its own instead; Parula and others that follow the draft read it.
func writeOAuth2(root *etree.Element, o *account.OAuth2) {
	e := etree.NewElement("oAuth2")
	addLeaf(e, "issuer", link(o.Issuer))
	addLeaf(e, "scope", strings.Join(o.Scopes, " "))
	addLeaf(e, "authURL", link(o.AuthURL))
	addLeaf(e, "tokenURL", link(o.TokenURL))
	addLeaf(e, "clientID", o.ClientID)
	if len(e.Child) > 0 {
		root.AddChild(e)
	}
}

// addLeaf adds an element with text and returns it, or nil for an empty text:
// Thunderbird reads an empty element as true, and white space as part of the
// value.
func addLeaf(parent *etree.Element, tag, text string) *etree.Element {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	e := parent.CreateElement(tag)
	e.SetText(text)
	return e
}

// oneLine replaces white space in a text for people by single spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
