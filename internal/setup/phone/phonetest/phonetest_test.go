package phonetest

import (
	"os"
	"strings"
	"testing"
)

// TestReadCode checks what the reader takes, and that it refuses what the app refuses.
func TestReadCode(t *testing.T) {
	two, err := os.ReadFile("../testdata/two.json")
	if err != nil {
		t.Fatal(err)
	}
	if accounts, err := ReadCode(string(two)); err != nil || len(accounts) != 2 {
		t.Errorf("two accounts are read as %+v, %v", accounts, err)
	}
	null, err := os.ReadFile("../testdata/refused-null.json")
	if err != nil {
		t.Fatal(err)
	}
	const good = `[1,[1,1],[0,"m.se",993,3,1,"a@b.se"],[[[0,"m.se",465,3,1,"a@b.se"],["a@b.se","A"]]]]`
	server := Server{Type: "IMAP", Host: "m.se", Port: 993, Security: "SSL_TLS_REQUIRED", Auth: "PLAIN",
		Username: "a@b.se"}
	want := Account{Name: "a@b.se", Email: "a@b.se", DisplayName: "A", Incoming: server, Outgoing: server,
		DeletePolicy: "DELETE"}
	want.Outgoing.Type, want.Outgoing.Port = "SMTP", 465
	if accounts, err := ReadCode(good); err != nil || len(accounts) != 1 || accounts[0] != want {
		t.Fatalf("ReadCode(%s) = %+v, %v; want %+v", good, accounts, err, want)
	}
	for _, row := range [][2]string{
		{"[1,", "[2,"}, {`993,3,1`, `993,3,3`}, {`993,3,1`, `993,3,4`}, {`993,3,1`, `993,3,7`}, {`993,3,1`, `993,1,1`},
		{"993", "0"}, {"993", "65536"}, {"993", "null"}, {`"m.se",993`, `"m_ö.se",993`}, {`"m.se",993`, `"m-.se",993`},
		{`"m.se",993`, `"` + strings.Repeat("m", 64) + `.se",993`}, {`"A"`, `"A\nB"`}, {`,"A"`, ``}, {`,"A"`, `,null`},
		{`["a@b.se"`, `["\"a b\"@b.se"`}, {`["a@b.se"`, `["å@b.se"`}, {`["a@b.se"`, `["a@-b.se"`}, {`["a@b.se"`, `["a@[192.0.2.1]"`},
		{`["a@b.se"`, `["a..a@b.se"`}, {`["a@b.se"`, `["` + strings.Repeat("a", 65) + `@b.se"`},
		{`["a@b.se"`, `["a@` + strings.Repeat("b.", 126) + `se"`},
		{`[0,"m.se",465`, `[1,"m.se",465`}, {`[1,1]`, `[2,1]`}, {`"a@b.se"],[[[`, `"a@b.se",null],[[[`}, {`]]]]`, `]]],null]`},
		{good, string(null)}, {good, "{}"}, {good, "[1,[1,1]]"}, {good, good + "x"}, {`[[[0,`, `[[[null,`},
	} {
		if text := strings.Replace(good, row[0], row[1], 1); text == good {
			t.Errorf("%s is not in the code", row[0])
		} else if _, err := ReadCode(text); err == nil {
			t.Errorf("the reader takes %s", text)
		}
	}
}

// TestReadFile checks that the reader refuses files that the app refuses, or that it takes for
// something else.
func TestReadFile(t *testing.T) {
	data, err := os.ReadFile("../testdata/account.k9s")
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	if _, err := ReadFile(data); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][2]string{
		{`format="1"`, `format="2"`}, {`version="99"`, `version="94"`}, {`uuid="5b8f`, `uuid="xb8f`}, {"<name>anna@example.se</name>", ""},
		{`type="IMAP"`, `type="EWS"`}, {`type="SMTP"`, `type="smtp"`}, {"993", "0"}, {"SSL_TLS_REQUIRED", "SSL"}, {"PLAIN", "LOGIN"},
		{"mail.example.se", "mail_1.example.se"}, {"<email>anna@example.se", "<email>"}, {"DELETE", "delete"}, {"deletePolicy", "policy"},
		{"</username>", "</username><password>x</password>"}, {"</k9settings>", ""},
	} {
		if text := strings.Replace(good, row[0], row[1], 1); text == good {
			t.Errorf("%s is not in the file", row[0])
		} else if _, err := ReadFile([]byte(text)); err == nil {
			t.Errorf("the reader takes a file with %s in place of %s", row[1], row[0])
		}
	}
	if a, err := ReadFile([]byte(strings.Replace(good, `<value key="deletePolicy">DELETE</value>`, "", 1))); err != nil || a.DeletePolicy != "NEVER" {
		t.Errorf("without a setting the policy is %q, %v; want NEVER", a.DeletePolicy, err)
	}
}
