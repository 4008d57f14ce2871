package machine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/fault"
	"signpost/internal/importer/draft"
)

// machine is what is known of the mail server while a draft is made.
type machine struct {
	*draft.Draft
	postfix         *postfix // nil if it was not read
	dovecot         *block   // nil if it was not read
	printedHostname string   // by doveconf, in a comment
	files           Files

	mailboxDomains, mailboxes, aliasDomains, aliases []entry

	known   []account.Authentication // see methods
	guesses []string
}

// Draft adds to the draft what the texts say. Files reads those that they name.
func Draft(texts []Text, files Files, d *draft.Draft) error {
	m := &machine{Draft: d, files: files}
	if err := m.parse(texts); err != nil {
		return err
	}
	if m.postfix == nil && m.dovecot == nil {
		return errors.New("no configuration of Postfix or Dovecot is among the files")
	}
	if d.Title == "" {
		d.Title = title(texts)
	}
	if m.postfix != nil {
		m.readLists()
	}
	var all []endpoint
	if m.dovecot != nil {
		all = m.access()
	}
	if m.postfix != nil {
		all = append(m.submission(), all...)
	}
	chosen := choose(all, d)
	if len(chosen) == 0 {
		return fault.WithHint(errors.New("no port is open at which people sign in"), m.remedy())
	}
	for i := range chosen {
		if m.complete(&chosen[i]); chosen[i].host == "" {
			hint := "set myhostname of Postfix, or hostname of Dovecot, to the name by which clients reach the machine"
			if m.postfix == nil || len(m.postfix.main) == 0 {
				hint = m.remedy()
			}
			return fault.WithHint(errors.New("the mail server has no host name that mail clients could find"), hint)
		}
	}
	m.hintMissing(chosen)
	if m.dovecot != nil {
		m.loseSections(chosen)
	}
	virtual := m.virtualDomains()
	unix := m.unixDomains(len(virtual)+len(m.mailboxDomains)+len(m.aliases) > 0)
	sources := m.accounts(virtual)
	m.addProducts(chosen, virtual, unix, sources)
	return nil
}

// title names what was read.
func title(texts []Text) string {
	names := make([]string, len(texts))
	for i, text := range texts {
		names[i] = text.Path
	}
	return "Postfix and Dovecot, as in " + strings.Join(names, ", ")
}

