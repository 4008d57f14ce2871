package setup

import (
	"net/url"
	"slices"
	"strconv"

	"signpost/account"
)

// table shows one server as a person types it into a form.
type table struct {
	Title string
	Rows  []row
}

// row is one line of a table. Either Value or Choice is set.
type row struct {
	Label  string
	Value  string // typed in, letter by letter
	Choice string // chosen from a list
}

// tableFormat makes tables in a language; label returns the text of a key.
type tableFormat struct{ label func(key string) string }

func (f tableFormat) value(label, value string) row { return row{Label: f.label(label), Value: value} }
func (f tableFormat) choice(label, key string) row {
	return row{Label: f.label(label), Choice: f.label(key)}
}

// serverTitles holds the key of the text that names each type of server.
var serverTitles = map[account.ServerType]string{
	account.IMAP:        "server.imap",
	account.POP3:        "server.pop3",
	account.SMTP:        "server.smtp",
	account.ActiveSync:  "server.activesync",
	account.EWS:         "server.ews",
	account.CalDAV:      "server.caldav",
	account.CardDAV:     "server.carddav",
	account.JMAP:        "server.jmap",
	account.ManageSieve: "server.managesieve",
}

// securities holds the key of the text that names each kind of encryption, as in
// the lists that mail programs show.
var securities = map[account.SocketType]string{
	account.SSL:      "security.ssl",
	account.STARTTLS: "security.starttls",
	account.Plain:    "security.plain",
}

// methods holds the key of the text that names each way to sign in.
var methods = map[account.Authentication]string{
	account.PasswordCleartext: "method.password",
	account.PasswordEncrypted: "method.encrypted",
	account.NTLM:              "method.ntlm",
	account.GSSAPI:            "method.gssapi",
	account.TLSClientCert:     "method.certificate",
	account.OAuth2Auth:        "method.oauth2",
}

// table returns the table of a server. Its last row is the password, which forms
// ask for too; the page does not know it.
func (f tableFormat) table(s account.Server) *table {
	t := &table{Title: f.label(serverTitles[s.Type])}
	add := func(rows ...row) { t.Rows = append(t.Rows, rows...) }
	switch {
	case s.Type == account.ActiveSync:
		add(f.value("field.server", activeSyncHost(s.URL)))
	case s.Type.HasURL():
		add(f.value("field.url", s.URL))
	default:
		add(f.value("field.server", s.Hostname),
			f.value("field.port", strconv.Itoa(s.Port)),
			f.choice("field.security", securities[s.SocketType]))
	}
	switch {
	case s.Login.DomainName != "":
		add(f.value("field.domain", s.Login.DomainName))
	case s.Type == account.ActiveSync: // its forms always have the field
		add(f.choice("field.domain", "field.empty"))
	}
	add(f.value("field.username", s.Login.Username))
	// Forms for Exchange and calendars do not ask for the method, so only an
	// unusual one is shown for them.
	if len(s.Authentication) > 0 && (!s.Type.HasURL() || s.Authentication[0] != account.PasswordCleartext) {
		add(f.choice("field.method", methods[s.Authentication[0]]))
	}
	if takesPassword(s) {
		add(f.choice("field.password", "field.yours"))
	}
	return t
}

// serverTables holds the servers that a client is sent, and the table of each.
type serverTables struct {
	servers []account.Server
	tables  []*table
}

// tables returns the tables of the servers. A server without encryption is left
// out if there is one of its type with encryption, as in the answers to mail
// clients. Of several servers of a type, all but the first have a number.
func (f tableFormat) tables(s account.Settings) serverTables {
	var st serverTables
	count := map[account.ServerType]int{}
	for _, server := range s.Servers {
		encrypted := func(other account.Server) bool { return other.Type == server.Type && !isPlain(other) }
		if isPlain(server) && slices.ContainsFunc(s.Servers, encrypted) {
			continue
		}
		server = server.Expand(s.Login)
		t := f.table(server)
		if count[server.Type]++; count[server.Type] > 1 {
			t.Title += " (" + itoa(count[server.Type]) + ")"
		}
		st.servers, st.tables = append(st.servers, server), append(st.tables, t)
	}
	return st
}

func isPlain(s account.Server) bool { return s.SocketType == account.Plain }

// all returns the tables of the types, in that order.
func (st serverTables) all(types ...account.ServerType) []*table {
	var list []*table
	for _, t := range types {
		for i, s := range st.servers {
			if s.Type == t {
				list = append(list, st.tables[i])
			}
		}
	}
	return list
}

// first returns the first table of each of the types, in that order.
func (st serverTables) first(types ...account.ServerType) []*table {
	var list []*table
	for _, t := range types {
		if all := st.all(t); len(all) > 0 {
			list = append(list, all[0])
		}
	}
	return list
}

// mailForm returns the tables for a mail program that asks for one incoming and one
// outgoing server.
func (st serverTables) mailForm() []*table {
	if has(st.servers, account.IMAP) {
		return st.first(account.IMAP, account.SMTP)
	}
	return st.first(account.POP3, account.SMTP)
}

// exchange returns an ActiveSync server as Android's form asks for it: three fields
// that nobody can guess, and the encryption.
func (f tableFormat) exchange(s account.Server) *table {
	t := f.table(s)
	t.Rows = append(t.Rows, f.choice("field.security", "security.ssl"))
	return t
}

// joinedLogin returns the login for a form that has one field for domain and user
// name, as older Androids do, and nil if the login has no domain.
func (f tableFormat) joinedLogin(s account.Server) *table {
	if s.Login.DomainName == "" {
		return nil
	}
	login := f.value("field.joined", s.Login.DomainName+`\`+s.Login.Username)
	return &table{Title: f.label("android.joined"), Rows: []row{login}}
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

// takesPassword reports whether a person can sign in to the server with a password.
func takesPassword(s account.Server) bool {
	return slices.ContainsFunc(s.Authentication, func(a account.Authentication) bool {
		return a == account.PasswordCleartext || a == account.PasswordEncrypted || a == account.NTLM
	})
}

// tokenOnly reports whether there are servers of the types and a person signs in to
// all of them on a web page, never with a password in the program itself.
func tokenOnly(servers []account.Server, types ...account.ServerType) bool {
	for _, s := range servers {
		byToken := slices.Contains(s.Authentication, account.OAuth2Auth) && !takesPassword(s)
		if slices.Contains(types, s.Type) && !byToken {
			return false
		}
	}
	return has(servers, types...)
}

// has reports whether one of the servers is of one of the types.
func has(servers []account.Server, types ...account.ServerType) bool {
	return slices.ContainsFunc(servers, func(s account.Server) bool { return slices.Contains(types, s.Type) })
}

func itoa(n int) string { return strconv.Itoa(n) }
