package config

import (
	"strings"

	"signpost/account"
)

var handOverKeys = keys[account.AutodiscoverRedirect]{
	"hostname":     func(h *account.AutodiscoverRedirect, v *value) { h.Hostname, _ = v.host(false) },
	"redirectAddr": func(h *account.AutodiscoverRedirect, v *value) { h.Address, _ = v.redirectAddress() },
	"answer": func(h *account.AutodiscoverRedirect, v *value) {
		way, _ := choice(v, "http or xml", []string{"http", "xml"})
		h.AsXML = way == "xml"
	},
}

// readHandOver reads which service answers Autodiscover in our place.
func readHandOver(p *provider, v *value) {
	h := &account.AutodiscoverRedirect{}
	p.AutodiscoverRedirect = h
	has, ok := handOverKeys.read(v, h)
	switch {
	case !ok:
	case has["hostname"] == nil && has["redirectAddr"] == nil:
		v.fault("hostname is missing, the host that answers Autodiscover, or redirectAddr, the address to ask for instead")
	case has["hostname"] != nil && has["redirectAddr"] != nil:
		has["redirectAddr"].fault("cannot be given together with hostname")
	case has["answer"] != nil && has["hostname"] == nil:
		has["answer"].fault("cannot be given with redirectAddr, which is always answered as XML")
	}
}

// redirectAddress reads the address that a client should ask for instead.
func (v *value) redirectAddress() (string, bool) {
	text, ok := v.text("an address, such as %EMAILLOCALPART%@example.onmicrosoft.com")
	if !ok || !v.placeholders(text, account.EmailLocalPart, account.EmailDomain) {
		return "", false
	}
	filled, err := account.ParseAddress(account.Expand(text, account.AnyAt(stand)))
	if err != nil {
		v.fault("%s is %v", quote(text), err)
		return "", false
	}
	if filled.Domain() == stand {
		v.fault("%s asks for the same domain again, and clients would go round in circles", quote(text))
		return "", false
	}
	local := text[:strings.LastIndexByte(text, '@')]
	return local + "@" + strings.ReplaceAll(filled.Domain(), stand, account.EmailDomain), true
}
