package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"signpost/account"
	"signpost/internal/importer/draft"
	"signpost/internal/sources/sqldb"
)

const hostingSQL = `
CREATE TABLE zones (zone TEXT, state TEXT);
INSERT INTO zones VALUES ('skog.example', 'ok'), ('tall.example', 'closed'), ('gran.example', 'ok');
CREATE TABLE boxes (box TEXT, zone TEXT, dir TEXT, password TEXT);
INSERT INTO boxes VALUES ('anna', 'skog.example', 'a/', '{CRYPT}x'), ('bo', 'skog.example', 'b/', '{CRYPT}y');
CREATE TABLE forwards (source TEXT, target TEXT);
INSERT INTO forwards VALUES ('info@skog.example', 'anna@skog.example');
`

// TestAnswers asks a real database with the queries that are made of Postfix's.
func TestAnswers(t *testing.T) {
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		if os.Getenv("SIGNPOST_REQUIRE_TOOLS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "hosting.db")
	cmd := exec.Command(program, path)
	cmd.Stdin = strings.NewReader(hostingSQL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	queries := map[string]string{
		"domains.cf": "SELECT 1 FROM zones WHERE zone = '%s' AND state = 'ok'",
		"boxes.cf":   "SELECT dir FROM boxes WHERE box = '%u' AND zone = '%d'",
		"aliases.cf": "SELECT target FROM forwards WHERE source = '%s'",
	}
	files := func(name string) ([]byte, error) {
		if query := queries[filepath.Base(name)]; query != "" {
			return fmt.Appendf(nil, "dbpath = %s\nquery = %s\n", path, query), nil
		}
		return nil, os.ErrNotExist
	}
	var d draft.Draft
	err = Draft([]Text{
		{Path: "main.cf", Data: []byte("myhostname = mx.skog.example\nsmtpd_sasl_auth_enable = yes\nvirtual_alias_maps = sqlite:/aliases.cf\n" +
			"virtual_mailbox_domains = sqlite:/domains.cf\nvirtual_mailbox_maps = sqlite:/boxes.cf\n")},
		{Path: "master.cf", Data: []byte("submissions inet n - y - - smtpd -o smtpd_tls_wrappermode=yes\n")},
	}, files, &d)
	if err != nil || len(d.Accounts) != 1 || d.Accounts[0][0].Key != "sql" {
		t.Fatalf("Draft = %v; %s", err, write(&d))
	}
	var o sqldb.Options
	for _, e := range d.Accounts[0][0].Value.(draft.Map) {
		*map[string]*string{"database": &o.Database, "account": &o.Account, "domain": &o.Domain, "domains": &o.Domains}[e.Key] =
			e.Value.(string)
	}
	store, err := sqldb.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var domains []string
	rows, err := store.Domains(t.Context())
	for _, row := range rows {
		domains = append(domains, row.Domain)
	}
	if want := []string{"skog.example", "gran.example"}; err != nil || !slices.Equal(domains, want) {
		t.Errorf("the list of domains is %v, %v; want %v", domains, err, want)
	}
	for name, want := range map[string]int{"skog.example": 1, "tall.example": 0, "mo.example": 0} {
		if rows, err := store.Domain(t.Context(), name); err != nil || len(rows) != want {
			t.Errorf("%s: %v, %v; want %d rows", name, rows, err, want)
		}
	}
	for text, want := range map[string]string{
		"anna@skog.example": "anna@skog.example ", "info@skog.example": "info@skog.example anna@skog.example",
		"cecilia@skog.example": "", "anna@gran.example": "", "x' OR '1'='1@skog.example": "",
	} {
		address, err := account.ParseAddress(text)
		if err != nil {
			continue
		}
		rows, err := store.Account(t.Context(), address)
		got := ""
		for _, row := range rows {
			got += row.Address + " " + row.Aliases + row.Username
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, problem := range store.Check(t.Context(), "skog.example") {
		if !problem.Note && !strings.Contains(problem.Text, "can write") {
			t.Errorf("signpost check would say: %+v", problem)
		}
	}
}
