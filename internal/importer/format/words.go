package format

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"signpost/account"
	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// methods are the words that tools have for methods of signing in, in lower case.
var methods = map[string]account.Authentication{
	"plain": account.PasswordCleartext, "password-cleartext": account.PasswordCleartext,
	"plaintext": account.PasswordCleartext, "cleartext": account.PasswordCleartext, "login": account.PasswordCleartext,
	"http-basic": account.PasswordCleartext, "emailauthpassword": account.PasswordCleartext,
	"secure": account.PasswordEncrypted, "encrypted": account.PasswordEncrypted,
	"password-encrypted": account.PasswordEncrypted, "cram-md5": account.PasswordEncrypted,
	"emailauthcrammd5": account.PasswordEncrypted, "emailauthhttpmd5": account.PasswordEncrypted,
	"ntlm": account.NTLM, "emailauthntlm": account.NTLM, "gssapi": account.GSSAPI, "kerberos": account.GSSAPI,
	"oauth2": account.OAuth2Auth, "xoauth2": account.OAuth2Auth, "tls-client-cert": account.TLSClientCert,
}

// relayMethods are those of a relay at which nobody signs in.
var relayMethods = map[string]account.Authentication{
	"none": account.NoAuthentication, "client-ip-address": account.ClientIPAddress,
}

// kinds are the words that tools have for types of servers, in lower case.
var kinds = map[string]account.ServerType{
	"imap": account.IMAP, "pop": account.POP3, "pop3": account.POP3, "smtp": account.SMTP,
	"activesync": account.ActiveSync, "eas": account.ActiveSync, "ews": account.EWS,
	"caldav": account.CalDAV, "carddav": account.CardDAV, "jmap": account.JMAP,
	"managesieve": account.ManageSieve, "sieve": account.ManageSieve,
}

// sockets are the words that tools have for the encryption of a connection, in lower case.
var sockets = map[string]account.SocketType{
	"ssl": account.SSL, "tls": account.SSL, "starttls": account.STARTTLS,
	"plain": account.Plain, "none": account.Plain, "off": account.Plain,
}

// socketOfPort is the encryption at the usual ports, for formats that do not say it.
var socketOfPort = map[int]account.SocketType{
	993: account.SSL, 995: account.SSL, 465: account.SSL,
	143: account.STARTTLS, 110: account.STARTTLS, 587: account.STARTTLS, 25: account.STARTTLS, 4190: account.STARTTLS,
}

// service is a server as a source describes it, in the source's words. Its placeholders are
// account's.
type service struct {
	at       draft.Place
	name     string // what the source calls it, for what cannot be carried over
	kind     string
	host     string
	port     string // empty: the usual one
	socket   string // empty: by the port
	url      string // of types that have one
	username string // empty: the address
	domain   string // NT domain of the login
	methods  []string
	prefix   string // the folder above all others
}

// add adds the server to the product, or says why it is not carried over.
func (s service) add(d *draft.Draft, p *draft.Product) {
	if s.name == "" {
		s.name = "the " + s.kind + " server"
	}
	server := account.Server{Type: kinds[strings.ToLower(s.kind)], PathPrefix: s.prefix}
	server.Login = account.Login{Username: s.username, DomainName: s.domain}
	if server.Login.Username == "" {
		server.Login.Username = account.EmailAddress
	}
	if server.Type == "" {
		d.Lose(s.at, "%s: Signpost has no servers of the type %q", s.name, s.kind)
		return
	}
	for _, word := range s.methods {
		word = strings.TrimSpace(word)
		method, known := methods[strings.ToLower(word)]
		if server.Type == account.SMTP && !known {
			method, known = relayMethods[strings.ToLower(word)]
		}
		switch {
		case !known:
			d.Lose(s.at, "%s: the authentication %q has no equivalent", s.name, word)
		case !slices.Contains(server.Authentication, method):
			server.Authentication = append(server.Authentication, method)
		}
	}
	if len(server.Authentication) == 0 {
		server.Authentication = []account.Authentication{account.PasswordCleartext}
	}
	if !wellFormed(server.Login.Username) {
		d.Lose(s.at, "%s: the user name %q has a placeholder that Signpost does not have",
			s.name, server.Login.Username)
		return
	}
	if problem := s.place(&server); problem != "" {
		d.Lose(s.at, "%s: %s", s.name, problem)
		return
	}
	p.Provider.Servers = append(p.Provider.Servers, server)
}

