package format

import (
	"regexp"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// envFile are variables by name, each with its line.
type envFile struct {
	file File
	vars map[string]iniValue
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readEnv reads variables as a shell, an env_file of Compose or the environment of a service in
// a compose.yaml has them.
func readEnv(f File) (envFile, error) {
	e := envFile{f, map[string]iniValue{}}
	data, err := text(f)
	if err != nil {
		return e, err
	}
	if strings.Contains(data, "services:") && strings.Contains(data, "environment:") {
		return e, e.readCompose()
	}
	line := 0
	for l := range strings.Lines(data) {
		line++
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(l, "export "), "=")
		if name = strings.TrimSpace(name); !ok || !variable.MatchString(name) {
			return e, faultAt(f.Path, line, "the line is no NAME=VALUE")
		}
		value, ok = unquote(strings.TrimSpace(value))
		if !ok {
			return e, faultAt(f.Path, line, "the value of %s has a quotation mark that does not end in its line", name)
		}
		e.vars[name] = iniValue{text: value, line: line}
	}
	return e, nil
}

// unquote takes the quotation marks of a shell's word away, and a comment behind it.
func unquote(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	if mark := text[0]; mark == '"' || mark == '\'' {
		value, _, ok := strings.Cut(text[1:], string(mark))
		return value, ok
	}
	value, _, _ := strings.Cut(text, " #")
	return strings.TrimSpace(value), true
}

// readCompose reads the environment of the service that has most of its variables.
func (e envFile) readCompose() error {
	root, err := readYAML(e.file)
	if err != nil {
		return err
	}
	services := root.fields["services"]
	for _, name := range services.keys {
		environment := services.fields[name].fields["environment"]
		vars := map[string]iniValue{}
		for _, item := range environment.items {
			name, value, _ := strings.Cut(item.text, "=")
			vars[name] = iniValue{text: value, line: item.line}
		}
		for _, key := range environment.keys {
			vars[key] = iniValue{text: environment.fields[key].text, line: environment.fields[key].line}
		}
		if len(vars) > len(e.vars) {
			clear(e.vars)
			for key, v := range vars {
				e.vars[key] = v
			}
		}
	}
	if len(e.vars) == 0 {
		return faultAt(e.file.Path, 1, "no service has an environment")
	}
	return nil
}

func (e envFile) get(name string) string { return e.vars[name].text }

func (e envFile) at(name string) draft.Place {
	return draft.Place{File: e.file.Path, Line: e.vars[name].line}
}

// lose says of the variables that are set, and are none of those that were read, that they are
// not carried over.
func (e envFile) lose(d *draft.Draft, known []string, reasons map[string]string) {
	var names []string
	for name, v := range e.vars {
		if v.text != "" && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return e.vars[a].line - e.vars[b].line })
	for _, name := range names {
		why := "has no equivalent"
		for prefix, reason := range reasons {
			if strings.HasPrefix(name, prefix) {
				why = reason
			}
		}
		if secretName.MatchString(name) {
			why = "left out, as a secret"
		}
		d.Lose(e.at(name), "%s: %s", name, why)
	}
}

var secretName = regexp.MustCompile(`(?i)pass|secret|token|key$`)

// hasVariable returns a function that reports whether a file sets all of the variables.
func hasVariable(names ...string) func(File) bool {
	var patterns []*regexp.Regexp
	for _, name := range names {
		patterns = append(patterns, regexp.MustCompile(`(?m)^\s*(?:-\s*)?["']?(?:export )?`+name+`["']?\s*[=:]`))
	}
	return func(f File) bool {
		for _, p := range patterns {
			if !p.Match(f.Data[:min(len(f.Data), 256<<10)]) {
				return false
			}
		}
		return true
	}
}

// monogramm is the environment of Monogramm's autodiscover-email-settings (1.4.0, settings.js), as
// a file or in a compose.yaml. Tiliq's and Incruises' older ones have the same names.
var monogramm = Format{
	Name:  "monogramm",
	Title: "the environment of autodiscover-email-settings",
	Is:    hasVariable("IMAP_HOST", "SMTP_HOST", "(?:COMPANY_NAME|DOMAIN|PROFILE_IDENTIFIER)"),
	Read:  eachEnv(readMonogramm),
}

// eachEnv returns a Read that reads each file as variables.
func eachEnv(read func(envFile, *draft.Draft)) func([]File, *draft.Draft) error {
	return func(files []File, d *draft.Draft) error {
		for _, f := range files {
			e, err := readEnv(f)
			if err != nil {
				return err
			}
			read(e, d)
		}
		return nil
	}
}

