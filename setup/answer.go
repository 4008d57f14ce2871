package setup

import (
	"strings"

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

// exchangeFirst reports whether a profile holds the Exchange account, which
// brings calendars and contacts along, and not the mail account.
func exchangeFirst(servers []account.Server) bool {
	for _, s := range servers {
		switch s.Type {
		case account.ActiveSync:
			return true
		case account.IMAP, account.POP3:
			return false
		}
	}
	return false
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
		Extras:   has(c.apple.Servers, account.CalDAV, account.CardDAV) && !exchangeFirst(c.apple.Servers),
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
