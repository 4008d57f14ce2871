package format

import (
	"bytes"
	"net/netip"
	"path/filepath"
	"strings"

	"signpost/internal/importer/draft"
)

// mailcow is mailcow.conf of mailcow: dockerized (2026-07), with data/web/inc/vars.local.inc.php
// beside it if there is one. The domains are in its database, which the preset mailcow reads.
var mailcow = Format{
	Name:  "mailcow",
	Title: "mailcow's configuration",
	Is: func(f File) bool {
		// Beside mailcow.conf are its compose.yaml and scripts, which have the variable, too.
		return hasVariable("MAILCOW_HOSTNAME")(f) && !isCompose(f) && !bytes.HasPrefix(f.Data, []byte("#!")) ||
			isMailcowPHP(f)
	},
	Read: func(files []File, d *draft.Draft) error {
		var m *mailcowSettings
		var php []File
		for _, f := range files {
			if isMailcowPHP(f) {
				php = append(php, f)
				continue
			}
			e, err := readEnv(f)
			switch {
			case err != nil:
				return err
			case m != nil:
				return faultAt(f.Path, 0, "there are two mailcow.conf; import each into a configuration of its own")
			}
			m = &mailcowSettings{env: e, d: d}
		}
		if m == nil {
			return faultAt(files[0].Path, 0, "mailcow.conf is needed, too: it names the host")
		}
		m.defaults()
		for _, f := range php {
			if err := m.readPHP(f); err != nil {
				return err
			}
		}
		m.draft()
		return m.env.err()
	},
}

// isMailcowPHP reports whether a file is mailcow's vars.local.inc.php.
func isMailcowPHP(f File) bool {
	name := filepath.Base(f.Path)
	return bytes.Contains(f.Data, []byte("$autodiscover_config")) ||
		bytes.HasPrefix(f.Data, []byte("<?php")) && strings.HasPrefix(name, "vars.") &&
			strings.HasSuffix(name, ".inc.php")
}

// mailcowSettings are those of mailcow.conf and of $autodiscover_config.
type mailcowSettings struct {
	env      envFile
	d        *draft.Draft
	settings phpValue // $autodiscover_config
	web      string   // the port of the web server as people reach it
	webGuess string   // why it is taken for that, if mailcow.conf has another one
}

func (m *mailcowSettings) host() string { return m.env.get("MAILCOW_HOSTNAME") }

// mailcowPorts are the defaults of the variables with ports, of docker-compose.yml.
var mailcowPorts = map[string]string{"IMAP_PORT": "143", "IMAPS_PORT": "993", "POP_PORT": "110", "POPS_PORT": "995",
	"SMTPS_PORT": "465", "SUBMISSION_PORT": "587", "SIEVE_PORT": "4190", "HTTPS_PORT": "443",
	"SQL_PORT": "127.0.0.1:13306"}

// binding returns the address and the port of a variable, whose value may be either the port or both.
// The address is not valid where there is none.
func (m *mailcowSettings) binding(name string) (address netip.Addr, port string) {
	text := m.env.get(name)
	if text == "" {
		text = mailcowPorts[name]
	}
	end := strings.LastIndex(text, ":")
	if end >= 0 {
		address, _ = netip.ParseAddr(strings.Trim(text[:end], "[]"))
	}
	return address, text[end+1:]
}

// isPublic reports whether others can reach the port of a variable.
func (m *mailcowSettings) isPublic(name string) bool {
	address, _ := m.binding(name)
	return !address.IsLoopback()
}

// webPort sets the port of the web server. On loopback it has a proxy before it, whose port counts.
func (m *mailcowSettings) webPort() {
	_, m.web = m.binding("HTTPS_PORT")
	bind, err := netip.ParseAddr(strings.Trim(m.env.get("HTTPS_BIND"), "[]"))
	if m.web != "443" && (err == nil && bind.IsLoopback() || !m.isPublic("HTTPS_PORT")) {
		m.webGuess = "the port 443 of SOGo: mailcow's own, " + m.web +
			", is on loopback, so a proxy is taken to be before it"
		m.web = "443"
	}
}

// mailcowMail are the servers that mailcow tells clients, with the variables of their ports.
var mailcowMail = []struct{ kind, tls, starttls string }{
	{"imap", "IMAPS_PORT", "IMAP_PORT"}, {"pop3", "POPS_PORT", "POP_PORT"}, {"smtp", "SMTPS_PORT", "SUBMISSION_PORT"},
}

// defaults sets the settings of data/web/inc/vars.inc.php.
func (m *mailcowSettings) defaults() {
	value := func(text, variable string) phpValue { return phpValue{text: text, at: m.env.at(variable)} }
	array := func(fields ...any) phpValue {
		v := phpValue{array: true, at: m.env.at("MAILCOW_HOSTNAME")}
		for i := 0; i < len(fields); i += 2 {
			v.set(fields[i].(string), fields[i+1].(phpValue))
		}
		return v
	}
	host := value(m.host(), "MAILCOW_HOSTNAME")
	m.settings = array("displayName", value("A mailcow mail server", "MAILCOW_HOSTNAME"),
		"displayShortName", value("mail server", "MAILCOW_HOSTNAME"),
		"autodiscoverType", value("activesync", "MAILCOW_HOSTNAME"), "useEASforOutlook",
		value("no", "MAILCOW_HOSTNAME"))
	for _, one := range mailcowMail {
		_, tls := m.binding(one.tls)
		_, starttls := m.binding(one.starttls)
		m.settings.set(one.kind,
			array("server", host, "port", value(tls, one.tls), "tlsport", value(starttls, one.starttls)))
	}
	m.webPort()
	web := value(m.web, "HTTPS_PORT")
	url := davURL("https://"+m.host()+"/Microsoft-Server-ActiveSync", web.text)
	m.settings.set("activesync", array("url", value(url, "MAILCOW_HOSTNAME")))
	m.settings.set("caldav", array("server", host, "port", web))
	m.settings.set("carddav", array("server", host, "port", web))
}

// readPHP reads what vars.local.inc.php makes of $autodiscover_config. What it does not give is the
// default, as array_merge in data/web/autoconfig.php has it.
func (m *mailcowSettings) readPHP(f File) error {
	const name = "autodiscover_config"
	host := phpValue{text: m.host()}
	vars := map[string]phpValue{name: m.settings, "mailcow_hostname": host,
		"https_port": m.settings.get("caldav", "port")}
	others, err := runPHP(f, vars, func(name string) (string, bool) {
		text := m.env.get(name)
		if text == "" {
			text = mailcowPorts[name]
		}
		return text, text != ""
	})
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.text == name {
			m.d.Lose(draft.Place{File: f.Path, Line: other.line},
				"$%s is used in a way that only PHP can follow; plain assignments of values are read", name)
		}
	}
	given := vars[name]
	if given.computed || !given.array {
		m.d.Lose(given.at, "$%s is computed as a whole, and mailcow's defaults are taken", name)
		return nil
	}
	merged := phpValue{array: true, at: given.at}
	for _, from := range []phpValue{m.settings, given} {
		for _, key := range from.keys {
			merged.set(key, from.fields[key])
		}
	}
	m.settings = merged
	return nil
}

// text returns the text at a path of keys. One that is computed is named as lost, and empty.
func (m *mailcowSettings) text(path ...string) string {
	v := m.settings.get(path...)
	if v.computed || v.array {
		m.d.Lose(v.at, "%s is computed, and only values that stand in the files are read", strings.Join(path, "."))
		return ""
	}
	return v.text
}
