package machine

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// listener is an inet_listener of a service of Dovecot.
type listener struct {
	name string
	port int
	ssl  bool
}

// protocols of Dovecot that people sign in to, and the listeners that they have without
// a word in the configuration (doveconf service/imap-login of 2.3; *-login-settings.c of
// 2.4, whose submissions listens).
var protocols = []struct {
	name, service string
	kind          account.ServerType
	listeners     []listener
}{
	{"imap", "imap-login", account.IMAP, []listener{{"imap", 143, false}, {"imaps", 993, true}}},
	{"pop3", "pop3-login", account.POP3, []listener{{"pop3", 110, false}, {"pop3s", 995, true}}},
	{"submission", "submission-login", account.SMTP,
		[]listener{{"submission", 587, false}, {"submissions", 0, true}}},
	{"sieve", "managesieve-login", account.ManageSieve, []listener{{"sieve", 4190, false}}},
}

// access returns the ports at which Dovecot lets people sign in.
func (m *machine) access() (all []endpoint) {
	enabled := m.protocols()
	for _, protocol := range protocols {
		if !enabled[protocol.name] {
			continue
		}
		listeners := slices.Clone(protocol.listeners)
		if m.isNew() && protocol.name == "submission" {
			listeners[1].port = 465
		}
		for _, l := range m.listeners(protocol.service, listeners) {
			e := endpoint{kind: protocol.kind, port: l.port, address: l.address, at: l.at, name: l.name,
				protocol: protocol.name}
			switch ssl := m.dovecot.get("ssl", "yes").value; {
			case ssl == "no" && l.ssl:
				m.Lose(l.at, "%s (port %d) is not carried over: ssl = no switches TLS off", l.name, l.port)
				continue
			case ssl == "no":
				e.socket = account.Plain
			case l.ssl:
				e.socket = account.SSL
			default:
				e.socket = account.STARTTLS
			}
			if e.kind == account.ManageSieve && e.socket == account.SSL {
				m.Lose(l.at, "%s (port %d) is not carried over: ManageSieve has no TLS from the first byte (RFC 5804)",
					l.name, l.port)
				continue
			}
			all = append(all, e)
		}
	}
	return all
}

// isNew reports whether Dovecot is of version 2.4 or later.
func (m *machine) isNew() bool { return m.dovecot.get("dovecot_config_version", "").value != "" }

// protocols returns the names of the protocols that Dovecot serves.
func (m *machine) protocols() map[string]bool {
	enabled := map[string]bool{}
	value, written := m.dovecot.settings["protocols"]
	if written && value.value == "none" {
		return enabled
	}
	for _, name := range list(value.value) {
		// imaps and pop3s are words of Dovecot 1.
		enabled[strings.TrimSuffix(name, "s")] = true
	}
	for _, b := range m.dovecot.all("protocols") { // Dovecot 2.4
		written = true
		for name, yes := range b.settings {
			enabled[name] = yes.value == "yes"
		}
	}
	if !written && !m.isNew() { // 2.4 has none without a word
		enabled["imap"], enabled["pop3"] = true, true
		m.guess("that Dovecot serves IMAP and POP3: its configuration does not set protocols")
	}
	return enabled
}

// maxListeners is how many listeners a service may have.
const maxListeners = 50

// listening is a listener with its place.
type listening struct {
	listener
	address string
	at      draft.Place
}

// listeners returns the open listeners of a service.
func (m *machine) listeners(service string, defaults []listener) (all []listening) {
	everywhere := listenAddresses(m.dovecot.get("listen", "*, ::").value)
	for _, l := range defaults {
		all = append(all, listening{l, everywhere, m.dovecot.at})
	}
	for _, b := range m.dovecot.all("service") {
		if b.name != service {
			continue
		}
		for _, l := range b.all("inet_listener") {
			i := slices.IndexFunc(all, func(known listening) bool { return known.name == l.name })
			if i < 0 && len(all) == maxListeners {
				m.Lose(l.at, "inet_listener %s is not carried over: there are more than %d", l.name, maxListeners)
				return all
			}
			if i < 0 {
				i = len(all)
				all = append(all, listening{listener{name: l.name}, everywhere, l.at})
			}
			one := &all[i]
			one.at = l.at
			if port := l.get("port", ""); port.value != "" {
				n, err := strconv.Atoi(port.value)
				if err != nil || n < 0 || n >= 1<<16 {
					m.Lose(port.at,
						"the port of inet_listener %s is not carried over: it is not a number from 1 to 65535", l.name)
				}
				one.port = n
			}
			if ssl := l.get("ssl", "").value; ssl != "" {
				one.ssl = ssl == "yes"
			}
			for _, key := range []string{"address", "listen"} { // 2.3, 2.4
				if address := l.get(key, "").value; address != "" {
					one.address = listenAddresses(address)
				}
			}
			if l.get("haproxy", "no").value == "yes" {
				m.Lose(l.at, "inet_listener %s is not carried over: a proxy stands in front (haproxy = yes), and its "+
					"port is not known here", l.name)
				one.port = 0
			}
		}
	}
	return slices.DeleteFunc(all, func(l listening) bool { return l.port <= 0 || l.port >= 1<<16 })
}

