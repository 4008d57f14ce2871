package account

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// Client is a kind of mail client, recognized by its request and never by its
// User-Agent. The names are those of configuration and command line.
type Client string

const (
	Thunderbird Client = "thunderbird" // all readers of autoconfig XML
	Outlook     Client = "outlook"     // Autodiscover, schema outlook/responseschema/2006a
	Phone       Client = "activesync"  // Autodiscover, schema mobilesync; JSON
	Apple       Client = "apple"       // configuration profiles
	PACC        Client = "pacc"        // user-agent-configuration.json
	Page        Client = "page"        // the person on the set-up page
)

// Clients lists all kinds of clients.
var Clients = []Client{Thunderbird, Outlook, Phone, Apple, PACC, Page}

// Provider is one mail product with one set of servers. It is shared by all its
// accounts and does not change after the configuration is loaded.
type Provider struct {
	ID               string // unique in a configuration; for operators
	DisplayName      string // for people, at most 60 characters
	DisplayShortName string // at most 20 characters; DisplayName if it is short

	// Servers in the order of preference, with placeholders.
	Servers []Server
	// Exceptions are complete server lists for clients that need another login.
	Exceptions map[Client][]Server

	Webmail       string // URL, or empty
	Logo          string // URL of a picture for mail programs, or empty
	Developer     string // URL of a page for authors of mail programs, or empty
	Documentation []Documentation
	OAuth2        *OAuth2 // nil if the provider has none

	// AutodiscoverRedirect is set if another service answers Autodiscover.
	AutodiscoverRedirect *AutodiscoverRedirect

	// Support and Notices are for people: the set-up page shows them.
	Support Support
	Notices []Notice

	// MailHost completes the placeholder of that name where nothing is known of the host
	// of a mailbox. It is empty unless a server has the placeholder.
	MailHost string

	// UnicodeLogin spells the domain of a login in Unicode where it has other letters
	// than ASCII. Off, logins have A-labels, which is how most mail servers store
	// addresses (mailcow, Froxlor and Mailu convert them).
	UnicodeLogin bool

	// AliasSignsInAsMailbox makes the login of an alias that of its mailbox. It is
	// off by default, as it tells strangers to whom the alias belongs.
	AliasSignsInAsMailbox bool

	// NothingWithoutAddress keeps the settings of its domains from everybody who
	// does not name a mailbox: clients that ask about the domain alone, and those
	// that read SRV records. It is for domains in which a mailbox of another
	// product would be set up wrongly.
	NothingWithoutAddress bool
}

// ServersFor returns the servers for the client. The slice belongs to the
// provider and must not be modified.
func (p *Provider) ServersFor(c Client) []Server {
	if servers, ok := p.Exceptions[c]; ok {
		return servers
	}
	return p.Servers
}

// ServersAt returns the servers for the client with the logins of a domain, and reports
// whether these are other than those of the provider's other domains. The slice must not
// be modified.
func (p *Provider) ServersAt(c Client, domain string) (servers []Server, own bool) {
	return p.ServersOn(c, domain, "")
}

// ServersOn is like ServersAt for mailboxes on the mail host; empty means the
// provider's own.
func (p *Provider) ServersOn(c Client, domain, mailHost string) (servers []Server, own bool) {
	servers = p.ServersFor(c)
	if !p.UnicodeLogin && p.MailHost == "" {
		return servers, false
	}
	host := cmp.Or(mailHost, p.MailHost)
	servers = slices.Clone(servers)
	for i := range servers {
		s := &servers[i]
		username := p.UsernameAt(s.Login.Username, domain)
		own = own || username != s.Login.Username
		s.Login.Username = username
		if p.MailHost != "" {
			s.Hostname = strings.ReplaceAll(s.Hostname, MailHost, host)
			s.URL = strings.ReplaceAll(s.URL, MailHost, host)
			s.PrincipalURL = strings.ReplaceAll(s.PrincipalURL, MailHost, host)
			s.RestURL = strings.ReplaceAll(s.RestURL, MailHost, host)
			s.GraphURL = strings.ReplaceAll(s.GraphURL, MailHost, host)
		}
	}
	return servers, own || p.MailHost != "" && host != p.MailHost
}

// UsernameAt returns the user name with its placeholders of an international domain
// spelled in Unicode, if the provider's logins are.
func (p *Provider) UsernameAt(username, domain string) string {
	if !p.UnicodeLogin {
		return username
	}
	unicode, err := idna.Lookup.ToUnicode(domain)
	if err != nil || unicode == domain {
		return username
	}
	return strings.NewReplacer(
		Verbatim(EmailAddress), Verbatim(EmailAddress), Verbatim(EmailDomain), Verbatim(EmailDomain),
		EmailAddress, EmailLocalPart+"@"+unicode, EmailDomain, unicode).Replace(username)
}

// Documentation is a help page with titles in several languages.
type Documentation struct {
	URL    string
	Titles []Title
}

// Title is a text in one language (BCP 47).
type Title struct{ Language, Text string }

// OAuth2 is what a client needs to request a token (autoconfig, "oAuth2").
type OAuth2 struct {
	Issuer   string   // host name or URL of the authorisation server
	Scopes   []string // must cover every server of the provider
	AuthURL  string
	TokenURL string
	ClientID string // of a public client, or empty: most clients have one of their own
}

// AutodiscoverRedirect redirects Autodiscover to another service, such as
// Microsoft 365. One of Hostname and Address is set.
type AutodiscoverRedirect struct {
	// Hostname is the host of the other service's
	// https://‹Hostname›/autodiscover/autodiscover.xml.
	Hostname string
	// AsXML redirects by an answer with Action redirectUrl instead of HTTP 302.
	AsXML bool
	// Address is the address to ask for instead (Action redirectAddr). It may
	// hold placeholders; its domain must be another than the query's.
	Address string
	// Circle lists the domains whose clients Hostname would send around in a circle,
	// through the redirects of other domains that are hosted here.
	Circle []string
}

// LeadsBack reports whether the redirect leads to the name at which clients of the
// domain ask already, at once or in a circle, so that they would ask the same again.
func (r *AutodiscoverRedirect) LeadsBack(domain string) bool {
	return r.IsNameOf(domain) || slices.Contains(r.Circle, domain)
}

// IsNameOf reports whether the host of the other service is the name at which clients
// of the domain ask.
func (r *AutodiscoverRedirect) IsNameOf(domain string) bool {
	return r.Hostname == "autodiscover."+domain
}
