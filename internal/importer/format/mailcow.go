package format

import (
	"bytes"
	"net/netip"
	"regexp"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// mailcow is mailcow.conf of mailcow: dockerized (2026-07), with data/web/inc/vars.local.inc.php
// beside it if there is one. The domains are in its database, which the preset mailcow reads.
var mailcow = Format{
	Name:  "mailcow",
	Title: "mailcow's configuration",
	Is: func(f File) bool {
		return hasVariable("MAILCOW_HOSTNAME")(f) || bytes.Contains(f.Data, []byte("$autodiscover_config"))
	},
	Read: func(files []File, d *draft.Draft) error {
		var conf *envFile
		var vars []File
		for _, f := range files {
			if bytes.Contains(f.Data, []byte("$autodiscover_config")) {
				vars = append(vars, f)
				continue
			}
			e, err := readEnv(f)
			if err != nil {
				return err
			}
			conf = &e
		}
		if conf == nil {
			return faultAt(files[0].Path, 0, "mailcow.conf is needed, too: it names the host")
		}
		settings := mailcowDefaults(*conf)
		for _, f := range vars {
			if err := readPHP(f, settings, conf.get("MAILCOW_HOSTNAME"), d); err != nil {
				return err
			}
		}
		draftMailcow(*conf, settings, d)
		return nil
	},
}

// phpSettings are the values of $autodiscover_config by their path, such as imap.server.
type phpSettings map[string]iniValue

// mailcowDefaults are those of data/web/inc/vars.inc.php.
func mailcowDefaults(e envFile) phpSettings {
	host := e.get("MAILCOW_HOSTNAME")
	port := func(name, otherwise string) string {
		if text := e.get(name); text != "" {
			return text[strings.LastIndex(text, ":")+1:]
		}
		return otherwise
	}
	s := phpSettings{}
	set := func(key, value, from string) { s[key] = iniValue{text: value, line: e.vars[from].line} }
	for _, one := range []struct{ kind, tls, tlsPort string }{
		{"imap", "IMAPS_PORT", "993"}, {"pop3", "POPS_PORT", "995"}, {"smtp", "SMTPS_PORT", "465"},
	} {
		set(one.kind+".server", host, "MAILCOW_HOSTNAME")
		set(one.kind+".port", port(one.tls, one.tlsPort), one.tls)
	}
	web := host
	if p := port("HTTPS_PORT", "443"); p != "443" {
		web += ":" + p
	}
	set("displayName", "mailcow", "MAILCOW_HOSTNAME")
	set("activesync.url", "https://"+web+"/Microsoft-Server-ActiveSync", "MAILCOW_HOSTNAME")
	for _, kind := range []string{"caldav", "carddav"} {
		set(kind+".server", host, "MAILCOW_HOSTNAME")
		set(kind+".port", port("HTTPS_PORT", "443"), "HTTPS_PORT")
	}
	return s
}

// isPublic reports whether the port of a variable is open to others: a value may name the
// address that it is bound to.
func isPublic(e envFile, name string) bool {
	address, _, ok := strings.Cut(e.get(name), ":")
	if !ok || address == "" {
		return true
	}
	ip, err := netip.ParseAddr(address)
	return err != nil || !ip.IsLoopback()
}

func draftMailcow(e envFile, s phpSettings, d *draft.Draft) {
	host := e.get("MAILCOW_HOSTNAME")
	at := func(key string) draft.Place { return draft.Place{File: e.file.Path, Line: s[key].line} }
	p := draft.Product{Place: e.at("MAILCOW_HOSTNAME")}
	setNames(d, &p, p.Place, s["displayName"].text, s["displayShortName"].text)
	for kind, variable := range map[string]string{"imap": "IMAPS_PORT", "pop3": "POPS_PORT", "smtp": "SMTPS_PORT"} {
		if !isPublic(e, variable) {
			d.Lose(e.at(variable), "%s=%s: nobody reaches it from outside", variable, e.get(variable))
			delete(s, kind+".server")
		}
	}
	for _, kind := range []string{"imap", "pop3", "smtp"} {
		if s[kind+".server"].text != "" {
			service{at: at(kind + ".server"), kind: kind, host: s[kind+".server"].text, port: s[kind+".port"].text,
				socket: string(account.SSL)}.add(d, &p)
		}
	}
	if port := e.get("SIEVE_PORT"); port != "" && isPublic(e, "SIEVE_PORT") {
		service{at: e.at("SIEVE_PORT"), kind: "managesieve", host: host, port: port[strings.LastIndex(port, ":")+1:],
			socket: string(account.STARTTLS)}.add(d, &p)
	}
	if !strings.HasPrefix(strings.ToLower(e.get("SKIP_SOGO")), "y") {
		service{at: at("activesync.url"), kind: "activesync", url: s["activesync.url"].text}.add(d, &p)
		for _, kind := range []string{"caldav", "carddav"} {
			service{at: at(kind + ".server"), kind: kind, url: davURL("https://"+s[kind+".server"].text+"/SOGo/dav/"+
				account.EmailAddress+"/", s[kind+".port"].text)}.add(d, &p)
		}
	}
	for name, v := range e.vars {
		if strings.HasPrefix(name, "ADDITIONAL_") || strings.HasPrefix(name, "AUTODISCOVER_SAN") {
			d.Lose(draft.Place{File: e.file.Path, Line: v.line}, "%s is about mailcow's certificates", name)
		}
	}
	sortRemarks(d.Lost)
	// The domains are in mailcow's database; the host's own is there, so that the answers can be tried.
	if _, domain, ok := strings.Cut(host, "."); ok && strings.Contains(domain, ".") {
		addDomains(d, &p, p.Place, domain)
		p.Guesses = append(p.Guesses,
			"the domain "+domain+", from the name of the host; the others come from the database below")
	}
	d.Accounts = append(d.Accounts, draft.Map{{Key: "mailcow", Value: draft.Map{
		{Key: "database", Value: "mysql://signpost@127.0.0.1:13306/mailcow"},
		{Key: "passwordFile", Value: "/etc/signpost/mailcow.password"},
	}}})
	d.Hints = append(d.Hints, "mailcow's database knows the domains and mailboxes: make a user that may read it, as "+
		"docs/accounts/mailcow.md says, and write its password into /etc/signpost/mailcow.password (SQL_PORT of "+
		"mailcow.conf opens the database to this machine)")
	finish(d, p)
}

var (
	phpComment = regexp.MustCompile(`(?m)(?:^|\s)(?://|#).*$|/\*[\s\S]*?\*/`)
	phpToken   = regexp.MustCompile(`'(?:[^'\\]|\\.)*'|"(?:[^"\\$]|\\.)*"|\$[A-Za-z_]\w*|[A-Za-z_]\w*|\d+|=>|[\[\](),;=.]`)
)

// readPHP reads the literal texts and numbers that vars.local.inc.php gives to
// $autodiscover_config. A part that it gives replaces the default as a whole, as array_merge does.
func readPHP(f File, s phpSettings, host string, d *draft.Draft) error {
	data, err := text(f)
	if err != nil {
		return err
	}
	// Comments become blanks, so that places stay.
	data = phpComment.ReplaceAllStringFunc(data, func(c string) string {
		return regexp.MustCompile(`[^\n]`).ReplaceAllString(c, " ")
	})
	begin := strings.Index(data, "$autodiscover_config")
	if begin < 0 {
		return nil // it stands in a comment
	}
	tokens := phpToken.FindAllStringIndex(data[begin:], -1)
	var path []string
	key, depth := "", 0
	replaced := map[string]bool{}
	for i, t := range tokens {
		token, line := data[begin+t[0]:begin+t[1]], lineAt(data, int64(begin+t[0]))
		next := ""
		if i+1 < len(tokens) {
			next = data[begin+tokens[i+1][0] : begin+tokens[i+1][1]]
		}
		switch {
		case token == "(" || token == "[":
			depth++
			if depth > 4 {
				return faultAt(f.Path, line, "there are too many arrays within one another")
			}
			if depth > 1 {
				path = append(path, key)
				if len(path) == 1 && !replaced[key] {
					replaced[key] = true
					for name := range s {
						if strings.HasPrefix(name, key+".") {
							delete(s, name)
						}
					}
				}
			}
			key = ""
		case token == ")" || token == "]":
			depth--
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
			if depth == 0 {
				return nil
			}
		case depth > 0 && next == "=>":
			key = strings.Trim(token, `'"`)
		case depth > 0 && key != "" && strings.ContainsRune(`'"$0123456789`, rune(token[0])):
			name := strings.Join(append(path, key), ".")
			switch {
			case next == "." || token[0] == '$' && token != "$mailcow_hostname":
				d.Lose(draft.Place{File: f.Path, Line: line}, "%s is computed, and only literal values are read", name)
			case token == "$mailcow_hostname":
				s[name] = iniValue{text: host, line: line}
			default:
				s[name] = iniValue{text: strings.Trim(token, `'"`), line: line}
			}
			key = ""
		}
	}
	return faultAt(f.Path, lineAt(data, int64(len(data))), "$autodiscover_config does not end")
}
