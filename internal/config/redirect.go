package config

import (
	"strings"

	"signpost/account"
)

var redirectKeys = keys[account.AutodiscoverRedirect]{
	"hostname":     func(r *account.AutodiscoverRedirect, v *value) { r.Hostname = v.host() },
	"redirectAddr": func(r *account.AutodiscoverRedirect, v *value) { r.Address = v.redirectAddress() },
	"answer":       func(r *account.AutodiscoverRedirect, v *value) { r.AsXML = v.either("http", "xml") == "xml" },
}

// readRedirect reads which service answers Autodiscover in our place.
func readRedirect(p *provider, v *value) {
	p.AutodiscoverRedirect = &account.AutodiscoverRedirect{}
	has := redirectKeys.read(v, p.AutodiscoverRedirect)
	hostname, address, answer := has["hostname"], has["redirectAddr"], has["answer"]
	switch {
	case has == nil:
	case hostname == nil && address == nil:
		v.fault("hostname is missing, the host that answers Autodiscover, or redirectAddr, " +
			"the address to ask for instead")
	case hostname != nil && address != nil:
		address.fault("cannot be combined with hostname")
	case answer != nil && hostname == nil:
		answer.fault("cannot be combined with redirectAddr, which is always answered as XML")
	case p.AutodiscoverRedirect.AsXML:
		answer.warn("no client that was tried follows such an answer; leave it out, " +
			"and clients are redirected with 302")
	}
}

// redirectAddress reads the address that a client should ask for instead.
func (v *value) redirectAddress() string {
	text := v.text("an address, such as %EMAILLOCALPART%@example.onmicrosoft.com")
	if text == "" || !v.placeholders(text, account.EmailLocalPart, account.EmailDomain) {
		return ""
	}
	address, err := account.ParseAddress(account.Expand(text, account.AnyAt(exampleDomain)))
	switch {
	case err != nil:
		return v.refuse("%s is %v", quote(text), err)
	case address.Domain() == exampleDomain:
		return v.refuse("%s leads back to the same domain; clients would loop", quote(text))
	}
	local := text[:strings.LastIndexByte(text, '@')]
	return local + "@" + strings.ReplaceAll(address.Domain(), exampleDomain, account.EmailDomain)
}
