package certstore

import (
	"strings"
	"testing"

	"signpost/internal/fault"
	"signpost/internal/sources/rig"
)

// rightsTest is a database whose user has the rights that a script has granted.
type rightsTest struct {
	name    string
	present bool     // the tables exist
	script  []string // run by the administrator, see names
	want    string   // what Probe says; empty for no error
	code    string
	cure    string // the hint
}

// TestRightsOfPostgreSQL takes each right from the user of the database and has Probe find it. When
// the administrator has run what Probe hints at, nothing is missing any more.
func TestRightsOfPostgreSQL(t *testing.T) {
	t.Parallel()
	const reset = "DROP TABLE IF EXISTS signpost_certificates, signpost_leases; DROP SCHEMA IF EXISTS other CASCADE; " +
		"ALTER ROLE {user} RESET search_path; GRANT USAGE ON SCHEMA public TO PUBLIC; " +
		"GRANT CREATE ON SCHEMA public TO {user};"
	const four = "GRANT SELECT, INSERT, UPDATE, DELETE ON "
	const all = four + "signpost_certificates, signpost_leases TO {user};"
	const nothing = "SELECT, INSERT, UPDATE, DELETE on signpost_certificates; " +
		"SELECT, INSERT, UPDATE, DELETE on signpost_leases"
	tests := []rightsTest{
		{"owner", true, []string{"ALTER TABLE signpost_certificates OWNER TO {user}; ALTER TABLE signpost_leases OWNER TO {user};"},
			"", "", ""},
		{"without owning", true, []string{all}, "", "", ""},
		{"no right to create what is there", true, []string{all, "REVOKE CREATE ON SCHEMA public FROM {user};"}, "", "", ""},
		{"a role", true, []string{"CREATE ROLE {user}_r; " + strings.ReplaceAll(all, "{user}", "{user}_r"), "GRANT {user}_r TO {user};"},
			"", "", ""},
		{"columns", true, []string{all, "REVOKE UPDATE ON signpost_leases FROM {user};",
			"GRANT UPDATE (owner, expires) ON signpost_leases TO {user};"}, "", "", ""},
		{"nothing", true, nil, nothing, "42501", four + "public.signpost_certificates TO {user}; " +
			four + "public.signpost_leases TO {user};"},
		{"no tables", false, nil, "", "", ""},
		{"no tables, no creation", false, []string{"REVOKE CREATE ON SCHEMA public FROM {user};"},
			"CREATE on schema public", "42501", "GRANT CREATE ON SCHEMA public TO {user};"},
		{"no tables, no use", false, []string{"REVOKE ALL ON SCHEMA public FROM {user}, PUBLIC;"},
			"USAGE, CREATE on schema public", "42501", "GRANT USAGE, CREATE ON SCHEMA public TO {user};"},
		{"tables, no use", true, []string{all, "REVOKE ALL ON SCHEMA public FROM {user}, PUBLIC;"},
			"USAGE, CREATE on schema public", "42501", "GRANT USAGE, CREATE ON SCHEMA public TO {user};"},
		{"one table, no creation", true, []string{all, "DROP TABLE signpost_leases; REVOKE CREATE ON SCHEMA public FROM {user};"},
			"CREATE on schema public", "42501", "GRANT CREATE ON SCHEMA public TO {user};"},
		{"another schema", true, []string{"CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO {user};",
			"ALTER TABLE signpost_certificates SET SCHEMA other; ALTER TABLE signpost_leases SET SCHEMA other;",
			"ALTER ROLE {user} SET search_path = other;"}, nothing, "42501", four + "other.signpost_certificates TO {user}; " +
			four + "other.signpost_leases TO {user};"},
		{"no connection", false, []string{"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC;"},
			"the database user may not use the database", "42501", "GRANT CONNECT ON DATABASE {database} TO {user};"},
	}
	for _, table := range []string{"signpost_certificates", "signpost_leases"} {
		for _, right := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
			tests = append(tests, rightsTest{right + " on " + table, true,
				[]string{all, "REVOKE " + right + " ON " + table + " FROM {user};"},
				right + " on " + table, "42501", "GRANT " + right + " ON public." + table + " TO {user};"})
		}
	}
	d := newDatabase(t, rig.PostgreSQL(t))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, d, reset) })
	}
}

