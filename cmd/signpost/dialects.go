package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/autodiscover"
	"signpost/mobileconfig"
)

// dialect is one way in which clients ask, as show speaks it.
type dialect struct {
	client account.Client
	title  string
	// byDomain is set for clients that never send the address.
	byDomain bool
	// write makes the document; service is the service's own host name.
	write func(s account.Settings, service string) ([]byte, error)
	// read reads it as the client would.
	read func(document []byte, a account.Address) (account.Settings, error)
}

var dialects = []dialect{
	{
		account.Thunderbird, "Thunderbird and other readers of autoconfig", false,
		func(s account.Settings, _ string) ([]byte, error) { return autoconfig.Document(s) },
		autoconfig.Read,
	},
	{
		account.Outlook, "Outlook (Autodiscover)", false,
		func(s account.Settings, _ string) ([]byte, error) { return autodiscover.Outlook(s) },
		func(document []byte, _ account.Address) (account.Settings, error) { return autodiscover.Read(document) },
	},
	{
		account.Phone, "Exchange account on a phone (ActiveSync)", false,
		func(s account.Settings, _ string) ([]byte, error) { return autodiscover.ActiveSync(s) },
		func(document []byte, _ account.Address) (account.Settings, error) { return autodiscover.Read(document) },
	},
	apple(account.Apple, "iPhone, iPad (configuration profile)", mobileconfig.AnyDevice),
	apple("mac", "Mac (configuration profile)", mobileconfig.Mac),
	{
		account.PACC, "PACC (user-agent-configuration.json), the same for the whole domain", true,
		func(s account.Settings, _ string) ([]byte, error) { return autoconfig.PACC(s) },
		autoconfig.ReadPACC,
	},
}

// apple is the profile for a kind of device, which asks as account.Apple.
func apple(name account.Client, title string, device mobileconfig.Device) dialect {
	return dialect{
		name, title, false,
		func(s account.Settings, service string) ([]byte, error) {
			return mobileconfig.Document(s, mobileconfig.Options{Service: service, Device: device})
		},
		func(document []byte, _ account.Address) (account.Settings, error) { return mobileconfig.Read(document) },
	}
}

// asks is the client as which the directory knows who asks.
func (d dialect) asks() account.Client {
	if d.client == "mac" {
		return account.Apple
	}
	return d.client
}

func clientNames() string {
	names := make([]string, len(dialects))
	for i, d := range dialects {
		names[i] = string(d.client)
	}
	return strings.Join(names, ", ")
}

// printDocument prints what the client gets, to the byte, save for the signature
// of a profile.
func (s *service) printDocument(ctx context.Context, e env, a account.Address, client string) error {
	i := slices.IndexFunc(dialects, func(d dialect) bool { return string(d.client) == client })
	if i < 0 {
		return &usageError{fmt.Sprintf("there is no client %q", client), "it is one of " + clientNames()}
	}
	settings, err := s.resolve(ctx, a, dialects[i])
	if err != nil {
		return err
	}
	document, err := dialects[i].write(settings, s.config.Name)
	var refusal *autodiscover.Error
	if errors.As(err, &refusal) {
		fmt.Fprintf(e.stderr, "signpost: the client is told error %s: %s\n", refusal.Code, refusal.Reason)
		document, err = refusal.Document(), nil
	}
	var redirect *autodiscover.Redirect
	if errors.As(err, &redirect) {
		fmt.Fprintln(e.stderr, "signpost: the client is redirected with HTTP 302")
		document, err = []byte("Location: "+redirect.Location+"\n"), nil
	}
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(document)
	return err
}

// show says what the client is told of the address.
func (d dialect) show(a account.Address, settings account.Settings, service string) shownClient {
	c := shownClient{Client: d.client, Title: d.title}
	document, err := d.write(settings, service)
	var refusal *autodiscover.Error
	var redirect *autodiscover.Redirect
	switch {
	case errors.As(err, &redirect):
		c.Redirect = redirect.Location
	case errors.As(err, &refusal):
		c.Error, c.Nothing = string(refusal.Code), refusal.Reason
	case err != nil:
		c.Nothing = reason(err)
	default:
		read, err := d.read(document, a)
		if err != nil {
			c.Nothing = fmt.Sprintf("the document cannot be read back: %v", err)
			break
		}
		c.Servers = shownServers(read.Expanded())
	}
	switch d.client {
	case account.Phone:
		if refusal != nil {
			c.Manual = manualForm(settings)
		}
		if document, err := autodiscover.JSON(settings, "ActiveSync"); err == nil {
			c.Note = "JSON: " + string(document)
		}
	case account.Apple, account.Thunderbird, "mac":
		c.Note = joinedLogin(c.Servers)
	}
	return c
}

func shownServers(servers []account.Server) []shownServer {
	var all []shownServer
	for _, s := range servers {
		all = append(all, shownServer{
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

// manualForm is what a person types into a phone's Exchange form: server,
// domain and user name, apart.
func manualForm(settings account.Settings) []shownServer {
	var forms []shownServer
	for _, s := range settings.Expanded() {
		if s.Type != account.ActiveSync {
			continue
		}
		form := shownServer{Type: string(s.Type), Username: s.Login.Username, DomainName: s.Login.DomainName}
		if u, err := url.Parse(s.URL); err == nil {
			form.Hostname = u.Host
		}
		forms = append(forms, form)
	}
	return forms
}

// authentication names what a person has to have besides a password.
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

// joinedLogin tells how a format that has one field for both joins NT domain and
// user name.
func joinedLogin(servers []shownServer) string {
	for _, s := range servers {
		if s.DomainName != "" {
			return `joined in one field: ` + s.DomainName + `\` + s.Username
		}
	}
	return ""
}

// reason is what an error says beyond that there is nothing to tell.
func reason(err error) string {
	var noProfile *mobileconfig.NoProfileError
	if errors.As(err, &noProfile) {
		return strings.Join(noProfile.Reasons, "; ")
	}
	return strings.TrimPrefix(err.Error(), autoconfig.ErrNotDescribable.Error()+": ")
}
