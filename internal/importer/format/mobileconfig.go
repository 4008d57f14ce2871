package format

import (
	"bytes"
	"regexp"
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
		return bytes.Contains(f.Data, []byte("<plist")) && bytes.Contains(f.Data, []byte("PayloadContent"))
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

var (
	payloadType = regexp.MustCompile(`<key>PayloadType</key>\s*<string>([^<]*)</string>`)
	profileName = regexp.MustCompile(`<key>PayloadDisplayName</key>\s*<string>([^<]*)</string>`)
	password    = regexp.MustCompile(`<key>([A-Za-z]*Password)</key>\s*<string>`)
)

// knownPayloads are those that mobileconfig.Read reads.
var knownPayloads = []string{"Configuration", "com.apple.mail.managed", "com.apple.eas.account",
	"com.apple.ews.account", "com.apple.caldav.account", "com.apple.carddav.account"}

func readProfile(f File, d *draft.Draft) error {
	data := f.Data
	// A signed profile is a message in CMS (RFC 5652) around the same text. Whose signature it is
	// does not matter here: the operator names the file.
	if begin := bytes.Index(data, []byte("<?xml")); begin > 0 {
		end := bytes.LastIndex(data, []byte("</plist>"))
		if end < begin {
			return faultAt(f.Path, 0, "the profile is signed in a way that cannot be read; export it without a signature")
		}
		data = data[begin : end+len("</plist>")]
	}
	s, err := mobileconfig.Read(data)
	if err != nil {
		return faultAt(f.Path, 0, "%v", err)
	}
	text := string(data)
	at := func(offset int) draft.Place { return draft.Place{File: f.Path, Line: lineAt(text, int64(offset))} }
	for _, m := range payloadType.FindAllStringSubmatchIndex(text, -1) {
		if kind := text[m[2]:m[3]]; !slices.Contains(knownPayloads, kind) {
			d.Lose(at(m[0]), "the payload %s is about something else than mail, calendars and contacts", kind)
		}
	}
	for _, m := range password.FindAllStringSubmatchIndex(text, -1) {
		d.Lose(at(m[0]), "%s is left out, as a secret", text[m[2]:m[3]])
	}
	p := draft.Product{Place: draft.Place{File: f.Path}}
	if s.Address.IsZero() {
		d.Lose(p.Place, "the profile names no mail address, so its domain is not known")
		return nil
	}
	addDomains(d, &p, p.Place, s.Address.Domain())
	name := s.Provider.DisplayName
	if m := profileName.FindStringSubmatch(text); m != nil {
		name = unescapeXML.Replace(m[1])
	}
	setNames(d, &p, p.Place, name, "")
	for _, server := range s.Expanded() {
		kind := string(server.Type)
		one := service{at: p.Place, name: "the " + kind + " account", kind: kind, host: server.Hostname,
			url: general(server.URL, s.Address), username: general(server.Login.Username, s.Address),
			domain: server.Login.DomainName, prefix: server.PathPrefix}
		if server.Port != 0 {
			one.port, one.socket = strconv.Itoa(server.Port), string(server.SocketType)
		}
		for _, method := range server.Authentication {
			one.methods = append(one.methods, string(method))
		}
		before := len(p.Provider.Servers)
		one.add(d, &p)
		if principal := general(server.PrincipalURL, s.Address); principal != "" && len(p.Provider.Servers) > before {
			added := &p.Provider.Servers[before]
			if strings.HasPrefix(principal, "/") { // of the server
				host, _, _ := strings.Cut(strings.TrimPrefix(added.URL, "https://"), "/")
				principal = "https://" + host + principal
			}
			var problem string
			if added.PrincipalURL, problem = cleanURL(principal); problem != "" {
				d.Lose(p.Place, "the principal of the %s account: %s", server.Type, problem)
			}
		}
	}
	finish(d, p)
	return nil
}

var unescapeXML = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

// general puts placeholders in the place of one person's address in a login or a URL.
func general(text string, a account.Address) string {
	if text == account.Expand(account.EmailLocalPart, a) {
		return account.EmailLocalPart
	}
	return strings.ReplaceAll(text, a.String(), account.EmailAddress)
}