// TestRightsOfMariaDB is TestRightsOfPostgreSQL for MariaDB, whose rights may come from a pattern.
func TestRightsOfMariaDB(t *testing.T) {
	t.Parallel()
	const (
		none  = "REVOKE ALL PRIVILEGES, GRANT OPTION FROM {user};"
		reset = "DROP TABLE IF EXISTS signpost_certificates, signpost_leases; DROP ROLE IF EXISTS {database}_r; " +
			"SET DEFAULT ROLE NONE FOR {user}; " + none + "GRANT ALL ON {database}.* TO {user};"
		four    = "GRANT SELECT, INSERT, UPDATE, DELETE ON "
		all     = four + "{database}.signpost_certificates TO {user}; " + four + "{database}.signpost_leases TO {user};"
		cure    = "GRANT CREATE, SELECT, INSERT, UPDATE, DELETE ON `{escaped}`.* TO {user};"
		pattern = "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `empty%`.* TO "
		five    = "CREATE, SELECT, INSERT, UPDATE, DELETE on "
		nothing = five + "signpost_certificates; " + five + "signpost_leases"
		role    = "CREATE ROLE {database}_r; " + pattern + "{database}_r; GRANT {database}_r TO {user};"
	)
	tests := []rightsTest{
		{"everything", true, nil, "", "", ""},
		{"no tables, everything", false, nil, "", "", ""},
		{"the four rights", true, []string{none, all}, "", "", ""},
		{"a pattern", true, []string{none, four + "`empty%`.* TO {user};"}, "", "", ""},
		{"no tables, a pattern", false, []string{none, pattern + "{user};"}, "", "", ""},
		{"all databases", false, []string{none, four + "*.* TO {user}; GRANT CREATE ON *.* TO {user};"}, "", "", ""},
		{"a role by a pattern", true, []string{none, role, "SET DEFAULT ROLE {database}_r FOR {user};"}, "", "", ""},
		{"no tables, a role by a pattern", false, []string{none, role, "SET DEFAULT ROLE {database}_r FOR {user};"}, "", "", ""},
		{"a role that is not the default", true, []string{none, role}, "the database user may not use the database", "1044", cure},
		{"columns", true, []string{none, all, "REVOKE UPDATE ON {database}.signpost_leases FROM {user}; " +
			"GRANT UPDATE (owner, expires) ON {database}.signpost_leases TO {user};"}, "", "", ""},
		{"too few columns", true, []string{none, all, "REVOKE UPDATE ON {database}.signpost_leases FROM {user}; " +
			"GRANT UPDATE (owner) ON {database}.signpost_leases TO {user};"},
			"UPDATE on signpost_leases", "1143", "GRANT UPDATE ON {database}.signpost_leases TO {user};"},
		{"nothing", true, []string{none}, "the database user may not use the database", "1044", cure},
		{"nothing of use", true, []string{none, "GRANT EXECUTE ON {database}.* TO {user};"}, nothing, "1142", cure},
		{"no tables, nothing of use", false, []string{none, "GRANT EXECUTE ON {database}.* TO {user};"}, nothing, "1142", cure},
		{"no tables, a pattern for less", false, []string{none, "GRANT SELECT, INSERT, UPDATE, CREATE ON `empty%`.* TO {user};"},
			"DELETE on signpost_certificates; DELETE on signpost_leases", "1142", cure},
		{"one table, no creation", true, []string{"DROP TABLE signpost_leases;", "REVOKE CREATE ON {database}.* FROM {user};"},
			"CREATE on signpost_certificates; CREATE on signpost_leases", "1142", cure},
	}
	for _, right := range []string{"CREATE", "SELECT", "INSERT", "UPDATE", "DELETE"} {
		tests = append(tests, rightsTest{"no tables, " + right, false,
			[]string{"REVOKE " + right + " ON {database}.* FROM {user};"},
			right + " on signpost_certificates; " + right + " on signpost_leases", "1142", cure})
		if right == "CREATE" {
			continue
		}
		for _, table := range []string{"signpost_certificates", "signpost_leases"} {
			tests = append(tests, rightsTest{right + " on " + table, true,
				[]string{none, all, "REVOKE " + right + " ON {database}." + table + " FROM {user};"},
				right + " on " + table, "1142", "GRANT " + right + " ON {database}." + table + " TO {user};"})
		}
	}
	d := newDatabase(t, rig.MariaDB(t))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, d, reset) })
	}
}

// run runs a test in a database that a script of the administrator's has reset.
func (test rightsTest) run(t *testing.T, d *rig.Database, reset string) {
	user := d.User
	if d.Server.Scheme == "mysql" {
		user = "'" + d.User + "'@'127.0.0.1'"
	}
	names := strings.NewReplacer("{database}", d.Name, "{user}", user,
		"{escaped}", strings.ReplaceAll(d.Name, "_", `\_`))
	script := []string{reset}
	if test.present {
		for _, statement := range tableStatements[d.Server.Scheme] {
			script = append(script, statement+";")
		}
	}
	d.Run(t, names.Replace(strings.Join(append(script, test.script...), "\n")))
	o := Options{Database: d.URL, PasswordFile: d.PasswordFile}
	_, err := Probe(t.Context(), o)
	if !test.present {
		count := d.Run(t, names.Replace("SELECT COUNT(*) FROM information_schema.tables "+
			"WHERE table_name LIKE 'signpost%' AND '{database}' IN (table_schema, table_catalog);"))
		if strings.TrimSpace(count) != "0" {
			t.Errorf("after Probe there are %s tables, want none", count)
		}
	}
	if test.want == "" {
		if err != nil {
			t.Errorf("Probe = %v, want nil", err)
		}
		use(t, d)
		return
	}
	want := test.want
	if !strings.HasPrefix(want, "the ") {
		want = "the database user lacks rights: " + want
	}
	want += " (" + test.code + ")"
	cure := names.Replace(test.cure)
	if err == nil || err.Error() != want || fault.Hint(err) != cure {
		t.Fatalf("Probe = %v\nwith the hint %q\nwant %s\nwith the hint %q", err, fault.Hint(err), want, cure)
	}
	d.Run(t, cure)
	if _, err := Probe(t.Context(), o); err != nil {
		t.Errorf("Probe after the administrator has run %q = %v, want nil", cure, err)
	}
	use(t, d)
}

// use does with the storage what a machine does: no right is missing that Probe has not named.
func use(t *testing.T, d *rig.Database) {
	t.Helper()
	s, ctx := open(t, d, nil), t.Context()
	defer s.Close()
	taken, err := s.TryLock(ctx, "a")
	_, swapped := s.Swap(ctx, "x", nil, []byte("1"))
	for what, err := range map[string]error{
		"Check": s.Check(ctx), "TryLock": err, "RenewLockLease": s.RenewLockLease(ctx, "a", 0),
		"Unlock": s.Unlock(ctx, "a"), "Swap": swapped, "Store": s.Store(ctx, "x", nil), "Delete": s.Delete(ctx, "x"),
	} {
		if err != nil {
			t.Errorf("%s when Probe says that nothing is missing: %v", what, err)
		}
	}
	if !taken {
		t.Error("TryLock when Probe says that nothing is missing: no lock")
	}
}
