package account

import "slices"

// ServerType is the protocol of a server. The names are the types of the
// autoconfig format; ActiveSync is in lower case, as in the registry's examples.
type ServerType string

const (
	IMAP        ServerType = "imap"
	POP3        ServerType = "pop3"
	SMTP        ServerType = "smtp" // submission of mail, RFC 6409
	ActiveSync  ServerType = "activesync"
	EWS         ServerType = "ews" // Exchange Web Services
	CalDAV      ServerType = "caldav"
	CardDAV     ServerType = "carddav"
	JMAP        ServerType = "jmap"
	ManageSieve ServerType = "managesieve"
)

// ServerTypes lists all types, in the order in which documents have them.
var ServerTypes = []ServerType{IMAP, POP3, SMTP, ActiveSync, EWS, CalDAV, CardDAV, JMAP, ManageSieve}

// HasURL reports whether servers of the type have a URL instead of host name, port
// and socket type.
func (t ServerType) HasURL() bool {
	switch t {
	case ActiveSync, EWS, CalDAV, CardDAV, JMAP:
		return true
	}
	return false
}

// SocketType is the encryption of a connection.
type SocketType string

const (
	SSL      SocketType = "SSL"      // TLS from the first byte (RFC 8314 "implicit TLS")
	STARTTLS SocketType = "STARTTLS" // clear text, then a mandatory upgrade to TLS
	Plain    SocketType = "plain"    // no encryption
)

// DefaultPort returns the usual port of the type with the socket type, or 0 if
// there is none: ManageSieve has no implicit TLS (RFC 5804 §1.8).
func DefaultPort(t ServerType, s SocketType) int {
	if s == SSL {
		return implicitTLSPorts[t]
	}
	return ports[t]
}

var (
	implicitTLSPorts = map[ServerType]int{IMAP: 993, POP3: 995, SMTP: 465}
	ports            = map[ServerType]int{IMAP: 143, POP3: 110, SMTP: 587, ManageSieve: 4190}
)

// Authentication is a method of signing in.
type Authentication string

const (
	PasswordCleartext Authentication = "password-cleartext" // PLAIN or LOGIN, inside TLS
	PasswordEncrypted Authentication = "password-encrypted" // CRAM-MD5, DIGEST-MD5, SCRAM
	NTLM              Authentication = "NTLM"
	GSSAPI            Authentication = "GSSAPI"
	TLSClientCert     Authentication = "TLS-client-cert"
	OAuth2Auth        Authentication = "OAuth2"

	// A relay for a network or a site knows its clients otherwise. Only smtp has
	// these, and nobody signs in there.
	NoAuthentication Authentication = "none"
	ClientIPAddress  Authentication = "client-IP-address"
)

// Login is what a person signs in with at one server. The fields are separate
// because only some formats join them: Apple's payloads and autoconfig have one
// field for both, domain\name.
type Login struct {
	Username   string // may hold placeholders
	DomainName string // NT domain, Microsoft's DomainName; usually empty
}

// Is reports whether the login, which holds no placeholders, is the address alone, with
// its domain in A-labels or in Unicode.
func (l Login) Is(a Address) bool {
	username, err := ParseAddress(l.Username)
	return err == nil && username == a && l.DomainName == ""
}

// Server is a server where a mailbox can be reached.
type Server struct {
	Type ServerType

	// Hostname, Port and SocketType are set, or URL for types for which HasURL
	// is true. Hostname and URL may hold placeholders.
	Hostname   string
	Port       int
	SocketType SocketType
	URL        string

	// Authentication has at least one method, in the order of preference.
	Authentication []Authentication

	Login Login

	// PathPrefix is the mailbox folder above all others ("INBOX."), for the rare
	// IMAP server that needs it because it lacks NAMESPACE (RFC 2342).
	PathPrefix string
	// PastDays is how many days of mail an ActiveSync phone fetches, one of
	// 0 (all), 1, 3, 7, 14, 31.
	PastDays int
	// PrincipalURL is the principal of a CalDAV or CardDAV server whose
	// .well-known redirect does not lead there.
	PrincipalURL string
	// AnswerWithoutLogin tells clients about an ActiveSync or EWS server although its
	// login is not the address, for which Microsoft's answers have no field.
	AnswerWithoutLogin bool
	// ExchangeEntries names an EWS server in autodiscover.xml, in the entries of an
	// Exchange server, where Evolution and Thunderbird look for it.
	ExchangeEntries bool
	// ExchangeVersion is the newest version of Exchange whose requests an EWS server
	// understands, one of ExchangeVersions, or empty if that is not known.
	ExchangeVersion string
	// RestURL and GraphURL are the URLs of other protocols of the Exchange server, or
	// empty. They may hold placeholders.
	RestURL, GraphURL string
}

// ExchangeVersions are the names of the versions of Exchange Web Services, oldest first
// (exchangelib/version.py knows these, and refuses an answer with any other).
var ExchangeVersions = []string{
	"Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2",
	"Exchange2013", "Exchange2013_SP1", "Exchange2015", "Exchange2015_SP1", "Exchange2016",
}

// Expand returns the server with its placeholders completed for the address.
func (s Server) Expand(a Address) Server {
	s.Hostname = Expand(s.Hostname, a)
	s.URL = ExpandURL(s.URL, a)
	s.PrincipalURL = ExpandURL(s.PrincipalURL, a)
	s.RestURL, s.GraphURL = ExpandURL(s.RestURL, a), ExpandURL(s.GraphURL, a)
	s.Login.Username = Expand(s.Login.Username, a)
	return s
}

// NeedsNoLogin reports whether nobody signs in at the server, because it is a relay that
// knows its clients otherwise.
func (s Server) NeedsNoLogin() bool {
	return len(s.Authentication) > 0 && !slices.ContainsFunc(s.Authentication, func(a Authentication) bool {
		return a != NoAuthentication && a != ClientIPAddress
	})
}

// TakesPassword reports whether a person can sign in to the server with a password.
func (s Server) TakesPassword() bool {
	return slices.ContainsFunc(s.Authentication, func(a Authentication) bool {
		return a == PasswordCleartext || a == PasswordEncrypted || a == NTLM
	})
}

// SignsInWithAddress reports whether the login is the mail address alone, the only
// login that formats without a field for it can mean.
func (s Server) SignsInWithAddress() bool {
	return s.Login == Login{Username: EmailAddress}
}
