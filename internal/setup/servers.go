package setup

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/templates"
)

// table is one server as a person types it into a form, in words.
type table struct {
	Title string
	Rows  []row

	lang *templates.Language
	html template.HTML
}

// row is one line of a table. Of Value and Word one is set.
type row struct {
	Label string
	Value string // what is typed in, letter by letter
	Word  string // what is chosen from a list
}

// HTML is the table as the template of that name writes it, once for all its
// places on the page.
func (t *table) HTML() (template.HTML, error) {
	var err error
	if t.html == "" {
		t.html, err = t.lang.Part("table", t)
	}
	return t.html, err
}

// Lines are the rows in HTML, each with the template's own before the label,
// between the two, and after the value. Most of a page is rows, and a template
// takes ten times as long for one as this.
func (t *table) Lines(before, between, after string) template.HTML {
	var b strings.Builder
	b.Grow(len(t.Rows) * (len(before) + len(between) + len(after) + 60))
	for _, r := range t.Rows {
		b.WriteString(before)
		template.HTMLEscape(&b, []byte(r.Label))
		b.WriteString(between)
		if r.Word != "" {
			template.HTMLEscape(&b, []byte(r.Word))
		} else {
			b.WriteString("<code>")
			template.HTMLEscape(&b, []byte(r.Value))
			b.WriteString("</code>")
		}
		b.WriteString(after + "\n")
	}
	return template.HTML(b.String())
}

// writer makes tables in a language. Text is the text of a key.
type writer struct {
	lang *templates.Language
	text func(key string) string
}

func (w writer) value(label, value string) row { return row{Label: w.text(label), Value: value} }
func (w writer) word(label, key string) row    { return row{Label: w.text(label), Word: w.text(key)} }

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

// table is a server as a table. The password ends it: forms ask for it too, and
// it stands nowhere.
func (w writer) table(s account.Server) *table {
	t := &table{Title: w.text(titles[s.Type]), lang: w.lang}
	add := func(rows ...row) { t.Rows = append(t.Rows, rows...) }
	switch {
	case s.Type == account.ActiveSync:
		add(w.value("field.server", hostOf(s.URL)))
	case s.Type.HasURL():
		add(w.value("field.url", s.URL))
	default:
		add(w.value("field.server", s.Hostname),
			w.value("field.port", strconv.Itoa(s.Port)),
			w.word("field.security", securities[s.SocketType]))
	}
	switch {
	case s.Login.DomainName != "":
		add(w.value("field.domain", s.Login.DomainName))
	case s.Type == account.ActiveSync: // its forms always ask
		add(w.word("field.domain", "field.empty"))
	}
	add(w.value("field.username", s.Login.Username))
	// The forms for Exchange and calendars do not ask, so only the unusual is told.
	if len(s.Authentication) > 0 && (!s.Type.HasURL() || s.Authentication[0] != account.PasswordCleartext) {
		add(w.word("field.method", methods[s.Authentication[0]]))
	}
	if byPassword(s) {
		add(w.word("field.password", "field.yours"))
	}
	return t
}

// offer is what a client is told: servers, and each as a table.
type offer struct {
	servers []account.Server
	tables  []*table
}

// offer leaves out a server without encryption where there is one of its type
// with it: no mail client is told of that either. Of several servers of a type,
// all but the first have a number.
func (w writer) offer(s account.Settings) offer {
	var o offer
	count := map[account.ServerType]int{}
	for _, server := range s.Servers {
		if isPlain(server) && slices.ContainsFunc(s.Servers, func(other account.Server) bool { return other.Type == server.Type && !isPlain(other) }) {
			continue
		}
		server = server.Expand(s.Login)
		t := w.table(server)
		if count[server.Type]++; count[server.Type] > 1 {
			t.Title += " (" + itoa(count[server.Type]) + ")"
		}
		o.servers, o.tables = append(o.servers, server), append(o.tables, t)
	}
	return o
}

func isPlain(s account.Server) bool { return s.SocketType == account.Plain }

// all are the tables of the types, in that order.
func (o offer) all(types ...account.ServerType) []*table {
	var list []*table
	for _, t := range types {
		for i, s := range o.servers {
			if s.Type == t {
				list = append(list, o.tables[i])
			}
		}
	}
	return list
}

// best is the first table of each of the types, in that order.
func (o offer) best(types ...account.ServerType) []*table {
	var list []*table
	for _, t := range types {
		if all := o.all(t); len(all) > 0 {
			list = append(list, all[0])
		}
	}
	return list
}

// form is what a mail program asks for that wants one way in and one out.
func (o offer) form() []*table {
	if has(o.servers, account.IMAP) {
		return o.best(account.IMAP, account.SMTP)
	}
	return o.best(account.POP3, account.SMTP)
}

// exchange is an ActiveSync server as Android's form has it: three fields that
// nobody can guess, and the encryption.
func (w writer) exchange(s account.Server) *table {
	t := w.table(s)
	t.Rows = append(t.Rows, w.word("field.security", "security.ssl"))
	return t
}

// joined is for a form that has one field for domain and user name, as older
// Androids do. Without a domain there is nothing to join.
func (w writer) joined(s account.Server) *table {
	if s.Login.DomainName == "" {
		return nil
	}
	return &table{Title: w.text("android.joined"), lang: w.lang, Rows: []row{
		w.value("field.joined", s.Login.DomainName+`\`+s.Login.Username),
	}}
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

// byToken reports whether a person signs in to the servers of the types on a web
// page, and never with a password in the program itself.
func byToken(servers []account.Server, types ...account.ServerType) bool {
	any := false
	for _, s := range servers {
		if !slices.Contains(types, s.Type) {
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
