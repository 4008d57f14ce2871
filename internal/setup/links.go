package setup

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"signpost/account"
	"signpost/mobileconfig"
	"signpost/templates"
)

// links holds the parameters of the request, which the URLs of the page repeat.
type links struct {
	base                string // what the URLs begin with
	address, name, lang string
	device              device
}

// queryEscapes adjusts the output of url.QueryEscape. An @ needs no escape (RFC 3986
// §3.4), and people read these links. A space written as + would be read as the + of
// an address.
var queryEscapes = strings.NewReplacer("%40", "@", "+", "%20")

// query returns the query of a URL, question mark included. More alternates names
// and values. Every value is escaped, a + too; empty ones are left out.
func (l links) query(more ...string) string {
	pairs := append([]string{
		"emailaddress", l.address, "name", l.name, "lang", l.lang, "device", string(l.device),
	}, more...)
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		b.WriteByte("?&"[min(b.Len(), 1)])
		b.WriteString(pairs[i] + "=" + queryEscapes.Replace(url.QueryEscape(pairs[i+1])))
	}
	return b.String()
}

// readable returns an address with its domain in Unicode, as the person knows it.
func readable(a account.Address) string {
	domain, err := idna.Display.ToUnicode(a.Domain())
	if err != nil {
		domain = a.Domain()
	}
	return a.Local() + "@" + domain
}

// forPhone returns the URL of the page for another device, which has a section of
// its own there, and its QR code. A name that makes the code too fine for a camera
// is left out. An address that does has no code.
func (h *handler) forPhone(l links) (string, code) {
	if h.options.Name == "" {
		return "", code{}
	}
	page := ""
	for _, name := range []string{l.name, ""} {
		l.name = name
		page = "https://" + h.options.Name + "/" + l.query()
		if code, ok := qrCode(page); ok {
			return page, code
		}
	}
	return page, code{}
}

// mailLink returns the URL of a new message with the link to the page (RFC 6068). It
// is addressed to nobody: the mailbox on the page cannot be read on the device yet.
func mailLink(page string, lang *templates.Language) string {
	if page == "" {
		return ""
	}
	body := lang.Text("code.body") + "\r\n\r\n" + page
	return "mailto:?subject=" + escapeField(lang.Text("code.subject")) + "&body=" + escapeField(body)
}

// escapeField escapes a header field of a mailto: URL, in which a + is no space
// (RFC 6068 §5).
func escapeField(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// profileLinks returns the links to the Apple profile for the device, nil if there
// is no profile. They name the language of the page, because Safari may fetch a
// profile again with other headers.
func profileLinks(s account.Settings, d device, l links, lang *templates.Language) *profile {
	p := profile{Address: readable(s.Address), Contents: mobileconfig.ContentsOf(s, mobileconfig.Device(d))}
	if p.Contents == (mobileconfig.Contents{}) {
		return nil
	}
	path := l.base + "/profile.mobileconfig"
	l.device, l.lang = d, lang.Tag
	p.URL = path + l.query()
	// Only the iPhone's Exchange account can leave out calendars and contacts.
	if p.Mail && p.Extras || p.Exchange && d == iPhone {
		p.MailOnly = path + l.query("only", "mail")
	}
	return &p
}
