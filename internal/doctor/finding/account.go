package finding

import (
	"context"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/doctor/client"
	"signpost/internal/doctor/probe"
)

// accountFaults are the faults of accounts: what is asked of the person who signs in. Passwords with letters
// like å, which some clients send in another encoding, are no fault here: nobody tells the
// diagnosis a password.
var accountFaults = []Fault{
	{
		ID: "A1", Severity: Warning, Title: "the login is not the address",
		Cause: "the server wants a user name of its own, and some clients try the address whatever a document says. " +
			"Known only where the service on this machine serves the domain",
		Cure: "let the address sign in, too; else the person types the user name",
		Who:  "Geary, GNOME Online Accounts, Mailspring, aerc, Himalaya; clients that guess", Find: ownLogin,
	},
	{
		ID: "A2", Severity: Warning, Title: "an alias cannot sign in",
		Cause: "the address is an alias in the directory of the service on this machine, " +
			"and clients try to sign in with it",
		Cure: "the person signs in as the mailbox behind it",
		Who:  "clients that take the address for the user name", Find: aliasLogin,
	},
	{
		ID: "A3", Severity: Note, Title: "the provider wants an app password",
		Cause: "large providers take the password of their web site in no mail client",
		Cure:  "the person chooses the provider's own sign-in in the client, or makes an app password",
		Who:   "clients without the provider's sign-in", Find: appPassword,
	},
	{
		ID: "A4", Severity: Warning, Title: "the provider takes no password at all",
		Cause: "Microsoft has switched logins with a password off for IMAP, POP3, ActiveSync and EWS",
		Cure:  "a client that has Microsoft's sign-in",
		Who:   "clients without Microsoft's sign-in", Find: oauthOnly,
	},
	{
		ID: "A5", Severity: Note, Title: "sending by SMTP may be off for the organisation",
		Cause: "Microsoft 365 lets administrators switch SMTP AUTH off, and switches its form with a password off " +
			"for existing organisations at the end of December 2026, until an administrator switches it on again",
		Cure: "an administrator allows it for the mailboxes that need it",
		Who:  "clients that send by SMTP", Find: smtpAuth,
	},
	{
		ID: "A6", Severity: Note, Title: "EWS at Microsoft is ending",
		Cause: "Microsoft 365 blocks EWS since 1 October 2026, except for programs that an administrator has listed, " +
			"and ends it on 1 April 2027. Exchange on one's own servers is not affected",
		Cure: "a program that uses Microsoft Graph, or IMAP",
		Who:  "EWS programs", Find: ewsEnds,
	},
	{
		ID: "A7", Severity: Error, Title: "the mailbox is inactive",
		Cause: "the directory of the service on this machine says so: no login, not paid, IMAP not enabled",
		Cure:  "as the operator intends; else activate the mailbox in the account source",
		Who:   "every client", Find: inactive,
	},
}

// ownKey is the evidence of what the service on this machine knows. It names no question to the
// network.
const ownKey probe.Key = "signpost directory"

// triesAddress returns the clients that would sign in to a mail server with the address instead of
// the login.
func (c *Case) triesAddress(login string) (ids, names []string) {
	for _, k := range c.Clients {
		for _, s := range c.Forecasts[k.ID].Servers {
			if isMail(s.Type) && s.Username == c.Address.String() && s.Username != login {
				ids = append(ids, k.ID)
				if !slices.Contains(names, k.Name) {
					names = append(names, k.Name)
				}
				break
			}
		}
	}
	return ids, names
}

// ownMailLogin returns the user name for the domain's mail servers, as the service on this machine
// has it; it is empty if the domain is not its own.
func (c *Case) ownMailLogin() string {
	if c.Own == nil {
		return ""
	}
	for _, s := range c.Own.Expanded() {
		if isMail(s.Type) {
			return s.Login.Username
		}
	}
	return ""
}

func ownLogin(_ context.Context, c *Case) []Finding {
	login := c.ownMailLogin()
	if login == "" || login == c.Address.String() || !c.Own.Account.AliasOf.IsZero() {
		return nil
	}
	ids, names := c.triesAddress(login)
	if len(ids) == 0 {
		return nil
	}
	return []Finding{{
		Sentence: "The server wants the user name " + login + ", but " + list(names) + " will try " +
			c.Address.String() + ".",
		Clients:  ids,
		Evidence: []Evidence{{ownKey, "the login is " + login}},
		Cures: []Cure{
			{Who: MailProvider, Text: "let " + c.Address.String() + " sign in, too"},
			{Who: ThePerson, Text: "type the user name " + login},
		},
		Explains: []string{"K6"},
	}}
}

func aliasLogin(_ context.Context, c *Case) []Finding {
	if c.Own == nil || c.Own.Account.AliasOf.IsZero() {
		return nil
	}
	mailbox := c.Own.Account.AliasOf.String()
	login := c.ownMailLogin()
	if login == "" || login == c.Address.String() {
		login = mailbox
	}
	ids, names := c.triesAddress(login)
	if len(ids) == 0 {
		return nil
	}
	return []Finding{{
		Sentence: c.Address.String() + " is an alias of " + mailbox + ": nobody can sign in with it, and " +
			list(names) + " will try.",
		Clients:  ids,
		Evidence: []Evidence{{ownKey, "alias of " + mailbox + ", whose login is " + login}},
		Cures:    []Cure{{Who: ThePerson, Text: "type the user name " + login}},
		Explains: []string{"K6"},
	}}
}

