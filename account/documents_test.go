package account

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// describe writes every text of the settings that a document may hold.
func describe(s Settings) ([]byte, error) {
	lines := []string{EmailAddress, EmailLocalPart, EmailDomain, s.LookupDomain}
	for _, server := range s.Servers {
		lines = append(lines, server.Hostname, server.URL, server.PrincipalURL, server.PathPrefix,
			server.Login.Username, server.Login.DomainName)
	}
	p := s.Provider
	lines = append(lines, p.DisplayName, p.DisplayShortName, p.Webmail, p.Logo, p.Developer,
		p.Support.Contact.URL, p.Support.Contact.Email, p.Support.Contact.Phone)
	for _, page := range p.Documentation {
		lines = append(lines, page.URL)
		for _, title := range page.Titles {
			lines = append(lines, title.Language, title.Text)
		}
	}
	if o := p.OAuth2; o != nil {
		lines = append(lines, o.Issuer, o.AuthURL, o.TokenURL)
		lines = append(lines, o.Scopes...)
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// full has a placeholder in every text.
var full = &Provider{
	DisplayName: "name %EMAILADDRESS%", DisplayShortName: "short %%EMAILDOMAIN%%", Webmail: "https://%EMAILDOMAIN%/",
	Logo: "https://logo.%EMAILDOMAIN%/", Developer: "https://dev.%EMAILDOMAIN%/",
	Support: Support{Contact: Contact{URL: "https://%EMAILDOMAIN%", Email: "%EMAILADDRESS%", Phone: "%EMAILLOCALPART%"}},
	Documentation: []Documentation{{URL: "https://help.%EMAILDOMAIN%/",
		Titles: []Title{{Language: "x-%EMAILDOMAIN%", Text: "title %EMAILLOCALPART%"}}}},
	OAuth2: &OAuth2{Issuer: "i.%EMAILDOMAIN%", AuthURL: "a.%EMAILDOMAIN%", TokenURL: "t.%EMAILDOMAIN%",
		Scopes: []string{"s %EMAILDOMAIN%"}},
	Servers: []Server{{
		Hostname: "h.%EMAILDOMAIN%", URL: "https://u/%EMAILLOCALPART%", PrincipalURL: "https://p/%EMAILADDRESS%",
		PathPrefix: "%EMAILDOMAIN%.",
		Login:      Login{Username: "%EMAILLOCALPART%_%EMAILDOMAIN%", DomainName: "nt %EMAILDOMAIN%"},
	}},
}

// TestDocumentsTexts checks that host names, URLs and user names are completed for
// the login, and everything else stays as it is configured, whatever the address
// looks like.
func TestDocumentsTexts(t *testing.T) {
	anna, odd, tricky := parse(t, "anna@example.com"), parse(t, "a/b@example.com"),
		parse(t, "%EMAILDOMAIN%@example.com")
	for _, test := range []struct {
		name           string
		address, login Address
		custom         bool
		server         string // host name, URL, principal and user name
	}{
		{"a mailbox", anna, anna, false, "h.example.com https://u/anna https://p/anna@example.com anna_example.com"},
		{"an account of its own", anna, anna, true,
			"h.example.com https://u/anna https://p/anna@example.com anna_example.com"},
		{"escapes in URLs", odd, odd, false, "h.example.com https://u/a%2Fb https://p/a%2Fb@example.com a/b_example.com"},
		{"an address like a placeholder", tricky, tricky, false,
			"h.example.com https://u/%25EMAILDOMAIN%25 https://p/%25EMAILDOMAIN%25@example.com %EMAILDOMAIN%_example.com"},
		{"an alias", anna, parse(t, "bo@example.org"), false,
			"h.example.org https://u/bo https://p/bo@example.org bo_example.org"},
		{"an alias of an odd mailbox", anna, odd, true,
			"h.example.com https://u/a%2Fb https://p/a%2Fb@example.com a/b_example.com"},
		{"an alias of a tricky mailbox", anna, tricky, false,
			"h.example.com https://u/%25EMAILDOMAIN%25 https://p/%25EMAILDOMAIN%25@example.com %EMAILDOMAIN%_example.com"},
		{"any mailbox", AnyAt("example.com"), AnyAt("example.com"), false,
			"h.example.com https://u/%EMAILLOCALPART% https://p/%EMAILADDRESS% %EMAILLOCALPART%_example.com"},
	} {
		var d Documents[int]
		s := Settings{Address: test.address, Login: test.login, Custom: test.custom, Provider: full,
			Servers: full.Servers, LookupDomain: "mx.example"}
		server := strings.Fields(test.server)
		domain := test.login.Domain()
		want := strings.Join([]string{
			test.address.String(), test.address.Local(), test.address.Domain(), "mx.example",
			server[0], server[1], server[2], "%EMAILDOMAIN%.", server[3], "nt %EMAILDOMAIN%",
			"name %EMAILADDRESS%", "short %%EMAILDOMAIN%%", "https://" + domain + "/",
			"https://logo." + domain + "/", "https://dev." + domain + "/",
			"https://%EMAILDOMAIN%", "%EMAILADDRESS%", "%EMAILLOCALPART%",
			"https://help." + domain + "/", "x-%EMAILDOMAIN%", "title %EMAILLOCALPART%",
			"i." + domain, "a." + domain, "t." + domain, "s %EMAILDOMAIN%",
		}, "\n")
		template, err := d.Template(&s, 0, describe)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(template.Append(nil, s.Address, nil)); got != want {
			t.Errorf("%s: the document is\n%s\nwant\n%s", test.name, got, want)
		}
	}
}

// TestDocumentsCache checks that a document is written once for a provider, a
// variant and each kind of address, as is an error, and that it is never kept
// for one account alone.
func TestDocumentsCache(t *testing.T) {
	anna, bo := parse(t, "anna@example.com"), parse(t, "bo@example.com")
	one, two := &Provider{DisplayName: "one"}, &Provider{DisplayName: "two"}
	errWrite := errors.New("cannot be written")
	var d Documents[string]
	writes := 0
	ask := func(s Settings, variant string) string {
		template, err := d.Template(&s, variant, func(s Settings) ([]byte, error) {
			writes++
			if variant == "error" {
				return nil, errWrite
			}
			return fmt.Appendf(nil, "%s %s for %s", s.Provider.DisplayName, variant, EmailAddress), nil
		})
		if err != nil && err != errWrite {
			t.Errorf("Template: %v, want %v", err, errWrite)
		}
		return string(template.Append(nil, s.Address, nil)) + fmt.Sprint(err)
	}
	settings := func(p *Provider, a Address) Settings { return Settings{Address: a, Login: a, Provider: p} }
	custom, alias := settings(one, anna), settings(one, anna)
	custom.Custom, alias.Login = true, bo
	for _, test := range []struct {
		name    string
		s       Settings
		variant string
		want    string
		writes  int
	}{
		{"first", settings(one, anna), "a", "one a for anna@example.com<nil>", 1},
		{"the same", settings(one, anna), "a", "one a for anna@example.com<nil>", 0},
		{"another address", settings(one, bo), "a", "one a for bo@example.com<nil>", 0},
		{"another variant", settings(one, bo), "b", "one b for bo@example.com<nil>", 1},
		{"another provider", settings(two, bo), "a", "two a for bo@example.com<nil>", 1},
		{"any mailbox", settings(one, AnyAt("example.com")), "a", "one a for %EMAILADDRESS%<nil>", 1},
		{"any mailbox again", settings(one, AnyAt("example.org")), "a", "one a for %EMAILADDRESS%<nil>", 0},
		{"custom", custom, "a", "one a for anna@example.com<nil>", 1},
		{"custom again", custom, "a", "one a for anna@example.com<nil>", 1},
		{"alias", alias, "c", "one c for anna@example.com<nil>", 1},
		{"after an alias", settings(one, anna), "c", "one c for anna@example.com<nil>", 1},
		{"error", settings(one, anna), "error", "cannot be written", 1},
		{"error again", settings(one, bo), "error", "cannot be written", 0},
		{"error of an account of its own", custom, "error", "cannot be written", 1},
	} {
		writes = 0
		if got := ask(test.s, test.variant); got != test.want || writes != test.writes {
			t.Errorf("%s: %q after %d writes, want %q after %d", test.name, got, writes, test.want, test.writes)
		}
	}
}

func TestTemplateAppend(t *testing.T) {
	template := ParseTemplate("a%%EMAILDOMAIN%%-%EMAILDOMAIN%-b-%EMAILLOCALPART%")
	quote := func(dst []byte, text string) []byte { return fmt.Appendf(dst, "%q", text) }
	got := string(template.Append([]byte("<"), parse(t, "anna@example.com"), quote))
	if want := `<a%EMAILDOMAIN%-"example.com"-b-"anna"`; got != want {
		t.Errorf("Append = %s, want %s", got, want)
	}
}
