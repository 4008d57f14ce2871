// Package show explains what each kind of client is told for an address. It
// writes the document that a client gets and reads it back as the client would,
// so the explanation comes from the answer itself.
package show

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autodiscover"
	"signpost/internal/directory"
)

// Report says what is known of an address and what each kind of client is told.
// Its JSON form is part of the command's interface.
type Report struct {
	Address  string   `json:"address"`
	Provider string   `json:"provider"`
	Name     string   `json:"displayName"`
	Account  Account  `json:"account"`
	Clients  []Client `json:"clients"`
}

// Account holds what the account sources know. It is shown to the operator only,
// never to a client.
type Account struct {
	Listed   bool   `json:"listed"`
	Inactive bool   `json:"inactive,omitempty"`
	AliasOf  string `json:"aliasOf,omitempty"`
	// AliasUnresolved says that the configuration names no provider for AliasOf.
	AliasUnresolved bool   `json:"aliasUnresolved,omitempty"`
	Username        string `json:"username,omitempty"`
	DisplayName     string `json:"displayName,omitempty"`
	MX              string `json:"mx,omitempty"`
	// DomainOf is the domain that the address's domain is another name of.
	DomainOf string `json:"domainOf,omitempty"`
	// DomainSource and Source are the account sources that have the domain and the
	// address, and Path says how they lead to the mailbox.
	DomainSource string `json:"domainSource,omitempty"`
	Source       string `json:"source,omitempty"`
	Path         string `json:"path,omitempty"`
	// NotKnown says why nothing can be known of the account now.
	NotKnown string `json:"notKnown,omitempty"`
}

// Client says what one kind of client is told.
type Client struct {
	Client  string   `json:"client"`
	Title   string   `json:"-"`
	Servers []Server `json:"servers,omitempty"`
	// Error is the Autodiscover error code that the client gets, if any.
	Error string `json:"error,omitempty"`
	// Nothing says why the client gets no settings.
	Nothing string `json:"nothing,omitempty"`
	// Redirect is the URL that the client is sent to instead.
	Redirect string `json:"redirect,omitempty"`
	// Manual holds what a person enters by hand if the client gets no settings.
	Manual []Server `json:"manual,omitempty"`
	// Wrong says why the settings are not those of the account.
	Wrong string `json:"wrong,omitempty"`
	Note  string `json:"note,omitempty"`
	// Link is the page for a client that never asks by itself, and Say is what to
	// say to its person.
	Link string `json:"link,omitempty"`
	Say  string `json:"say,omitempty"`
}

// Server is one server as a client understands it.
type Server struct {
	Type       string `json:"type"`
	Hostname   string `json:"hostname,omitempty"`
	Port       int    `json:"port,omitempty"`
	SocketType string `json:"socketType,omitempty"`
	URL        string `json:"url,omitempty"`
	Username   string `json:"username"` // empty where nobody signs in
	DomainName string `json:"domainName,omitempty"`
	// Authentication is empty if a password is all that is needed.
	Authentication string `json:"authentication,omitempty"`
}

// Explain reports what each kind of client is told for an address. service is the
// service's own host name.
func Explain(ctx context.Context, resolve account.Resolver, a account.Address, service string) (*Report, error) {
	own, err := resolve(ctx, account.Query{Address: a})
	if err != nil {
		return nil, err
	}
	report := &Report{
		Address:  a.String(),
		Provider: own.Provider.ID,
		Name:     own.Provider.DisplayName,
		Account:  accountOf(own.Account),
	}
	for _, d := range Dialects {
		if _, ok := own.First(account.EWS); d.Exchange && !ok {
			continue
		}
		settings, err := resolve(ctx, d.Query(a))
		unknown := d.Host != "" && account.IsUnknown(err) // the operator keeps it from them
		if err != nil && !unknown {
			return nil, err
		}
		c := Client{Client: d.Name, Title: d.Title}
		if errors.Is(err, account.ErrAddressRequired) {
			c.Nothing = "it never says which mailbox it sets up, and the operator tells such clients " +
				"nothing (withoutAddress)"
		} else if unknown {
			c.Nothing = err.Error()
		} else if c, err = d.explain(ctx, resolve, a, settings, service); err != nil {
			return nil, err
		}
		report.Clients = append(report.Clients, c)
		if d.Name == string(account.Outlook) {
			report.Clients = append(report.Clients, newOutlook(c, settings))
		}
	}
	for i := range report.Clients {
		report.Clients[i].advise(a, service)
	}
	return report, nil
}

// AddTrace adds what the account sources say, whether or not an answer depends on it. err
// is the error of the trace.
func (r *Report) AddTrace(t directory.Trace, err error) {
	unresolved := r.Account.AliasUnresolved
	r.Account = accountOf(t.Account)
	r.Account.AliasUnresolved = unresolved
	r.Account.DomainSource, r.Account.Source = t.Domain, t.Store
	if t.Store != "" {
		r.Account.Path = t.String()
	}
	if err != nil {
		r.Account.NotKnown = err.Error()
	}
}

