// Package show explains what each kind of client is told for an address. It
// writes the document that a client gets and reads it back as the client would,
// so the explanation comes from the answer itself.
package show

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autodiscover"
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
	Listed      bool   `json:"listed"`
	Inactive    bool   `json:"inactive,omitempty"`
	AliasOf     string `json:"aliasOf,omitempty"`
	Username    string `json:"username,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	MX          string `json:"mx,omitempty"`
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
	Note   string   `json:"note,omitempty"`
}

// Server is one server as a client understands it.
type Server struct {
	Type       string `json:"type"`
	Hostname   string `json:"hostname,omitempty"`
	Port       int    `json:"port,omitempty"`
	SocketType string `json:"socketType,omitempty"`
	URL        string `json:"url,omitempty"`
	Username   string `json:"username"`
	DomainName string `json:"domainName,omitempty"`
	// Authentication is empty if a password is all that is needed.
	Authentication string `json:"authentication,omitempty"`
}

// Explain reports what each kind of client is told for an address. service is the
// service's own host name.
func Explain(ctx context.Context, resolve account.Resolver, a account.Address, service string) (*Report, error) {
	var report *Report
	for _, d := range Dialects {
		settings, err := resolve(ctx, d.Query(a))
		if err != nil {
			return nil, err
		}
		if report == nil {
			report = &Report{
				Address:  a.String(),
				Provider: settings.Provider.ID,
				Name:     settings.Provider.DisplayName,
				Account:  accountOf(settings.Account),
			}
		}
		report.Clients = append(report.Clients, d.explain(a, settings, service))
	}
	return report, nil
}

func accountOf(info account.AccountInfo) Account {
	return Account{
		Listed:      info.Listed,
		Inactive:    info.Inactive,
		AliasOf:     info.AliasOf.String(),
		Username:    info.Username,
		DisplayName: info.DisplayName,
		MX:          info.ByMX,
	}
}

// explain writes the document for a and says how a client understands it.
func (d Dialect) explain(a account.Address, settings account.Settings, service string) Client {
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
	} else {
		c.Servers = serversOf(read.Expanded())
	}
	switch d.Client {
	case account.Phone:
		if refused {
			c.Manual = manualForm(settings)
		}
		if document, err := autodiscover.JSON(settings, "ActiveSync"); err == nil {
			c.Note = "JSON: " + string(document)
		}
	case account.Apple, account.Thunderbird:
		c.Note = joinedLogin(c.Servers)
	}
	return c
}

func serversOf(servers []account.Server) []Server {
	var all []Server
	for _, s := range servers {
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

// manualForm returns what a person enters into a phone's Exchange form, which has
// separate fields for server, domain and user name.
func manualForm(settings account.Settings) []Server {
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
			return `joined in one field: ` + s.DomainName + `\` + s.Username
		}
	}
	return ""
}
