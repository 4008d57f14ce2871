package setup

import (
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"signpost/account"
	"signpost/templates"
)

// view is what the templates are given.
type view struct {
	Lang      string
	Languages []languageLink // more than one, or none
	Brand     brand
	Style     string // URLs
	Script    string
	Private   bool // there is somebody's address on the page

	Form    form
	Problem string // key of a text: what is wrong with what was typed
	Unknown string // the domain that is not hosted
	Failed  bool   // we could not look
	Answer  *answer
	Contact account.Contact
}

// languageLink leads to the same page in another language.
type languageLink struct {
	Tag, Name, URL string
	Current        bool
}

type brand struct {
	Name string
	Logo string // URL
}

// form is what stands in the form.
type form struct{ Address, Name, Lang string }

// answer is the settings of one address.
type answer struct {
	Address  string // as people read it
	Provider string
	Notices  []notice
	Link     string // of this page, absolute; empty without a name of the service
	Code     code
	All      string // URL of this page with everything open
	Sections []section

	IPhone, Mac         string // URLs of profiles; empty where there is none
	IPhoneMail, MacMail string // of profiles without calendars and contacts
	Signed              bool
	Extras              bool   // calendars or contacts are accounts of their own
	Exchange            bool   // ActiveSync
	Form                *table // for Android's Exchange account
	Joined              *table
	Web                 bool // Exchange Web Services, which a Mac speaks
	HandOver            bool // Exchange clients find it elsewhere by themselves
	Token               bool // people sign in on a web page
	Mail                bool // IMAP or POP, and SMTP
	IMAP, POP           bool
	Gmail               []*table // for the Gmail app
	Outlook             []*table
	Tables              []*table // for all others
	Also                []*table // what is not mail

	Webmail string
	Help    []link
	Trouble trouble
}

type notice struct{ Text, URL string }

type link struct{ Text, URL string }

// trouble is what to look at when it does not work.
type trouble struct {
	account.Support
	Wait   int // minutes that sending is blocked
	Ports  string
	Checks []string
}

// links makes the URLs of a page that hold what was asked for.
type links struct {
	address, name, lang string
	device              device
}

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
		// An @ needs no escape (RFC 3986 §3.4), and people read these links.
		b.WriteString(pairs[i] + "=" + strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "%40", "@"))
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

// clients are the settings for each client whose section shows some.
type clients struct{ page, apple, phone, outlook account.Settings }

// differs reports whether a client may be told something else than the page.
func (c *clients) differs(client account.Client) bool {
	exceptions := c.page.Provider.Exceptions
	_, forClient := exceptions[client]
	_, forPage := exceptions[account.Page]
	return forClient || forPage
}

// mailTypes are the servers of mail in the order of the tables.
var mailTypes = []account.ServerType{account.ActiveSync, account.IMAP, account.POP3, account.SMTP}

// answerFor makes the answer. It depends on nothing that is known of the one
// mailbox: Standing is for the operator's eyes.
func (h *handler) answerFor(c clients, l links, lang *templates.Language, d device, plain bool) *answer {
	s, p := c.page, c.page.Provider
	servers := s.Expanded()
	l.address = s.Address.String()
	w := writer{lang, lang.Words}
	if plain {
		w.text = func(key string) string { return lang.Text(key) }
	}
	tables := w.tables(servers)
	a := &answer{
		Address:  readable(s.Address),
		Provider: p.DisplayName,
		All:      "/" + l.on(everything).query(),
		Sections: d.sections(lang),
		Extras:   has(c.apple.Servers, account.CalDAV, account.CardDAV),
		Web:      has(servers, account.EWS),
		HandOver: p.HandOver != nil,
		Token:    byToken(servers),
		IMAP:     has(servers, account.IMAP),
		POP:      has(servers, account.POP3),
		Gmail:    only(tables, servers, account.IMAP, account.SMTP),
		Tables:   only(tables, servers, mailTypes...),
		Also:     only(tables, servers, account.EWS, account.CalDAV, account.CardDAV, account.JMAP, account.ManageSieve),
		Webmail:  account.Expand(p.Webmail, s.Login),
	}
	a.Mail = (a.IMAP || a.POP) && has(servers, account.SMTP)
	if !a.IMAP {
		a.Gmail = only(tables, servers, account.POP3, account.SMTP)
	}
	a.Outlook = a.Tables
	if c.differs(account.Outlook) {
		servers := c.outlook.Expanded()
		a.Outlook = only(w.tables(servers), servers, mailTypes...)
	}
	if server, ok := c.phone.First(account.ActiveSync); ok {
		server = server.Expand(c.phone.Login)
		a.Exchange, a.Form, a.Joined = true, w.exchange(server), w.joined(server)
	}
	h.addProfiles(a, c.apple, l, lang)
	if !plain {
		a.Link, a.Code = h.forPhone(l)
	}
	for _, n := range p.Notices {
		if n.Matters(h.options.Now()) {
			a.Notices = append(a.Notices, notice{account.TextIn(n.Texts, lang.Tag), account.Expand(n.URL, s.Login)})
		}
	}
	for _, d := range p.Documentation {
		a.Help = append(a.Help, link{account.TextIn(d.Titles, lang.Tag), account.Expand(d.URL, s.Login)})
	}
	a.Trouble = troubleOf(s, servers, lang)
	return a
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

func troubleOf(s account.Settings, servers []account.Server, lang *templates.Language) trouble {
	p := s.Provider
	t := trouble{Support: p.Support, Wait: int(p.Support.Limits.Wait.Minutes())}
	for _, url := range []*string{&t.Status, &t.PasswordReset, &t.ControlPanel} {
		*url = account.Expand(*url, s.Login)
	}
	var ports []string
	for _, s := range servers {
		if s.Type == account.SMTP && s.Port != 25 {
			ports = append(ports, lang.Text("port", "port", itoa(s.Port)))
		}
	}
	t.Ports = strings.Join(ports, ", ")
	for _, check := range p.Support.Checks {
		t.Checks = append(t.Checks, account.TextIn(check, lang.Tag))
	}
	return t
}
