package account

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Documents writes the documents of one dialect and caches them.
//
// A document is always written as the text of a Template and then completed for
// the address. Where the settings are Cacheable, the template is kept for the
// Provider, as is an error of the writer. A Provider never changes, and a
// reloaded configuration brings new Providers and new handlers, so nothing is
// dropped.
//
// V tells documents for the same Provider apart, such as those for different
// devices. The zero value is ready, and safe for concurrent use.
type Documents[V comparable] struct {
	mu        sync.RWMutex
	templates map[documentKey[V]]cachedTemplate
}

// Writer writes the text of a template. Its settings have placeholders only where
// the template may have them; all other texts in them are Verbatim. A Writer
// spells the address as EmailAddress, EmailLocalPart and EmailDomain, and protects
// text of its own with Verbatim. Its error is cached, too, and may hold
// placeholders but no address.
type Writer func(Settings) ([]byte, error)

type documentKey[V comparable] struct {
	provider   *Provider
	anyMailbox bool // the address is a result of AnyAt
	variant    V
}

type cachedTemplate struct {
	template Template
	err      error
}

// Template returns the document for the settings, to be completed for s.Address.
//
// A link in the Provider for which NamesMailbox is true keeps its placeholders. A
// document must leave it out.
func (d *Documents[V]) Template(s *Settings, variant V, write Writer) (Template, error) {
	if !s.Cacheable() {
		return writeTemplate(s, write)
	}
	key := documentKey[V]{s.Provider, s.Address.IsAny(), variant}
	d.mu.RLock()
	cached, ok := d.templates[key]
	d.mu.RUnlock()
	if ok {
		return cached.template, cached.err
	}
	cached.template, cached.err = writeTemplate(s, write)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.templates == nil {
		d.templates = map[documentKey[V]]cachedTemplate{}
	}
	d.templates[key] = cached
	return cached.template, cached.err
}

func writeTemplate(s *Settings, write Writer) (Template, error) {
	text, err := write(s.templated())
	if err != nil {
		return Template{}, err
	}
	return ParseTemplate(string(text)), nil
}

// templated returns a copy of the settings whose texts fit into a template for
// s.Address. Placeholders are left in host names, URLs and user names, and in
// the links of the Provider, unless they have to be completed here: for a Login
// other than the Address, or because the address needs escapes in a URL. All
// other texts are Verbatim.
func (s *Settings) templated() Settings {
	t := *s
	t.Provider = s.templatedProvider()
	t.Servers = slices.Clone(s.Servers)
	for i := range t.Servers {
		server := &t.Servers[i]
		server.Login.DomainName = Verbatim(server.Login.DomainName)
		server.PathPrefix = Verbatim(server.PathPrefix)
		if s.Login != s.Address {
			server.Hostname = Verbatim(Expand(server.Hostname, s.Login))
			username := cmp.Or(strings.TrimSpace(server.Login.Username), EmailAddress)
			server.Login.Username = Verbatim(Expand(username, s.Login))
		}
		if s.Login != s.Address || !s.Address.plainInURL() {
			server.URL = Verbatim(ExpandURL(server.URL, s.Login))
			server.PrincipalURL = Verbatim(ExpandURL(server.PrincipalURL, s.Login))
		}
	}
	return t
}

func (s *Settings) templatedProvider() *Provider {
	if s.Provider == nil {
		return new(Provider)
	}
	link := func(url string) string {
		if s.Login == s.Address || NamesMailbox(url) {
			return url
		}
		return Verbatim(Expand(url, s.Login))
	}
	p := *s.Provider
	p.DisplayName, p.DisplayShortName = Verbatim(p.DisplayName), Verbatim(p.DisplayShortName)
	p.Webmail, p.Logo, p.Developer = link(p.Webmail), link(p.Logo), link(p.Developer)
	contact := &p.Support.Contact
	contact.URL, contact.Email, contact.Phone = Verbatim(contact.URL), Verbatim(contact.Email), Verbatim(contact.Phone)
	p.Documentation = slices.Clone(p.Documentation)
	for i, page := range p.Documentation {
		titles := slices.Clone(page.Titles)
		for j, title := range titles {
			titles[j] = Title{Verbatim(title.Language), Verbatim(title.Text)}
		}
		p.Documentation[i] = Documentation{link(page.URL), titles}
	}
	if o := p.OAuth2; o != nil {
		scopes := slices.Clone(o.Scopes)
		for i, scope := range scopes {
			scopes[i] = Verbatim(scope)
		}
		p.OAuth2 = &OAuth2{
			Issuer: link(o.Issuer), Scopes: scopes, AuthURL: link(o.AuthURL), TokenURL: link(o.TokenURL),
			ClientID: Verbatim(o.ClientID),
		}
	}
	return &p
}
