package machine

import (
	"path/filepath"
	"strconv"
	"strings"

	"signpost/account"
)

// ports of services, which master.cf may name as /etc/services does.
var ports = map[string]int{"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465, "ssmtp": 465, "urd": 465}

// submission returns the ports at which Postfix lets people sign in. Port 25 is for other
// mail servers, even if it offers a sign-in.
func (m *machine) submission() (all []endpoint) {
	p := m.postfix
	for _, s := range p.services {
		if s.kind != "inet" || filepath.Base(s.command) != "smtpd" || !p.is("smtpd_sasl_auth_enable", s) {
			continue
		}
		address, name := "", s.name
		if i := strings.LastIndexByte(s.name, ':'); i >= 0 {
			address, name = strings.Trim(s.name[:i], "[]"), s.name[i+1:]
		}
		port, ok := ports[name]
		if n, err := strconv.Atoi(name); err == nil && n > 0 && n < 1<<16 {
			port, ok = n, true
		}
		if !ok {
			m.Lose(s.at, "%s is not carried over: which port it is stands in /etc/services, which is not read", s.name)
			continue
		}
		if port == 25 {
			continue
		}
		if value := p.get("smtpd_upstream_proxy_protocol", s); value.value != "" {
			m.Lose(s.at, "%s is not carried over: a proxy stands in front (smtpd_upstream_proxy_protocol), and its "+
				"port is not known here", s.name)
			continue
		}
		if address == "" {
			address = m.interfaces(p.get("inet_interfaces", nil).value)
		}
		all = append(all, endpoint{kind: account.SMTP, port: port, socket: m.submissionTLS(s), address: address,
			at: s.at, name: s.name, service: s})
	}
	return all
}

// interfaces returns the addresses of inet_interfaces, or nothing if it is everywhere.
func (m *machine) interfaces(value string) string {
	for _, word := range list(value) {
		if word == "all" {
			return ""
		}
	}
	return value
}

// submissionTLS returns how connections to a service are encrypted.
func (m *machine) submissionTLS(s *service) account.SocketType {
	p := m.postfix
	if p.is("smtpd_tls_wrappermode", s) {
		return account.SSL
	}
	if level := m.level(s); level == "" || level == "none" {
		return account.Plain
	}
	return account.STARTTLS
}

// level returns smtpd_tls_security_level, or what the parameters before Postfix 2.3 say.
func (m *machine) level(s *service) string {
	p := m.postfix
	level := p.get("smtpd_tls_security_level", s).value
	switch {
	case level != "":
		return level
	case p.is("smtpd_enforce_tls", s):
		return "encrypt"
	case p.is("smtpd_use_tls", s):
		return "may"
	}
	return ""
}

// submissionMethods returns how people sign in at a service.
func (m *machine) submissionMethods(s *service) []account.Authentication {
	p := m.postfix
	methods := []account.Authentication{account.PasswordCleartext}
	kind := p.get("smtpd_sasl_type", s).value
	switch {
	case kind == "dovecot" && m.dovecot != nil:
		methods = m.methods()
	case kind == "dovecot":
		m.guess("how people sign in for sending: Postfix asks Dovecot (smtpd_sasl_type), which was not read")
	default:
		m.guess("how people sign in for sending: Postfix asks %s (smtpd_sasl_type), which does not say", kind)
	}
	if filter := p.get("smtpd_sasl_mechanism_filter", s); filter.value != "" &&
		filter.value != "!external, static:rest" {
		m.Lose(filter.at, "smtpd_sasl_mechanism_filter is not carried over: tables of mechanisms are not read")
	}
	for _, word := range list(p.get("smtpd_sasl_tls_security_options", s).value) {
		if word != "noplaintext" {
			continue
		}
		var rest []account.Authentication
		for _, method := range methods {
			if method != account.PasswordCleartext {
				rest = append(rest, method)
			}
		}
		if len(rest) > 0 {
			return rest
		}
	}
	return methods
}
