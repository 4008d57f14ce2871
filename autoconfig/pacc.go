package autoconfig

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
)

// paccMembers are the names under which PACC lists protocols; nothing else in
// this package knows them. They are those of draft-ietf-mailmaint-pacc-03. There
// "smtp" of -02 became "submit"; the reader takes both, and the writer only the
// newer name, for what it writes is what operators have to publish a digest of.
// ManageSieve is in the draft too, but has no port with implicit TLS, which is
// all that PACC can mean.
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

// oldSubmit is what -02 calls submit.
const oldSubmit = "smtp"

// pacc is the document (draft-ietf-mailmaint-pacc-02 §4.1, with the names of
// -03). Members that we have nothing for are left out: all are optional but
// protocols, and readers of -02 want authentication and info.
type pacc struct {
	Protocols      map[string]paccEndpoint `json:"protocols"`
	Authentication *paccAuthentication     `json:"authentication,omitempty"`
	Info           paccInfo                `json:"info"`
}

type paccEndpoint struct {
	Host string `json:"host,omitempty"` // imap, pop3, submit
	URL  string `json:"url,omitempty"`  // jmap, caldav, carddav
}

type paccAuthentication struct {
	OAuthPublic *paccOAuth `json:"oauth-public,omitempty"`
	Password    bool       `json:"password"`
}

type paccOAuth struct {
	Issuer string `json:"issuer"`
}

type paccInfo struct {
	Provider paccProvider `json:"provider"`
	Help     *paccHelp    `json:"help,omitempty"`
}

type paccProvider struct {
	Name      string `json:"name"`
	ShortName string `json:"shortName,omitempty"`
}

type paccHelp struct {
	Documentation string `json:"documentation,omitempty"`
}

// PACC returns the user-agent-configuration.json for the domain of the settings,
// or an error that is ErrNotDescribable.
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
func (p *PACCs) Document(s account.Settings) ([]byte, error) { return p.append(nil, s) }

// append appends the document for the settings to dst.
func (p *PACCs) append(dst []byte, s account.Settings) ([]byte, error) {
	if s.Custom || s.Login != s.Address {
		return dst, notDescribable("the login belongs to this account alone, and PACC has one answer for the domain")
	}
	s.Address = account.AnyAt(s.Address.Domain())
	s.Login = s.Address
	template, err := p.documents.Template(&s, struct{}{}, writePACC)
	if err != nil {
		return dst, err
	}
	// The document has no placeholder but the domain's, and no character of a
	// domain has to be escaped in JSON.
	return template.Append(dst, s.Address, nil), nil
}