// listenAddresses returns a list of addresses, or nothing if it is everywhere.
func listenAddresses(value string) string {
	for _, word := range list(value) {
		if word = strings.Trim(word, "[]"); word == "*" || word == "::" || word == "0.0.0.0" {
			return ""
		}
	}
	return value
}

// methods returns how people sign in at Dovecot.
func (m *machine) methods() []account.Authentication {
	if m.known == nil {
		m.known = m.mechanisms()
	}
	return m.known
}

// mechanisms reads auth_mechanisms.
func (m *machine) mechanisms() []account.Authentication {
	value := m.dovecot.get("auth_mechanisms", "plain")
	found := map[account.Authentication]bool{}
	names := list(value.value)
	for _, b := range m.dovecot.all("auth_mechanisms") { // Dovecot 2.4 takes a section, too
		for _, name := range b.order {
			if b.settings[name].value == "yes" {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		switch name = strings.ToLower(name); {
		case name == "plain" || name == "login":
			found[account.PasswordCleartext] = true
		case name == "cram-md5" || name == "digest-md5" || strings.HasPrefix(name, "scram-"):
			found[account.PasswordEncrypted] = true
		case name == "gssapi" || name == "gss-spnego":
			found[account.GSSAPI] = true
		case name == "ntlm":
			found[account.NTLM] = true
		case name == "external":
			found[account.TLSClientCert] = true
		case name == "xoauth2" || name == "oauthbearer":
			m.Lose(value.at, "auth_mechanisms %s is not carried over: Dovecot does not say where clients get a token; "+
				"write the provider's oAuth2, and OAuth2 as authentication", name)
		default:
			m.Lose(value.at, "auth_mechanisms %s is not carried over: no mail client is told of it", name)
		}
	}
	var methods []account.Authentication
	// A password inside TLS works wherever it is offered; the other methods only where the
	// server keeps passwords in their form.
	for _, method := range []account.Authentication{account.PasswordCleartext, account.PasswordEncrypted,
		account.GSSAPI, account.NTLM, account.TLSClientCert} {
		if found[method] {
			methods = append(methods, method)
		}
	}
	if len(methods) == 0 {
		m.guess("that people sign in with a password: none of Dovecot's auth_mechanisms can be carried over")
		methods = []account.Authentication{account.PasswordCleartext}
	}
	return methods
}

// dovecotCertificates returns the files of the certificates that a protocol of Dovecot
// shows.
func (m *machine) dovecotCertificates(protocol string) (files []setting) {
	sections := []*block{m.dovecot}
	for _, b := range m.dovecot.all("protocol") {
		if b.name == protocol {
			sections = append(sections, b)
		}
	}
	for _, b := range slices.Backward(sections) {
		for _, section := range b.all("ssl_server") { // 2.4: a prefix as a section
			if s := section.get("cert_file", ""); s.value != "" {
				return []setting{s}
			}
		}
		for _, key := range []string{"ssl_server_cert_file", "ssl_cert", "ssl_cert_file"} {
			if s, ok := b.settings[key]; ok && s.value != "" {
				s.value = strings.TrimSpace(strings.TrimPrefix(s.value, "<"))
				return []setting{s}
			}
		}
	}
	return nil
}

// postfixCertificates returns the files of the certificates that a service shows.
func (m *machine) postfixCertificates(s *service) (files []setting) {
	for _, name := range []string{"smtpd_tls_chain_files", "smtpd_tls_cert_file", "smtpd_tls_eccert_file"} {
		value := m.postfix.get(name, s)
		for _, file := range list(value.value) {
			if filepath.IsAbs(file) {
				files = append(files, setting{file, value.at})
			}
		}
		if len(files) > 0 {
			break
		}
	}
	return files
}
