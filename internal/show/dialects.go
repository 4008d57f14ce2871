package show

import (
	"errors"
	"slices"
	"strings"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/autodiscover"
	"signpost/mobileconfig"
)

// Dialect is one way in which clients ask for settings: it writes the document
// that they get and reads it as they would.
type Dialect struct {
	// Name identifies the dialect on the command line and in JSON.
	Name string
	// Title is the heading for people.
	Title string
	// Client is the client that the directory resolves a query for.
	Client account.Client
	// Host is set for clients that never send the address: the domain is that of the
	// host whose first label it is.
	Host string
	// Exchange is set for programs that look for an EWS server. They are shown only where
	// there is one.
	Exchange bool
	// Write returns the document; service is the service's own host name.
	Write func(s account.Settings, service string) ([]byte, error)
	// Read reads a document that was written for a.
	Read func(document []byte, a account.Address) (account.Settings, error)
}

// Dialects lists every dialect, in the order in which they are shown.
var Dialects = []Dialect{
	{
		Name:   string(account.Thunderbird),
		Title:  "Thunderbird and other readers of autoconfig",
		Client: account.Thunderbird,
		Write:  withoutService(autoconfig.Document),
		Read:   autoconfig.Read,
	},
	{
		Name:   "thunderbird-android",
		Title:  "Thunderbird for Android, KMail, Geary, Mailspring (autoconfig without the address)",
		Client: account.Thunderbird,
		Host:   "autoconfig",
		Write:  withoutService(autoconfig.Document),
		Read:   autoconfig.Read,
	},
	{
		Name:   string(account.Outlook),
		Title:  "Outlook up to 2013, eM Client (Autodiscover)",
		Client: account.Outlook,
		Write:  withoutService(autodiscover.Outlook),
		Read:   withoutAddress(autodiscover.Read),
	},
	{
		Name:   string(account.Phone),
		Title:  "Exchange account on a phone (ActiveSync)",
		Client: account.Phone,
		Write:  withoutService(autodiscover.ActiveSync),
		Read:   withoutAddress(autodiscover.Read),
	},
	{
		Name:     "ews",
		Title:    "exchangelib, ews-javascript-api, EWS Managed API (Autodiscover SOAP)",
		Client:   account.Outlook,
		Exchange: true,
		Write:    withoutService(autodiscover.UserSettings),
		Read:     withoutAddress(autodiscover.ReadUserSettings),
	},
	{
		Name:     "exchange",
		Title:    "Evolution-EWS, Thunderbird's Exchange accounts (Autodiscover)",
		Client:   account.Outlook,
		Exchange: true,
		Write:    withoutService(autodiscover.Exchange),
		Read:     withoutAddress(autodiscover.Read),
	},
	{
		Name:   string(account.Apple),
		Title:  "iPhone, iPad (configuration profile)",
		Client: account.Apple,
		Write:  profileFor(mobileconfig.AnyDevice),
		Read:   withoutAddress(mobileconfig.Read),
	},
	{
		Name:   "mac",
		Title:  "Mac (configuration profile)",
		Client: account.Apple,
		Write:  profileFor(mobileconfig.Mac),
		Read:   withoutAddress(mobileconfig.Read),
	},
	{
		Name:   string(account.PACC),
		Title:  "PACC (user-agent-configuration.json), the same for the whole domain",
		Client: account.PACC,
		Host:   "ua-auto-config",
		Write:  withoutService(autoconfig.PACC),
		Read:   autoconfig.ReadPACC,
	},
}

func withoutService(write func(account.Settings) ([]byte, error)) func(account.Settings, string) ([]byte, error) {
	return func(s account.Settings, _ string) ([]byte, error) { return write(s) }
}

func withoutAddress(
	read func([]byte) (account.Settings, error),
) func([]byte, account.Address) (account.Settings, error) {
	return func(document []byte, _ account.Address) (account.Settings, error) { return read(document) }
}

func profileFor(device mobileconfig.Device) func(account.Settings, string) ([]byte, error) {
	return func(s account.Settings, service string) ([]byte, error) {
		return mobileconfig.Document(s, mobileconfig.Options{Service: service, Device: device})
	}
}

// Find returns the dialect of that name and reports whether there is one.
func Find(name string) (Dialect, bool) {
	i := slices.IndexFunc(Dialects, func(d Dialect) bool { return d.Name == name })
	if i < 0 {
		return Dialect{}, false
	}
	return Dialects[i], true
}

// Names returns the names of all dialects, separated by commas.
func Names() string {
	names := make([]string, len(Dialects))
	for i, d := range Dialects {
		names[i] = d.Name
	}
	return strings.Join(names, ", ")
}

// Query returns the query that a client of the dialect makes for a mailbox.
func (d Dialect) Query(a account.Address) account.Query {
	if d.Host != "" {
		return account.Query{Host: d.Host + "." + a.Domain(), Client: d.Client}
	}
	return account.Query{Address: a, Client: d.Client}
}

// Document returns what a client gets, byte for byte, except that profiles are
// not signed. Where that is no document with settings, note says what it is.
func (d Dialect) Document(s account.Settings, service string) (document []byte, note string, err error) {
	document, err = d.Write(s, service)
	if refusal, ok := errors.AsType[*autodiscover.Error](err); ok {
		return refusal.Document(), "the client is told error " + string(refusal.Code) + ": " + refusal.Reason, nil
	}
	if redirect, ok := errors.AsType[*autodiscover.Redirect](err); ok {
		return []byte("Location: " + redirect.Location + "\n"), "the client is redirected with HTTP 302", nil
	}
	return document, "", err
}

// reason returns why a document cannot be written, without the introduction that
// says that it cannot.
func reason(err error) string {
	if noProfile, ok := errors.AsType[*mobileconfig.NoProfileError](err); ok {
		return strings.Join(noProfile.Reasons, "; ")
	}
	return strings.TrimPrefix(err.Error(), autoconfig.ErrNotDescribable.Error()+": ")
}
