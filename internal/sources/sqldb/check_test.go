package sqldb

import (
	"os"
	"slices"
	"strings"
	"testing"

	"signpost/internal/sources/rig"
	"signpost/internal/sources/row"
)

// lines returns findings one a line, with their cures.
func lines(found []row.Finding) string {
	var all strings.Builder
	for _, f := range found {
		switch {
		case f.Note:
			all.WriteString("note: ")
		case f.Warning:
			all.WriteString("warning: ")
		default:
			all.WriteString("error: ")
		}
		all.WriteString(f.Text)
		if f.Cure != "" {
			all.WriteString("\n\tcure: " + f.Cure)
		}
		all.WriteString("\n")
	}
	return all.String()
}

// TestGrantCures takes all rights from the user of every preset and does what Check says
// until it is content: then the rights are those that the preset needs and no others.
func TestGrantCures(t *testing.T) {
	fixtures(t, func(t *testing.T, d *rig.Database, s *Store) {
		if d.Server == nil {
			return
		}
		d.Revoke(t)
		for round := 1; ; round++ {
			grants := 0
			found := s.Check(t.Context(), "example.com")
			for _, f := range found {
				if !f.Warning && strings.HasPrefix(f.Cure, "GRANT ") {
					d.Run(t, f.Cure)
					grants++
				}
			}
			if grants > 0 && round < 4 {
				continue
			}
			// Domain names of the fixtures are counted, and nothing is wrong.
			if len(found) != 1 || !found[0].Note || !strings.Contains(found[0].Text, " domains") {
				t.Errorf("Check after %d rounds of its cures:\n%s", round, lines(found))
			}
			break
		}
		if got := rowsOf(t, s, "anna@example.com"); !strings.Contains(got, "anna@example.com") {
			t.Errorf("Account(anna@example.com) with the rights of Check's cures = %q, want the mailbox", got)
		}
	})
}

