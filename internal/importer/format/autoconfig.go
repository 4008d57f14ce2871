package format

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/document"
	"signpost/internal/importer/draft"
)

// autoconfigXML are documents in Mozilla's autoconfig format: config-v1.1.xml as it lies on a
// web server, or a file of Mozilla's ISPDB, of which one may name hundreds of domains.
var autoconfigXML = Format{
	Name:  "autoconfig",
	Title: "autoconfig documents",
	Is: func(f File) bool {
		head := f.Data[:min(len(f.Data), 64<<10)]
		return bytes.Contains(bytes.ReplaceAll(head, []byte{0}, nil), []byte("<clientConfig")) // also in UTF-16
	},
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			if err := readAutoconfig(f, "", d); err != nil {
				return err
			}
		}
		return nil
	},
}

// readAutoconfig reads a document. With a domain, it is what that one is told, whatever the document
// says of domains.
func readAutoconfig(f File, domain string, d *draft.Draft) error {
	if bytes.Contains(f.Data, []byte("<!DOCTYPE")) || bytes.Contains(f.Data, []byte("<!ENTITY")) {
		return faultAt(f.Path, 0, "the document has a DOCTYPE, which no autoconfig document has")
	}
	x := document.ReadLargeXML(f.Data)
	if x.Error != nil && x.Error.Kind != document.Late {
		return faultAt(f.Path, x.Error.Line, "%s", x.Error.Text)
	}
	if x.Root == nil || x.Root.Local() != "clientConfig" {
		return faultAt(f.Path, 1, "the document does not begin with <clientConfig>")
	}
	r := autoconfigReader{f, d, x.Root, domain}
	found := false
	for _, e := range x.Root.Children {
		switch e.Local() {
		case "emailProvider":
			found = true
			r.provider(e)
		case "oAuth2", "webMail":
		default:
			r.lose(e)
		}
	}
	if !found {
		return faultAt(f.Path, x.Root.Line, "the document has no <emailProvider>")
	}
	return nil
}

type autoconfigReader struct {
	file File
	d    *draft.Draft
	root *document.Element

	domain string // that is told the document, or empty
}

func (r autoconfigReader) at(e *document.Element) draft.Place {
	return draft.Place{File: r.file.Path, Line: e.Line}
}

// reasons say why an element is not carried over, where that is not plain.
var reasons = map[string]string{
	"pop3":               "clients decide themselves how long mail stays on the server",
	"enable":             "write it under notices or support, for the set-up page",
	"instruction":        "write it under notices or support, for the set-up page",
	"clientConfigUpdate": "no client reads it",
	"inputField":         "no client reads it",
}

func (r autoconfigReader) lose(e *document.Element) {
	why := reasons[e.Local()]
	if why == "" {
		why = "Signpost does not have it"
	}
	r.d.Lose(r.at(e), "<%s>: %s", e.Local(), why)
}

func (r autoconfigReader) provider(e *document.Element) {
	p := draft.Product{Place: r.at(e)}
	value := func(name string) string { return content(e.Child(name)) }
	setNames(r.d, &p, r.at(e), value("displayName"), value("displayShortName"))
	for _, c := range e.Children {
		switch c.Local() {
		case "domain":
			if r.domain != "" {
				continue
			}
			if purpose, _ := c.Attribute("purpose"); purpose == "mx" {
				r.d.Lose(r.at(c), "<domain purpose=\"mx\">%s</domain>: name the MX hosts of your customers under mx",
					content(c))
			} else if text := content(c); strings.Contains(text, "%") {
				r.d.Lose(r.at(c), "<domain>%s</domain>: it stands for any domain; list yours under domains", text)
			} else {
				addDomains(r.d, &p, r.at(c), text)
			}
		case "displayName", "displayShortName":
		case "incomingServer", "outgoingServer":
			r.server(c, &p)
		case "calendar", "addressBook", "addressbook":
			r.server(c, &p)
		case "documentation":
			r.documentation(c, &p)
		case "webMail":
			r.webmail(c, &p)
		case "oAuth2":
			r.oAuth2(c, &p)
		default:
			r.lose(c)
		}
	}
	addDomains(r.d, &p, r.at(e), r.domain)
	id, _ := e.Attribute("id")
	if domain, err := parseDomain(id); err == nil && len(p.Domains) == 0 && e.Child("domain") == nil {
		p.Domains = append(p.Domains, domain)
		p.Guesses = append(p.Guesses, "the domain "+domain+", from the id of the document")
	}
	r.general(&p)
	r.fileName(e, p.Domains)
	// An id that is one of the domains says nothing more, and would keep documents apart that are
	// alike otherwise.
	if !slices.Contains(p.Domains, id) {
		p.Provider.ID = id
	}
	r.webmail(r.root.Child("webMail"), &p)
	r.oAuth2(r.root.Child("oAuth2"), &p)
	if p.Provider.DisplayName == "" && len(p.Domains) == 0 && len(p.Provider.Servers) > 0 {
		r.d.Lose(r.at(e), "<emailProvider> without a domain")
		return
	}
	finish(r.d, p)
}

