package sqldb

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"signpost/internal/fault"
)

// place is where a database is and how it is reached.
type place struct {
	scheme       string
	user         string
	passwordFile string
	given        string // the password itself, of another program's configuration
	hosts        []host // tried in this order; a socket and a file are hosts, too
	database     string // for SQLite, the path of the file
	caRoot       string // TLS is wanted wherever it is set
	plain        bool   // the URL says that nothing is encrypted
	writes       bool   // the sessions may write
}

// host is a server: its name and port, or the path of its Unix socket.
type host struct {
	name, port string
	socket     string
}

// local reports whether the way to the server does not leave this machine.
func (h host) local() bool {
	if h.socket != "" || h.name == "localhost" {
		return true
	}
	ip := net.ParseIP(h.name)
	return ip != nil && ip.IsLoopback()
}

// String returns the name and the port, or the path of the socket.
func (h host) String() string {
	if h.socket != "" {
		return h.socket
	}
	return net.JoinHostPort(h.name, h.port)
}

// Words that the parameters of a URL may have.
const (
	paramCARoot = "caRoot"
	paramSocket = "socket"
	paramType   = "socketType"
)

// parseURL parses the URL of a database. Its errors never quote what could be a password,
// which package net/url does.
func parseURL(text string) (*place, error) {
	scheme, rest, ok := strings.Cut(text, ":")
	if text == "" {
		return nil, errors.New("the URL of the database is missing")
	}
	if !ok {
		return nil, fault.WithHint(errors.New("the database is not a URL"), urlHint)
	}
	if path := File(text); path != "" {
		return parseSQLite(path)
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "postgresql":
		scheme = "postgres"
	case "mariadb":
		scheme = "mysql"
	case "postgres", "mysql":
	default:
		return nil, fault.WithHint(
			errors.New("the scheme of the database's URL is none of postgres, mysql and sqlite"), urlHint)
	}
	rest, ok = strings.CutPrefix(rest, "//")
	if !ok {
		return nil, fault.WithHint(fmt.Errorf("%s: is not followed by //", scheme), urlHint)
	}
	p := &place{scheme: scheme}
	// A password may hold any sign, unescaped too: what stands before the first @ is
	// looked at before anything else is read.
	if before, _, ok := strings.Cut(rest, "@"); ok && strings.Contains(before, ":") {
		return nil, fault.WithHint(errors.New("the URL of the database holds a password, or a : before an @"),
			passwordHint)
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, database, _ := strings.Cut(rest, "/")
	user, hosts, ok := strings.Cut(authority, "@")
	if !ok {
		return nil, fault.WithHint(errors.New("the URL of the database names no user"), urlHint)
	}
	var err error
	if p.user, err = unescape("user", user); err != nil {
		return nil, err
	}
	if p.database, err = unescape("database", database); err != nil {
		return nil, err
	}
	switch {
	case p.user == "":
		return nil, fault.WithHint(errors.New("the URL of the database names no user"), urlHint)
	case p.database == "" || strings.Contains(p.database, "/"):
		return nil, fault.WithHint(errors.New("the URL does not end in the name of one database"), urlHint)
	}
	if err := p.parseParameters(query); err != nil {
		return nil, err
	}
	return p, p.parseHosts(hosts)
}

const (
	urlHint      = "write postgres://user@host/database, mysql://user@host/database or sqlite:/path/of/the/file"
	passwordHint = "write the password into a file of its own and name that with passwordFile"
)

// unescape decodes %xx. Its error does not quote the text.
func unescape(what, text string) (string, error) {
	plain, err := url.PathUnescape(text)
	if err != nil || strings.Contains(plain, "\x00") {
		return "", fmt.Errorf("the %s in the URL of the database has a %% without two hexadecimal digits", what)
	}
	return plain, nil
}

// sqliteSchemes begin the URL of a SQLite file.
var sqliteSchemes = []string{"sqlite", "sqlite3", "file"}

// File returns the path in the URL of a SQLite file, behind sqlite: or, as in other URLs,
// sqlite://, or an empty text for another URL.
func File(text string) string {
	scheme, rest, _ := strings.Cut(text, ":")
	if !slices.Contains(sqliteSchemes, strings.ToLower(scheme)) {
		return ""
	}
	return strings.TrimPrefix(rest, "//")
}

// parseSQLite parses the path of a SQLite file, in which nothing is escaped.
func parseSQLite(rest string) (*place, error) {
	switch {
	case strings.Contains(rest, "?"):
		return nil, fault.WithHint(errors.New("the path of the SQLite file has a ?"), "sqlite: takes the path alone")
	case !filepath.IsAbs(rest):
		return nil, fault.WithHint(errors.New("the path of the SQLite file does not begin with /"),
			"write sqlite:/path/of/the/file")
	}
	return &place{scheme: "sqlite", database: rest, hosts: []host{{socket: rest}}}, nil
}

// parseParameters parses what follows the question mark.
func (p *place) parseParameters(query string) error {
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		value, err := unescape("parameter", value)
		if err != nil {
			return err
		}
		switch name {
		case paramCARoot:
			if err := p.setCARoot(value); err != nil {
				return err
			}
		case paramSocket:
			if !filepath.IsAbs(value) {
				return fmt.Errorf("the path of the %s in the URL of the database does not begin with /", paramSocket)
			}
			p.hosts = []host{{socket: value}}
		case paramType:
			if value != "plain" {
				return errors.New("socketType in the URL of the database can only be plain: TLS needs no word")
			}
			p.plain = true
		case "password", "passwd", "pass", "pwd":
			return fault.WithHint(errors.New("the URL of the database holds a password"), passwordHint)
		case "sslmode", "tls", "ssl", "useSSL":
			return fault.WithHint(fmt.Errorf("%s is no parameter here", name),
				"the server's certificate is always verified, unless the server is on this machine; "+
					"caRoot names a private authority")
		default:
			return fault.WithHint(
				errors.New("the URL of the database has a parameter that is none of caRoot, socket and socketType"),
				urlHint)
		}
	}
	return nil
}

