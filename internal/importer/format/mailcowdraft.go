package format

import (
	"net"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// draft adds what the settings say.
func (m *mailcowSettings) draft() {
	e, d := m.env, m.d
	p := draft.Product{Place: e.at("MAILCOW_HOSTNAME")}
	setNames(d, &p, m.settings.get("displayName").at, m.text("displayName"), m.text("displayShortName"))
	if p.Provider.DisplayName == "A mailcow mail server" {
		p.Provider.ID = "mailcow"
	}
	for _, one := range mailcowMail {
		m.mailServer(&p, one.kind, one.tls, one.starttls)
	}
	if _, port := m.binding("SIEVE_PORT"); e.get("SIEVE_PORT") != "" && m.isPublic("SIEVE_PORT") {
		service{at: e.at("SIEVE_PORT"), kind: "managesieve", host: m.host(), port: port,
			socket: string(account.STARTTLS)}.add(d, &p)
	}
	m.sogo(&p)
	m.remarks()
	// The domains are in mailcow's database; the host's own is there, so that the answers can be tried.
	if _, domain, ok := strings.Cut(m.host(), "."); ok && strings.Contains(domain, ".") {
		addDomains(d, &p, p.Place, domain)
		p.Guesses = append(p.Guesses,
			"the domain "+domain+", from the name of the host; the others come from the database below")
	}
	m.accounts()
	finish(d, p)
}

// mailServer adds a server at its port with TLS; or at that with STARTTLS, if only that one is open.
func (m *mailcowSettings) mailServer(p *draft.Product, kind, tls, starttls string) {
	part := m.settings.get(kind)
	s := service{at: part.get("server").at, kind: kind, host: m.text(kind, "server"), port: m.text(kind, "port"),
		socket: string(account.SSL)}
	if s.host == "" {
		if !part.get("server").computed { // of which is said that it is
			m.d.Lose(part.at, "%s names no server", kind)
		}
		return
	}
	if !m.isPublic(tls) {
		m.d.Lose(m.env.at(tls), "%s=%s: nobody reaches it from outside", tls, m.env.get(tls))
		if !m.isPublic(starttls) {
			m.d.Lose(m.env.at(starttls), "%s=%s: nobody reaches it from outside", starttls, m.env.get(starttls))
			return
		}
		s.port, s.socket = m.text(kind, "tlsport"), string(account.STARTTLS)
	}
	s.add(m.d, p)
}

// sogo adds what SOGo serves, unless it is switched off.
func (m *mailcowSettings) sogo(p *draft.Product) {
	if strings.HasPrefix(strings.ToLower(m.env.get("SKIP_SOGO")), "y") {
		return
	}
	if m.webGuess != "" {
		p.Guesses = append(p.Guesses, m.webGuess)
	}
	kind := m.settings.get("autodiscoverType")
	if m.text("autodiscoverType") == "imap" {
		m.d.Lose(kind.at,
			"autodiscoverType = imap: phones are told no ActiveSync by mailcow, so its server, %s, is left out",
			m.text("activesync", "url"))
	} else {
		service{at: m.settings.get("activesync", "url").at, kind: "activesync",
			url: m.text("activesync", "url")}.add(m.d, p)
	}
	for _, kind := range []string{"caldav", "carddav"} {
		if host := m.text(kind, "server"); host != "" {
			service{at: m.settings.get(kind, "server").at, kind: kind,
				url: davURL("https://"+host+"/SOGo/dav/"+account.EmailAddress+"/", m.text(kind, "port"))}.add(m.d, p)
		}
	}
	if url, problem := plainURL(davURL("https://"+m.host()+"/SOGo/", m.web)); problem == "" {
		p.Provider.Webmail = url // as autoconfig.php has it
	}
}

// remarks says what of the files has no equivalent.
func (m *mailcowSettings) remarks() {
	known := []string{"displayName", "displayShortName", "autodiscoverType", "useEASforOutlook", "imap", "pop3", "smtp",
		"activesync", "caldav", "carddav"}
	for _, key := range m.settings.keys {
		if !slices.Contains(known, key) {
			m.d.Lose(m.settings.get(key).at, "%s has no equivalent", key)
		}
	}
	if m.text("useEASforOutlook") == "yes" {
		m.d.Lose(m.settings.get("useEASforOutlook").at,
			"useEASforOutlook: Outlook is told the servers of IMAP and SMTP, as by mailcow without it")
	}
	for name, v := range m.env.vars {
		if v.text != "" && (strings.HasPrefix(name, "ADDITIONAL_") || strings.HasPrefix(name, "AUTODISCOVER_SAN")) {
			m.d.Lose(draft.Place{File: m.env.file.Path, Line: v.line}, "%s is about mailcow's certificates", name)
		}
	}
	sortRemarks(m.d.Lost)
}

// accounts adds mailcow's database as a source of accounts.
func (m *mailcowSettings) accounts() {
	address, port := m.binding("SQL_PORT")
	host := "127.0.0.1"
	if address.IsValid() && !address.IsUnspecified() {
		host = address.String()
	}
	database := m.env.get("DBNAME")
	if !variable.MatchString(database) {
		if database != "" {
			m.d.Lose(m.env.at("DBNAME"), "DBNAME: %q is not taken for the name of a database", database)
		}
		database = "mailcow"
	}
	if number(port) == 0 {
		m.d.Lose(m.env.at("SQL_PORT"), "SQL_PORT: %q is not a port, and 13306 is taken", port)
		port = "13306"
	}
	url := "mysql://signpost@" + net.JoinHostPort(host, port) + "/" + database
	m.d.Accounts = append(m.d.Accounts, draft.Map{{Key: "mailcow", Value: draft.Map{
		{Key: "database", Value: url},
		{Key: "passwordFile", Value: "/etc/signpost/mailcow.password"},
	}}})
	m.d.Hints = append(m.d.Hints, "mailcow's database knows the domains and mailboxes: make a user that may read it, "+
		"as docs/accounts/mailcow.md says, and write its password into /etc/signpost/mailcow.password (SQL_PORT of "+
		"mailcow.conf opens the database to this machine)")
}
