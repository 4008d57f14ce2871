package finding

import (
	"fmt"
	"strings"

	"signpost/account"
)

// software is the program of a mail server, by its greeting.
type software string

const (
	postfix software = "Postfix"
	dovecot software = "Dovecot"
	exim    software = "Exim"
	other   software = ""
)

// software returns the program, or the usual one of free software if the greeting does not tell.
func (s mailServer) software() software {
	for _, p := range []software{postfix, dovecot, exim} {
		if strings.Contains(strings.ToLower(s.Answer.Greeting), strings.ToLower(string(p))) {
			return p
		}
	}
	switch {
	case s.Answer.Greeting != "":
		return other
	case s.sends():
		return postfix
	}
	return dovecot
}

// with appends what to write for the program, if that is known, and else for the usual one.
func (s mailServer) with(text string, lines map[software]string) string {
	program := s.software()
	if lines[program] == "" {
		program = dovecot
		if s.sends() {
			program = postfix
		}
	}
	if lines[program] == "" {
		return text
	}
	return text + " (" + string(program) + ": " + lines[program] + ")"
}

// listener returns what Dovecot's configuration needs for the port.
func (s mailServer) listener(ssl string) string {
	service, name := "imap-login", "imap"
	if s.Type == account.POP3 {
		service, name = "pop3-login", "pop3"
	}
	if s.SocketType == account.SSL {
		name += "s"
	}
	return fmt.Sprintf("port = %d and ssl = %s in inet_listener %s of service %s", s.Port, ssl, name, service)
}

// masterEntry returns the entry of Postfix's master.cf for the port.
func masterEntry(s mailServer) string {
	entry := fmt.Sprintf("%d inet n - y - - smtpd -o smtpd_sasl_auth_enable=yes", s.Port)
	if s.SocketType == account.SSL {
		return entry + " -o smtpd_tls_wrappermode=yes"
	}
	return entry + " -o smtpd_tls_security_level=encrypt"
}

func openPort(s mailServer) string {
	ssl := "no"
	if s.SocketType == account.SSL {
		ssl = "yes"
	}
	text := fmt.Sprintf("see whether the service listens (ss -ltn) and the firewall lets port %d through; "+
		"else switch it on", s.Port)
	return s.with(text, map[software]string{postfix: "in master.cf: " + masterEntry(s), dovecot: s.listener(ssl)})
}

func switchTLSOn(s mailServer) string {
	return s.with("give the server a certificate and switch TLS on", map[software]string{
		postfix: "smtpd_tls_chain_files = ‹key and fullchain.pem›, and -o smtpd_tls_security_level=encrypt at the " +
			"entry of the port in master.cf",
		dovecot: "ssl = required; ssl_cert = <‹fullchain.pem›; ssl_key = <‹privkey.pem›",
		exim:    "tls_advertise_hosts = *; tls_certificate = ‹fullchain.pem›; tls_privatekey = ‹privkey.pem›",
	})
}

func beginTLS(s mailServer) string {
	return s.with(fmt.Sprintf("let TLS begin at once on port %d", s.Port), map[software]string{
		postfix: "-o smtpd_tls_wrappermode=yes at its entry in master.cf",
		dovecot: s.listener("yes"),
		exim:    fmt.Sprintf("tls_on_connect_ports = %d", s.Port),
	})
}

func beginInClear(s mailServer) string {
	return s.with(fmt.Sprintf("let port %d begin in clear text and offer STARTTLS", s.Port), map[software]string{
		postfix: "remove smtpd_tls_wrappermode=yes from its entry in master.cf, keep it at 465",
		dovecot: s.listener("no"),
		exim:    fmt.Sprintf("take %d out of tls_on_connect_ports", s.Port),
	})
}

func switchSASLOn(s mailServer) string {
	return s.with("switch SASL on for submission", map[software]string{
		postfix: "-o smtpd_sasl_auth_enable=yes at the entry of the port in master.cf; with Dovecot, " +
			"smtpd_sasl_type = dovecot and smtpd_sasl_path = private/auth in main.cf",
		exim: "an authenticator with server_condition, and auth_advertise_hosts = *",
	})
}

func allowPlain(s mailServer) string {
	return s.with("offer PLAIN under TLS", map[software]string{
		dovecot: "auth_mechanisms = plain login",
		postfix: "auth_mechanisms = plain login in Dovecot, or mech_list: plain login in /etc/postfix/sasl/smtpd.conf",
	})
}

func greetAtOnce(s mailServer) string {
	if strings.HasPrefix(s.Answer.Greeting, "220-") {
		return s.with("no postscreen on a port for clients", map[software]string{
			postfix: "in master.cf: " + masterEntry(s)})
	}
	text := "find what the server waits for before it greets: the name of the client, a block list, ident"
	return s.with(text, map[software]string{
		postfix: "smtpd_peername_lookup = no, or at least -o smtpd_client_restrictions= at the entry of the port in " +
			"master.cf",
		exim: "rfc1413_query_timeout = 0s, and no host look-ups in acl_smtp_connect for submission",
	})
}

func liftBan(s mailServer) string {
	text := "see why in the server's log; lift a ban (fail2ban-client unban ‹address›), and count failed logins only"
	return s.with(text, map[software]string{
		postfix: "smtpd_client_connection_count_limit and smtpd_client_connection_rate_limit are for port 25",
		dovecot: "mail_max_userip_connections, and auth_policy if it is used",
	})
}
