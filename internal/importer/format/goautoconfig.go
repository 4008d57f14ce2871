package format

import (
	"bytes"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

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
					goListen(d, at(v), key, v.text)
				case "imap", "smtp":
					goServer(d, &p, at(v), key, v.fields["server"].text, v.fields["port"].text,
						v.fields["starttls"].text)
				default:
					d.Lose(at(v), "%s has no equivalent", key)
				}
			}
			finish(d, p)
		}
		return nil
	},
}

// goAutoconfigEnv is the environment of the fork of go-autoconfig by linka-cloud (0.0.2).
var goAutoconfigEnv = Format{
	Name:  "go-autoconfig-env",
	Title: "the environment of go-autoconfig",
	Is:    hasVariable("IMAP_SERVER", "SMTP_SERVER"),
	Read: eachEnv(func(e envFile, d *draft.Draft) {
		p := draft.Product{Place: e.at("DOMAIN")}
		addDomains(d, &p, e.at("DOMAIN"), e.get("DOMAIN"))
		for _, kind := range []string{"imap", "smtp"} {
			prefix := strings.ToUpper(kind)
			goServer(d, &p, e.at(prefix+"_SERVER"), kind, e.get(prefix+"_SERVER"), e.get(prefix+"_PORT"),
				e.get(prefix+"_STARTTLS"))
		}
		if text := e.get("SERVICE_ADDR"); text != "" {
			goListen(d, e.at("SERVICE_ADDR"), "SERVICE_ADDR", text)
		}
		known := []string{"DOMAIN", "SERVICE_ADDR", "CONFIG", "IMAP_SERVER", "IMAP_PORT", "IMAP_STARTTLS",
			"SMTP_SERVER", "SMTP_PORT", "SMTP_STARTTLS"}
		if e.get("CONFIG") != "" {
			d.Lose(e.at("CONFIG"),
				"CONFIG: what the environment does not set is read from that file; import it, too, if there is one")
		}
		e.lose(d, known, nil)
		finish(d, p)
	}, "IMAP_SERVER", "SMTP_SERVER"),
}

// goListen reads where go-autoconfig listens.
func goListen(d *draft.Draft, at draft.Place, key, text string) {
	host, port, ok := strings.Cut(text, ":")
	if n := number(port); ok && n > 0 && n < 65536 && host == "" {
		d.Keys = append(d.Keys, draft.Entry{Key: "listen", Value: ":" + strconv.Itoa(n)})
		return
	}
	d.Lose(at, "%s %q: write it under listen", key, text)
}

// goServer adds a server of go-autoconfig. The fork's defaults are port 993 with TLS for IMAP, and
// for SMTP port 587, and STARTTLS whatever the port; L11R's has TLS from the first byte for both.
// Where the usual meaning of the port is another one, nobody can have used what was told.
func goServer(d *draft.Draft, p *draft.Product, at draft.Place, kind, host, port, starttls string) {
	if host == "" {
		return
	}
	if port == "" {
		port = map[string]string{"imap": "993", "smtp": "587"}[kind]
	}
	s := service{at: at, kind: kind, host: host, port: port, socket: string(account.SSL)}
	usual := string(socketOfPort[number(port)])
	switch {
	case starttls != "":
		if isOn(starttls) {
			s.socket = string(account.STARTTLS)
		}
	case usual != "" && (kind == "smtp") != (usual == string(account.STARTTLS)):
		s.socket = usual
		p.Guesses = append(p.Guesses, "the encryption of "+kind+", by its port; go-autoconfig has another default")
	case kind == "smtp":
		s.socket = string(account.STARTTLS)
	}
	s.add(d, p)
}
