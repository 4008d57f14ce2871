package format

import (
	"bytes"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// solarssk is the configuration of solarssk's mail-autodiscover (0.3.3): its environment, with one
// profile for all domains, and the file CONFIG_FILE with one for each. Where that exists, the
// profile of the environment is not used (app/config.py).
var solarssk = Format{
	Name:  "solarssk",
	Title: "the configuration of mail-autodiscover",
	Is: func(f File) bool {
		return bytes.Contains(f.Data, []byte("domains:")) && bytes.Contains(f.Data, []byte("display_name:")) ||
			isSolarsskEnv(f)
	},
	Read: func(files []File, d *draft.Draft) error {
		login, known := account.EmailAddress, false
		isFile := func(f File) bool { return !isSolarsskEnv(f) }
		hasFile := slices.ContainsFunc(files, isFile)
		environments := slices.DeleteFunc(slices.Clone(files), isFile)
		read := eachEnv(func(e envFile, d *draft.Draft) {
			login, known = solarsskLogin(e), true
			readSolarsskEnv(e, hasFile, d)
		}, "ALLOWED_DOMAINS", "IMAP_HOST")
		if err := read(environments, d); err != nil {
			return err
		}
		for _, f := range files {
			if !isFile(f) {
				continue
			}
			root, err := readYAML(f)
			if err != nil {
				return err
			}
			domains := root.fields["domains"]
			if !domains.object {
				return faultAt(f.Path, max(domains.line, 1), "domains is not a mapping")
			}
			for _, domain := range domains.keys {
				readSolarssk(f, domain, domains.fields[domain], login, d)
			}
		}
		if hasFile && !known {
			d.Hints = append(d.Hints, "USERNAME_FORMAT in the environment decides the login: import the environment, "+
				"too, or, if it is localpart, give each server the username \"%EMAILLOCALPART%\"")
		}
		return nil
	},
}

var isSolarsskEnv = hasVariable("ALLOWED_DOMAINS", "IMAP_HOST")

// solarsskDefaults are those of app/config.py.
var solarsskDefaults = []struct{ prefix, port, socket string }{
	{"IMAP", "993", string(account.SSL)}, {"SMTP", "587", string(account.STARTTLS)},
	{"POP3", "995", string(account.SSL)},
}

func readSolarsskEnv(e envFile, hasFile bool, d *draft.Draft) {
	p := draft.Product{Place: e.at("ALLOWED_DOMAINS")}
	known := []string{"ALLOWED_DOMAINS", "MAIL_DISPLAY_NAME", "MAIL_DISPLAY_SHORT_NAME",
		"USERNAME_FORMAT", "CONFIG_FILE", "PUBLIC_BASE_URL", "TRUSTED_PROXY_IPS", "FORWARDED_ALLOW_IPS",
		"TRUST_PROXY_HEADERS", "POP3_ENABLED"}
	for _, name := range []string{"OUTLOOK_ENABLED", "THUNDERBIRD_ENABLED", "APPLE_MOBILECONFIG_ENABLED"} {
		if isOn(e.get(name)) {
			known = append(known, name)
		}
	}
	for _, one := range solarsskDefaults {
		for _, name := range []string{"_HOST", "_PORT", "_SOCKET_TYPE", "_AUTHENTICATION"} {
			known = append(known, one.prefix+name)
		}
		if hasFile || e.get(one.prefix+"_HOST") == "" || one.prefix == "POP3" && !isOn(e.get("POP3_ENABLED")) {
			continue
		}
		s := service{at: e.at(one.prefix + "_HOST"), kind: one.prefix, name: one.prefix,
			host: e.get(one.prefix + "_HOST"),
			port: one.port, socket: one.socket, username: solarsskLogin(e)}
		if port := e.get(one.prefix + "_PORT"); port != "" {
			s.port = port
		}
		if socket := e.get(one.prefix + "_SOCKET_TYPE"); socket != "" {
			s.socket = socket
		}
		if method := e.get(one.prefix + "_AUTHENTICATION"); method != "" {
			s.methods = []string{method}
		}
		s.add(d, &p)
	}
	solarsskService(e, d)
	e.lose(d, known, map[string]string{"RATE_LIMIT": "Signpost has limits of its own, see limits.requests"})
	if hasFile {
		d.Lose(p.Place, "ALLOWED_DOMAINS and its servers are not used by mail-autodiscover where CONFIG_FILE exists")
		return
	}
	if e.get("CONFIG_FILE") != "" {
		d.Lose(e.at("CONFIG_FILE"),
			"CONFIG_FILE: where that file exists, its domains count in place of ALLOWED_DOMAINS; import it, too")
	}
	addDomains(d, &p, e.at("ALLOWED_DOMAINS"), strings.Split(e.get("ALLOWED_DOMAINS"), ",")...)
	setNames(d, &p, e.at("MAIL_DISPLAY_NAME"), e.get("MAIL_DISPLAY_NAME"), e.get("MAIL_DISPLAY_SHORT_NAME"))
	finish(d, p)
}

// solarsskService reads what is about the service itself.
func solarsskService(e envFile, d *draft.Draft) {
	if base, err := url.Parse(e.get("PUBLIC_BASE_URL")); err == nil && base.Hostname() != "" {
		if name, err := parseDomain(base.Hostname()); err == nil {
			d.Keys = append(d.Keys, draft.Entry{Key: "name", Value: name})
		}
	}
	name := "TRUSTED_PROXY_IPS"
	if e.get(name) == "" {
		name = "FORWARDED_ALLOW_IPS"
	}
	if trusts := e.get("TRUST_PROXY_HEADERS"); e.get(name) == "" || trusts != "" && !isOn(trusts) {
		return
	}
	var list []string
	for proxy := range strings.SplitSeq(e.get(name), ",") {
		if proxy = strings.TrimSpace(proxy); proxy == "" {
			continue
		}
		_, err := netip.ParsePrefix(proxy)
		if _, single := netip.ParseAddr(proxy); err != nil && single != nil {
			d.Lose(e.at(name), "%q is neither an address nor a network", proxy)
			continue
		}
		list = append(list, proxy)
	}
	if len(list) > 0 {
		d.Keys = append(d.Keys, draft.Entry{Key: "trustedProxies", Value: list})
	}
}

func solarsskLogin(e envFile) string {
	if strings.EqualFold(e.get("USERNAME_FORMAT"), "localpart") {
		return account.EmailLocalPart
	}
	return account.EmailAddress
}

func readSolarssk(f File, domain string, v jsonValue, login string, d *draft.Draft) {
	at := func(v jsonValue) draft.Place { return draft.Place{File: f.Path, Line: v.line} }
	p := draft.Product{Place: at(v)}
	addDomains(d, &p, p.Place, domain)
	setNames(d, &p, p.Place, v.fields["display_name"].text, v.fields["display_short_name"].text)
	for _, key := range v.keys {
		s := v.fields[key]
		switch key {
		case "display_name", "display_short_name":
		case "imap", "smtp", "pop3":
			if enabled, ok := s.fields["enabled"]; (ok || key == "pop3") && !isOn(enabled.text) {
				continue
			}
			one := service{at: at(s), kind: key, host: s.fields["host"].text, port: s.fields["port"].text,
				socket: s.fields["socket_type"].text, username: login}
			if method := s.fields["authentication"].text; method != "" {
				one.methods = []string{method}
			}
			one.add(d, &p)
		default:
			d.Lose(at(s), "%s has no equivalent", key)
		}
	}
	finish(d, p)
}
