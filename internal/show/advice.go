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
	if device == "" || c.Redirect != "" || device == "outlook" && c.Manual == nil {
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
	"mac": "Open % on the Mac, and type your address. Click Download for Mac, then double-click the file in " +
		"Downloads. Open System Settings, General, Device Management, double-click the profile, and click Install.",
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
	c.Nothing = "the new Outlook, Outlook on phones and Outlook for Mac ask Microsoft instead. Microsoft guesses, " +
		"and asks here only in the way of an Exchange phone. Outlook 2016 and later ask here, but take only Exchange " +
		"from the answer"
	c.Manual, c.Note = outlookByHand(settings)
	return c
}

// outlookByHand returns what a person types into Outlook, and which Outlooks do not take
// it. The set-up page shows the same: only servers that take a password, because nothing
// else can be typed.
func outlookByHand(settings account.Settings) (manual []Server, note string) {
	typed := slices.DeleteFunc(settings.Expanded(), func(s account.Server) bool {
		return !s.TakesPassword() && !s.NeedsNoLogin()
	})
	otherLogin := func(s account.Server) bool { return !s.NeedsNoLogin() && !s.Login.Is(settings.Address) }
	if mail := mailServers(typed); mail != nil {
		manual = serversOf(mail)
		if slices.ContainsFunc(mail, otherLogin) {
			note = "the new Outlook takes no user name but the address: use classic Outlook"
		}
	} else if manual = exchangeForms(typed); manual != nil {
		note = "the new Outlook and Outlook for Mac cannot be set up so: use classic Outlook"
	} else {
		note = "there is no known way to use Outlook with this mailbox: use another program"
	}
	if note != "" && settings.Provider.Webmail != "" {
		note += ", or the webmail"
	}
	return manual, note
}

// mailServers returns the preferred server to read mail and the one to send it, none if
// one of them is missing.
func mailServers(servers []account.Server) []account.Server {
	in := slices.IndexFunc(servers, func(s account.Server) bool {
		return s.Type == account.IMAP || s.Type == account.POP3
	})
	out := slices.IndexFunc(servers, func(s account.Server) bool { return s.Type == account.SMTP })
	if in < 0 || out < 0 {
		return nil
	}
	return []account.Server{servers[in], servers[out]}
}

// exchangeForms returns what a person enters into a form for Exchange accounts, which has
// separate fields for server, domain and user name.
func exchangeForms(servers []account.Server) []Server {
	var forms []Server
	for _, s := range servers {
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
	expanded := own.Expanded()
	right := serversOf(expanded)
	for _, s := range told {
		i := slices.IndexFunc(right, func(r Server) bool { return r.place() == s.place() })
		switch {
		case i < 0:
			return "this account has another product, " + own.Provider.DisplayName
		case !expanded[i].NeedsNoLogin() && joined(right[i]) != joined(s):
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
