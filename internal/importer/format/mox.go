package format

import (
	"bytes"
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
			return faultAt(files[0].Path, 0, "both are needed: mox.conf says where mox listens, and domains.conf for whom")
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
		finish(d, p)
	}
	if aliases := v.fields["Accounts"]; len(aliases.keys) > 0 {
		d.Hints = append(d.Hints, "Every address of mox's accounts signs in as itself, so no account needs to be listed")
	}
	return nil
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
				servers = append(servers, service{at: draft.Place{File: f.Path, Line: v.line}, name: one.key, kind: kind.kind,
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
	return len(ips) > 0 && !slices.ContainsFunc(ips, func(ip jsonValue) bool {
		return !strings.HasPrefix(ip.text, "127.") && ip.text != "::1"
	})
}

// readSconf reads a file in mox's own format (github.com/mjl-/sconf): lines of "key: value", one
// tab for each level, lists of "- value", nil for an empty mapping.
func readSconf(f File) (jsonValue, error) {
	data, err := text(f)
	if err != nil {
		return jsonValue{}, err
	}
	root := &jsonValue{line: 1, object: true, fields: map[string]jsonValue{}}
	stack := []*sconfNode{{value: root}}
	line := 0
	for l := range strings.Lines(data) {
		line++
		l = strings.TrimRight(l, "\r\n")
		content := strings.TrimLeft(l, "\t")
		depth := len(l) - len(content)
		if content == "" || strings.HasPrefix(strings.TrimSpace(content), "#") {
			continue
		}
		if depth >= len(stack) {
			return *root, faultAt(f.Path, line, "the line has too many tabs before it")
		}
		for len(stack) > depth+1 {
			stack = closeSconf(stack)
		}
		if depth > maxJSONDepth {
			return *root, faultAt(f.Path, line, "there are too many values within one another")
		}
		parent := stack[len(stack)-1]
		if item, ok := strings.CutPrefix(content, "- "); ok || content == "-" {
			parent.value.array = true
			parent.value.items = append(parent.value.items, jsonValue{line: line, text: item})
			continue
		}
		key, value, ok := strings.Cut(content, ":")
		if !ok || strings.HasPrefix(key, " ") {
			return *root, faultAt(f.Path, line, "the line is no \"key: value\", with tabs before it")
		}
		child := &jsonValue{line: line, fields: map[string]jsonValue{}}
		if child.text = strings.TrimSpace(value); child.text == "nil" {
			child.text = ""
		}
		if _, twice := parent.value.fields[key]; twice {
			return *root, faultAt(f.Path, line, "the key %s comes twice", key)
		}
		parent.value.object = true
		parent.value.keys = append(parent.value.keys, key)
		parent.value.fields[key] = *child
		stack = append(stack, &sconfNode{child, parent, key})
	}
	for len(stack) > 1 {
		stack = closeSconf(stack)
	}
	if len(root.keys) == 0 {
		return *root, faultAt(f.Path, 1, "the file has no keys")
	}
	return *root, nil
}

// sconfNode is a value whose children are being read.
type sconfNode struct {
	value  *jsonValue
	parent *sconfNode
	key    string
}

// closeSconf puts the last value into its parent.
func closeSconf(stack []*sconfNode) []*sconfNode {
	last := stack[len(stack)-1]
	last.parent.value.fields[last.key] = *last.value
	return stack[:len(stack)-1]
}