// place reads where the server is, and says why it cannot be used.
func (s service) place(server *account.Server) string {
	if server.Type.HasURL() {
		var problem string
		server.URL, problem = cleanURL(s.url)
		return problem
	}
	host := strings.TrimSuffix(s.host, ".")
	if domain, err := account.ParseDomain(hole.Replace(host)); err != nil || !strings.Contains(domain, ".") {
		return fmt.Sprintf("%q is not a host name", s.host)
	} else if domain == hole.Replace(host) {
		server.Hostname = host
	} else {
		server.Hostname = domain
	}
	server.SocketType = sockets[strings.ToLower(s.socket)]
	if s.socket != "" && server.SocketType == "" {
		return fmt.Sprintf("the encryption %q has no equivalent", s.socket)
	}
	port, err := strconv.Atoi(s.port)
	switch {
	case s.port == "" && server.SocketType == "":
		port = account.DefaultPort(server.Type, account.SSL)
	case s.port == "":
		port = account.DefaultPort(server.Type, server.SocketType)
	case err != nil || port < 1 || port > 65535:
		return fmt.Sprintf("%q is not a port", s.port)
	}
	server.Port = port
	if server.SocketType == "" {
		if server.SocketType = socketOfPort[port]; server.SocketType == "" {
			return fmt.Sprintf("nothing says whether port %d begins with TLS", port)
		}
	}
	return ""
}

// complete reports whether clients can request a token by what is known, and cleans the URLs.
func complete(o *account.OAuth2) bool {
	for _, url := range []*string{&o.AuthURL, &o.TokenURL} {
		clean, problem := plainURL(*url)
		if problem != "" {
			return false
		}
		*url = clean
	}
	issuer, problem := o.Issuer, ""
	if strings.Contains(issuer, "://") {
		issuer, problem = plainURL(issuer)
	} else if domain, err := parseDomain(issuer); err != nil {
		problem = "no host name"
	} else {
		issuer = domain
	}
	o.Issuer = issuer
	return problem == "" && len(o.Scopes) > 0
}

// hole stands for the domain in a host name.
var hole = strings.NewReplacer(account.EmailDomain, "hole.example")

// wellFormed reports whether a text has no percent sign outside of Signpost's placeholders.
func wellFormed(text string) bool {
	return !strings.Contains(strings.NewReplacer(account.EmailAddress, "", account.EmailLocalPart, "",
		account.EmailDomain, "").Replace(text), "%")
}

// addDomains adds domains to the product. What is no domain is not carried over.
func addDomains(d *draft.Draft, p *draft.Product, at draft.Place, domains ...string) {
	for _, text := range domains {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		domain, err := parseDomain(text)
		if err != nil {
			d.Lose(at, "%q is not a domain", text)
			continue
		}
		p.Domains = append(p.Domains, domain)
	}
}

// parseDomain returns a mail domain in A-labels.
func parseDomain(text string) (string, error) {
	domain, err := account.ParseDomain(strings.TrimSpace(text))
	if err == nil && !strings.Contains(domain, ".") {
		err = errors.New("it has no dot")
	}
	return domain, err
}

// The longest names that a configuration takes.
const (
	maxName      = 60
	maxShortName = 20
)

// visible returns a text on one line, without what nobody sees and no configuration takes.
func visible(d *draft.Draft, at draft.Place, text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Co) || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	if clean != text {
		d.Lose(at, "the name %q is carried over without its invisible characters", text)
	}
	return strings.Join(strings.Fields(clean), " ")
}