// TestCheck checks databases and queries with one thing wrong each.
func TestCheck(t *testing.T) {
	const pg, my, lite = "postfixadmin.pgsql", "postfixadmin.mysql", "postfixadmin.sqlite"
	databases := map[string]*rig.Database{pg: rig.Load(t, pg), my: rig.Load(t, my), lite: rig.Load(t, lite)}
	wrong := rig.Write(t, t.TempDir(), "wrong", "hunter2\n")
	if err := os.Chmod(wrong, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, fixture string
		change        func(*Options, *rig.Database)
		wants         []string
	}{
		{"a column that is missing", pg, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT nowhere AS address FROM domain WHERE domain = '%d'"
		},
			[]string{"error: the query of account: a column of the query does not exist (42703)", "nowhere",
				"cure: compare"}},
		{"a column that is missing", my, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT nowhere AS address FROM domain WHERE domain = '%d'"
		},
			[]string{"error: the query of account: a column of the query does not exist (1054)", "nowhere",
				"cure: compare"}},
		{"a column that is missing", lite, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT nowhere AS address FROM domain WHERE domain = '%d'"
		},
			[]string{"error: the query of account: ", "nowhere"}},
		{"a table that is missing", pg, func(o *Options, _ *rig.Database) { o.Domains = "SELECT domain FROM nowhere" },
			[]string{"error: the query of domains: a table of the query does not exist (42P01)", "nowhere"}},
		{"a table that is missing", lite, func(o *Options,
			_ *rig.Database) {
			o.Domains = "SELECT domain FROM nowhere"
		},
			[]string{"error: the query of domains: ", "nowhere"}},
		{"columns that may not be read", pg, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT username AS address FROM mailbox WHERE local_part = '%u' AND domain = '%d'"
		}, []string{"error: the database user may not read mailbox (42501)",
			"cure: GRANT SELECT (username, local_part, domain) ON mailbox TO signpost_postfixadmin_"}},
		{"columns that may not be read", my, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT username AS address FROM mailbox WHERE local_part = '%u' AND domain = '%d'"
		}, []string{"error: the database user may not read mailbox (1143)",
			"GRANT SELECT (username, local_part, domain) ON postfixadmin_", ".mailbox TO 'signpost_postfixadmin_",
			"'@'127.0.0.1';"}},
		{"no address", lite, func(o *Options,
			_ *rig.Database) {
			o.Account = "SELECT goto AS alias FROM alias WHERE address = '%s'"
		},
			[]string{"warning: the query of account gives no column address", "… AS address"}},
		{"no domain", lite, func(o *Options, _ *rig.Database) { o.Domains = "SELECT domain AS name FROM domain" },
			[]string{"error: the query of domains gives no column domain", "… AS domain"}},
		{"a column that is not read", lite, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT username AS address, name AS full_name FROM mailbox WHERE username = '%s'"
		},
			[]string{"warning: the query of account gives columns that are not read: full_name", "displayName"}},
		{"no domains", lite, func(o *Options, _ *rig.Database) { o.Domains = "SELECT domain FROM domain WHERE 1 = 2" },
			[]string{"warning: the query of domains gives no rows"}},
		{"flags", lite, func(o *Options,
			_ *rig.Database) {
			o.Domains = "SELECT domain, 'maybe' AS inactive FROM domain"
		},
			[]string{"warning: the query of domains gives 7 values of inactive that are neither yes nor no",
				"1 t true y yes"}},
		{"types that do not fit", pg, func(o *Options,
			_ *rig.Database) {
			o.Domains = "SELECT domain, active = 1 AS inactive FROM domain"
		},
			[]string{"error: the query of domains: the database reports an error (42883): operator does not exist: boolean = integer"}},
		{"the password", pg, func(o *Options, _ *rig.Database) { o.PasswordFile = wrong },
			[]string{"warning: everybody on this machine can read",
				"error: the database refuses the password (28P01)",
				"cure: if there is no such user: CREATE ROLE signpost_postfixadmin_", "LOGIN PASSWORD '…'; GRANT SELECT",
				"If there is: ALTER ROLE signpost_postfixadmin_"}},
		{"no passwordFile", pg, func(o *Options, _ *rig.Database) { o.PasswordFile = "" },
			[]string{"error: the database refuses the password (28P01)", "cure: write the user's password into a file"}},
		{"no passwordFile", my, func(o *Options, _ *rig.Database) { o.PasswordFile = "" },
			[]string{"error: the database refuses the user or the password (1045)",
				"cure: write the user's password into a file"}},
		{"a password in the query", pg, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT username AS address, password FROM mailbox WHERE username = '%s'"
		}, []string{"cure: leave out of the query, as Signpost reads no passwords: password; " +
			"GRANT SELECT (username) ON mailbox TO signpost_postfixadmin_"}},
		{"a password in the query", my, func(o *Options, _ *rig.Database) {
			o.Account = "SELECT username AS address, password FROM mailbox WHERE username = '%s'"
		}, []string{"cure: leave out of the query, as Signpost reads no passwords: password; GRANT SELECT (username) ON"}},
		{"the password", my, func(o *Options, _ *rig.Database) { o.PasswordFile = wrong },
			[]string{"error: the database refuses the user or the password (1045)",
				"cure: if there is no such user: CREATE USER 'signpost_postfixadmin_",
				"'@'127.0.0.1' IDENTIFIED BY '…'; GRANT SELECT", "If there is: ALTER USER 'signpost_postfixadmin_"}},
		{"no password file", pg, func(o *Options, _ *rig.Database) { o.PasswordFile = "/nowhere/password" },
			[]string{"error: reading the password file /nowhere/password: no such file or directory"}},
		{"the database", pg, func(o *Options, d *rig.Database) {
			o.Database = strings.TrimSuffix(d.URL, d.Name) +
				"nowhere"
		},
			[]string{"error: the database does not exist (3D000)"}},
		{"nobody listens", pg, func(o *Options,
			_ *rig.Database) {
			o.Database = "postgres://signpost@127.0.0.1:1/mail"
		},
			[]string{"error: the database cannot be reached: connection refused"}},
		{"nobody listens", my, func(o *Options, _ *rig.Database) { o.Database = "mysql://signpost@127.0.0.1:1/mail" },
			[]string{"error: the database cannot be reached: connection refused"}},
		{"one host of two", my, func(o *Options, d *rig.Database) {
			o.Database = strings.Replace(d.URL, "@",
				"@127.0.0.1:1,", 1)
		},
			[]string{"warning: 127.0.0.1:1: the database cannot be reached: connection refused", "note: "}},
		{"no socket", my, func(o *Options, _ *rig.Database) { o.Database = "mysql://signpost@/mail?socket=/nowhere/s" },
			[]string{"error: the database cannot be reached at /nowhere/s: no such file or directory"}},
		{"no socket", pg, func(o *Options, _ *rig.Database) { o.Database = "postgres://signpost@/mail?socket=/nowhere" },
			[]string{"error: the database cannot be reached at /nowhere/.s.PGSQL.5432: no such file or directory",
				"cure: if the server has another port, write the whole path, such as ?socket=/nowhere/.s.PGSQL.5433"}},
		{"no file", lite, func(o *Options, _ *rig.Database) { o.Database = "sqlite:/nowhere/mail.db" },
			[]string{"error: /nowhere/mail.db: no such file or directory"}},
		{"no SQLite file", lite, func(o *Options, _ *rig.Database) { o.Database, o.PasswordFile = "sqlite:"+wrong, "" },
			[]string{"error: the query of account: the file is damaged or not a SQLite database (26)"}},
		{"no authority", pg, func(o *Options, _ *rig.Database) { o.CARoot = "/nowhere/ca.pem" },
			[]string{"error: ", "/nowhere/ca.pem"}},
	}
	for _, test := range tests {
		t.Run(test.fixture+"/"+test.name, func(t *testing.T) {
			d := databases[test.fixture]
			options := presetOptions(t, d.Preset)
			options.Database, options.PasswordFile = d.URL, d.PasswordFile
			test.change(&options, d)
			s := openStore(t, options)
			got := lines(s.Check(t.Context(), "example.com"))
			for _, want := range test.wants {
				if !strings.Contains(got, want) {
					t.Errorf("Check =\n%swant %q in it", got, want)
				}
			}
			if strings.Contains(got, "hunter2") || strings.Contains(got, rig.Password) {
				t.Errorf("Check tells the password:\n%s", got)
			}
		})
	}
}