// writePACC writes the template of a document.
func writePACC(s account.Settings) ([]byte, error) {
	described, err := describe(s.Servers)
	if err != nil {
		return nil, err
	}
	document := pacc{Protocols: map[string]paccEndpoint{}}
	for _, server := range described {
		document.Protocols[memberOf(server.Type)] = paccEndpoint{Host: server.Hostname, URL: server.URL}
	}
	if document.Authentication, err = authentication(s.Provider, described); err != nil {
		return nil, err
	}
	document.Info.Provider = paccProvider{
		Name:      cmp.Or(oneLine(s.Provider.DisplayName), account.EmailDomain),
		ShortName: oneLine(s.Provider.DisplayShortName),
	}
	for _, page := range s.Provider.Documentation {
		if url := link(page.URL); url != "" {
			document.Info.Help = &paccHelp{Documentation: url}
			break
		}
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

// Digest is the value of the TXT record at _ua-auto-config.‹domain› that vouches
// for the document. While a document changes, both records stand side by side;
// any that fits will do.
func Digest(pacc []byte) string {
	sum := sha256.Sum256(pacc)
	return "v=UAAC1; a=sha256; d=" + base64.StdEncoding.EncodeToString(sum[:])
}

func memberOf(t account.ServerType) string {
	for _, m := range paccMembers {
		if m.serverType == t {
			return m.name
		}
	}
	return ""
}

// describe picks the servers that PACC can name: of each type the first that it
// can. Mail must be whole: no client is led from IMAP to POP3, or left without a
// way to send, because of what PACC cannot say.
func describe(servers []account.Server) ([]account.Server, error) {
	var described []account.Server
	problems := map[account.ServerType]string{}
	for _, server := range servers {
		if memberOf(server.Type) == "" || slices.ContainsFunc(described, func(s account.Server) bool { return s.Type == server.Type }) {
			continue
		}
		if problem := unlikePACC(server); problem != "" {
			if problems[server.Type] == "" {
				problems[server.Type] = problem
			}
			continue
		}
		described = append(described, server)
		delete(problems, server.Type)
	}
	has := func(t account.ServerType) bool {
		return slices.ContainsFunc(described, func(s account.Server) bool { return s.Type == t })
	}
	for _, t := range []account.ServerType{account.IMAP, account.SMTP} {
		if problem := problems[t]; problem != "" {
			return nil, notDescribable("%s: %s", t, problem)
		}
	}
	switch {
	case has(account.JMAP):
	case has(account.IMAP), has(account.POP3):
		if !has(account.SMTP) {
			return nil, notDescribable("it has no smtp server")
		}
	case problems[account.POP3] != "":
		return nil, notDescribable("pop3: %s", problems[account.POP3])
	case problems[account.JMAP] != "":
		return nil, notDescribable("jmap: %s", problems[account.JMAP])
	default:
		return nil, notDescribable("it has neither imap, pop3 nor jmap")
	}
	return described, nil
}

// anyDomain stands for all domains where a URL is judged: with a placeholder in its
// host it does not parse, and what one domain is told must not depend on who asked
// before. Nothing that begins with it is an escape of a URL.
var anyDomain = account.AnyAt("x.invalid")

// unlikePACC says what about the server PACC cannot express.
func unlikePACC(s account.Server) string {
	if !s.SignsInWithAddress() {
		return "the user name is not the mail address, and PACC has no place for one"
	}
	if account.NamesMailbox(s.Hostname + s.URL) {
		return "the server depends on the mailbox, and PACC has one answer for the domain"
	}
	if !s.Type.HasURL() {
		if s.SocketType != account.SSL {
			return "PACC knows implicit TLS only (socketType SSL)"
		}
		if s.Port != account.DefaultPort(s.Type, account.SSL) {
			return "PACC knows the usual port only"
		}
		return ""
	}
	u, err := url.Parse(account.ExpandURL(s.URL, anyDomain))
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return "PACC knows https URLs only"
	case u.Port() != "":
		return "PACC knows URLs without a port only"
	case s.Type != account.JMAP && strings.Trim(u.Path, "/") == "":
		return "the URL has no path"
	}
	return ""
}

// authentication says how to sign in, at all described servers taken together.
func authentication(p *account.Provider, servers []account.Server) (*paccAuthentication, error) {
	takes := func(methods ...account.Authentication) bool {
		return slices.ContainsFunc(servers, func(s account.Server) bool {
			return slices.ContainsFunc(s.Authentication, func(a account.Authentication) bool { return slices.Contains(methods, a) })
		})
	}
	a := &paccAuthentication{Password: takes(account.PasswordCleartext, account.PasswordEncrypted)}
	if takes(account.OAuth2Auth) && p.OAuth2 != nil {
		if issuer := issuerURL(p.OAuth2.Issuer); issuer != "" {
			a.OAuthPublic = &paccOAuth{Issuer: issuer}
		}
	}
	if !a.Password && a.OAuthPublic == nil {
		return nil, notDescribable("it takes neither a password nor OAuth2 with an https issuer")
	}
	return a, nil
}

// issuerURL is the issuer as RFC 8414 §2 has it: an https URL. Autoconfig knows
// a bare host name too.
func issuerURL(issuer string) string {
	if issuer != "" && !strings.Contains(issuer, "://") {
		issuer = "https://" + issuer
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	return issuer
}