// toolPlaceholder matches what a tool replaces in a name: of Mozilla's format, automx, and templates.
var toolPlaceholder = regexp.MustCompile(`%[A-Z]{4,}%|%[sud](?:\W|$)|\$\{|\{\{`)

// setNames sets the names of the product.
func setNames(d *draft.Draft, p *draft.Product, at draft.Place, name, short string) {
	name, short = visible(d, at, name), visible(d, at, short)
	if strings.Contains(name, "@") {
		if _, err := account.ParseAddress(name); err == nil {
			name = "" // of one person
		}
	}
	if toolPlaceholder.MatchString(name) {
		name = ""
	}
	if utf8.RuneCountInString(name) > maxName {
		d.Lose(at, "the name %q is cut to %d characters", name, maxName)
		name = strings.TrimSpace(string([]rune(name)[:maxName]))
	}
	p.Provider.DisplayName = name
	if utf8.RuneCountInString(short) > maxShortName && short != name {
		d.Lose(at, "the short name %q has more than %d characters", short, maxShortName)
	}
	fits := short != "" && utf8.RuneCountInString(short) <= maxShortName
	if fits && short != name && !toolPlaceholder.MatchString(short) {
		p.Provider.DisplayShortName = short
	}
}

// finish adds the product to the draft, if it says anything. Each domain stays once.
func finish(d *draft.Draft, p draft.Product) {
	seen := make(map[string]bool, len(p.Domains))
	p.Domains = slices.DeleteFunc(p.Domains, func(domain string) bool {
		again := seen[domain]
		seen[domain] = true
		return again
	})
	switch {
	case len(p.Provider.Servers) == 0 && p.Provider.AutodiscoverRedirect == nil:
		if len(p.Domains) > 0 {
			d.Lose(p.Place, "%s: no server of it can be carried over", list(p.Domains, "domains"))
		}
		return
	case len(p.Domains) == 0 && !p.Any:
		d.Lose(p.Place, "settings without a domain")
		return
	}
	switch name := p.Provider.DisplayName; {
	case name == "":
		p.Guesses = append(p.Guesses, "the name that people read, for want of one")
	case len(p.Domains) == 1 && slices.Contains(account.Spellings(p.Domains[0]), name):
		// Tools write the domain there, which would keep settings apart that are alike.
		p.Provider.DisplayName, p.Provider.DisplayShortName = "", ""
	}
	d.Products = append(d.Products, p)
}

// list names the first of some things.
func list(names []string, what string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d other %s", names[0], len(names)-1, what)
	}
	return strings.Join(names, ", ")
}

// faultAt is what is wrong in a file, with its line.
func faultAt(file string, line int, format string, args ...any) error {
	return fault.List{{File: file, Line: line, Text: fmt.Sprintf(format, args...)}}
}

// text returns a file as UTF-8 text, or an error that says what it is instead.
func text(f File) (string, error) {
	data := bytes.TrimPrefix(f.Data, []byte("\ufeff"))
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return "", faultAt(f.Path, 0, "the file is in UTF-16; save it in UTF-8")
	case bytes.IndexByte(data, 0) >= 0:
		return "", faultAt(f.Path, 1+bytes.Count(data[:bytes.IndexByte(data, 0)], []byte("\n")), "the file is not text")
	case !utf8.Valid(data):
		line := 1
		for n, l := range bytes.Split(data, []byte("\n")) {
			if !utf8.Valid(l) {
				line = n + 1
				break
			}
		}
		return "", faultAt(f.Path, line, "the line is not in UTF-8")
	}
	return string(data), nil
}

// lineAt returns the line in which a byte stands.
func lineAt(text string, offset int64) int {
	return 1 + strings.Count(text[:min(int(offset), len(text))], "\n")
}

// sortRemarks sorts remarks by their file and line.
func sortRemarks(remarks []draft.Remark) {
	slices.SortStableFunc(remarks, func(a, b draft.Remark) int {
		return cmp.Or(strings.Compare(a.Place.File, b.Place.File), a.Place.Line-b.Place.Line,
			strings.Compare(a.Text, b.Text))
	})
}
