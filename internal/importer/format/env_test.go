package format

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"signpost/internal/importer/draft"
)

// TestEnv reads variables as files and shells have them. The value in question is that of A, and
// ? stands for one that cannot be known.
func TestEnv(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"A=b", "b"},
		{"A = b ", "b"},
		{"A=\r\n", ""},
		{"A=b # c", "b"},
		{"A=b#c", "b#c"},
		{"A=# c", ""},
		{"A=\"b c\" # d", "b c"},
		{"A='b # c'", "b # c"},
		{`A="mail."ek.example`, "mail.ek.example"},
		{`A=mail."ek".example`, "mail.ek.example"},
		{`A='mail'.'ek'.example`, "mail.ek.example"},
		{"A=Ek's mail", "Ek's mail"},
		{`A=the "good" mail`, `the "good" mail`},
		{`A="the \"good\" mail"`, `the "good" mail`},
		{`A="a\$b\\c\d"`, `a$b\c\d`},
		{"B=ek.example\nA=mail.$B", "mail.ek.example"},
		{"B=ek.example\nA=mail.${B}:1", "mail.ek.example:1"},
		{"B=ek.example\nA=\"mail.$B\"", "mail.ek.example"},
		{"B=ek.example\nA='mail.$B'", "mail.$B"},
		{"B=ek.example\nA=the mail of $B", "the mail of ek.example"},
		{"A=${B:-x.example}", "x.example"},
		{"B=\nA=${B:-x.example}", "x.example"},
		{"B=\nA=${B-x.example}", ""},
		{"A=a.${B", "?"},
		{"A=${B:?no}", "?"},
		{"A=mail.$B\nB=ek.example", "?"},
		{"B=$C\nA=$B", "?"},
		{"A=`hostname -f`", "?"},
		{"A=a$", "a$"},
		{"A=5 $ a month", "5 $ a month"},
		{"export A=b B=c", "b"},
		{"export B=c A=b", "b"},
		{"export B='c d' A=\"b c\" # d", "b c"},
		{"export B=c; export A=b", "b"},
		{"export B=ek.example A=mail.$B", "mail.ek.example"},
		{"export A=b B", "b"},
		{"export A=b B C=d", "b"},
		{"declare -x A=\"b\"", "b"},
		{"set -a\nA=b\nset +a", "b"},
		{"A=b\nA=c", "c"},
	} {
		e, err := readEnv(File{Path: "file", Data: []byte(row.text)})
		if err != nil {
			t.Errorf("%q: %v", row.text, err)
			continue
		}
		got := e.get("A")
		if e.err() != nil {
			got = "?"
		}
		if got != row.want {
			t.Errorf("%q sets A to %q, want %q", row.text, got, row.want)
		}
	}
}

// TestCompose reads each service that sets the variables, however many others have more.
func TestCompose(t *testing.T) {
	const own = "      IMAP_HOST: imap.ek.example\n      IMAP_PORT: 993\n      IMAP_SOCKET: SSL\n" +
		"      SMTP_HOST: smtp.ek.example\n      SMTP_PORT: ${PORT:-465}\n      SMTP_SOCKET: SSL\n"
	text := "services:\n  many:\n    environment: {A: 1, B: 2, C: 3, D: 4, E: 5, F: 6, G: 7, H: 8, I: 9, IMAP_HOST: x}\n" +
		"  one:\n    env_file: {path: one.env}\n    environment:\n" + own + "      COMPANY_NAME: A$$B\n      DOMAIN: ek.example\n" +
		"  other:\n    extends: {service: one}\n    environment:\n" + own + "      DOMAIN: al.example\n      LDAP_PASSWORD: $X\n"
	var d draft.Draft
	if err := byName(t, "monogramm").Read([]File{{Path: "file", Data: []byte(text)}}, &d); err != nil {
		t.Fatal(err)
	}
	var domains, lost []string
	for _, p := range d.Products {
		domains = append(domains, strings.Join(p.Domains, " ")+" "+p.Provider.DisplayName)
	}
	if want := []string{"ek.example A$B", "al.example "}; !slices.Equal(domains, want) {
		t.Errorf("domains and names are %q, want %q", domains, want)
	}
	for _, remark := range d.Lost {
		lost = append(lost, fmt.Sprintf("%d %s", remark.Place.Line, remark.Text))
	}
	slices.Sort(lost)
	if want := []string{
		"11 SMTP_PORT: its default is taken; .env beside the file may set another value",
		"16 extends: what the other service sets is not read; import what `docker compose config` prints",
		"22 SMTP_PORT: its default is taken; .env beside the file may set another value",
		"25 LDAP_PASSWORD: left out, as a secret",
		"5 env_file one.env: what it sets is not read; import what `docker compose config` prints",
	}; !slices.Equal(lost, want) {
		t.Errorf("lost is\n%s\nwant\n%s", strings.Join(lost, "\n"), strings.Join(want, "\n"))
	}
}