// general puts the placeholder in the place of one person's address in a login: programs that write
// a document for each request are often asked for one's own.
func (r autoconfigReader) general(p *draft.Product) {
	for i := range p.Provider.Servers {
		login := &p.Provider.Servers[i].Login
		a, err := account.ParseAddress(login.Username)
		if err == nil && !strings.Contains(login.Username, "%") && slices.Contains(p.Domains, a.Domain()) {
			login.Username = account.EmailAddress
			p.Guesses = append(p.Guesses, "the user name of "+string(p.Provider.Servers[i].Type)+
				": the address, in the place of one person's")
		}
	}
}

// fileName says that a file is named after another domain than it names. Servers of such files, as
// ISPDB, go by the name.
func (r autoconfigReader) fileName(e *document.Element, domains []string) {
	name := filepath.Base(r.file.Path)
	name = strings.TrimSuffix(name, ".xml")
	domain, err := parseDomain(name)
	if err == nil && r.domain == "" && len(domains) > 0 && !slices.Contains(domains, domain) &&
		filepath.Ext(name) != ".txt" && filepath.Ext(name) != ".bak" {
		r.d.Lose(r.at(e),
			"the file is named after %s, which it does not name: list it under domains if it is told this", name)
	}
}

func content(e *document.Element) string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.Text)
}

func (r autoconfigReader) server(e *document.Element, p *draft.Product) {
	kind, _ := e.Attribute("type")
	s := service{at: r.at(e), kind: kind, name: fmt.Sprintf("<%s type=%q>", e.Local(), kind)}
	first := func(to *string, c *document.Element) { // Thunderbird's readFromXML takes the first, too
		if text := content(c); *to == "" {
			*to = text
		} else if text != *to {
			r.d.Lose(r.at(c), "<%s>%s</%s>: a second one, of which clients take the first", c.Local(), text, c.Local())
		}
	}
	for _, c := range e.Children {
		text := content(c)
		switch c.Local() {
		case "hostname":
			first(&s.host, c)
		case "port":
			first(&s.port, c)
		case "socketType":
			first(&s.socket, c)
		case "username":
			first(&s.username, c)
		case "authentication":
			s.methods = append(s.methods, strings.TrimSuffix(text, ", ")) // as it stands in some files
		case "url", "serverURL":
			s.url = text
		case "password":
			r.d.Lose(r.at(c), "<password> is left out, as a secret")
		case "ewsURL", "easURL", "owaURL":
		default:
			r.lose(c)
		}
	}
	if strings.EqualFold(kind, "exchange") {
		for _, part := range []struct{ element, kind string }{{"easURL", "activesync"}, {"ewsURL", "ews"}} {
			if c := e.Child(part.element); c != nil {
				one := s
				one.kind, one.url = part.kind, content(c)
				one.add(r.d, p)
			}
		}
		if c := e.Child("owaURL"); c != nil {
			r.lose(c)
		}
		return
	}
	if before := len(p.Provider.Servers); s.port == "" && s.url == "" {
		s.add(r.d, p)
		if len(p.Provider.Servers) > before && !p.Provider.Servers[before].Type.HasURL() {
			p.Guesses = append(p.Guesses, "the port of "+s.name)
		}
		return
	}
	s.add(r.d, p)
}

func (r autoconfigReader) documentation(e *document.Element, p *draft.Product) {
	url, _ := e.Attribute("url")
	page := account.Documentation{URL: url}
	for _, c := range e.Children {
		if c.Local() != "descr" {
			r.lose(c)
			continue
		}
		language, _ := c.Attribute("lang")
		if language == "" {
			language = "en"
		}
		page.Titles = append(page.Titles,
			account.Title{Language: language, Text: strings.Join(strings.Fields(c.Text), " ")})
	}
	clean, problem := pageURL(url)
	if problem != "" {
		r.d.Lose(r.at(e), "<documentation>: %s", problem)
		return
	}
	page.URL = clean
	p.Provider.Documentation = append(p.Provider.Documentation, page)
}

func (r autoconfigReader) webmail(e *document.Element, p *draft.Product) {
	page := e.Child("loginPage")
	if page == nil {
		page = e.Child("loginPageInfo") // as Signpost's own reader of autoconfig does
	}
	if page == nil || p.Provider.Webmail != "" {
		return
	}
	url, _ := page.Attribute("url")
	clean, problem := pageURL(url)
	if problem != "" {
		r.d.Lose(r.at(page), "<%s>: %s", page.Local(), problem)
		return
	}
	p.Provider.Webmail = clean
}

func (r autoconfigReader) oAuth2(e *document.Element, p *draft.Product) {
	if e == nil || p.Provider.OAuth2 != nil {
		return
	}
	o := &account.OAuth2{Issuer: content(e.Child("issuer")), Scopes: strings.Fields(content(e.Child("scope"))),
		AuthURL: content(e.Child("authURL")), TokenURL: content(e.Child("tokenURL")),
		ClientID: content(e.Child("clientID"))}
	if e.Child("clientSecret") != nil {
		r.d.Lose(r.at(e.Child("clientSecret")), "<clientSecret> is left out, as a secret")
	}
	if !complete(o) {
		r.d.Lose(r.at(e), "<oAuth2>: issuer, scope, authURL and tokenURL are needed, the last two with https")
		return
	}
	p.Provider.OAuth2 = o
}
