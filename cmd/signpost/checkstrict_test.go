package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckStrictSources checks that a provider whose domains come from an account source is
// judged like one that lists them, and that -strict counts whom clients set up wrongly.
func TestCheckStrictSources(t *testing.T) {
	folder := t.TempDir()
	writeFile(t, folder, "vhosts", "example.com\n")
	db, err := sql.Open("sqlite", filepath.Join(folder, "mail.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE mailbox (address TEXT, login TEXT)"); err != nil {
		t.Fatal(err)
	}
	const files = "  - postfix: {domains: FOLDER/vhosts}\n"
	const logins = files + "  - sql:\n      database: sqlite:FOLDER/mail.db\n" +
		"      account: SELECT address, login AS username FROM mailbox WHERE address = '%s'\n"
	for _, test := range []struct {
		name, accounts, smtp, more string
		says                       string
		status                     int
	}{
		{"nothing to say", files, "587", "", "one domain is hosted here", 0},
		{"sent on 465 only", files, "465", "", "mail: Mail is sent on port 465 only", 1},
		{"user names", logins, "587", "", "wrong for an account that differs in its user name", 1},
		{"user names, chosen", logins, "587", "    withoutAddress: nothing\n", "learns its user name", 0},
	} {
		text := "providers:\n  - id: mail\n    displayName: Mail\n" + test.more + "    servers:\n" +
			"      - {type: imap, hostname: mail.example.com}\n" +
			"      - {type: smtp, hostname: mail.example.com, port: " + test.smtp + "}\n" +
			"accounts:\n" + strings.ReplaceAll(test.accounts, "FOLDER", folder)
		writeFile(t, folder, "signpost.yaml", text)
		var stdout, stderr output
		args := []string{"check", "-strict", "-config", filepath.Join(folder, "signpost.yaml")}
		status := run(t.Context(), env{strings.NewReader(""), &stdout, &stderr}, args)
		if status != test.status || !strings.Contains(stdout.String(), test.says) {
			t.Errorf("%s: check -strict returned %d, want %d and %q in\n%s%s",
				test.name, status, test.status, test.says, stdout.String(), stderr.String())
		}
	}
}
