package setup

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"signpost/account"
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

// ProfileTexts are the words of an Apple profile in a language. The description
// has {provider} where the provider's name goes.
func ProfileTexts(lang *templates.Language) (description, mail, calendars, contacts string) {
	return lang.Text("profile.description", "provider", "{provider}"),
		lang.Text("profile.mail"), lang.Text("profile.calendars"), lang.Text("profile.contacts")
}

// Profile is what an Apple profile holds, nothing where there is none.
type Profile struct {
	Mail     bool // an account of IMAP or POP
	Exchange bool // an account that brings calendars and contacts along
	Extras   bool // calendars or contacts, in accounts of their own
	Token    bool // people sign in on a web page
}

// profile links to the device's profile, nil where there is none. The link says
// the language that the page is in, as Safari may fetch it anew with other
// headers.
func (h *handler) profile(s account.Settings, d device, l links, lang *templates.Language) *profile {
	if h.options.Profile == nil {
		return nil
	}
	p := profile{Address: readable(s.Address), Profile: h.options.Profile(s, string(d))}
	if p.Profile == (Profile{}) {
		return nil
	}
	const path = "/profile.mobileconfig"
	l.device, l.lang = d, lang.Tag
	p.URL = path + l.query()
	// Exchange has a switch for that on an iPhone only.
	if p.Mail && p.Extras || p.Exchange && d == iPhone {
		p.MailOnly = path + l.query("only", "mail")
	}
	return &p
}
