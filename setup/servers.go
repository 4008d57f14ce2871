package setup

import (
	"net/url"
	"slices"
	"strconv"

	"signpost/account"
)

// table is one server as a person types it into a form.
type table struct {
	Title string // key of a text
	Rows  []row
}

// row is one line of a table. Of Value and Word one is set.
type row struct {
	Label string // key of a text
	Value string // what is typed in, letter by letter
	Word  string // key of a text: what is chosen from a list
}

// titles are the keys of what the servers are called.
var titles = map[account.ServerType]string{
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

// securities are the keys of how connections are encrypted, in the words of the
// lists that mail programs show.
var securities = map[account.SocketType]string{
	account.SSL:      "security.ssl",
	account.STARTTLS: "security.starttls",
	account.Plain:    "security.plain",
}

var methods = map[account.Authentication]string{
	account.PasswordCleartext: "method.password",
	account.PasswordEncrypted: "method.encrypted",
	account.NTLM:              "method.ntlm",
	account.GSSAPI:            "method.gssapi",
	account.TLSClientCert:     "method.certificate",
	account.OAuth2Auth:        "method.oauth2",
}

// passwordRow ends each table: forms ask for it too, and it stands nowhere.
var passwordRow = row{Label: "field.password", Word: "field.yours"}

// tableOf is a server as a table.
func tableOf(s account.Server) table {
	t := table{Title: titles[s.Type]}
	add := func(rows ...row) { t.Rows = append(t.Rows, rows...) }
	switch {
	case s.Type == account.ActiveSync:
		add(row{Label: "field.server", Value: hostOf(s.URL)})
	case s.Type.HasURL():
		add(row{Label: "field.url", Value: s.URL})
	default:
		add(row{Label: "field.server", Value: s.Hostname},
			row{Label: "field.port", Value: strconv.Itoa(s.Port)},
			row{Label: "field.security", Word: securities[s.SocketType]})
	}
	switch {
	case s.Login.DomainName != "":
		add(row{Label: "field.domain", Value: s.Login.DomainName})
	case s.Type == account.ActiveSync: // its forms always ask
		add(row{Label: "field.domain", Word: "field.empty"})
	}
	add(row{Label: "field.username", Value: s.Login.Username})
	// The forms for Exchange and calendars do not ask, so only the unusual is told.
	if len(s.Authentication) > 0 && (!s.Type.HasURL() || s.Authentication[0] != account.PasswordCleartext) {
		add(row{Label: "field.method", Word: methods[s.Authentication[0]]})
	}
	if byPassword(s) {
		add(passwordRow)
	}
	return t
}

// exchangeForm is an ActiveSync server as Android's form has it: three fields
// that nobody can guess, and the encryption.
func exchangeForm(s account.Server) *table {
	t := tableOf(s)
	t.Rows = append(t.Rows, row{Label: "field.security", Word: "security.ssl"})
	return &t
}

// joinedForm is for a form that has one field for domain and user name, as
// older Androids do. Without a domain there is nothing to join.
func joinedForm(s account.Server) *table {
	if s.Login.DomainName == "" {
		return nil
	}
	return &table{Title: "android.joined", Rows: []row{
		{Label: "field.joined", Value: s.Login.DomainName + `\` + s.Login.Username},
	}}
}

func tablesOf(servers []account.Server, types ...account.ServerType) []table {
	var tables []table
	for _, t := range types {
		for _, s := range servers {
			if s.Type == t {
				tables = append(tables, tableOf(s))
			}
		}
	}
	return tables
}

// hostOf is what the forms for ActiveSync want of its URL: they make the rest
// themselves, and Gmail's client would drop it.
func hostOf(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return text
	case u.Port() == "443":
		return u.Hostname()
	}
	return u.Host
}

func byPassword(s account.Server) bool {
	return slices.ContainsFunc(s.Authentication, func(a account.Authentication) bool {
		return a == account.PasswordCleartext || a == account.PasswordEncrypted || a == account.NTLM
	})
}

// byToken reports whether a person signs in on a web page and never with a
// password in the program itself, wherever there is mail.
func byToken(servers []account.Server) bool {
	mail := []account.ServerType{account.IMAP, account.POP3, account.SMTP, account.ActiveSync, account.EWS}
	any := false
	for _, s := range servers {
		if !slices.Contains(mail, s.Type) {
			continue
		}
		if byPassword(s) || !slices.Contains(s.Authentication, account.OAuth2Auth) {
			return false
		}
		any = true
	}
	return any
}

func has(servers []account.Server, types ...account.ServerType) bool {
	return slices.ContainsFunc(servers, func(s account.Server) bool { return slices.Contains(types, s.Type) })
}