func inactive(_ context.Context, c *Case) []Finding {
	if c.Own == nil || !c.Own.Account.Inactive {
		return nil
	}
	var ids []string
	for _, k := range c.Clients {
		ids = append(ids, k.ID)
	}
	return []Finding{{
		Severity: Error,
		Sentence: c.Address.String() + " is inactive.",
		Clients:  ids,
		Evidence: []Evidence{{ownKey, "inactive"}},
		Cures: []Cure{{Who: MailProvider,
			Text: "activate the mailbox in the account source, or tell the person why it is not active"}},
	}}
}

// large returns the large provider that has the domain's mail, and what shows it: the domain, the MX
// host, or a server that clients end up with.
func (c *Case) large(ctx context.Context) (client.Provider, Evidence, bool) {
	q := client.DNS("MX", c.Domain())
	hosts, _ := c.MX(ctx)
	var names []string
	for _, mx := range hosts {
		names = append(names, mx.Host)
	}
	if p, ok := client.ProviderOf(c.Domain(), names); ok {
		return p, See(q, "MX %s", strings.Join(names, " ")), true
	}
	for _, k := range c.Clients {
		for _, s := range c.Forecasts[k.ID].Servers {
			if p, ok := client.ProviderOfHost(s.Hostname); ok && s.Type == account.IMAP {
				return p, See(client.MailQuestionOf(s), "the server of %s", k.Name), true
			}
		}
	}
	return client.Provider{}, Evidence{}, false
}

// passwordOnly are the clients that sign in to mail servers with a password only, by their code. The accounts
// that GNOME keeps for Google and Microsoft are others than the one for IMAP.
var passwordOnly = []string{"aerc", "aerc-0.14", "deltachat", "goa", "himalaya"}

// among returns those of the IDs that are wanted.
func (c *Case) among(ids ...string) []string {
	found := []string{}
	for _, k := range c.Clients {
		if slices.Contains(ids, k.ID) {
			found = append(found, k.ID)
		}
	}
	return found
}

func appPassword(ctx context.Context, c *Case) []Finding {
	p, seen, ok := c.large(ctx)
	if !ok || p.OAuthOnly {
		return nil
	}
	return []Finding{{
		Sentence: "The mail of " + c.Domain() + " is at " + p.Name + ", where the password of the web site is " +
			"refused: a client needs " + p.Name + "'s own sign-in or an app password.",
		Clients:  c.among(passwordOnly...),
		Evidence: []Evidence{seen},
		Cures:    []Cure{{Who: ThePerson, Text: "make an app password: " + p.AppPassword}},
	}}
}

func oauthOnly(ctx context.Context, c *Case) []Finding {
	p, seen, ok := c.large(ctx)
	if !ok || !p.OAuthOnly {
		return nil
	}
	return []Finding{{
		Severity: Warning,
		Sentence: "The mail of " + c.Domain() + " is at " + p.Name + ", which takes no password: " +
			"only clients with Microsoft's sign-in get in.",
		Clients:  c.among(passwordOnly...),
		Evidence: []Evidence{seen},
		Cures:    []Cure{{Who: ThePerson, Text: "use a client that has Microsoft's sign-in"}},
	}}
}

// organisation reports whether Microsoft has the mail of a domain of somebody else's.
func (c *Case) organisation(ctx context.Context) (Evidence, bool) {
	p, seen, ok := c.large(ctx)
	_, own := client.ProviderOf(c.Domain(), nil)
	return seen, ok && p.OAuthOnly && !own
}

func smtpAuth(ctx context.Context, c *Case) []Finding {
	seen, ok := c.organisation(ctx)
	if !ok {
		return nil
	}
	return []Finding{{
		Sentence: "Sending by SMTP may be switched off for all of " + c.Domain() +
			"; the server then says 535 5.7.139.",
		Clients:  []string{},
		Evidence: []Evidence{seen},
		Cures: []Cure{{Who: "administrator of Microsoft 365",
			Text: "allow authenticated SMTP for the mailboxes that need it"}},
	}}
}

// ewsClients are the programs that use EWS.
var ewsClients = []string{"exchangelib", "ews-javascript-api"}

func ewsEnds(ctx context.Context, c *Case) []Finding {
	seen, ok := c.organisation(ctx)
	if !ok {
		return nil
	}
	return []Finding{{
		Sentence: "EWS at Microsoft 365 has been blocked since 1 October 2026 for programs that no administrator has " +
			"listed, and ends on 1 April 2027.",
		Clients:  c.among(ewsClients...),
		Evidence: []Evidence{seen},
		Cures:    []Cure{{Who: ThePerson, Text: "take a program that uses Microsoft Graph, or IMAP"}},
	}}
}
