package setup

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"signpost/account"
	"signpost/internal/setup/phone"
	"signpost/templates"
)

// clientSettings holds the settings for each client whose section shows some.
type clientSettings struct{ page, apple, phone, outlook, thunderbird account.Settings }

// lookUp resolves the address for the page, and for other clients where the
// provider has exceptions. The host stays out of the query: the page is requested
// at the service's own name.
func (h *handler) lookUp(ctx context.Context, a account.Address) (clientSettings, error) {
	var c clientSettings
	var err error
	if c.page, err = h.resolve(ctx, account.Query{Address: a, Client: account.Page}); err != nil {
		return c, err
	}
	c.apple, c.phone, c.outlook, c.thunderbird = c.page, c.page, c.page, c.page
	if len(c.page.Provider.Exceptions) == 0 {
		return c, nil
	}
	for client, into := range map[account.Client]*account.Settings{
		account.Apple: &c.apple, account.Phone: &c.phone, account.Outlook: &c.outlook,
		account.Thunderbird: &c.thunderbird, // on Android, too
	} {
		if *into, err = h.resolve(ctx, account.Query{Address: a, Client: client}); err != nil {
			return c, err
		}
	}
	return c, nil
}

// newAnswer returns the answer for the settings. It depends on nothing that is
// known of the single mailbox: Settings.Account is for the operator's eyes.
func (h *handler) newAnswer(c clientSettings, l links, lang *templates.Language, d device, plainText bool) *answer {
	s, p := c.page, c.page.Provider
	l.address = s.Address.String()
	f := tableFormat{lang.Label, "field.yours"}
	if p.Support.AppPassword != "" {
		f.password = "field.app"
	}
	if plainText {
		f.label = func(key string) string { return lang.Text(key) }
	}
	page, apple, outlook := f.tables(s), f.tables(c.apple), f.tables(c.outlook)
	a := &answer{
		Address:  readable(s.Address),
		Provider: p.DisplayName,
		All:      l.base + "/" + links{address: l.address, name: l.name, lang: l.lang, device: allDevices}.query(),
		IPhone:   profileLinks(c.apple, iPhone, l, lang),
		Mac:      profileLinks(c.apple, mac, l, lang),
		Signed:   h.options.Signed != nil && h.options.Signed(),
		Tables:   page.all(account.ActiveSync, account.IMAP, account.POP3, account.SMTP),
		Also:     page.all(account.EWS, account.CalDAV, account.CardDAV, account.JMAP, account.ManageSieve),
		Webmail:  account.Expand(p.Webmail, s.Login),

		AutodiscoverRedirect: p.AutodiscoverRedirect != nil,
		AliasLogin:           p.AliasSignsInAsMailbox,
		Unencrypted:          len(page.that(isUnencrypted)) > 0,
		PasswordUnencrypted:  len(page.that(isUnencrypted).that(account.Server.TakesPassword)) > 0,
	}
	a.Unverified = a.Signed && h.options.Trusted != nil && !h.options.Trusted()
	a.setSignIn(page, s.Address)
	if a.PasswordForm {
		a.Apple = apple.usable(account.Server.TakesPassword).mailForm()
		a.Outlook = outlook.usable(account.Server.TakesPassword).first(account.IMAP, account.POP3, account.SMTP)
		a.OtherLogin = slices.ContainsFunc(a.Outlook, func(t *table) bool {
			return !t.server.NeedsNoLogin() && !t.server.Login.Is(s.Address)
		})
	} else {
		a.Apple = apple.first(account.ActiveSync)
		for _, t := range outlook.first(account.ActiveSync) {
			a.Outlook = append(a.Outlook, f.outlookExchange(t.server))
		}
	}
	if server, ok := c.phone.First(account.ActiveSync); ok && (server.TakesPassword() || a.Token) {
		server = server.Expand(c.phone.Login)
		a.Exchange, a.Form, a.Joined = true, f.exchange(server), f.joinedLogin(server)
	}
	a.arrange(d, lang)
	if !plainText {
		a.Link, a.Code = h.forPhone(l)
		a.Send = mailLink(a.Link, lang)
		a.App = appCode(c.thunderbird, l.name)
		if _, ok := phone.SettingsFile(c.thunderbird, l.name); ok {
			a.AppFile = l.base + appFilePath + links{address: l.address, name: l.name}.query()
		}
	}
	for _, n := range p.Notices {
		if n.Active(time.Now()) {
			a.Notices = append(a.Notices, link{titleIn(n.Texts, lang), account.Expand(n.URL, s.Login)})
		}
	}
	for _, d := range p.Documentation {
		a.Help = append(a.Help, link{pageTitle(d, lang), account.Expand(d.URL, s.Login)})
	}
	a.Trouble = newTrouble(s, page, lang)
	if len(page.that(account.Server.TakesPassword)) > 0 {
		a.AppPassword = a.Trouble.AppPassword
		a.OrToken = len(page.that(knowsToken)) > 0
		for _, profile := range []*profile{a.IPhone, a.Mac} {
			if profile != nil {
				profile.AppPassword = a.AppPassword != ""
			}
		}
	}
	return a
}

// setSignIn sets what depends on how people sign in. A mail program receives and sends,
// so both its servers have to take what the person has.
func (a *answer) setSignIn(page tables, address account.Address) {
	password, token, ticket := page.usable(account.Server.TakesPassword), page.usable(takesToken),
		page.usable(takesTicket)
	a.Token = page.tokenOnly(account.IMAP, account.POP3, account.SMTP, account.ActiveSync, account.EWS)
	a.NoPassword = !a.Token && len(page) > 0 && len(page.that(account.Server.TakesPassword)) == 0
	a.Gmail = password.mailForm()
	a.PasswordForm = password.completeMail()
	a.Mail = ticket.completeMail()
	a.Ticket = a.Mail && !token.completeMail()
	a.Web = ticket.has(account.EWS) && ticket.has(account.SMTP) || len(ticket.that(inAutodiscover(address))) > 0
	a.Evolution = password.has(account.EWS)
	inForms := page
	if a.PasswordForm {
		inForms = password
	}
	a.IMAP, a.POP = inForms.has(account.IMAP), inForms.has(account.POP3)
}

// newTrouble returns what the page says about problems.
func newTrouble(s account.Settings, page tables, lang *templates.Language) trouble {
	p := s.Provider
	t := trouble{Support: p.Support}
	if minutes := math.Ceil(p.Support.Limits.Wait.Minutes()); minutes > 0 {
		t.Wait = lang.Text("trouble.minutes", "count", int(minutes))
	}
	for _, url := range []*string{&t.Status, &t.PasswordReset, &t.AppPassword, &t.ControlPanel} {
		*url = account.Expand(*url, s.Login)
	}
	var ports []string
	for _, smtp := range page.all(account.SMTP) {
		if smtp.server.Port != 25 {
			ports = append(ports, lang.Text("port", "port", strconv.Itoa(smtp.server.Port)))
		}
	}
	t.Ports = strings.Join(ports, lang.Text("comma")+" ")
	for _, check := range p.Support.Checks {
		t.Checks = append(t.Checks, titleIn(check, lang))
	}
	return t
}
