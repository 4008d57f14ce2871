package sources

import (
	"fmt"
	"strings"
	"testing"

	"signpost/internal/sources/row"
)

// TestRows checks what the rows about an address mean.
func TestRows(t *testing.T) {
	a := "info@example.com"
	for _, test := range []struct {
		name string
		rows []row.Account
		want string
	}{
		{"none", nil, "unknown"},
		{"a mailbox", []row.Account{{Address: a, Username: "u1", Provider: "E3", MailHost: "Mail1.example.com"}},
			"username u1 provider E3 host mail1.example.com"},
		{"in another case", []row.Account{{Address: "INFO@Example.COM", Username: "u1"}}, "username u1"},
		{"of another address, as some collations and pools give",
			[]row.Account{{Address: "ínfo@example.com", Username: "u2"}, {Address: "info @example.com"},
				{Address: "info@example.org"},
				{Address: "info"}, {Address: "@example.com"}, {Address: ""}}, "unknown"},
		{"a mailbox before aliases", []row.Account{
			{Address: a, Aliases: "info@example.com,copy@elsewhere.example"}, {Address: a, Username: "u1"}},
			"username u1"},
		{"two mailboxes", []row.Account{
			{Address: a, Username: "u1", Provider: "E3"}, {Address: a, Username: "u2", Provider: "E3"}},
			"provider E3 problem 2 entries have the address"},
		{"the same mailbox twice", []row.Account{{Address: a, Username: "u1"}, {Address: a, Username: "u1"}}, "username u1"},
		{"inactive", []row.Account{{Address: a, Inactive: true}}, "inactive"},
		{"an alias", []row.Account{{Address: a, Aliases: "Anna@example.com"}}, "to anna@example.com"},
		{"several in one row", []row.Account{
			{Address: a, Aliases: " anna@example.com; bo@example.com,bo@EXAMPLE.com\tx@a.example"}},
			"to anna@example.com to bo@example.com to x@a.example"},
		{"several rows", []row.Account{{Address: a, Aliases: "anna@example.com"}, {Address: a, Aliases: "bo@example.com"}},
			"to anna@example.com to bo@example.com"},
		{"an inactive one among them", []row.Account{
			{Address: a, Aliases: "anna@example.com", Inactive: true}, {Address: a, Aliases: "bo@example.com"}},
			"to bo@example.com"},
		{"inactive alone", []row.Account{{Address: a, Aliases: "anna@example.com", Inactive: true}},
			"inactive problem an inactive alias"},
		{"what is no address", []row.Account{{Address: a, Aliases: "|command, /file, :include:/list, root, @example.com"}},
			"problem an alias of no address"},
		{"an alias of nobody", []row.Account{{Address: a, HasAlias: true}, {Address: a, Aliases: " ", HasAlias: true}}, "unknown"},
		{"the same beside one of somebody", []row.Account{
			{Address: a, HasAlias: true}, {Address: a, Aliases: "anna@example.com", HasAlias: true}}, "to anna@example.com"},
		{"a mailbox in a table in which it has an empty target",
			[]row.Account{{Address: a, HasAlias: true, Username: "u1"}}, "username u1"},
		{"quoted targets",
			[]row.Account{{Address: a,
				Aliases: `"a b"@example.com, "c; d,"@example.com e\"@x.example, bo@example.com`}},
			`to "a b"@example.com to "c; d,"@example.com to bo@example.com`},
		{"an open quotation mark", []row.Account{{Address: a, Aliases: `anna@example.com, "bo c@example.com`}},
			"to anna@example.com"},
		{"a mailing list", []row.Account{{Address: a, Aliases: strings.Repeat("a@example.com,b@example.com,", 9)}},
			"to a@example.com to b@example.com"},
	} {
		s, listed := merge(address(t, a), test.rows)
		var got []string
		add := func(what, value string) {
			if value != "" {
				got = append(got, strings.TrimSpace(what+" "+value))
			}
		}
		add("username", s.Username)
		add("provider", s.Provider)
		add("host", s.MailHost)
		if s.Inactive {
			got = append(got, "inactive")
		}
		for _, target := range s.Aliases {
			add("to", target.Key())
		}
		add("problem", s.Problem)
		if !listed {
			got = append(got, "unknown")
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%s: %q, want %q", test.name, text, test.want)
		}
	}
	many := make([]string, maxTargets+1)
	for i := range many {
		many[i] = fmt.Sprintf("a%d@example.com", i)
	}
	s, _ := merge(address(t, a), []row.Account{{Address: a, Aliases: strings.Join(many, ",")}})
	if len(s.Aliases) > 0 || s.Problem == "" {
		t.Errorf("an alias of %d addresses has %d, and the problem %q; want none and a problem",
			len(many), len(s.Aliases), s.Problem)
	}
}

// TestInternationalRows checks that a store may have the Unicode form of a domain.
func TestInternationalRows(t *testing.T) {
	for _, text := range []string{"anna@bücher.example", "anna@xn--bcher-kva.example", `"anna"@BÜCHER.example`} {
		if text[0] == '"' {
			continue // the row of a quoted local part is below
		}
		if !isAbout(text, address(t, "anna@bücher.example")) {
			t.Errorf("the row of %s is not about anna@bücher.example", text)
		}
	}
	if !isAbout("anna berg@example.com", address(t, `"anna berg"@example.com`)) {
		t.Error(`the row of anna berg@example.com is not about "anna berg"@example.com`)
	}
}
