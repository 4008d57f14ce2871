package account

// Client is a kind of mail client, known by what it asks for and never by its
// User-Agent. The names are those that configuration and command line use.
type Client string

const (
	Thunderbird Client = "thunderbird" // all who read autoconfig XML
	Outlook     Client = "outlook"     // Autodiscover, schema outlook/responseschema/2006a
	Phone       Client = "activesync"  // Autodiscover, schema mobilesync; JSON
	Apple       Client = "apple"       // configuration profiles
	PACC        Client = "pacc"        // user-agent-configuration.json
	Page        Client = "page"        // the person on the set-up page
)

// Clients are all clients that an answer is made for.
var Clients = []Client{Thunderbird, Outlook, Phone, Apple, PACC, Page}

// Provider is one mail product with one set of servers. It does not change after
// the configuration is loaded and is shared by all its accounts.
type Provider struct {
	ID               string // unique in a configuration, a word for operators
	DisplayName      string // what people read, at most 60 characters
	DisplayShortName string // at most 20 characters; DisplayName where it is short

	// Servers in the order of preference, with placeholders.
	Servers []Server
	// Exceptions are complete server lists for clients that need another login.
	Exceptions map[Client][]Server

	Webmail       string // URL, or empty
	Documentation []Documentation
	OAuth2        *OAuth2 // nil where the provider has none

	// AutodiscoverRedirect is set where Autodiscover belongs to another service.
	AutodiscoverRedirect *AutodiscoverRedirect

	// Support and Notices are for people: the set-up page shows them.
	Support Support
	Notices []Notice

	// AliasSignsInAsMailbox has an alias's answers name the mailbox behind it.
	// It is off by default, as it tells strangers whose the alias is.
	AliasSignsInAsMailbox bool
}

// ServersFor lists the servers as the client should see them. The slice is the
// provider's own: read only.
func (p *Provider) ServersFor(c Client) []Server {
	if servers, ok := p.Exceptions[c]; ok {
		return servers
	}
	return p.Servers
}

// Documentation is a help page and its description by language (BCP 47).
type Documentation struct {
	URL    string
	Titles []Title
}

// Title is a text in one language.
type Title struct{ Language, Text string }

// OAuth2 is what a client needs to ask for a token (autoconfig, "oAuth2").
type OAuth2 struct {
	Issuer   string   // host name or URL of the authorisation server
	Scopes   []string // must cover every server of the provider
	AuthURL  string
	TokenURL string
}

// AutodiscoverRedirect names the service that answers Autodiscover in our place, such as
// Microsoft 365. One of Hostname and Address is set.
type AutodiscoverRedirect struct {
	// Hostname answers https://‹Hostname›/autodiscover/autodiscover.xml.
	Hostname string
	// AsXML answers with Action redirectUrl instead of HTTP 302.
	AsXML bool
	// Address, with placeholders, is the address to ask for instead
	// (Action redirectAddr); its domain must not be the one asked for.
	Address string
}
