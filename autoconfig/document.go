package autoconfig

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"signpost/account"
)

// Document is the config-v1.1 document for the settings, or an error that is
// ErrNotDescribable. For an Address that IsAny it holds placeholders where it
// would name the mailbox.
func Document(s account.Settings) ([]byte, error) {
	return build(s, words{address: s.Address, login: s.Login})
}

// build writes the document: its names stand where Thunderbird's readFromXML
// looks for them, its spelling is that of draft-ietf-mailmaint-autoconfig-06.
func build(s account.Settings, w words) ([]byte, error) {
	chosen, err := choose(s.Servers)
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.WriteSettings = etree.WriteSettings{CanonicalText: true}
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement("clientConfig")
	root.CreateAttr("version", version(chosen))

	mailLogin := lastMailLogin(chosen)
	for _, server := range chosen.others {
		if complete(server.Login) != mailLogin {
			writeServer(root, server, w)
		}
	}
	writeProvider(root, s, chosen, w)
	for _, server := range chosen.others {
		if complete(server.Login) == mailLogin {
			writeServer(root, server, w)
		}
	}
	if url := w.link(s.Provider.Webmail); url != "" {
		root.CreateElement("webMail").CreateElement("loginPage").CreateAttr("url", url)
	}
	if s.Provider.OAuth2 != nil && chosen.takeOAuth2() {
		writeOAuth2(root, s.Provider.OAuth2, w)
	}
	doc.Indent(2)
	return doc.WriteToBytes()
}

// version is 1.1, which every published file says, unless the document has
// something that came with 1.2. Nobody is known to read it.
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

// lastMailLogin is the login that stands last in emailProvider. A section of
// the root with another one goes before emailProvider, because FairEmail takes
// the last <username> of the document for its mail servers.
func lastMailLogin(s sections) account.Login {
	servers := s.outgoing
	if len(servers) == 0 {
		servers = s.incoming
	}
	return complete(servers[len(servers)-1].Login)
}

// writeProvider writes emailProvider. Of the domains only the one asked for is
// named and, for Parula, the one that it came by: a list of all would tell
// strangers who the customers are.
func writeProvider(root *etree.Element, s account.Settings, chosen sections, w words) {
	e := root.CreateElement("emailProvider")
	e.CreateAttr("id", w.domain())
	leaf(e, "domain", w.domain())
	leaf(e, "domain", w.keep(lookupDomain(&s)))
	if leaf(e, "displayName", prose(w.keep(s.Provider.DisplayName))) == nil {
		leaf(e, "displayName", w.domain())
	}
	leaf(e, "displayShortName", prose(w.keep(s.Provider.DisplayShortName)))
	for _, server := range chosen.incoming {
		writeServer(e, server, w)
	}
	for _, server := range chosen.outgoing {
		writeServer(e, server, w)
	}
	for _, page := range s.Provider.Documentation {
		url := w.link(page.URL)
		if url == "" {
			continue
		}
		d := e.CreateElement("documentation")
		d.CreateAttr("url", url)
		for _, title := range page.Titles {
			if descr := leaf(d, "descr", prose(w.keep(title.Text))); descr != nil && title.Language != "" {
				descr.CreateAttr("lang", w.keep(title.Language))
			}
		}
	}
}

// lookupDomain is the second domain to name, if any.
func lookupDomain(s *account.Settings) string {
	if s.LookupDomain == s.Address.Domain() {
		return ""
	}
	return s.LookupDomain
}

// elements are the sections that servers are written in.
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
// Evolution gives the document up for any other.
func writeServer(parent *etree.Element, server account.Server, w words) {
	e := parent.CreateElement(elements[server.Type])
	e.CreateAttr("type", string(server.Type))
	if server.Type.HasURL() {
		leaf(e, "url", w.fillURL(server.URL))
	} else {
		leaf(e, "hostname", w.fill(server.Hostname))
		leaf(e, "port", strconv.Itoa(server.Port))
		leaf(e, "socketType", string(server.SocketType))
	}
	for _, method := range server.Authentication {
		for _, name := range methodNames(server.Type, method) {
			leaf(e, "authentication", name)
		}
	}
	leaf(e, "username", w.username(server.Login))
}

// methodNames spells an authentication. For servers with a URL it is the name
// of the HTTP scheme, without the attribute system="http" that is optional
// there. Thunderbird reads ews with the mail servers' names, so a password has
// both there, each reader taking the first that it knows.
func methodNames(t account.ServerType, method account.Authentication) []string {
	if !t.HasURL() {
		return []string{string(method)}
	}
	switch method {
	case account.PasswordCleartext:
		if t == account.EWS {
			return []string{"basic", string(method)}
		}
		return []string{"basic"}
	case account.PasswordEncrypted:
		return []string{"digest"}
	}
	return []string{string(method)}
}

func (s sections) takeOAuth2() bool {
	for _, list := range [...][]account.Server{s.incoming, s.outgoing, s.others} {
		for _, server := range list {
			for _, method := range server.Authentication {
				if method == account.OAuth2Auth {
					return true
				}
			}
		}
	}
	return false
}

// writeOAuth2 writes what a client needs to ask for a token. Thunderbird has a
// list of its own instead; Parula and others that follow the draft read it.
func writeOAuth2(root *etree.Element, o *account.OAuth2, w words) {
	e := etree.NewElement("oAuth2")
	leaf(e, "issuer", w.link(o.Issuer))
	leaf(e, "scope", w.keep(strings.Join(o.Scopes, " ")))
	leaf(e, "authURL", w.link(o.AuthURL))
	leaf(e, "tokenURL", w.link(o.TokenURL))
	if len(e.Child) > 0 {
		root.AddChild(e)
	}
}

// leaf adds an element with text, unless the text is empty: Thunderbird takes
// an empty element for true, and white space for part of the value.
func leaf(parent *etree.Element, tag, text string) *etree.Element {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	e := parent.CreateElement(tag)
	e.SetText(text)
	return e
}

// prose is a text for people on one line.
func prose(text string) string { return strings.Join(strings.Fields(text), " ") }
