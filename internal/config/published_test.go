package config_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"signpost/account"
	"signpost/autoconfig"
	"signpost/internal/config"
	"signpost/internal/directory"
)

// published are the facts of an autoconfig document, as encoding/xml reads them.
type published struct {
	Domains       []string        `xml:"emailProvider>domain"`
	Name          string          `xml:"emailProvider>displayName"`
	ShortName     string          `xml:"emailProvider>displayShortName"`
	Incoming      []section       `xml:"emailProvider>incomingServer"`
	Outgoing      []section       `xml:"emailProvider>outgoingServer"`
	Documentation []documentation `xml:"emailProvider>documentation"`
	Webmail       struct {
		URL string `xml:"url,attr"`
	} `xml:"webMail>loginPage"`
	OAuth2 struct {
		Issuer   string `xml:"issuer"`
		Scope    string `xml:"scope"`
		AuthURL  string `xml:"authURL"`
		TokenURL string `xml:"tokenURL"`
		ClientID string `xml:"clientID"`
	} `xml:"oAuth2"`
}

type section struct {
	Type       string   `xml:"type,attr"`
	Hostname   string   `xml:"hostname"`
	Port       int      `xml:"port"`
	SocketType string   `xml:"socketType"`
	Methods    []method `xml:"authentication"`
	Username   string   `xml:"username"`
	URL        string   `xml:"url"`
	EWS        string   `xml:"ewsURL"`
	ActiveSync string   `xml:"easURL"`
}

type method struct {
	System string `xml:"system,attr"`
	Name   string `xml:",chardata"`
}

type documentation struct {
	URL   string `xml:"url,attr"`
	Descr []struct {
		Lang string `xml:"lang,attr"`
		Text string `xml:",chardata"`
	} `xml:"descr"`
}

// readPublished reads a document. It leaves out what differs by design: all domains but
// the first, and the second spelling of a method. It writes the old type exchange as the
// two types that it stands for.
func readPublished(t *testing.T, document []byte, a account.Address) published {
	t.Helper()
	var p published
	if err := xml.Unmarshal(document, &p); err != nil {
		t.Fatal(err)
	}
	p.Domains = p.Domains[:1]
	var sections []section
	for _, s := range p.Incoming {
		if s.Type == "exchange" {
			sections = append(sections, section{Type: "ews", URL: s.EWS, Username: s.Username, Methods: s.Methods},
				section{Type: "activesync", URL: s.ActiveSync, Username: s.Username, Methods: s.Methods})
		} else {
			sections = append(sections, s)
		}
	}
	p.Incoming, p.Outgoing = tidy(sections, a), tidy(p.Outgoing, a)
	return p
}

// tidy completes the placeholders, and moves types that few readers know to the end. Of
// servers of one type it keeps the first, as Signpost's documents name only that one:
// Evolution and aerc take the last. TestPublished compares the others, too.
func tidy(sections []section, a account.Address) []section {
	var first []section
	for _, s := range sections {
		if slices.ContainsFunc(first, func(other section) bool { return other.Type == s.Type }) {
			continue
		}
		var names []method
		for _, m := range s.Methods {
			if known, ok := spellings[m]; ok {
				m = known
			}
			if !slices.Contains(names, m) {
				names = append(names, m)
			}
		}
		s.Methods = names
		if slices.Equal(s.Methods, []method{{Name: "none"}}) {
			s.Username = "" // nobody signs in
		}
		s.Hostname, s.Username = account.Expand(s.Hostname, a), account.Expand(s.Username, a)
		first = append(first, s)
	}
	slices.SortStableFunc(first, func(a, b section) int {
		return strings.Count(a.Type, "activesync") - strings.Count(b.Type, "activesync")
	})
	return first
}

// spellings are those of HTTP in draft-ietf-mailmaint-autoconfig-06 §4, with the older
// names that stand beside them in the documents of Signpost.
var spellings = map[method]method{
	{System: "http", Name: "Basic"}: {Name: "password-cleartext"},
	{Name: "basic"}:                 {Name: "password-cleartext"},
}

// TestPublished checks that what hosters publish can be said in YAML and comes out
// again: each file of testdata/published is written as YAML beside it, and the document
// for it has the same facts. The files are invented; they show the kinds of Mozilla's
// ISPDB.
func TestPublished(t *testing.T) {
	const dir = "../../testdata/published/"
	files, err := filepath.Glob(dir + "*.xml")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d files, %v, want at least 12", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".xml")
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Load(dir + name + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			a, err := account.ParseAddress("fred@" + cfg.Providers[0].Domains[0])
			if err != nil {
				t.Fatal(err)
			}
			s, err := directory.New(cfg.Providers, nil, nil).Resolve(t.Context(),
				account.Query{Address: a, Client: account.Thunderbird})
			if err != nil {
				t.Fatal(err)
			}
			document, err := autoconfig.Document(s)
			if err != nil {
				t.Fatal(err)
			}
			original, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(readPublished(t, original, a), readPublished(t, document, a)); diff != "" {
				t.Errorf("facts (-published +written):\n%s", diff)
			}
			// autoconfig's own reader finds the same in both, and every published server,
			// also the second of a type, is in the configuration.
			published, texts := read(t, original, a)
			written, gotTexts := read(t, document, a)
			if diff := cmp.Diff(texts, gotTexts); diff != "" {
				t.Errorf("texts read by autoconfig (-published +written):\n%s", diff)
			}
			if diff := cmp.Diff(firsts(published), written); diff != "" {
				t.Errorf("servers read by autoconfig (-published +written):\n%s", diff)
			}
			if diff := cmp.Diff(published, byType(s)); diff != "" {
				t.Errorf("servers (-published +configured):\n%s", diff)
			}
		})
	}
}

// read returns the servers that autoconfig reads, and the texts for people.
func read(t *testing.T, document []byte, a account.Address) (servers []account.Server, texts []any) {
	t.Helper()
	s, err := autoconfig.Read(document, a)
	if err != nil {
		t.Fatal(err)
	}
	p := s.Provider
	return byType(s), []any{p.DisplayName, p.DisplayShortName, p.Webmail, p.Documentation, p.OAuth2, s.Dropped}
}

// byType returns the servers by type, without what autoconfig has no words for.
func byType(s account.Settings) []account.Server {
	servers := s.Expanded()
	for i := range servers {
		if servers[i].NeedsNoLogin() {
			servers[i].Login = account.Login{}
		}
		servers[i].PastDays = 0 // of ActiveSync, for Apple's profiles
	}
	slices.SortStableFunc(servers,
		func(a, b account.Server) int { return strings.Compare(string(a.Type), string(b.Type)) })
	return servers
}

// firsts returns the first server of each type.
func firsts(servers []account.Server) []account.Server {
	same := func(a, b account.Server) bool { return a.Type == b.Type }
	return slices.CompactFunc(slices.Clone(servers), same)
}
