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
	} `xml:"oAuth2"`
}

type section struct {
	Type       string   `xml:"type,attr"`
	Hostname   string   `xml:"hostname"`
	Port       int      `xml:"port"`
	SocketType string   `xml:"socketType"`
	Methods    []string `xml:"authentication"`
	Username   string   `xml:"username"`
	URL        string   `xml:"url"`
	EWS        string   `xml:"ewsURL"`
	ActiveSync string   `xml:"easURL"`
}

type documentation struct {
	URL   string `xml:"url,attr"`
	Descr []struct {
		Lang string `xml:"lang,attr"`
		Text string `xml:",chardata"`
	} `xml:"descr"`
}

// readPublished reads a document. It leaves out what differs by design: all domains but
// the first, a second server of a type, and how servers with a URL spell methods. It
// writes the old type exchange as the two types that it stands for.
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
			sections = append(sections, section{Type: "ews", URL: s.EWS, Username: s.Username},
				section{Type: "activesync", URL: s.ActiveSync, Username: s.Username})
		} else {
			sections = append(sections, s)
		}
	}
	p.Incoming, p.Outgoing = tidy(sections, a), tidy(p.Outgoing, a)
	return p
}

func tidy(sections []section, a account.Address) []section {
	var first []section
	for _, s := range sections {
		if slices.ContainsFunc(first, func(other section) bool { return other.Type == s.Type }) {
			continue
		}
		if s.URL != "" {
			s.Methods = nil
		}
		if slices.Equal(s.Methods, []string{"none"}) {
			s.Username = "" // nobody signs in
		}
		s.Hostname, s.Username = account.Expand(s.Hostname, a), account.Expand(s.Username, a)
		first = append(first, s)
	}
	// Types that few readers know come last.
	slices.SortStableFunc(first, func(a, b section) int {
		return strings.Count(a.Type, "activesync") - strings.Count(b.Type, "activesync")
	})
	return first
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
			// autoconfig's own reader finds the same in both.
			want, got := read(t, original, a), read(t, document, a)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read by autoconfig (-published +written):\n%s", diff)
			}
		})
	}
}

// read returns the servers that autoconfig reads, the first of each type, and the texts
// for people.
func read(t *testing.T, document []byte, a account.Address) (all []any) {
	t.Helper()
	s, err := autoconfig.Read(document, a)
	if err != nil {
		t.Fatal(err)
	}
	var seen []account.ServerType
	servers := map[account.ServerType]account.Server{}
	for _, server := range s.Expanded() {
		if !slices.Contains(seen, server.Type) {
			seen = append(seen, server.Type)
			if server.NeedsNoLogin() {
				server.Login = account.Login{}
			}
			servers[server.Type] = server
		}
	}
	p := s.Provider
	return []any{servers, p.DisplayName, p.DisplayShortName, p.Webmail, p.Documentation, p.OAuth2, s.Dropped}
}
