package setup

import (
	"math"
	"strings"
	"time"

	"signpost/account"
	"signpost/templates"
)

// clients are the settings for each client whose section shows some.
type clients struct{ page, apple, phone, outlook account.Settings }

// differs reports whether a client may be told something else than the page.
func (c *clients) differs(client account.Client) bool {
	exceptions := c.page.Provider.Exceptions
	_, forClient := exceptions[client]
	_, forPage := exceptions[account.Page]
	return forClient || forPage
}

// answerFor makes the answer. It depends on nothing that is known of the one
// mailbox: Standing is for the operator's eyes.
func (h *handler) answerFor(c clients, l links, lang *templates.Language, d device, plain bool) *answer {
	s, p := c.page, c.page.Provider
	l.address = s.Address.String()
	w := writer{lang, lang.Words}
	if plain {
		w.text = func(key string) string { return lang.Text(key) }
	}
	page := w.offer(s)
	apple, outlook := page, page
	if c.differs(account.Apple) {
		apple = w.offer(c.apple)
	}
	if c.differs(account.Outlook) {
		outlook = w.offer(c.outlook)
	}
	a := &answer{
		Address:  readable(s.Address),
		Provider: p.DisplayName,
		All:      "/" + links{l.address, l.name, l.lang, everything}.query(),
		Sections: d.sections(lang),
		IPhone:   profileLinks(c.apple, iPhone, l, lang),
		Mac:      profileLinks(c.apple, mac, l, lang),
		Signed:   h.options.Signed != nil && h.options.Signed(),
		Web:      has(page.servers, account.EWS),
		HandOver: p.AutodiscoverRedirect != nil,
		Token:    byToken(page.servers, account.IMAP, account.POP3, account.SMTP, account.ActiveSync, account.EWS),
		IMAP:     has(page.servers, account.IMAP),
		POP:      has(page.servers, account.POP3),
		Gmail:    page.form(),
		Tables:   page.all(account.ActiveSync, account.IMAP, account.POP3, account.SMTP),
		Also:     page.all(account.EWS, account.CalDAV, account.CardDAV, account.JMAP, account.ManageSieve),
		Webmail:  account.Expand(p.Webmail, s.Login),
	}
	a.Mail = (a.IMAP || a.POP) && has(page.servers, account.SMTP)
	a.Typed = a.Mail && !byToken(page.servers, account.IMAP, account.POP3, account.SMTP)
	a.Apple, a.Outlook = apple.form(), outlook.best(account.IMAP, account.POP3, account.SMTP)
	if !a.Typed {
		a.Apple, a.Outlook = apple.best(account.ActiveSync), outlook.best(account.ActiveSync)
	}
	if server, ok := c.phone.First(account.ActiveSync); ok {
		server = server.Expand(c.phone.Login)
		a.Exchange, a.Form, a.Joined = true, w.exchange(server), w.joined(server)
	}
	if !plain {
		a.Link, a.Code = h.forPhone(l)
	}
	for _, n := range p.Notices {
		if n.Active(time.Now()) {
			a.Notices = append(a.Notices, link{titleIn(n.Texts, lang), account.Expand(n.URL, s.Login)})
		}
	}
	for _, d := range p.Documentation {
		a.Help = append(a.Help, link{titleIn(d.Titles, lang), account.Expand(d.URL, s.Login)})
	}
	a.Trouble = troubleOf(s, page.servers, lang)
	return a
}

// titleIn is an operator's text and, where it is not in the language of the page,
// which it is in.
func titleIn(texts []account.Title, lang *templates.Language) account.Title {
	t := closestTitle(texts, lang.Tag)
	if t.Language == lang.Tag {
		t.Language = ""
	}
	return t
}

func troubleOf(s account.Settings, servers []account.Server, lang *templates.Language) trouble {
	p := s.Provider
	t := trouble{Support: p.Support}
	switch minutes := math.Ceil(p.Support.Limits.Wait.Minutes()); {
	case minutes == 1:
		t.Wait = lang.Text("trouble.minute")
	case minutes > 1:
		t.Wait = lang.Text("trouble.minutes", "count", int(minutes))
	}
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
		t.Checks = append(t.Checks, titleIn(check, lang))
	}
	return t
}
