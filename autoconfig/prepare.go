package autoconfig

import (
	"sync"

	"signpost/account"
)

// prepared keeps the documents of providers as templates, so that a request
// costs no more than filling one in. A Provider never changes; when the
// configuration is loaded again there are new ones and a new handler.
type prepared struct {
	// templates are *account.Template by *account.Provider, or by lookup
	// where the client came by the provider's own domain: there are only as
	// many of those as the configuration names.
	templates sync.Map
}

type lookup struct {
	provider *account.Provider
	domain   string
}

// append appends the document for the settings to dst.
func (p *prepared) append(dst []byte, s *account.Settings) ([]byte, error) {
	if !s.Cacheable() {
		document, err := Document(*s)
		return append(dst, document...), err
	}
	var key any = s.Provider // a pointer in an interface costs no allocation
	if domain := lookupDomain(s); domain != "" {
		key = lookup{s.Provider, domain}
	}
	if t, ok := p.templates.Load(key); ok {
		return t.(*account.Template).Append(dst, s.Address, escapeText), nil
	}
	t, err := template(*s)
	if err != nil {
		return dst, err
	}
	p.templates.Store(key, &t)
	return t.Append(dst, s.Address, escapeText), nil
}

// template is the document for whoever the settings would be Ordinary for.
func template(s account.Settings) (account.Template, error) {
	s.LookupDomain = lookupDomain(&s)
	document, err := build(s, words{address: s.Address, login: s.Address, template: true})
	if err != nil {
		return account.Template{}, err
	}
	return account.ParseTemplate(string(document)), nil
}
