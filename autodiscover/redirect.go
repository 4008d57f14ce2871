package autodiscover

import (
	"net/url"
	"strconv"
	"strings"

	"signpost/account"
)

// Redirect is the error that redirects the client to another service with HTTP
// 302 instead of a document.
type Redirect struct{ Location string }

func (r *Redirect) Error() string { return "the client is redirected to " + r.Location }

// leadsTo reports whether the redirect leads to the host that was asked. The address
// decides, so the client would get the same answer there again.
func (r *Redirect) leadsTo(host string) bool {
	host, _, _ = strings.Cut(host, ":")
	return strings.HasPrefix(r.Location, "https://"+strings.ToLower(strings.TrimSuffix(host, "."))+"/")
}

// notRedirected is the reason for an error in place of a redirect to the host that was
// asked.
const notRedirected = "the other service should answer at the host that was asked"

// redirectOf returns the service that answers Autodiscover for the provider, nil
// if there is none, or if it would send the client back to where it asks.
func redirectOf(s account.Settings) *account.AutodiscoverRedirect {
	if s.Provider == nil {
		return nil
	}
	to := s.Provider.AutodiscoverRedirect
	if to != nil && to.LeadsBack(s.Address.Domain()) {
		return nil
	}
	return to
}

// httpRedirect redirects to the same file of the other service. It keeps the
// extension, as libraries for Exchange expect it; the path is in lower case,
// because ews-javascript-api compares it so.
func httpRedirect(to *account.AutodiscoverRedirect, extension string) *Redirect {
	return &Redirect{"https://" + strings.ToLower(to.Hostname) + "/autodiscover/autodiscover." + extension}
}

// jsonRedirect redirects with the parameters of the request. The protocol is a
// word of letters and digits. Spaces and plus signs are written as percent
// escapes, because some services read a plus sign as a space.
func jsonRedirect(to *account.AutodiscoverRedirect, a account.Address, protocol string, count int) *Redirect {
	r := httpRedirect(to, "json")
	email := strings.ReplaceAll(url.QueryEscape(a.String()), "+", "%20")
	r.Location += "?Email=" + email + "&Protocol=" + protocol + "&RedirectCount=" + strconv.Itoa(count)
	return r
}

// outlookRedirect answers for a provider whose Autodiscover is elsewhere: by
// HTTP 302, which [MS-OXDSCLI] 3.2.5 prefers, by Action redirectUrl, or by the
// address to ask for instead. The document needs neither User nor Protocol.
func outlookRedirect(s account.Settings, to *account.AutodiscoverRedirect) ([]byte, error) {
	var action, tag, target string
	switch {
	case to.Hostname != "" && !to.AsXML:
		return nil, httpRedirect(to, "xml")
	case to.Hostname != "":
		action, tag, target = "redirectUrl", "RedirectUrl", httpRedirect(to, "xml").Location
	case s.Address.IsAny():
		return nil, invalid("the provider redirects to another address, and none was given")
	default:
		address, err := redirectAddress(s, to)
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

// activeSyncRedirect answers a phone. Its schema can redirect to another address;
// to another URL only HTTP can.
func activeSyncRedirect(s account.Settings, to *account.AutodiscoverRedirect) ([]byte, error) {
	if to.Hostname != "" {
		return nil, httpRedirect(to, "xml")
	}
	address, err := redirectAddress(s, to)
	if err != nil {
		return nil, err
	}
	doc, action := newMobileSync(s.Address.String())
	add(action, "Redirect", address)
	return render(doc), nil
}

// redirectAddress returns the address to ask for instead. It must be in another
// domain, or the client would ask the same again.
func redirectAddress(s account.Settings, to *account.AutodiscoverRedirect) (string, error) {
	a, err := account.ParseAddress(account.Expand(to.Address, s.Address))
	if err != nil {
		return "", &Error{Code: Misconfigured, Reason: "the address to redirect to: " + err.Error()}
	}
	if a.Domain() == s.Address.Domain() {
		return "", &Error{Code: Misconfigured, Reason: "the address to redirect to is in the domain that was asked for"}
	}
	return a.String(), nil
}
