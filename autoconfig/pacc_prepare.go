package autoconfig

import (
	"sync"

	"signpost/account"
)

// PACCs writes the PACC documents of many domains: that of each provider once, and
// then filled in. All Ordinary settings of one Provider must have the same Servers,
// those for account.PACC. Configurations may be mixed, as each has Providers of its
// own. It is safe for concurrent use, and the zero value is ready.
type PACCs struct {
	templates sync.Map // *paccTemplate by *account.Provider
}

// paccTemplate is a prepared document, or why there is none.
type paccTemplate struct {
	account.Template
	err error
}

// Document is what PACC returns for the settings.
func (p *PACCs) Document(s account.Settings) ([]byte, error) { return p.append(nil, &s) }

// append appends the document for the settings to dst.
func (p *PACCs) append(dst []byte, s *account.Settings) ([]byte, error) {
	if !s.Cacheable() {
		document, err := PACC(*s)
		return append(dst, document...), err
	}
	known, ok := p.templates.Load(s.Provider)
	if !ok {
		text, err := buildPACC(s, true)
		known, _ = p.templates.LoadOrStore(s.Provider, &paccTemplate{account.ParseTemplate(string(text)), err})
	}
	t := known.(*paccTemplate)
	if t.err != nil {
		return dst, t.err
	}
	// Nothing of a mailbox stands in the document, and no character of a domain
	// has to be escaped in JSON.
	return t.Append(dst, s.Address, nil), nil
}