// setCARoot sets the file of authorities. Only one place may name it.
func (p *place) setCARoot(path string) error {
	switch {
	case p.scheme == "sqlite":
		return errors.New("SQLite is a file: there is no certificate to verify")
	case p.caRoot != "" && p.caRoot != path:
		return errors.New("caRoot is written twice")
	case !filepath.IsAbs(path):
		return errors.New("the path of caRoot does not begin with /")
	}
	p.caRoot = path
	return nil
}

// parseHosts parses host, host:port, [IPv6]:port and lists of them. As in PostgreSQL's
// URLs, a host without a port has the last one that is written.
func (p *place) parseHosts(list string) error {
	engine := engines[p.scheme]
	if p.hosts != nil {
		if list != "" {
			return errors.New("the URL of the database names both a host and a socket")
		}
		return nil
	}
	if list == "" {
		p.hosts = []host{{socket: engine.socket}}
		return nil
	}
	port := ""
	for text := range strings.SplitSeq(list, ",") {
		h, err := parseHost(text)
		if err != nil {
			return err
		}
		if h.port != "" {
			port = h.port
		}
		p.hosts = append(p.hosts, h)
	}
	if port == "" {
		port = engine.port
	}
	for i := range p.hosts {
		if p.hosts[i].port == "" {
			p.hosts[i].port = port
		}
	}
	return nil
}

func parseHost(text string) (host, error) {
	h := host{name: text}
	if ip, rest, ok := strings.Cut(strings.TrimPrefix(text, "["), "]"); ok && strings.HasPrefix(text, "[") {
		if net.ParseIP(ip) == nil || rest != "" && rest[0] != ':' {
			return host{}, errors.New("the URL of the database has brackets around something that is no IPv6 address")
		}
		h.name, h.port = ip, strings.TrimPrefix(rest, ":")
	} else if name, port, ok := strings.Cut(text, ":"); ok {
		if port == "" || strings.Contains(port, ":") {
			return host{},
				errors.New("the URL of the database has an IPv6 address without brackets, or a : without a port")
		}
		h.name, h.port = name, port
	}
	if h.port != "" {
		if n, err := strconv.ParseUint(h.port, 10, 16); err != nil || n == 0 {
			return host{}, errors.New("the port in the URL of the database is not a number from 1 to 65535")
		}
	}
	if h.name == "" || strings.ContainsAny(h.name, "/%\\ \t\"'") {
		return host{}, errors.New("the URL of the database has a host that is not a name or an IP address")
	}
	h.name = strings.ToLower(h.name)
	return h, nil
}

// checkTLS returns an error if the words about TLS contradict each other.
func (p *place) checkTLS() error {
	if p.plain && p.caRoot != "" {
		return errors.New("the URL of the database says socketType=plain, and there is a caRoot: " +
			"with plain text nothing is verified")
	}
	return nil
}

// encrypted reports whether the way to h has TLS: everywhere, unless the way does not
// leave this machine or the URL says plain. A caRoot wants it on this machine, too.
func (p *place) encrypted(h host) bool {
	return h.socket == "" && !p.plain && (p.caRoot != "" || !h.local())
}