func readMonogramm(e envFile, d *draft.Draft) {
	p := draft.Product{Place: e.at("DOMAIN")}
	setNames(d, &p, e.at("COMPANY_NAME"), e.get("COMPANY_NAME"), "")
	addDomains(d, &p, e.at("DOMAIN"), strings.Split(e.get("DOMAIN"), ",")...)
	known := []string{"COMPANY_NAME", "DOMAIN", "SUPPORT_URL", "MOBILESYNC_URL"}
	for _, prefix := range []string{"IMAP", "POP", "SMTP"} {
		known = append(known, prefix+"_HOST", prefix+"_PORT", prefix+"_SOCKET")
		host := e.get(prefix + "_HOST")
		if host == "" {
			continue
		}
		socket := e.get(prefix + "_SOCKET")
		if !strings.EqualFold(socket, "SSL") && !strings.EqualFold(socket, "STARTTLS") {
			socket = string(account.Plain) // every other word, as settings.js has it
		}
		service{at: e.at(prefix + "_HOST"), name: prefix, kind: prefix, host: host, port: e.get(prefix + "_PORT"),
			socket: socket}.add(d, &p)
	}
	if url := e.get("MOBILESYNC_URL"); url != "" {
		if strings.Count(strings.TrimSuffix(url, "/"), "/") == 2 {
			url = strings.TrimSuffix(url, "/") + "/Microsoft-Server-ActiveSync"
		}
		service{at: e.at("MOBILESYNC_URL"), name: "MOBILESYNC_URL", kind: "activesync", url: url}.add(d, &p)
	}
	if name := e.get("COMPANY_NAME"); name != "" {
		branding := draft.Map{{Key: "name", Value: name}}
		if url, problem := plainURL(e.get("SUPPORT_URL")); problem == "" {
			branding = append(branding, draft.Entry{Key: "contact", Value: draft.Map{{Key: "url", Value: url}}})
		}
		d.Keys = append(d.Keys, draft.Entry{Key: "branding", Value: branding})
	}
	if p.Domains != nil {
		d.Hints = append(d.Hints, "The old service answers any domain that leads to it with the same servers: "+
			"list all that you host under domains")
	}
	e.lose(d, known, map[string]string{
		"LDAP_": "Signpost's profiles have no address book", "PROFILE_": profileIdentity, "MAIL_UUID": profileIdentity,
		"MOBILESYNC_NAME": "Signpost does not tell it",
	})
	finish(d, p)
}

const profileIdentity = "Signpost's profiles have an identity of their own, so remove the old profile from a device " +
	"before the new one"

// wdes is the environment of wdes' mail-autodiscover-autoconfig (1.6.1).
var wdes = Format{
	Name:  "wdes",
	Title: "the environment of mail-autodiscover-autoconfig",
	Is:    hasVariable("IMAP_HOSTNAME", "SMTP_HOSTNAME"),
	Read: eachEnv(func(e envFile, d *draft.Draft) {
		p := draft.Product{Place: e.at("IMAP_HOSTNAME")}
		addDomains(d, &p, e.at("CUSTOM_DOMAINS"), strings.Split(e.get("CUSTOM_DOMAINS"), ",")...)
		for _, one := range []struct{ name, kind, port string }{
			{"IMAP_HOSTNAME", "imap", "993"}, {"POP_HOSTNAME", "pop3", "995"}, {"SMTP_HOSTNAME", "smtp", "465"},
		} {
			if host := e.get(one.name); host != "" {
				service{at: e.at(one.name), name: one.name, kind: one.kind, host: host, port: one.port}.add(d, &p)
			}
		}
		e.lose(d, []string{"IMAP_HOSTNAME", "POP_HOSTNAME", "SMTP_HOSTNAME", "CUSTOM_DOMAINS"}, nil)
		finish(d, p)
	}),
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
		known := []string{"DOMAIN", "IMAP_SERVER", "IMAP_PORT", "IMAP_STARTTLS", "SMTP_SERVER", "SMTP_PORT", "SMTP_STARTTLS"}
		e.lose(d, known, map[string]string{"SERVICE_ADDR": "write it under listen"})
		finish(d, p)
	}),
}

// goServer adds a server of go-autoconfig, whose defaults are 993 with TLS and 587 with STARTTLS.
func goServer(d *draft.Draft, p *draft.Product, at draft.Place, kind, host, port, starttls string) {
	if host == "" {
		return
	}
	s := service{at: at, kind: kind, host: host, port: port, socket: string(account.SSL)}
	if isOn(starttls) || starttls == "" && port == "" && kind == "smtp" {
		s.socket = string(account.STARTTLS)
	}
	if port == "" {
		s.port = map[string]string{"imap": "993", "smtp": "587"}[kind]
	}
	s.add(d, p)
}
