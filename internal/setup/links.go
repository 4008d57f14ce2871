package setup

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"signpost/account"
	"signpost/mobileconfig"
	"signpost/templates"
)

// links makes the URLs of a page that hold what was asked for.
type links struct {
	address, name, lang string
	device              device
}

// escapes change what url.QueryEscape wrote. An @ needs no escape (RFC 3986
// §3.4), and people read these links. A space written as + would be a + to
// whoever reads the address.
var escapes = strings.NewReplacer("%40", "@", "+", "%20")

// query is what a URL of the page has after the question mark. Every value is
// escaped, a + too.
func (l links) query(more ...string) string {
	pairs := append([]string{"emailaddress", l.address, "name", l.name, "lang", l.lang, "device", string(l.device)}, more...)
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		b.WriteByte("?&"[min(b.Len(), 1)])
		b.WriteString(pairs[i] + "=" + escapes.Replace(url.QueryEscape(pairs[i+1])))
	}
	return b.String()
}

// readable is an address with its domain as the person knows it.
func readable(a account.Address) string {
	domain, err := idna.Display.ToUnicode(a.Domain())
	if err != nil {
		domain = a.Domain()
	}
	return a.Local() + "@" + domain
}

// forPhone is the page as another device should open it, which has a section of
// its own, and the code of that. A name that makes the code too fine for a
// camera is left out.
func (h *handler) forPhone(l links) (string, code) {
	if h.options.Name == "" {
		return "", code{}
	}
	for _, name := range []string{l.name, ""} {
		l.name = name
		page := "https://" + h.options.Name + "/" + l.query()
		if code, ok := qrCode(page); ok {
			return page, code
		}
	}
	return "", code{}
}

// profileLinks returns the links to the Apple profile for the device, nil if there
// is no profile. They name the language of the page, because Safari may fetch a
// profile again with other headers.
func profileLinks(s account.Settings, d device, l links, lang *templates.Language) *profile {
	p := profile{Address: readable(s.Address), Contents: mobileconfig.ContentsOf(s, mobileconfig.Device(d))}
	if p.Contents == (mobileconfig.Contents{}) {
		return nil
	}
	const path = "/profile.mobileconfig"
	l.device, l.lang = d, lang.Tag
	p.URL = path + l.query()
	// Only the iPhone's Exchange account can leave out calendars and contacts.
	if p.Mail && p.Extras || p.Exchange && d == iPhone {
		p.MailOnly = path + l.query("only", "mail")
	}
	return &p
}
