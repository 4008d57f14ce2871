package format

import "testing"

// TestSconf reads mox's format.
func TestSconf(t *testing.T) {
	for text, want := range map[string]string{
		"a:\n\t\tb: c\n":              "file:2: the line has too many tabs before it",
		"\ta: b\n":                    "file:1: the line has too many tabs before it",
		"a: 1\n\tb: c\n":              "file:2: the line has too many tabs before it",
		"a: 1\na: 2\n":                "file:2: the key a comes twice",
		"nonsense\n":                  `file:1: the line is no "key: value", with tabs before it`,
		"  a: b\n":                    `file:1: the line is no "key: value", with tabs before it`,
		"a:b\n":                       `file:1: the line is no "key: value", with tabs before it`,
		"a:\n\t- b\n\tc: d\n":         "file:3: keys and the items of a list do not go together",
		"a:\n\tc: d\n\t- b\n":         "file:3: keys and the items of a list do not go together",
		"a:\n\t-\n\t\t\tb: c\n":       "file:3: the line has too many tabs before it",
		"a:\n\t-\n\t\tb: c\n\t\tb: d": "file:4: the key b comes twice",
		"# only a comment\n\n":        "file:1: the file has no keys",
	} {
		if _, err := readSconf(File{Path: "file", Data: []byte(text)}); err == nil || err.Error() != want {
			t.Errorf("readSconf(%q): %v, want %s", text, err, want)
		}
	}
	v, err := readSconf(File{Path: "file", Data: []byte("A:\n\tB: x: y\n\tC:\n\t\t- one\n\t\t\n\t\t- -two\n" +
		"\tRules:\n\t\t-\n\t\t\tFrom: a\n# comment\n\t\t\tTo:\n\t\t\t\t- b\n\t\t-\n\t\t\tFrom: c\n\tLast: z\nD: nil\nE:\r\n")})
	if err != nil {
		t.Fatal(err)
	}
	a := v.fields["A"].fields
	for _, row := range []struct{ name, got, want string }{
		{"A.B", a["B"].text, "x: y"},
		{"A.C[1]", a["C"].items[1].text, "-two"},
		{"A.Rules[0].To[0]", a["Rules"].items[0].fields["To"].items[0].text, "b"},
		{"A.Rules[1].From", a["Rules"].items[1].fields["From"].text, "c"},
		{"A.Last", a["Last"].text, "z"},
		{"D", v.fields["D"].text, ""},
		{"E", v.fields["E"].text, ""},
	} {
		if row.got != row.want {
			t.Errorf("%s = %q, want %q", row.name, row.got, row.want)
		}
	}
	if line := a["Rules"].items[1].line; line != 13 {
		t.Errorf("A.Rules[1] stands in line %d, want 13", line)
	}
}
