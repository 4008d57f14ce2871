package sqldb

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"signpost/account"
	"signpost/internal/sources/rig"
	"signpost/internal/sources/row"
)

func TestMain(m *testing.M) { rig.Main(m) }

// presetOptions returns the queries of a preset, as package config has them.
func presetOptions(t testing.TB, preset string) Options {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/presets", preset+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Accounts []struct {
			SQL struct{ Domains, Domain, Account string } `yaml:"sql"`
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, source := range file.Accounts {
		if q := source.SQL; q.Account != "" {
			return Options{Domains: q.Domains, Domain: q.Domain, Account: q.Account}
		}
	}
	t.Fatalf("the preset %s has no queries", preset)
	return Options{}
}

// open returns a store with the preset's queries that asks the database.
func open(t testing.TB, d *rig.Database, options Options) *Store {
	t.Helper()
	options.Database, options.PasswordFile = d.URL, d.PasswordFile
	return openStore(t, options)
}

func openStore(t testing.TB, options Options) *Store {
	t.Helper()
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func address(t testing.TB, text string) account.Address {
	t.Helper()
	a, err := account.ParseAddress(text)
	if err != nil {
		t.Fatalf("ParseAddress(%q) = %v", text, err)
	}
	return a
}

// rowsOf returns what the store says of an address in one line.
func rowsOf(t testing.TB, s *Store, text string) string {
	t.Helper()
	rows, err := s.Account(t.Context(), address(t, text))
	if err != nil {
		return "error: " + err.Error()
	}
	var all []string
	for _, r := range rows {
		line := r.Address + " " + r.DisplayName
		if r.HasAlias {
			line = r.Address + " -> " + strings.Join(strings.FieldsFunc(r.Aliases,
				func(c rune) bool { return c == ',' || c == ' ' }), ",")
		}
		if r.Inactive {
			line += " inactive"
		}
		all = append(all, strings.TrimSpace(line))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// fixtures calls f for each database of each preset.
func fixtures(t *testing.T, f func(t *testing.T, d *rig.Database, s *Store)) {
	for _, fixture := range rig.SQL() {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			f(t, d, open(t, d, presetOptions(t, d.Preset)))
		})
	}
}

// TestPresets asks the queries of every preset for every kind of row of its fixture, with no
// other rights than the preset's.
func TestPresets(t *testing.T) {
	fixtures(t, func(t *testing.T, d *rig.Database, s *Store) {
		// contains says which part of the answer counts: some systems have an alias of
		// each mailbox to itself, some no names.
		for asked, contains := range map[string]string{
			"anna@example.com":    "anna@example.com",
			"bo@example.com":      "bo@example.com",
			"o'hara@example.com":  "o'hara@example.com",
			"ANNA@Example.COM":    "anna@example.com",
			"info@example.com":    "info@example.com -> anna@example.com",
			"post@example.com":    "post@example.com -> info@example.com",
			"nobody@example.com":  "",
			"any@all.example":     "",
			"anna@elsewhere.test": "",
			`"a b"@example.com`:   "",
		} {
			if d.Preset == "gromox" && asked == "post@example.com" {
				continue // an alias of gromox has one step, to a user
			}
			got := rowsOf(t, s, asked)
			if contains == "" && got != "" || !strings.Contains(got, contains) {
				t.Errorf("Account(%s) = %q, want %q", asked, got, contains)
			}
		}
		if got := rowsOf(t, s, "empty@example.com"); d.Preset == "froxlor" && got != "empty@example.com ->" {
			t.Errorf("Account(empty@example.com) = %q, want an alias of nobody", got)
		}
		list, err := s.Domains(t.Context())
		if err != nil {
			t.Fatalf("Domains() = %v", err)
		}
		byName := map[string]row.Domain{}
		for _, r := range list {
			byName[r.Domain] = r
			one, err := s.Domain(t.Context(), r.Domain)
			if err != nil || !slices.Contains(one, r) {
				t.Errorf("Domain(%s) = %+v, %v, want the row of the list, %+v", r.Domain, one, err, r)
			}
		}
		if r, ok := byName["example.com"]; !ok || r.Inactive || r.Alias != "" {
			t.Errorf("Domains() has %+v for example.com, want an active domain", r)
		}
		if _, ok := byName["backup.example"]; ok && d.Preset != "ispconfig" {
			t.Error("Domains() has backup.example, whose mailboxes are elsewhere")
		}
		if one, err := s.Domain(t.Context(), "elsewhere.test"); len(one) != 0 || err != nil {
			t.Errorf("Domain(elsewhere.test) = %v, %v, want none", one, err)
		}
	})
}

// hostile are local parts that have broken mail servers and naive queries, and all that
// an address may hold of each class of characters.
var hostile = []string{
	"x' OR '1'='1", "x'; DROP TABLE t; --", "'", "''", `"`, `\`, `a\`, `\'`, "%", "%%", "_", "a%", "an_a", "%s", "%u",
	"%d", "$1", "?", ":a", "@a",
	"*", "a)(uid=*", "😀", "ånna", "Ånna", "änna", "anna ", " anna", "anna\t", "anna\x00", "\x00", "anna\n", "\xff",
	"an\u0301na", "ﬃ", "ß", "ss", "İ", "ı",
	"\U0010FFFF", "\uFEFFanna", "anna\u200b", "𝒶nna", "анна", "用户", "E'a'", "$$", "$a$", "/*", "*/", "--", "#", "`",
	"[", "]", "{}", "a,b", "a;b", "a|b",
	strings.Repeat("a", 64), strings.Repeat("'", 64), strings.Repeat("%", 64), strings.Repeat(`\`, 64), strings.Repeat("é", 32),
	strings.Repeat("😀", 16), strings.Repeat("_", 64), strings.Repeat("用", 21), strings.Repeat("\u0301", 32), strings.Repeat("\x00", 64),
}

// TestHostileKeys asks every query of every preset for what strangers may send, in the
// local part and in the domain: no rows, no errors.
func TestHostileKeys(t *testing.T) {
	fixtures(t, func(t *testing.T, d *rig.Database, s *Store) {
		for _, local := range hostile {
			for _, k := range []key{
				{whole: local + "@example.com", local: local, domain: "example.com"},
				{whole: "anna@" + local, local: "anna", domain: local},
			} {
				err := s.ask(t.Context(), s.account, k, maxRows, func(v *values) {
					if row.EqualASCII(v.address.String, k.whole) {
						t.Errorf("Account(%q) gives a row of that address", k.whole)
					}
				}, nil)
				if err != nil {
					t.Errorf("Account(%q) = %v, want no error", k.whole, err)
				}
			}
			err := s.ask(t.Context(), s.domain, key{whole: local, domain: local}, maxRows, func(v *values) {
				if row.EqualASCII(v.domain.String, local) && d.Preset != "mailinabox" {
					t.Errorf("Domain(%q) gives a row of that domain", local)
				}
			}, nil)
			if err != nil {
				t.Errorf("Domain(%q) = %v, want no error", local, err)
			}
		}
		if got := rowsOf(t, s, "anna@example.com"); !strings.Contains(got, "anna@example.com") {
			t.Errorf("Account(anna@example.com) after all of them = %q, want the mailbox", got)
		}
	})
}

// TestPasted asks queries as they stand in other people's Postfix.
func TestPasted(t *testing.T) {
	const selectGoto, alias = "SELECT goto AS alias FROM alias", "info@example.com -> anna@example.com"
	queries := map[string]map[string]string{
		"postfixadmin.mysql": {
			selectGoto + " WHERE address='%s' AND active = '1'":                        alias,
			selectGoto + " WHERE address=CONCAT('%u', '@', '%d')":                      alias,
			selectGoto + " WHERE address LIKE '%u@%%' AND domain = \"%d\" # and so on": alias,
			selectGoto + ", alias_domain WHERE alias_domain.alias_domain = 'example.net' AND alias.address = " +
				"CONCAT('%u', '@', alias_domain.target_domain) AND alias.active = 1;": alias,
		},
		"postfixadmin.pgsql": {
			selectGoto + " WHERE address='%s' AND active = '1'":       alias,
			selectGoto + " WHERE address=concat('%u', '@', '%d')":     alias,
			selectGoto + " WHERE address = '%u' || '@' || '%d'":       alias,
			selectGoto + " WHERE address LIKE '%u@%%' -- and so on":   alias,
			selectGoto + " WHERE address IN ('%s', '@%d')":            alias,
			selectGoto + " WHERE address = E'%s' AND domain = $$%d$$": alias,
			selectGoto + " WHERE length(address) = '%u'":              "",
		},
		"postfixadmin.sqlite": {
			selectGoto + " WHERE address='%s' AND active = '1'": alias,
			selectGoto + " WHERE address='%u' || '@%d'":         alias,
		},
	}
	for fixture, all := range queries {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			for query, want := range all {
				s := open(t, d, Options{Account: query})
				if got := rowsOf(t, s, "info@example.com"); got != want {
					t.Errorf("%s\n gives %q, want %q", query, got, want)
				}
				if got := rowsOf(t, s, "o'hara@example.com"); strings.Contains(got, "error") {
					t.Errorf("%s\n gives %q for o'hara, want no error", query, got)
				}
			}
		})
	}
}

// TestReadOnly has queries write.
func TestReadOnly(t *testing.T) {
	for fixture, query := range map[string]string{
		"postfixadmin.pgsql": "WITH gone AS (DELETE FROM alias RETURNING address) SELECT address FROM gone",
	} {
		d := rig.Load(t, fixture)
		d.Run(t,
			fmt.Sprintf("GRANT ALL ON alias TO %s; ALTER ROLE %s RESET default_transaction_read_only;", d.User, d.User))
		s := open(t, d, Options{Account: query})
		if got := rowsOf(t, s, "info@example.com"); !strings.Contains(got, "the query writes (25006)") {
			t.Errorf("%s gives %q, want an error", query, got)
		}
	}
}

// TestEncodings asks PostgreSQL databases that cannot hold every character.
func TestEncodings(t *testing.T) {
	d := rig.Load(t, "postfixadmin.pgsql")
	for _, encoding := range []string{"LATIN1", "SQL_ASCII", "EUC_JP"} {
		t.Run(encoding, func(t *testing.T) {
			other := *d
			other.Name = d.Name + "_" + strings.ToLower(encoding)
			other.URL = strings.TrimSuffix(d.URL, d.Name) + other.Name
			d.Run(t, "CREATE DATABASE "+other.Name+" ENCODING '"+encoding+"' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C';\n"+
				"\\connect "+other.Name+"\nCREATE TABLE mailbox (address varchar(255) PRIMARY KEY);\n"+
				"INSERT INTO mailbox VALUES ('anna@example.com'); GRANT SELECT ON mailbox TO "+d.User+";")
			s := open(t, &other,
				Options{Account: "SELECT address FROM mailbox WHERE address = '%s' OR address LIKE '%u@%%'"})
			for _, local := range hostile {
				k := key{whole: local + "@example.com", local: local, domain: "example.com"}
				if err := s.ask(t.Context(), s.account, k, maxRows, func(*values) {}, nil); err != nil {
					t.Errorf("Account(%q) = %v, want no error", k.whole, err)
				}
			}
			if got := rowsOf(t, s, "anna@example.com"); got != "anna@example.com" {
				t.Errorf("Account(anna@example.com) = %q, want the mailbox", got)
			}
		})
	}
}

// TestCaseOfColumns has PostgreSQL compare a column that does not mind case, which a
// parameter must not change, and uses its index.
func TestCaseOfColumns(t *testing.T) {
	d := rig.Load(t, "postfixadmin.pgsql")
	d.Run(t, "CREATE EXTENSION citext; CREATE TABLE people (address citext PRIMARY KEY); INSERT INTO people VALUES ('Anna@Example.com'); "+
		"GRANT SELECT ON people TO "+d.User+";")
	s := open(t, d, Options{Account: "SELECT address FROM people WHERE address = '%s'"})
	if got := rowsOf(t, s, "anna@example.com"); got != "anna@example.com" {
		t.Errorf("Account(anna@example.com) = %q, want the row in another case", got)
	}
}

// TestInternational asks for a domain in the spelling of A-labels and in Unicode.
func TestInternational(t *testing.T) {
	for _, fixture := range []string{"postfixadmin.pgsql", "mailcow", "postfixadmin.sqlite"} {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			s := open(t, d, presetOptions(t, d.Preset))
			const asked, unicode = "xn--rksmrgs-5wao1o.example", "räksmörgås.example"
			want := []row.Domain{{Domain: asked}}
			if got, err := s.Domain(t.Context(), asked); err != nil || !slices.Equal(got, want) {
				t.Errorf("Domain(%s) = %+v, %v, want %+v", asked, got, err, want)
			}
			d.Run(t, "UPDATE domain SET domain = '"+unicode+"' WHERE domain = '"+asked+"';")
			if got, err := s.Domain(t.Context(), asked); err != nil || !slices.Equal(got, want) {
				t.Errorf("Domain(%s), which is stored as %s, = %+v, %v, want %+v", asked, unicode, got, err, want)
			}
			d.Run(t, "UPDATE alias SET address = 'info@"+unicode+"' WHERE address = 'info@example.com';")
			if got, want := rowsOf(t, s, "info@"+asked), "info@"+asked+" -> anna@example.com"; got != want {
				t.Errorf("Account(info@%s), which is stored with %s, = %q, want %q", asked, unicode, got, want)
			}
		})
	}
}

// TestSocketUser signs in as the user of the operating system, without a password.
func TestSocketUser(t *testing.T) {
	d := rig.Load(t, "ispmail")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Username != "root" {
		d.Run(t, "CREATE USER "+me.Username+"@localhost IDENTIFIED VIA unix_socket; GRANT SELECT ON *.* TO "+
			me.Username+"@localhost;")
	}
	options := presetOptions(t, d.Preset)
	options.Database = "mysql://" + me.Username + "@/" + d.Name + "?socket=" + d.Server.Socket
	if got := rowsOf(t, openStore(t, options), "anna@example.com"); got != "anna@example.com" {
		t.Errorf("Account(anna@example.com) = %q, want the mailbox", got)
	}
}

// TestContext cancels and ends the context of a caller.
func TestContext(t *testing.T) {
	d := rig.Load(t, "postfixadmin.sqlite")
	s := open(t, d, presetOptions(t, d.Preset))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Account(ctx, address(t, "anna@example.com")); err != context.Canceled {
		t.Errorf("Account with a cancelled context = %v, want %v", err, context.Canceled)
	}
}
