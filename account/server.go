package account

import "slices"

// ServerType is what a server speaks. The names are the types of the autoconfig
// format; ActiveSync is written in lower case as the registry's own examples do.
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

// ServerTypes are all types, in the order in which documents list them.
var ServerTypes = []ServerType{IMAP, POP3, SMTP, ActiveSync, EWS, CalDAV, CardDAV, JMAP, ManageSieve}

// HasURL reports whether servers of the type are named by a URL and not by host
// name, port and socket type.
func (t ServerType) HasURL() bool {
	return slices.Contains([]ServerType{ActiveSync, EWS, CalDAV, CardDAV, JMAP}, t)
}

// SocketType says how a connection is encrypted.
type SocketType string

const (
	SSL      SocketType = "SSL"      // TLS from the first byte (RFC 8314 "implicit TLS")
	STARTTLS SocketType = "STARTTLS" // clear text, then an upgrade that must succeed
	Plain    SocketType = "plain"    // no encryption
)

// DefaultPort is the port that the type has under the socket type, 0 where
// there is none: ManageSieve knows no implicit TLS (RFC 5804 §1.8).
func DefaultPort(t ServerType, s SocketType) int {
	implicit := s == SSL
	switch {
	case t == IMAP && implicit:
		return 993
	case t == IMAP:
		return 143
	case t == POP3 && implicit:
		return 995
	case t == POP3:
		return 110
	case t == SMTP && implicit:
		return 465
	case t == SMTP:
		return 587
	case t == ManageSieve && !implicit:
		return 4190
	}
	return 0
}

// Authentication is how a client proves who it is.
type Authentication string

const (
	PasswordCleartext Authentication = "password-cleartext" // PLAIN or LOGIN, inside TLS
	PasswordEncrypted Authentication = "password-encrypted" // CRAM-MD5, DIGEST-MD5, SCRAM
	NTLM              Authentication = "NTLM"
	GSSAPI            Authentication = "GSSAPI"
	TLSClientCert     Authentication = "TLS-client-cert"
	OAuth2Auth        Authentication = "OAuth2"
)

// Login is what a person signs in with at one server. The two fields stay apart
// until a format joins them: Apple's payloads and autoconfig have one field for
// both, NT‹backslash›name.
type Login struct {
	Username   string // may hold placeholders in configuration
	DomainName string // NT domain, Microsoft's DomainName; mostly empty
}

// Server is one place where a mailbox can be reached.
type Server struct {
	Type ServerType

	// Either Hostname, Port and SocketType are set or, for types that
	// HasURL, URL is. Hostname and URL may hold placeholders.
	Hostname   string
	Port       int
	SocketType SocketType
	URL        string

	// Authentication lists the methods in the order of preference, never empty.
	Authentication []Authentication

	Login Login

	// PathPrefix is the folder that all others live under ("INBOX."), for the
	// rare IMAP server without NAMESPACE (RFC 2342) that needs it said.
	PathPrefix string
	// PastDays is how many days of mail an ActiveSync phone fetches, one of
	// 0 (all), 1, 3, 7, 14, 31.
	PastDays int
	// PrincipalURL is the principal of a CalDAV or CardDAV server whose
	// .well-known redirect does not lead there.
	PrincipalURL string
	// AnswerWithoutLogin has an ActiveSync server told to phones although its
	// login is not the address and Microsoft's answer has no place for it.
	AnswerWithoutLogin bool
}

// Expand is the server with its placeholders completed for the address.
func (s Server) Expand(a Address) Server {
	s.Hostname = Expand(s.Hostname, a)
	s.URL = ExpandURL(s.URL, a)
	s.PrincipalURL = ExpandURL(s.PrincipalURL, a)
	s.Login.Username = Expand(s.Login.Username, a)
	return s
}

// SignsInWithAddress reports whether the login is the mail address itself and
// nothing else, the only one that formats without a login field can mean.
func (s Server) SignsInWithAddress() bool {
	return s.Login == Login{Username: EmailAddress}
}
