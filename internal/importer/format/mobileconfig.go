package format

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"signpost/account"
	"signpost/internal/importer/draft"
	"signpost/mobileconfig"
)

// appleProfiles are configuration profiles, signed or not. Each is one person's: what is that
// person's in a login becomes a placeholder.
var appleProfiles = Format{
	Name:  "mobileconfig",
	Title: "Apple configuration profiles",
	Is: func(f File) bool {
		head := bytes.ReplaceAll(f.Data[:min(len(f.Data), 1<<20)], []byte{0}, nil) // also in UTF-16
		return bytes.Contains(head, []byte("<plist")) && bytes.Contains(head, []byte("PayloadContent")) ||
			bytes.HasPrefix(head, []byte("bplist00")) || strings.HasSuffix(strings.ToLower(f.Path), ".mobileconfig")
	},
	Read: func(files []File, d *draft.Draft) error {
		for _, f := range files {
			if err := readProfile(f, d); err != nil {
				return err
			}
		}
		return nil
	},
}

// profile is a configuration profile that is being read.
type profile struct {
	file   File
	text   string
	d      *draft.Draft
	name   string
	nameAt draft.Place
	people []*person
}

// person is what a profile sets up for one address.
type person struct {
	address account.Address
	at      draft.Place
	guesses []string
	servers []profileServer
}

type profileServer struct {
	account.Server
	at draft.Place
}

func readProfile(f File, d *draft.Draft) error {
	data, ok := unwrapCMS(f.Data)
	switch {
	case !ok:
		return faultAt(f.Path, 0, "the profile is signed in a way that cannot be read; export it without a signature")
	case bytes.HasPrefix(data, []byte("bplist00")):
		return faultAt(f.Path, 0, "the profile is a binary property list; plutil -convert xml1 makes one in XML of it")
	}
	text, err := text(File{Path: f.Path, Data: data})
	if err != nil {
		return err
	}
	root, err := readPlist(f.Path, text)
	if err != nil {
		return err
	}
	p := profile{file: f, text: text, d: d, name: root.get("PayloadDisplayName").text,
		nameAt: placeOf(f, root.get("PayloadDisplayName"))}
	if p.name == "" {
		p.name, p.nameAt = root.get("PayloadOrganization").text, placeOf(f, root.get("PayloadOrganization"))
	}
	payloads := root.get("PayloadContent")
	switch {
	case root.get("PayloadType").text != "Configuration":
		return faultAt(f.Path, root.line, "not a profile: its PayloadType is not Configuration")
	case root.get("EncryptedPayloadContent").line > 0:
		return faultAt(f.Path, root.get("EncryptedPayloadContent").line,
			"the profile is encrypted; export it without a recipient")
	}
	for _, payload := range payloads.items {
		p.payload(payload)
	}
	if len(p.people) == 0 {
		return faultAt(f.Path, 0, "the profile sets up no mail, calendars or contacts")
	}
	for _, one := range p.people {
		p.product(one)
	}
	return nil
}

// placeOf returns the place of a value.
func placeOf(f File, v plistValue) draft.Place { return draft.Place{File: f.Path, Line: v.line} }

// payload reads one payload, and finds out whose it is.
func (p *profile) payload(v plistValue) {
	kind := v.get("PayloadType")
	for _, field := range v.fields {
		at := placeOf(p.file, field.value)
		switch n, err := strconv.ParseFloat(field.value.text, 64); {
		case strings.HasSuffix(field.key, "Password") && field.value.kind == "string":
			p.d.Lose(at, "%s is left out, as a secret", field.key)
		case (strings.HasSuffix(field.key, "PortNumber") || strings.HasSuffix(field.key, "DAVPort")) &&
			(err != nil || n < 1 || n > 65535 || field.value.kind == "string"):
			p.d.Lose(at, "%s: %q is not a port, and the usual one is taken", field.key, field.value.text)
		case strings.Contains(field.key, "Host") && strings.Contains(field.value.text, "://"):
			p.d.Lose(at, "%s: %q is a URL, and devices want a host name there", field.key, field.value.text)
			return
		}
	}
	alone := `<plist version="1.0"><dict><key>PayloadType</key><string>Configuration</string>` +
		`<key>PayloadContent</key><array>` + p.text[v.begin:v.end] + `</array></dict></plist>`
	s, err := mobileconfig.Read([]byte(alone))
	if err != nil {
		p.d.Lose(placeOf(p.file, kind), "the payload %s is about something else than mail, calendars and contacts",
			kind.text)
		return
	}
	one := p.person(s, placeOf(p.file, v))
	for _, server := range s.Expanded() {
		one.servers = append(one.servers, profileServer{server, placeOf(p.file, v)})
	}
}