// TestSchemaCures takes what is missing before the rights of tables count.
func TestSchemaCures(t *testing.T) {
	d := rig.Load(t, "postfixadmin.pgsql")
	s := open(t, d, presetOptions(t, d.Preset))
	for _, test := range []struct{ change, cure string }{
		{"REVOKE USAGE ON SCHEMA public FROM PUBLIC;", "GRANT USAGE ON SCHEMA public TO " + d.User + ";"},
		{"REVOKE CONNECT ON DATABASE " + d.Name + " FROM PUBLIC;", "GRANT CONNECT ON DATABASE " + d.Name + " TO " +
			d.User + ";"},
		{"ALTER SCHEMA public RENAME TO mail;", "ALTER ROLE " + d.User + " SET search_path = mail;"},
	} {
		d.Run(t, test.change)
		d.KillConnections(t)
		found := s.Check(t.Context(), "example.com")
		if !slices.ContainsFunc(found, func(f row.Finding) bool { return f.Cure == test.cure }) {
			t.Errorf("Check after %s\n%swant the cure %s", test.change, lines(found), test.cure)
			continue
		}
		d.Run(t, test.cure)
		d.KillConnections(t)
		if found := s.Check(t.Context(), "example.com"); len(found) != 1 {
			t.Errorf("Check after %s\n%swant the number of domains alone", test.cure, lines(found))
		}
	}
}

// TestTooManyRights gives the user more than it needs.
func TestTooManyRights(t *testing.T) {
	for fixture, grant := range map[string]string{
		"postfixadmin.pgsql": "GRANT ALL ON ALL TABLES IN SCHEMA public TO {user};",
		"postfixadmin.mysql": "GRANT ALL ON {database}.* TO {user};",
		"mailu.pgsql":        "ALTER ROLE {user} SUPERUSER;",
		"mailcow":            "GRANT SELECT, UPDATE ON {database}.mailbox TO {user};",
		"ispmail":            "GRANT DELETE ON {database}.virtual_users TO {user}; GRANT SELECT ON {database}.virtual_users TO {user};",
	} {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			user := d.User
			if d.Server.Scheme == "mysql" {
				user += "@'127.0.0.1'"
			}
			d.Run(t, strings.NewReplacer("{user}", user, "{database}", d.Name).Replace(grant))
			got := lines(open(t, d, presetOptions(t, d.Preset)).Check(t.Context(), "example.com"))
			for _, want := range []string{"warning: the database user may write: ",
				"warning: the database user may read passwords or keys: ",
				"give Signpost a user of its own, with these rights only: CREATE ", " GRANT SELECT"} {
				if !strings.Contains(got, want) {
					t.Errorf("Check =\n%swant %q in it", got, want)
				}
			}
			if strings.Count(got, "of its own") != 1 || strings.Contains(got, d.User) {
				t.Errorf("Check =\n%swant one cure, which does not name %s", got, d.User)
			}
		})
	}
}
