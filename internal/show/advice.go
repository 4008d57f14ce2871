package show

import (
	"net/url"
	"slices"
	"strings"

	"signpost/account"
)

// advise says what the person of a client does that does not ask by itself. The steps are
// those of the set-up page.
func (c *Client) advise(a account.Address, service string) {
	device := pageDevices[c.Client]
	if device == "" || c.Redirect != "" {
		return
	}
	where := "the set-up page"
	if service != "" {
		where = service
		address := pageEscapes.Replace(url.QueryEscape(a.String()))
		c.Link = "https://" + service + "/?emailaddress=" + address + "&device=" + device
	}
	if len(c.Servers)+len(c.Manual) > 0 {
		c.Say = strings.ReplaceAll(steps[device], "%", where)
	}
}

// pageDevices are the sections of the page for clients that do not ask by themselves.
var pageDevices = map[string]string{string(account.Apple): "iphone", "mac": "mac", newOutlookName: "outlook"}

// steps are what the support desk says to a person. % stands for the page.
var steps = map[string]string{
	"iphone": "Open % in Safari on the iPhone, and type your address. Tap Install on iPhone or iPad, then Allow. " +
		"Within eight minutes, open Settings, tap Profile Downloaded, and then Install.",
	"mac": "Open % on the Mac, and type your address. Click Download for Mac, then double-click the file in Downloads. " +
		"Open System Settings, General, Device Management, double-click the profile, and click Install.",
	"outlook": "Open %, and type your address. Choose Outlook there: it has the steps and the values to type.",
}

// pageEscapes leaves an @ as it is (RFC 3986 §3.4), because people read the link.
var pageEscapes = strings.NewReplacer("%40", "@", "+", "%20")

const newOutlookName = "new-outlook"

// newOutlook returns what the later Outlooks end up with, which do not take servers for
// mail from Autodiscover. classic is what the earlier ones are told.
func newOutlook(classic Client, settings account.Settings) Client {
	c := Client{
		Client: newOutlookName,
		Title:  "Outlook 2016 and later, the new Outlook, Outlook on phones and for Mac",
	}
	if c.Redirect = classic.Redirect; c.Redirect != "" {
		return c
	}
	c.Nothing = "the new Outlook, Outlook on phones and Outlook for Mac ask Microsoft, which guesses, and asks here " +
		"only as an Exchange phone does; Outlook 2016 and later ask, but take only Exchange from the answer"
	c.Manual = mailServers(settings)
	if c.Manual == nil {
		c.Manual = exchangeForms(settings)
	}
	if slices.ContainsFunc(c.Manual, func(s Server) bool { return s.Username != settings.Address.String() }) {
		c.Note = "the new Outlook takes no user name but the address: this account needs another Outlook, or the webmail"
	}
	return c
}

// mailServers returns the preferred server to read mail and the one to send it, none if
// one of them is missing.
func mailServers(settings account.Settings) []Server {
	servers := settings.Expanded()
	in := slices.IndexFunc(servers, func(s account.Server) bool {
		return s.Type == account.IMAP || s.Type == account.POP3
	})
	out := slices.IndexFunc(servers, func(s account.Server) bool { return s.Type == account.SMTP })
	if in < 0 || out < 0 {
		return nil
	}
	return serversOf([]account.Server{servers[in], servers[out]})
}

// exchangeForms returns what a person enters into a form for Exchange accounts, which has
// separate fields for server, domain and user name.
func exchangeForms(settings account.Settings) []Server {
	var forms []Server
	for _, s := range settings.Expanded() {
		if s.Type != account.ActiveSync {
			continue
		}
		form := Server{Type: string(s.Type), Username: s.Login.Username, DomainName: s.Login.DomainName}
		if u, err := url.Parse(s.URL); err == nil {
			form.Hostname = u.Host
		}
		forms = append(forms, form)
	}
	return forms
}

// wrong says why the client, which was not told for this mailbox, ends up with another
// account than its own, and is empty if it does not.
func wrong(told []Server, own account.Settings) string {
	right := serversOf(own.Expanded())
	for _, s := range told {
		i := slices.IndexFunc(right, func(r Server) bool { return r.place() == s.place() })
		switch {
		case i < 0:
			return "this account is at another product, " + own.Provider.DisplayName
		case joined(right[i]) != joined(s):
			return "this account signs in as " + joined(right[i])
		}
	}
	return ""
}

// place returns a server without its login.
func (s Server) place() Server {
	s.Username, s.DomainName, s.Authentication = "", "", ""
	return s
}

// joined returns the login as a format with one field for domain and user name has it.
func joined(s Server) string {
	if s.DomainName != "" {
		return s.DomainName + `\` + s.Username
	}
	return s.Username
}
