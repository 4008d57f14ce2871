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

// on is the links for a device.
func (l links) on(d device) links {
	l.device = d
	return l
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

// addProfiles links to the profiles that there are. The links say the language
// that the page is in, as Safari may fetch them anew with other headers.
func (h *handler) addProfiles(a *answer, s account.Settings, l links, lang *templates.Language) {
	l.lang = lang.Tag
	const path = "/profile.mobileconfig"
	if h.profile(s, iPhone) {
		a.IPhone = path + l.on(iPhone).query()
		if a.Extras || a.Exchange {
			a.IPhoneMail = path + l.on(iPhone).query("only", "mail")
		}
	}
	if h.profile(s, mac) {
		a.Mac = path + l.on(mac).query()
		if a.Extras { // Exchange has no such switch on a Mac
			a.MacMail = path + l.on(mac).query("only", "mail")
		}
	}
	a.Signed = h.options.Signed != nil && h.options.Signed()
}

// profile reports whether there is a profile of the settings for the device. It
// depends on the provider alone, but for accounts with servers of their own.
func (h *handler) profile(s account.Settings, d device) bool {
	if h.options.Profile == nil {
		return false
	}
	if !s.Ordinary() {
		return h.options.Profile(s, string(d))
	}
	type key struct {
		provider *account.Provider
		device   device
	}
	k := key{s.Provider, d}
	found, ok := h.profiles.Load(k)
	if !ok {
		found, _ = h.profiles.LoadOrStore(k, h.options.Profile(s, string(d)))
	}
	return found.(bool)
}