// explain writes the document for a and says how a client understands it.
func (d Dialect) explain(
	ctx context.Context, resolve account.Resolver, a account.Address, settings account.Settings, service string,
) (Client, error) {
	c := d.read(a, settings, service)
	if d.Host == "" && d.Client != account.Phone {
		return c, nil
	}
	// The client was not told for this mailbox, or not with which login.
	own, err := resolve(ctx, account.Query{Address: a, Client: d.Client})
	if err == nil {
		c.Wrong = wrong(c.Servers, own)
	}
	return c, err
}

func accountOf(info account.AccountInfo) Account {
	return Account{
		Listed:          info.Listed,
		Inactive:        info.Inactive,
		AliasOf:         info.AliasOf.String(),
		AliasUnresolved: info.AliasUnresolved,
		Username:        info.Username,
		DisplayName:     info.DisplayName,
		MX:              info.ByMX,
		DomainOf:        info.DomainOf,
	}
}

// read writes the document for a and reads it as the client does.
func (d Dialect) read(a account.Address, settings account.Settings, service string) Client {
	c := Client{Client: d.Name, Title: d.Title}
	document, err := d.Write(settings, service)
	refusal, refused := errors.AsType[*autodiscover.Error](err)
	if redirect, ok := errors.AsType[*autodiscover.Redirect](err); ok {
		c.Redirect = redirect.Location
	} else if refused {
		c.Error, c.Nothing = string(refusal.Code), refusal.Reason
	} else if err != nil {
		c.Nothing = reason(err)
	} else if read, err := d.Read(document, a); err != nil {
		c.Nothing = fmt.Sprintf("the document cannot be read back: %v", err)
	} else if to := read.Provider.AutodiscoverRedirect; to != nil && to.Address != "" {
		c.Redirect = to.Address
	} else if to != nil {
		c.Nothing = "the document leads to " + to.Hostname +
			", and no client that was tried follows it there (answer: xml)"
	} else if servers := read.Expanded(); d.Client == account.Thunderbird {
		c.readAsThunderbird(servers)
	} else {
		c.Servers = serversOf(servers)
	}
	switch d.Name {
	case string(account.Outlook):
		if namesExchange(settings) {
			c.Note = "what does not say that it speaks MAPI over HTTP (eM Client, Outlook up to 2013) is told of the " +
				"ews server, too (exchangeEntries)"
		}
	case "ews":
		if document, err := autodiscover.JSON(settings, "Ews"); err == nil {
			c.Note = "JSON, for Macs: " + string(document)
		}
	case "exchange":
		if c.Servers != nil && !namesExchange(settings) {
			c.Note = "the ews server is not named: it has no exchangeEntries: true, " +
				"or wants another login than the address"
		}
	}
	switch d.Client {
	case account.Phone:
		if refused {
			c.Manual = exchangeForms(settings.Expanded())
		}
		if document, err := autodiscover.JSON(settings, "ActiveSync"); err == nil {
			c.Note = "JSON: " + string(document)
		}
	case account.Apple, account.Thunderbird:
		c.Note = cmp.Or(c.Note, joinedLogin(c.Servers))
	}
	return c
}

// namesExchange reports whether programs that are not Outlook are told of an EWS server in
// autodiscover.xml.
func namesExchange(s account.Settings) bool {
	document, err := autodiscover.Exchange(s)
	if err != nil {
		return false
	}
	read, err := autodiscover.Read(document)
	return err == nil && slices.ContainsFunc(read.Servers, func(s account.Server) bool { return s.Type == account.EWS })
}

func serversOf(servers []account.Server) []Server {
	var all []Server
	for _, s := range servers {
		if s.NeedsNoLogin() {
			s.Login = account.Login{}
		}
		all = append(all, Server{
			Type:           string(s.Type),
			Hostname:       s.Hostname,
			Port:           s.Port,
			SocketType:     string(s.SocketType),
			URL:            s.URL,
			Username:       s.Login.Username,
			DomainName:     s.Login.DomainName,
			Authentication: authentication(s.Authentication),
		})
	}
	return all
}

// authentication names the methods, unless a password is the only one.
func authentication(methods []account.Authentication) string {
	if len(methods) == 0 || slices.Equal(methods, []account.Authentication{account.PasswordCleartext}) {
		return ""
	}
	names := make([]string, len(methods))
	for i, method := range methods {
		names[i] = string(method)
	}
	return strings.Join(names, " or ")
}

// joinedLogin shows the first login with an NT domain as it appears in a format
// that has one field for domain and user name.
func joinedLogin(servers []Server) string {
	for _, s := range servers {
		if s.DomainName != "" {
			return "joined in one field: " + joined(s)
		}
	}
	return ""
}
