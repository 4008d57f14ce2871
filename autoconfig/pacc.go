package autoconfig

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"path"
	"strings"

	"signpost/account"
)

// paccMembers are the names of protocols in draft-ietf-mailmaint-pacc-03; nothing
// else in this package knows them. There, "smtp" of -02 became "submit". Documents
// have both: Himalaya reads -02 (io-discovery, src/pacc/types.rs), and readers ignore
// unknown members. ManageSieve is in the draft too, but has no port for implicit TLS,
// which is all that PACC can mean.
var paccMembers = []struct {
	name       string
	serverType account.ServerType
}{
	{"jmap", account.JMAP},
	{"imap", account.IMAP},
	{"pop3", account.POP3},
	{"submit", account.SMTP},
	{"caldav", account.CalDAV},
	{"carddav", account.CardDAV},
}

// oldSubmit is the name of submit in -02.
const oldSubmit = "smtp"

// pacc is the document (draft-ietf-mailmaint-pacc-02 §4.1, with the names of
// -03). Empty members are left out: all are optional but protocols, and readers
// of -02 need authentication and info.
type pacc struct {
	Protocols      map[string]paccEndpoint `json:"protocols"`
	Authentication *paccAuthentication     `json:"authentication,omitempty"`
	Info           struct {
		Provider struct {
			Name      string     `json:"name"`
			ShortName string     `json:"shortName,omitempty"`
			Logo      []paccLogo `json:"logo,omitempty"`
		} `json:"provider"`
		Help struct {
			Documentation string   `json:"documentation,omitempty"`
			Developer     string   `json:"developer,omitempty"`
			Contact       []string `json:"contact,omitempty"` // URIs
		} `json:"help,omitzero"`
	} `json:"info"`
}

type paccEndpoint struct {
	Host string `json:"host,omitempty"` // imap, pop3, submit
	URL  string `json:"url,omitempty"`  // jmap, caldav, carddav
}

type paccLogo struct {
	URL         string `json:"url"`
	ContentType string `json:"content-type,omitempty"`
}

// pictureTypes are the media types of pictures by the end of the URL.
var pictureTypes = map[string]string{
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
	".gif": "image/gif",
}

type paccAuthentication struct {
	OAuthPublic struct {
		Issuer string `json:"issuer"`
	} `json:"oauth-public,omitzero"`
	Password bool `json:"password"`
}

// PACC returns the user-agent-configuration.json for the domain of the settings,
// or an error that wraps ErrNotDescribable.
//
// The format names hosts and nothing else of a mail server: implicit TLS on the
// usual port is all that it can mean, and the login is the mail address. There
// is one document for a whole domain. A domain where mail needs anything else
// is not describable; a calendar or address book that does is left out.
//
// The bytes depend only on the settings, since their digest stands in DNS:
// members in a fixed order, the names of protocols sorted, two spaces of
// indentation, a newline at the end. Tests keep them so.
func PACC(s account.Settings) ([]byte, error) { return new(PACCs).Document(s) }

// PACCs writes the PACC documents of many domains, each provider's only once. All
// Cacheable settings of one Provider must have the same Servers, those for
// account.PACC. PACCs is safe for concurrent use, and its zero value is ready.
type PACCs struct {
	documents account.Documents[struct{}]
}

// Document returns what PACC returns for the settings.
func (p *PACCs) Document(s account.Settings) ([]byte, error) {
	if s.Login != s.Address {
		return nil, notDescribable("people sign in with another address, and PACC has no field for it")
	}
	if s.Custom && s.Provider.UsernameAt(account.EmailAddress, s.Address.Domain()) != account.EmailAddress {
		return nil, notDescribable("logins have the domain in Unicode (idnLogin), and PACC has no field for a login")
	}
	if s.Custom {
		return nil, notDescribable("the login belongs to this account alone, and PACC has one answer for the domain")
	}
	s.Address = account.AnyAt(s.Address.Domain())
	s.Login = s.Address
	template, err := p.documents.Template(&s, struct{}{}, writePACC)
	if err != nil {
		return nil, err
	}
	// The document has no placeholder but the domain's, and no character of a
	// domain has to be escaped in JSON.
	return template.Append(nil, s.Address, nil), nil
}

// writePACC writes the template of a document.
func writePACC(s account.Settings) ([]byte, error) {
	described, err := describe(s.Servers)
	if err != nil {
		return nil, err
	}
	document := pacc{Protocols: map[string]paccEndpoint{}}
	document.Authentication, described, err = authentication(s.Provider, described)
	if err != nil {
		return nil, err
	}
	for _, server := range described {
		endpoint := paccEndpoint{Host: server.Hostname, URL: server.URL}
		document.Protocols[memberOf(server.Type)] = endpoint
		if server.Type == account.SMTP {
			document.Protocols[oldSubmit] = endpoint
		}
	}
	info := &document.Info
	info.Provider.Name = cmp.Or(oneLine(s.Provider.DisplayName), account.EmailDomain)
	info.Provider.ShortName = oneLine(s.Provider.DisplayShortName)
	for _, page := range s.Provider.Documentation {
		info.Help.Documentation = cmp.Or(info.Help.Documentation, link(page.URL))
	}
	info.Help.Developer = link(s.Provider.Developer)
	info.Help.Contact = contactURIs(s.Provider.Support.Contact)
	if url := link(s.Provider.Logo); url != "" {
		info.Provider.Logo = []paccLogo{{URL: url, ContentType: pictureTypes[strings.ToLower(path.Ext(url))]}}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// contactURIs returns the ways to the support staff.
func contactURIs(c account.Contact) []string {
	var uris []string
	if c.URL != "" {
		uris = append(uris, c.URL)
	}
	if c.Email != "" {
		uris = append(uris, "mailto:"+c.Email)
	}
	if c.Phone != "" {
		// A URI has no spaces, but may have the other separators (RFC 3966 §3).
		uris = append(uris, "tel:"+strings.NewReplacer(" ", "-", "/", "-").Replace(c.Phone))
	}
	return uris
}

// Digest returns the value of the TXT record at _ua-auto-config.‹domain› that
// vouches for the document. While a document changes, the records for the old and
// the new one stand side by side; one that matches is enough.
func Digest(pacc []byte) string {
	sum := sha256.Sum256(pacc)
	return "v=UAAC1; a=sha256; d=" + base64.StdEncoding.EncodeToString(sum[:])
}

// memberOf returns the name of the protocol in PACC, or "".
func memberOf(t account.ServerType) string {
	for _, m := range paccMembers {
		if m.serverType == t {
			return m.name
		}
	}
	return ""
}
