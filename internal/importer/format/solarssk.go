package format

import (
	"bytes"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// solarsskEnv is the environment of solarssk's mail-autodiscover (0.3.3, .env.example): one
// profile for all domains.
var solarsskEnv = Format{
	Name:  "solarssk-env",
	Title: "the environment of mail-autodiscover",
	Is:    hasVariable("ALLOWED_DOMAINS", "IMAP_HOST"),
	Read:  eachEnv(readSolarsskEnv),
}

func readSolarsskEnv(e envFile, d *draft.Draft) {
	p := draft.Product{Place: e.at("ALLOWED_DOMAINS")}
	addDomains(d, &p, e.at("ALLOWED_DOMAINS"), strings.Split(e.get("ALLOWED_DOMAINS"), ",")...)
	setNames(d, &p, e.at("MAIL_DISPLAY_NAME"), e.get("MAIL_DISPLAY_NAME"), e.get("MAIL_DISPLAY_SHORT_NAME"))
	known := []string{"ALLOWED_DOMAINS", "MAIL_DISPLAY_NAME", "MAIL_DISPLAY_SHORT_NAME", "USERNAME_FORMAT",
		"PUBLIC_BASE_URL", "TRUSTED_PROXY_IPS", "POP3_ENABLED"}
	for _, prefix := range []string{"IMAP", "SMTP", "POP3"} {
		for _, name := range []string{"_HOST", "_PORT", "_SOCKET_TYPE", "_AUTHENTICATION"} {
			known = append(known, prefix+name)
		}
		if e.get(prefix+"_HOST") == "" || prefix == "POP3" && !isOn(e.get("POP3_ENABLED")) {
			continue
		}
		s := service{at: e.at(prefix + "_HOST"), kind: prefix, name: prefix, host: e.get(prefix + "_HOST"),
			port: e.get(prefix + "_PORT"), socket: e.get(prefix + "_SOCKET_TYPE"),
			username: solarsskLogin(e.get("USERNAME_FORMAT"))}
		if method := e.get(prefix + "_AUTHENTICATION"); method != "" {
			s.methods = []string{method}
		}
		s.add(d, &p)
	}
	if base, err := url.Parse(e.get("PUBLIC_BASE_URL")); err == nil && base.Hostname() != "" {
		if name, err := parseDomain(base.Hostname()); err == nil {
			d.Keys = append(d.Keys, draft.Entry{Key: "name", Value: name})
		}
	}
	if proxies := e.get("TRUSTED_PROXY_IPS"); proxies != "" {
		var list []string
		for proxy := range strings.SplitSeq(proxies, ",") {
			proxy = strings.TrimSpace(proxy)
			_, err := netip.ParsePrefix(proxy)
			if _, single := netip.ParseAddr(proxy); err != nil && single != nil {
				d.Lose(e.at("TRUSTED_PROXY_IPS"), "%q is neither an address nor a network", proxy)
				continue
			}
			list = append(list, proxy)
		}
		if len(list) > 0 {
			d.Keys = append(d.Keys, draft.Entry{Key: "trustedProxies", Value: list})
		}
	}
	e.lose(d, known, map[string]string{"RATE_LIMIT": "Signpost has limits of its own, see limits.requests"})
	finish(d, p)
}

func solarsskLogin(format string) string {
	if format == "localpart" {
		return account.EmailLocalPart
	}
	return account.EmailAddress
}

// solarsskYAML is the file CONFIG_FILE of mail-autodiscover: a profile for each domain.
var solarsskYAML = Format{
	Name:  "solarssk",
	Title: "the configuration of mail-autodiscover",
	Is: func(f File) bool {
		return bytes.Contains(f.Data, []byte("domains:")) && bytes.Contains(f.Data, []byte("display_name:"))
	},
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			root, err := readYAML(f)
			if err != nil {
				return err
			}
			domains := root.fields["domains"]
			if !domains.object {
				return faultAt(f.Path, max(domains.line, 1), "domains is not a mapping")
			}
			for _, domain := range domains.keys {
				readSolarssk(f, domain, domains.fields[domain], d)
			}
		}
		if len(files) > 0 {
			d.Hints = append(d.Hints, "USERNAME_FORMAT in the environment decides the login: with localpart, give each server "+
				"the username \"%EMAILLOCALPART%\"")
		}
		return nil
	},
}

func readSolarssk(f File, domain string, v jsonValue, d *draft.Draft) {
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
				socket: s.fields["socket_type"].text}
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

// goAutoconfig is the configuration of L11R's go-autoconfig.
var goAutoconfig = Format{
	Name:  "go-autoconfig",
	Title: "the configuration of go-autoconfig",
	Is: func(f File) bool {
		return bytes.Contains(f.Data, []byte("imap:")) && bytes.Contains(f.Data, []byte("domain:")) &&
			bytes.Contains(f.Data, []byte("server:")) && !bytes.Contains(f.Data, []byte("providers:"))
	},
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			root, err := readYAML(f)
			if err != nil {
				return err
			}
			at := func(v jsonValue) draft.Place { return draft.Place{File: f.Path, Line: v.line} }
			p := draft.Product{Place: at(root.fields["domain"])}
			for _, key := range root.keys {
				v := root.fields[key]
				switch key {
				case "domain":
					addDomains(d, &p, at(v), v.text)
				case "service_addr":
					if host, port, ok := strings.Cut(v.text, ":"); ok && number(port) > 0 && number(port) < 65536 && host == "" {
						d.Keys = append(d.Keys, draft.Entry{Key: "listen", Value: ":" + strconv.Itoa(number(port))})
						continue
					}
					d.Lose(at(v), "service_addr %q: write it under listen", v.text)
				case "imap", "smtp":
					goServer(d, &p, at(v), key, v.fields["server"].text, v.fields["port"].text, v.fields["starttls"].text)
				default:
					d.Lose(at(v), "%s has no equivalent", key)
				}
			}
			finish(d, p)
		}
		return nil
	},
}
