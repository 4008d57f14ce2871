package format

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// mox is the configuration of the mail server mox (0.0.17): mox.conf, which says where it
// listens, and domains.conf. Which servers it tells clients is in admin/clientconfig.go.
var mox = Format{
	Name:  "mox",
	Title: "mox's configuration",
	Is: func(f File) bool {
		return isMoxDomains(f) ||
			bytes.Contains(f.Data, []byte("\nListeners:\n")) && bytes.Contains(f.Data, []byte("Hostname:"))
	},
	Read: func(files []File, d *draft.Draft) error {
		var static, domains *File
		for _, f := range files {
			if isMoxDomains(f) {
				domains = &f
			} else {
				static = &f
			}
		}
		if static == nil || domains == nil {
			return faultAt(files[0].Path, 0,
				"both are needed: mox.conf says where mox listens, and domains.conf for whom")
		}
		return readMox(*static, *domains, d)
	},
}

func isMoxDomains(f File) bool {
	return bytes.HasPrefix(f.Data, []byte("Domains:\n")) || bytes.Contains(f.Data, []byte("\nDomains:\n"))
}

func readMox(static, dynamic File, d *draft.Draft) error {
	s, err := readSconf(static)
	if err != nil {
		return err
	}
	v, err := readSconf(dynamic)
	if err != nil {
		return err
	}
	servers := moxServers(static, s, d)
	if len(servers) == 0 {
		return faultAt(static.Path, s.fields["Listeners"].line, "no listener serves mail clients")
	}
	at := func(v jsonValue) draft.Place { return draft.Place{File: dynamic.Path, Line: v.line} }
	domains := v.fields["Domains"]
	for _, name := range domains.keys {
		domain := domains.fields[name]
		if domain.fields["Disabled"].text == "true" {
			d.Lose(at(domain), "%s is disabled", name)
			continue
		}
		p := draft.Product{Place: at(domain)}
		addDomains(d, &p, at(domain), name)
		if description := domain.fields["Description"]; description.text != "" {
			setNames(d, &p, at(description), description.text, "")
		}
		for _, one := range servers {
			if host := domain.fields["ClientSettingsDomain"].text; host != "" {
				one.host = host
			}
			one.add(d, &p)
		}
		for _, key := range []string{"LocalpartCatchallSeparator", "LocalpartCatchallSeparators"} {
			if separator, ok := domain.fields[key]; ok {
				d.Lose(at(separator), "%s: an address with a separator signs in as itself in what clients are told, "+
					"and mox refuses that", key)
			}
		}
		if aliases := domain.fields["Aliases"]; len(aliases.keys) > 0 {
			d.Lose(at(aliases), "Aliases: at %s nobody signs in; clients are told servers for them like for a mailbox",
				list(aliases.keys, "addresses"))
		}
		finish(d, p)
	}
	moxAccounts(dynamic, v.fields["Accounts"], d)
	return nil
}

// moxAccounts says what becomes of the accounts.
func moxAccounts(f File, accounts jsonValue, d *draft.Draft) {
	for _, name := range accounts.keys {
		if disabled := accounts.fields[name].fields["LoginDisabled"]; disabled.text != "" {
			d.Lose(draft.Place{File: f.Path, Line: disabled.line}, "LoginDisabled: nobody signs in to the account %s; "+
				"list its addresses under accounts as inactive if clients shall be told nothing for them", name)
		}
	}
	if len(accounts.keys) > 0 {
		d.Hints = append(d.Hints,
			"Every address of mox's accounts signs in as itself, so no account needs to be listed")
	}
}

// moxServers returns the servers in mox's own order: the listener public first, then by name;
// TLS from the first byte before STARTTLS.
func moxServers(f File, root jsonValue, d *draft.Draft) []service {
	listeners := root.fields["Listeners"]
	names := slices.Clone(listeners.keys)
	slices.SortFunc(names, func(a, b string) int {
		if (a == "public") != (b == "public") {
			if a == "public" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var servers []service
	has := map[string]bool{}
	for _, kind := range []struct{ tls, starttls, kind, tlsPort, port string }{
		{"IMAPS", "IMAP", "imap", "993", "143"}, {"Submissions", "Submission", "smtp", "465", "587"},
	} {
		for _, name := range names {
			l := listeners.fields[name]
			if isLoopback(l) {
				continue
			}
			host := l.fields["Hostname"].text
			if host == "" {
				host = root.fields["Hostname"].text
			}
			for _, one := range []struct{ key, port, socket string }{
				{kind.tls, kind.tlsPort, string(account.SSL)}, {kind.starttls, kind.port, string(account.STARTTLS)},
			} {
				v := l.fields[one.key]
				if v.fields["Enabled"].text != "true" || has[kind.kind+one.socket] {
					continue
				}
				has[kind.kind+one.socket] = true
				port := v.fields["Port"].text
				if port == "" || port == "0" {
					port = one.port
				}
				if _, encrypted := l.fields["TLS"]; !encrypted {
					one.socket = string(account.Plain)
				}
				at := func(v jsonValue) draft.Place { return draft.Place{File: f.Path, Line: v.line} }
				if https := v.fields["EnabledOnHTTPS"]; https.text == "true" {
					d.Lose(at(https), "EnabledOnHTTPS: port 443 serves %s, too, which no client can be told", one.key)
				}
				if open := v.fields["NoRequireSTARTTLS"]; open.text == "true" && one.socket != string(account.Plain) {
					d.Lose(at(open), "NoRequireSTARTTLS: %s takes passwords without encryption, too, "+
						"and clients are told to encrypt", one.key)
				}
				servers = append(servers, service{at: at(v), name: one.key, kind: kind.kind,
					host: host, port: port, socket: one.socket,
					methods: []string{"password-encrypted", "password-cleartext"}}) // SCRAM and PLAIN
			}
		}
	}
	for _, name := range names {
		if isLoopback(listeners.fields[name]) {
			d.Lose(draft.Place{File: f.Path, Line: listeners.fields[name].line}, "the listener %s is on loopback", name)
		}
	}
	return servers
}

func isLoopback(listener jsonValue) bool {
	ips := listener.fields["IPs"].items
	return len(ips) > 0 && !slices.ContainsFunc(ips, func(v jsonValue) bool {
		ip, err := netip.ParseAddr(v.text)
		return err != nil || !ip.IsLoopback()
	})
}