// parse reads the texts, each by what it looks like.
func (m *machine) parse(texts []Text) error {
	var faults fault.List
	var options []Text
	for _, text := range texts {
		text.Data = bytes.ToValidUTF8(text.Data, []byte("\uFFFD"))
		switch kindOf(text.Data) {
		case mainCF:
			p := m.needPostfix()
			for name, value := range parseMain(text, &faults) {
				p.main[name] = value
			}
		case masterCF:
			p := m.needPostfix()
			p.services = append(p.services, parseMaster(text, &faults)...)
		case masterOptions:
			m.needPostfix()
			options = append(options, text)
		case dovecotConf:
			if m.dovecot == nil {
				m.dovecot = &block{at: text.place(0), settings: map[string]setting{}}
			}
			m.dovecot.merge(parseDovecot(text, &faults))
			if _, after, ok := bytes.Cut(text.Data, []byte("\n# Hostname: ")); ok {
				name, _, _ := bytes.Cut(after, []byte("\n"))
				m.printedHostname = strings.TrimSpace(string(name))
			}
		case table:
			// It is asked for by the name that the configuration has for it.
		default:
			faults = append(faults,
				fault.Fault{File: text.Path, Text: "this is no configuration of Postfix or Dovecot"})
		}
	}
	for _, text := range options {
		m.postfix.setOptions(text, &faults)
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

func (m *machine) needPostfix() *postfix {
	if m.postfix == nil {
		m.postfix = &postfix{main: map[string]setting{}}
	}
	return m.postfix
}

// readLists reads the lists of main.cf that say which domains and mailboxes there are.
func (m *machine) readLists() {
	m.mailboxes = m.entries("virtual_mailbox_maps")
	m.aliases = m.entries("virtual_alias_maps")
	if value := m.postfix.raw("virtual_mailbox_domains", nil).value; value != defaults["virtual_mailbox_domains"] {
		m.mailboxDomains = m.entries("virtual_mailbox_domains")
	} else {
		// Postfix looks for domains where the mailboxes are. In a text file Signpost does,
		// too, without a word.
		m.mailboxDomains = slices.DeleteFunc(slices.Clone(m.mailboxes), entry.isText)
	}
	if value := m.postfix.raw("virtual_alias_domains", nil).value; value != defaults["virtual_alias_domains"] &&
		value != "$virtual_maps" {
		m.aliasDomains = m.entries("virtual_alias_domains")
	} else if len(m.mailboxDomains) > 0 && len(texts(m.mailboxDomains)) == 0 {
		m.aliasDomains = m.declaredDomains()
	}
	if value, ok := m.main("relay_domains"); ok && !strings.HasPrefix(value.value, "$") {
		m.Lose(value.at, "relay_domains is not carried over: mail of these domains is passed on, and there are no "+
			"mailboxes here")
	}
	if value, ok := m.main("tls_server_sni_maps"); ok {
		m.Lose(value.at, "tls_server_sni_maps is not carried over: all domains are told one host name")
	}
}

// NameGuess begins the sentence about the name of a product, which no mail server has.
const NameGuess = "the name "

// addProducts adds one product, or two where Unix users sign in otherwise.
func (m *machine) addProducts(servers []endpoint, virtual, unix []string, sources []draft.Map) {
	type group struct {
		domains  []string
		username string
	}
	var groups []group
	if len(virtual) > 0 || len(sources) > 0 || len(unix) == 0 {
		groups = append(groups, group{virtual, m.login(false)})
	}
	if len(unix) > 0 {
		username := m.login(true)
		if len(groups) > 0 && groups[0].username == username {
			groups[0].domains = unique(append(groups[0].domains, unix...))
		} else {
			groups = append(groups, group{unix, username})
		}
	}
	first := len(m.Products)
	for i, g := range groups {
		p := draft.Product{Place: m.place(), Domains: g.domains}
		p.Provider.DisplayName = servers[0].host
		if len(g.domains) > 0 {
			spellings := account.Spellings(g.domains[0]) // the last one is what people read
			p.Provider.DisplayName = spellings[len(spellings)-1]
		}
		if len(groups) > 1 {
			p.Provider.ID = []string{"virtual", "unix"}[i]
		}
		for _, e := range servers {
			p.Provider.Servers = append(p.Provider.Servers, account.Server{Type: e.kind, Hostname: e.host, Port: e.port,
				SocketType: e.socket, Login: account.Login{Username: g.username}, Authentication: e.methods})
		}
		m.Products = append(m.Products, p)
	}
	for i := first; i < len(m.Products); i++ {
		p := &m.Products[i]
		p.Guesses = append(slices.Clip(m.guesses), NameGuess+p.Provider.DisplayName+" that people read")
	}
	for _, source := range sources {
		if len(groups) > 1 {
			source = m.withProvider(source, "virtual")
		}
		m.Accounts = append(m.Accounts, source)
	}
	if value, ok := m.main("alias_maps"); ok && len(unix) > 0 {
		m.Lose(value.at,
			"alias_maps is not carried over: aliases of Unix users are in files of another kind (aliases(5))")
	}
	if len(virtual)+len(unix)+len(sources) == 0 {
		m.hint("no domain was found: write them below domains")
	}
}

// main returns a parameter that main.cf sets to something.
func (m *machine) main(name string) (setting, bool) {
	if m.postfix == nil {
		return setting{}, false
	}
	value, ok := m.postfix.main[name]
	return value, ok && value.value != ""
}

// withProvider adds the key provider to an entry of accounts.
func (m *machine) withProvider(source draft.Map, id string) draft.Map {
	inside, _ := source[0].Value.(draft.Map)
	inside = append(slices.Clip(inside), draft.Entry{Key: "provider", Value: id})
	return draft.Map{{Key: source[0].Key, Value: inside}}
}

// place returns where the source as a whole is.
func (m *machine) place() draft.Place {
	if m.dovecot != nil {
		return m.dovecot.at
	}
	for _, s := range m.postfix.services {
		return draft.Place{File: s.at.File}
	}
	return draft.Place{}
}

// allDomains returns the domains of the configuration, to guess names from.
func (m *machine) allDomains() []string {
	if m.postfix == nil {
		return nil
	}
	return unique(m.domainWords(slices.Concat(m.mailboxDomains, m.entries("mydestination"))))
}

// guess notes what is assumed, once.
func (m *machine) guess(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(m.guesses, text) {
		m.guesses = append(m.guesses, text)
	}
}

// hint tells the operator what to do, once.
func (m *machine) hint(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(m.Hints, text) {
		m.Hints = append(m.Hints, text)
	}
}

// remedy says what to do where a server or a name was not found.
func (m *machine) remedy() string {
	var missing []string
	if m.postfix == nil || len(m.postfix.main) == 0 {
		missing = append(missing, "postconf")
	}
	if m.postfix == nil || len(m.postfix.services) == 0 {
		missing = append(missing, "postconf -M")
	}
	if m.dovecot == nil {
		missing = append(missing, "doveconf -n")
	}
	if len(missing) > 0 {
		return "read what is printed by " + strings.Join(missing, " and by ") +
			", too: by -postfix and -dovecot, or from files"
	}
	return "look at postconf -M for submission, and at doveconf -n for protocols"
}

// hintMissing tells of servers that mail clients cannot do without.
func (m *machine) hintMissing(chosen []endpoint) {
	has := map[account.ServerType]bool{}
	for _, e := range chosen {
		has[e.kind] = true
	}
	if !has[account.SMTP] {
		m.hint("there is no server for sending: %s", m.remedy())
	}
	if !has[account.IMAP] && !has[account.POP3] {
		m.hint("there is no server for reading: %s", m.remedy())
	}
}

// loseSections names what of Dovecot's configuration is not carried over.
func (m *machine) loseSections(chosen []endpoint) {
	for _, b := range m.dovecot.blocks {
		switch b.kind {
		case "!include", "!include_try":
			m.Lose(b.at, "%s is not followed: save what doveconf -n prints, which has all files in one", b.name)
		case "local", "remote":
			m.Lose(b.at, "%s %s is not carried over: clients are told the same wherever they are", b.kind, b.name)
		case "local_name":
			if !slices.ContainsFunc(chosen,
				func(e endpoint) bool { return slices.Contains(strings.Fields(b.name), e.host) }) {
				m.Lose(b.at, "local_name %s is not carried over: all domains are told one host name", b.name)
			}
		case "namespace":
			prefix := b.get("prefix", "")
			if b.get("inbox", "no").value == "yes" && prefix.value != "" {
				m.Lose(prefix.at, "the prefix %s of namespace %s is not carried over: mail clients ask for it by "+
					"themselves (NAMESPACE, RFC 2342)", prefix.value, b.name)
			}
		}
	}
	for _, name := range []string{"auth_ssl_require_client_cert", "ssl_verify_client_cert"} {
		if s, ok := m.dovecot.settings[name]; ok && s.value == "yes" {
			m.Lose(s.at, "%s is not carried over: mail clients cannot be told that they need a certificate besides",
				name)
		}
	}
}