// person returns whose a payload is: by its address; else by its user name, which may be an address;
// else it is the first one's.
func (p *profile) person(s account.Settings, at draft.Place) *person {
	address, guess := s.Address, ""
	if len(p.people) > 0 && address.IsZero() {
		for _, one := range p.people {
			if strings.EqualFold(one.address.String(), s.Servers[0].Login.Username) {
				return one
			}
		}
		if !s.Servers[0].Type.HasURL() {
			address, _ = account.ParseAddress(s.Expanded()[0].Login.Username)
		}
	} else if address.IsZero() {
		address, _ = account.ParseAddress(s.Expanded()[0].Login.Username)
		guess = "the domain, from the user name: the profile names no mail address"
	}
	for _, one := range p.people {
		if address.IsZero() || strings.EqualFold(one.address.String(), address.String()) {
			return one
		}
		if one.address.IsZero() {
			one.address = address
			return one
		}
	}
	one := &person{address: address, at: at}
	if guess != "" && !address.IsZero() {
		one.guesses = append(one.guesses, guess)
	}
	p.people = append(p.people, one)
	return one
}

// product adds what one person is told, as what everybody of the domain is told.
func (p *profile) product(one *person) {
	if one.address.IsZero() {
		p.d.Lose(one.at, "the profile names no mail address, so its domain is not known")
		return
	}
	product := draft.Product{Place: one.at, Guesses: one.guesses}
	addDomains(p.d, &product, one.at, one.address.Domain())
	setNames(p.d, &product, p.nameAt, p.name, "")
	for _, server := range one.servers {
		p.server(&product, server, one.address)
	}
	finish(p.d, product)
}

func (p *profile) server(product *draft.Product, server profileServer, a account.Address) {
	kind := string(server.Type)
	s := service{at: server.at, name: "the " + kind + " account", kind: kind, host: server.Hostname,
		url: generalURL(server.URL, a), username: general(server.Login.Username, a),
		domain: server.Login.DomainName, prefix: server.PathPrefix}
	if server.Login.Username != "" && !strings.Contains(s.username, "%EMAIL") {
		p.d.Lose(s.at,
			"%s: its user name is one person's own, and follows no rule; give those of others under accounts", s.name)
		product.Guesses = append(product.Guesses, fmt.Sprintf("the user name of %s: the address", kind))
		s.username = account.EmailAddress
	}
	if server.Port != 0 {
		s.port, s.socket = strconv.Itoa(server.Port), string(server.SocketType)
	}
	for _, method := range server.Authentication {
		s.methods = append(s.methods, string(method))
	}
	before := len(product.Provider.Servers)
	s.add(p.d, product)
	principal := generalURL(server.PrincipalURL, a)
	if principal == "" || len(product.Provider.Servers) == before {
		return
	}
	added := &product.Provider.Servers[before]
	if strings.HasPrefix(principal, "/") { // of the server
		host, _, _ := strings.Cut(strings.TrimPrefix(added.URL, "https://"), "/")
		principal = "https://" + host + principal
	}
	var problem string
	if added.PrincipalURL, problem = cleanURL(principal); problem != "" {
		p.d.Lose(s.at, "the principal of the %s account: %s", server.Type, problem)
	}
}

// general puts placeholders in the place of one person's address in a login.
func general(text string, a account.Address) string {
	switch {
	case strings.EqualFold(text, account.Expand(account.EmailLocalPart, a)):
		return account.EmailLocalPart
	case strings.EqualFold(text, a.String()):
		return account.EmailAddress
	}
	return strings.ReplaceAll(text, a.String(), account.EmailAddress)
}

// generalURL is general for the parts of a URL's path.
func generalURL(text string, a account.Address) string {
	parts := strings.Split(text, "/")
	first := 0
	if strings.Contains(text, "://") {
		first = 3 // behind the host
	}
	for i := range parts {
		if i >= first {
			parts[i] = general(strings.ReplaceAll(parts[i], "%40", "@"), a)
		}
	}
	if general := strings.Join(parts, "/"); slices.ContainsFunc(parts,
		func(part string) bool { return strings.Contains(part, "%EMAIL") }) {
		return general
	}
	return text
}
