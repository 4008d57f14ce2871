package autodiscover

import (
	"net/url"
	"strconv"
	"strings"

	"signpost/account"
)

// handOver is who answers Autodiscover in the provider's place, nil if nobody.
func handOver(s account.Settings) *account.AutodiscoverRedirect {
	if s.Provider == nil {
		return nil
	}
	return s.Provider.AutodiscoverRedirect
}

// redirect sends the client to the same file of another host. The extension is
// kept, as libraries for Exchange want it; the path is in lower case, because
// ews-javascript-api compares it so; the host stands in the configuration.
func redirect(h *account.AutodiscoverRedirect, extension string) *Redirect {
	return &Redirect{"https://" + strings.ToLower(h.Hostname) + "/autodiscover/autodiscover." + extension}
}

// redirectJSON carries the question along; the protocol is a word of letters and
// digits. Nothing is written as a plus sign: some services read one as a space.
func redirectJSON(h *account.AutodiscoverRedirect, a account.Address, protocol string, count int) *Redirect {
	r := redirect(h, "json")
	email := strings.ReplaceAll(url.QueryEscape(a.String()), "+", "%20")
	r.Location += "?Email=" + email + "&Protocol=" + protocol + "&RedirectCount=" + strconv.Itoa(count)
	return r
}

// outlookHandOver answers for a provider whose Autodiscover is elsewhere: by
// HTTP 302, which [MS-OXDSCLI] 3.2.5 prefers, by Action redirectUrl, or by the
// address to ask for instead. The body needs neither User nor Protocol.
func outlookHandOver(s account.Settings, h *account.AutodiscoverRedirect) ([]byte, error) {
	if h.Hostname != "" && !h.AsXML {
		return nil, redirect(h, "xml")
	}
	action, tag, target := "redirectUrl", "RedirectUrl", ""
	if h.Hostname != "" {
		target = redirect(h, "xml").Location
	} else {
		if s.Address.IsAny() {
			return nil, invalid("the provider redirects to another address, and none was given")
		}
		address, err := redirectAddress(s, h)
		if err != nil {
			return nil, err
		}
		action, tag, target = "redirectAddr", "RedirectAddr", address
	}
	doc, response := newDocument(nsOutlook)
	acc := response.CreateElement("Account")
	add(acc, "AccountType", "email")
	add(acc, "Action", action)
	add(acc, tag, target)
	return render(doc), nil
}

// activeSyncHandOver answers a phone. Its schema knows the redirection to
// another address; for one to another URL there is HTTP only.
func activeSyncHandOver(s account.Settings, h *account.AutodiscoverRedirect) ([]byte, error) {
	if h.Hostname != "" {
		return nil, redirect(h, "xml")
	}
	address, err := redirectAddress(s, h)
	if err != nil {
		return nil, err
	}
	doc, action := newMobileSync(s.Address.String())
	add(action, "Redirect", address)
	return render(doc), nil
}

// redirectAddress is the address to ask for instead. It must lead to another
// domain, or the client asks the same again.
func redirectAddress(s account.Settings, h *account.AutodiscoverRedirect) (string, error) {
	to, err := account.ParseAddress(account.Expand(h.Address, s.Address))
	if err != nil {
		return "", &Error{Code: Misconfigured, Reason: "the address to redirect to: " + err.Error()}
	}
	if to.Domain() == s.Address.Domain() {
		return "", &Error{Code: Misconfigured, Reason: "the address to redirect to is in the domain that was asked for"}
	}
	return to.String(), nil
}
