package format

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
)

// automx2Seed is the JSON with which automx2 fills its database (automx2 2026.2,
// src/automx2/database.py). All servers of a file belong to all of its domains.
var automx2Seed = Format{
	Name:  "automx2-seed",
	Title: "automx2's seed file",
	Is: func(f File) bool {
		data := bytes.TrimSpace(f.Data)
		return bytes.HasPrefix(data, []byte("{")) && bytes.Contains(data, []byte(`"provider"`)) &&
			bytes.Contains(data, []byte(`"domains"`))
	},
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			if err := readSeed(f, d); err != nil {
				return err
			}
		}
		return nil
	},
}

func readSeed(f File, d *draft.Draft) error {
	root, err := readJSON(f)
	if err != nil {
		return err
	}
	if !root.object {
		return faultAt(f.Path, root.line, "the document is not an object")
	}
	if version, ok := root.fields["version"]; ok && version.text != "2" {
		return faultAt(f.Path, version.line, "the seed file has version %q, and only 2 is known", version.text)
	}
	at := func(v jsonValue) draft.Place { return draft.Place{File: f.Path, Line: v.line} }
	p := draft.Product{Place: draft.Place{File: f.Path, Line: root.line}}
	setNames(d, &p, at(root.fields["provider"]), root.fields["provider"].text, firstWord(root.fields["provider"].text))
	var directories automx2Directories
	for _, item := range root.fields["ldapservers"].items {
		directories.add(d, at(item), func(name string) string { return item.fields[name].text })
	}
	for _, key := range root.keys {
		v := root.fields[key]
		switch {
		case key == "version", key == "provider", strings.HasPrefix(key, "_"):
		case key == "domains" && v.array:
			for _, item := range v.items {
				name := item.text
				if item.object {
					name = item.fields["name"].text
				}
				before := len(p.Domains)
				addDomains(d, &p, at(item), name)
				directories.asked(item.fields["ldapserver_id"].text, p.Domains[before:]...)
			}
		case key == "servers" && v.array:
			servers := slices.Clone(v.items)
			slices.SortStableFunc(servers, func(a, b jsonValue) int { return priority(a) - priority(b) })
			for _, item := range servers {
				seedServer(d, &p, at(item), item)
			}
		case key == "ldapservers" && v.array:
		default:
			d.Lose(at(v), "%q is not known", key)
		}
	}
	finish(d, p)
	directories.done(d)
	return nil
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// priority is the place of a server among those of its type.
func priority(v jsonValue) int {
	n, err := strconv.Atoi(v.fields["prio"].text)
	if err != nil {
		return 10
	}
	return n
}

func seedServer(d *draft.Draft, p *draft.Product, at draft.Place, v jsonValue) {
	if !v.object {
		d.Lose(at, "a server that is not an object")
		return
	}
	field := func(name string) string { return v.fields[name].text }
	s := service{at: at, kind: field("type"), host: field("name"), port: field("port"),
		username: field("user_name"), socket: field("socket_type")}
	if method := field("authentication"); method != "" {
		s.methods = []string{method}
	}
	if kinds[strings.ToLower(s.kind)].HasURL() {
		s.url = davURL(field("url"), field("port"))
		s.port, s.socket = "", ""
	} else if s.socket == "" && s.port != "" && socketOfPort[number(s.port)] == "" {
		s.socket = string(account.STARTTLS) // automx2 takes every other port so
	}
	for _, key := range v.keys {
		if !slices.Contains([]string{"type", "name", "port", "prio", "url", "user_name", "socket_type",
			"authentication", "use_ssl", "domain_required"}, key) && !strings.HasPrefix(key, "_") {
			d.Lose(draft.Place{File: at.File, Line: v.fields[key].line}, "%q of a server is not known", key)
		}
	}
	s.add(d, p)
}

// number returns the number of a text, or 0.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// davURL puts a port into a URL that has none.
func davURL(text, port string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	host, path, _ := strings.Cut(rest, "/")
	if !ok || port == "" || port == "0" || port == "443" || strings.Contains(host, ":") {
		return text
	}
	return scheme + "://" + host + ":" + port + "/" + path
}
