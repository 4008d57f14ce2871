package setup

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
)

// table shows one server as a person types it into a form.
type table struct {
	Title  string
	Rows   []row
	server account.Server
}

// row is one line of a table. Either Value or Choice is set.
type row struct {
	Label  string
	Value  string // typed in, letter by letter
	Choice string // chosen from a list
}

// tableFormat makes tables in a language. label returns the text of a key, and password is the
// key of the text that says which password is typed.
type tableFormat struct {
	label    func(key string) string
	password string
}

func (f tableFormat) value(label, value string) row { return row{Label: f.label(label), Value: value} }
func (f tableFormat) choice(label, key string) row {
	return row{Label: f.label(label), Choice: f.label(key)}
}

// methods holds the key of the text that names each way to sign in.
var methods = map[account.Authentication]string{
	account.PasswordCleartext: "method.password",
	account.PasswordEncrypted: "method.encrypted",
	account.NTLM:              "method.ntlm",
	account.GSSAPI:            "method.gssapi",
	account.TLSClientCert:     "method.certificate",
	account.OAuth2Auth:        "method.oauth2",
	account.NoAuthentication:  "method.none",
	account.ClientIPAddress:   "method.none",
}

// table returns the table of a server. Its last row is the password, which forms
// ask for too; the page does not know it.
func (f tableFormat) table(s account.Server) *table {
	t := &table{Title: f.label("server." + string(s.Type)), server: s}
	add := func(rows ...row) { t.Rows = append(t.Rows, rows...) }
	switch {
	case s.Type == account.ActiveSync:
		add(f.value("field.server", activeSyncHost(s.URL)))
	case s.Type.HasURL():
		add(f.value("field.url", s.URL))
	default:
		add(f.value("field.server", s.Hostname),
			f.value("field.port", strconv.Itoa(s.Port)),
			f.choice("field.security", "security."+strings.ToLower(string(s.SocketType))))
	}
	switch {
	case s.Login.DomainName != "":
		add(f.value("field.domain", s.Login.DomainName))
	case s.Type == account.ActiveSync: // its forms always have the field
		add(f.choice("field.domain", "field.empty"))
	}
	if !s.NeedsNoLogin() {
		add(f.value("field.username", s.Login.Username))
	}
	// Forms for Exchange and calendars do not ask for the method, so only an
	// unusual one is shown for them.
	if len(s.Authentication) > 0 && (!s.Type.HasURL() || s.Authentication[0] != account.PasswordCleartext) {
		add(f.choice("field.method", methods[s.Authentication[0]]))
	}
	if s.TakesPassword() {
		add(f.choice("field.password", f.password))
	}
	return t
}

// tables holds the tables of the servers that a client is sent.
type tables []*table

// tables returns the tables of the servers. A server without encryption is left
// out if there is one of its type with encryption, as in the answers to mail
// clients. Of several servers of a type, all but the first have a number.
func (f tableFormat) tables(s account.Settings) tables {
	var list tables
	count := map[account.ServerType]int{}
	for _, server := range s.Servers {
		encrypted := func(other account.Server) bool { return other.Type == server.Type && !isPlain(other) }
		if isPlain(server) && slices.ContainsFunc(s.Servers, encrypted) {
			continue
		}
		t := f.table(server.Expand(s.Login))
		if count[server.Type]++; count[server.Type] > 1 {
			t.Title += " (" + strconv.Itoa(count[server.Type]) + ")"
		}
		list = append(list, t)
	}
	return list
}

func isPlain(s account.Server) bool { return s.SocketType == account.Plain }

// isUnencrypted reports whether others on the network can read what is sent to the
// server.
func isUnencrypted(s account.Server) bool { return isPlain(s) || strings.HasPrefix(s.URL, "http:") }

// that returns the tables of the servers for which the condition holds.
func (ts tables) that(holds func(account.Server) bool) tables {
	return slices.DeleteFunc(slices.Clone(ts), func(t *table) bool { return !holds(t.server) })
}

// usable returns the tables of the servers at which a person can sign in so, and of
// relays, where nobody signs in.
func (ts tables) usable(signIn func(account.Server) bool) tables {
	return ts.that(func(s account.Server) bool { return signIn(s) || s.NeedsNoLogin() })
}

