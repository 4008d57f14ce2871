package start

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
)

// ParseHost parses the name of a mail server.
func ParseHost(text string) (string, error) {
	host, err := account.ParseDomain(strings.TrimSpace(text))
	switch {
	case err != nil:
		return "", notDomain(text, err)
	case !strings.Contains(host, "."):
		return "", fmt.Errorf("%q is not a whole host name, such as mail.domain.se", text)
	}
	return host, nil
}

// pick returns the servers that an answer names.
func pick(answer string, all []candidate) (servers []account.Server, err error) {
	for word := range strings.SplitSeq(answer, ",") {
		word = strings.TrimSpace(word)
		if number, err := strconv.Atoi(word); err == nil {
			if number < 1 || number > len(all) {
				return nil, fmt.Errorf("there is no number %d", number)
			}
			servers = append(servers, all[number-1].server)
			continue
		}
		server, err := ParseServer(word)
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
	}
	return servers, nil
}

// ParseServer parses a mail server such as "imap mail.domain.se:993 SSL". Port and security may be
// left out.
func ParseServer(text string) (account.Server, error) {
	words := strings.Fields(text)
	if len(words) < 2 || len(words) > 3 {
		return account.Server{}, fmt.Errorf("%q is not written like imap mail.domain.se:993 SSL", text)
	}
	server := account.Server{Type: account.ServerType(strings.ToLower(words[0])), SocketType: account.SSL,
		Login:          account.Login{Username: account.EmailAddress},
		Authentication: []account.Authentication{account.PasswordCleartext}}
	if server.Type != account.IMAP && server.Type != account.POP3 && server.Type != account.SMTP {
		return server, fmt.Errorf("%q is neither imap nor pop3 nor smtp", words[0])
	}
	host, number, hasPort := words[1], "", strings.Contains(words[1], ":")
	if hasPort {
		var err error
		if host, number, err = net.SplitHostPort(words[1]); err != nil {
			return server, fmt.Errorf("%q is not a host name and a port", words[1])
		}
		if server.Port, err = strconv.Atoi(number); err != nil || server.Port < 1 || server.Port > 65535 {
			return server, fmt.Errorf("%q is not a port", number)
		}
		usual := func(p port) bool { return p.kind == server.Type && p.number == server.Port }
		if i := slices.IndexFunc(ports, usual); i >= 0 {
			server.SocketType = ports[i].how
		} else if len(words) < 3 {
			return server, fmt.Errorf("say SSL or STARTTLS after %q: it is no usual port", words[1])
		}
	}
	var err error
	if server.Hostname, err = ParseHost(host); err != nil {
		return server, err
	}
	if len(words) == 3 {
		switch security := account.SocketType(strings.ToUpper(words[2])); security {
		case account.SSL, account.STARTTLS:
			server.SocketType = security
		default:
			return server, fmt.Errorf("%q is neither SSL nor STARTTLS", words[2])
		}
	}
	if !hasPort {
		server.Port = account.DefaultPort(server.Type, server.SocketType)
	}
	return server, nil
}
