package client

import "strings"

// Provider is a large provider of mail. Clients treat some of them specially, and their
// people need another password than that of the web site, or none at all.
type Provider struct {
	ID, Name string
	// OAuthOnly reports that no password is taken over IMAP and SMTP, only a token from the
	// provider's own sign-in.
	OAuthOnly bool
	// AppPassword is the page where a password for programs is made; empty if there is none.
	AppPassword string

	domains   []string // of the provider's own addresses; a final dot stands for any country
	exchanges []string // ends of the names of MX hosts
	hosts     []string // ends of the names of mail servers
}

// The large providers. The names of MX hosts and servers are those that Himalaya
// (providers.rs of io-pim-discovery) and Mailspring (mailcore-provider-settings.json) know them by.
var providers = []Provider{
	{
		ID: "microsoft", Name: "Microsoft 365 or Outlook.com", OAuthOnly: true,
		domains:   []string{"outlook.", "hotmail.", "live.", "msn.com"},
		exchanges: []string{".protection.outlook.com", ".mx.microsoft"},
		hosts:     []string{".office365.com", ".outlook.com"},
	},
	{
		ID: "google", Name: "Google", AppPassword: "https://myaccount.google.com/apppasswords",
		domains:   []string{"gmail.com", "googlemail.com"},
		exchanges: []string{".google.com", ".googlemail.com"},
		hosts:     []string{".gmail.com", ".googlemail.com"},
	},
	{
		ID: "icloud", Name: "iCloud", AppPassword: "https://account.apple.com",
		domains:   []string{"icloud.com", "me.com", "mac.com"},
		exchanges: []string{".mail.icloud.com"},
		hosts:     []string{".mail.me.com"},
	},
	{
		ID: "yahoo", Name: "Yahoo", AppPassword: "https://login.yahoo.com/account/security",
		domains:   []string{"yahoo.", "ymail.com", "rocketmail.com"},
		exchanges: []string{".yahoodns.net"},
		hosts:     []string{".mail.yahoo.com"},
	},
	{
		ID: "fastmail", Name: "Fastmail", AppPassword: "https://app.fastmail.com/settings/security",
		domains:   []string{"fastmail."},
		exchanges: []string{".messagingengine.com"},
		hosts:     []string{".fastmail.com", ".messagingengine.com"},
	},
}

// ProviderOf returns the large provider that an address's domain belongs to, by its name or else
// its MX hosts.
func ProviderOf(domain string, exchanges []string) (Provider, bool) {
	for _, p := range providers {
		if p.owns(domain) {
			return p, true
		}
	}
	for _, host := range exchanges {
		for _, p := range providers {
			if endsIn(host, p.exchanges) {
				return p, true
			}
		}
	}
	return Provider{}, false
}

// ProviderOfHost returns the large provider that a mail server belongs to.
func ProviderOfHost(host string) (Provider, bool) {
	for _, p := range providers {
		if endsIn(host, p.hosts) {
			return p, true
		}
	}
	return Provider{}, false
}

// owns reports whether addresses of the domain are the provider's own. A name with a country, such as
// "hotmail.fr" and "yahoo.co.uk", counts by its first label.
func (p Provider) owns(domain string) bool {
	first, _, _ := strings.Cut(domain, ".")
	for _, own := range p.domains {
		if domain == own || first+"." == own {
			return true
		}
	}
	return false
}

func endsIn(host string, ends []string) bool {
	for _, end := range ends {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return false
}

// builtIn is the forecast of a client that knows the provider by itself and asks nothing.
func (p Provider) builtIn(person string) Forecast {
	return Forecast{Outcome: Asks, But: p.login(), Source: "built in", Person: person}
}

// login says what the person needs in place of the password of the web site.
func (p Provider) login() string {
	if p.OAuthOnly {
		return "the sign-in of " + p.Name
	}
	return "the sign-in of " + p.Name + " or an app password"
}