// all returns the tables of the types, in that order.
func (ts tables) all(types ...account.ServerType) tables {
	var list tables
	for _, wanted := range types {
		for _, t := range ts {
			if t.server.Type == wanted {
				list = append(list, t)
			}
		}
	}
	return list
}

// first returns the first table of each of the types, in that order.
func (ts tables) first(types ...account.ServerType) tables {
	return slices.CompactFunc(ts.all(types...), func(a, b *table) bool { return a.server.Type == b.server.Type })
}

// has reports whether one of the servers is of one of the types.
func (ts tables) has(types ...account.ServerType) bool { return len(ts.all(types...)) > 0 }

// mailForm returns the tables for a mail program that asks for one incoming and one
// outgoing server.
func (ts tables) mailForm() tables {
	if ts.has(account.IMAP) {
		return ts.first(account.IMAP, account.SMTP)
	}
	return ts.first(account.POP3, account.SMTP)
}

// completeMail reports whether a mail program can receive and send with the servers.
func (ts tables) completeMail() bool { return len(ts.mailForm()) == 2 }

// exchange returns an ActiveSync server as Android's form asks for it: three fields
// that nobody can guess, and the encryption.
func (f tableFormat) exchange(s account.Server) *table {
	t := f.table(s)
	t.Rows = append(t.Rows, f.choice("field.security", "security.ssl"))
	return t
}

// outlookExchange returns an ActiveSync server as classic Outlook's form asks for it:
// it has no field for the domain.
func (f tableFormat) outlookExchange(s account.Server) *table {
	s.Login = account.Login{Username: joined(s.Login)}
	t := f.table(s)
	t.Rows = slices.DeleteFunc(t.Rows, func(r row) bool { return r.Label == f.label("field.domain") })
	return t
}

// joinedLogin returns the login for a form that has one field for domain and user
// name, as older Androids do, and nil if the login has no domain.
func (f tableFormat) joinedLogin(s account.Server) *table {
	if s.Login.DomainName == "" {
		return nil
	}
	return &table{Title: f.label("android.joined"), Rows: []row{f.value("field.joined", joined(s.Login))}}
}

// joined returns a login as one text.
func joined(l account.Login) string {
	if l.DomainName == "" {
		return l.Username
	}
	return l.DomainName + `\` + l.Username
}

// activeSyncHost returns the part of an ActiveSync URL that forms ask for. Clients
// add the rest by themselves, and Gmail's drops what follows the host.
func activeSyncHost(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return text
	case u.Port() == "443":
		return u.Hostname()
	}
	return u.Host
}

// takesToken reports whether a person can sign in to the server with a password, or on
// a web page that mail programs know: Thunderbird leaves out others.
func takesToken(s account.Server) bool {
	return s.TakesPassword() || knowsToken(s)
}

// knowsToken reports whether a person can sign in to the server on a web page, in a program
// that knows the page.
func knowsToken(s account.Server) bool { return takes(s, account.OAuth2Auth) && s.HasKnownOAuth2() }

// takesTicket reports whether a person can sign in to the server with a password, on a
// web page or with Kerberos. A certificate is no way: Thunderbird leaves out a server
// that asks for one.
func takesTicket(s account.Server) bool { return takesToken(s) || takes(s, account.GSSAPI) }

// inAutodiscover returns a function that reports whether Thunderbird finds the server of
// Exchange Web Services in autodiscover.xml, where it needs no server for sending beside
// it. It signs in there with the address.
func inAutodiscover(address account.Address) func(account.Server) bool {
	return func(s account.Server) bool {
		return s.Type == account.EWS && s.ExchangeEntries && s.Login.Is(address) && strings.HasPrefix(s.URL, "https:")
	}
}

func takes(s account.Server, methods ...account.Authentication) bool {
	return slices.ContainsFunc(s.Authentication, func(a account.Authentication) bool {
		return slices.Contains(methods, a)
	})
}

// tokenOnly reports whether there are servers of the types and a person signs in to
// all of them on a web page, never with a password in the program itself.
func (ts tables) tokenOnly(types ...account.ServerType) bool {
	list := ts.all(types...).that(func(s account.Server) bool { return !s.NeedsNoLogin() })
	return len(list) > 0 && !slices.ContainsFunc(list, func(t *table) bool {
		return t.server.TakesPassword() || !takes(t.server, account.OAuth2Auth)
	})
}
