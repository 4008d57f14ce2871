package format

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"signpost/internal/importer/draft"
	"signpost/internal/sources/rig"
)

// dump is a small automx2 database as sqlite3 dumps it.
const dump = `PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE provider (id INTEGER PRIMARY KEY, name TEXT, short_name TEXT);
INSERT INTO provider VALUES(1,'Fjord','Fjord');
CREATE TABLE server (id INTEGER PRIMARY KEY, prio INTEGER, name TEXT, port INTEGER, type TEXT, socket_type TEXT, user_name TEXT, authentication TEXT);
INSERT INTO server VALUES(1,10,'mail.fjord.example',993,'imap','SSL','FJORD\%EMAILLOCALPART%','plain');
CREATE TABLE domain (id INTEGER PRIMARY KEY, name TEXT, provider_id INTEGER);
INSERT INTO domain VALUES(1,'fjord.example',1);
INSERT INTO domain VALUES(2,'skjer.example',9);
CREATE TABLE server_domain (server_id INTEGER, domain_id INTEGER);
INSERT INTO server_domain VALUES(1,1);
INSERT INTO server_domain VALUES(1,2);
INSERT INTO server_domain VALUES(7,2);
COMMIT;
`

// TestMain stops the databases that a test has started.
func TestMain(m *testing.M) { rig.Main(m) }

func readAutomx2(t *testing.T, f File) draft.Draft {
	t.Helper()
	var d draft.Draft
	if err := automx2Database.Read([]File{f}, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSQLiteFile reads a database that sqlite3 has made. It is an older one, without the tables and
// columns for LDAP and calendars, and says the same as its dump.
func TestSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db.sqlite")
	rig.Run(t, "", dump, rig.Tool(t, "sqlite3"), path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fromFile := readAutomx2(t, File{Path: path, Data: data})
	fromDump := readAutomx2(t, File{Path: path, Data: []byte(dump)})
	if len(fromFile.Products) != 2 || len(fromFile.Products[0].Provider.Servers) != 1 {
		t.Fatalf("the file has the products %v", fromFile.Products)
	}
	withoutLines := func(d *draft.Draft) {
		for i := range d.Products {
			d.Products[i].Place.Line = 0
		}
		for i := range d.Lost {
			d.Lost[i].Place.Line = 0
		}
	}
	withoutLines(&fromFile)
	withoutLines(&fromDump)
	if !reflect.DeepEqual(fromFile, fromDump) {
		t.Errorf("the file says\n%+v\nand its dump\n%+v", fromFile, fromDump)
	}
}

// TestAutomx2Conf reads the database that automx2.conf names.
func TestAutomx2Conf(t *testing.T) {
	_, tables, _ := strings.Cut(dump, "BEGIN TRANSACTION;\n")
	tables, _, _ = strings.Cut(tables, "COMMIT;")
	want := readAutomx2(t, File{Path: "dump.sql", Data: []byte(dump)})
	read := func(t *testing.T, file, uri string) {
		d := readAutomx2(t,
			File{Path: file, Data: []byte("[automx2]\nloglevel = WARNING\ndb_uri = " + uri + "\nproxy_count = 1\n")})
		if len(d.Products) != len(want.Products) || len(d.Lost) != len(want.Lost) || len(d.Hints) != 1 {
			t.Fatalf("the database says\n%+v\nwant\n%+v", d, want)
		}
		for i := range d.Products {
			if !reflect.DeepEqual(d.Products[i].Domains, want.Products[i].Domains) ||
				!reflect.DeepEqual(d.Products[i].Provider, want.Products[i].Provider) {
				t.Errorf("the database says\n%+v\nwant\n%+v", d.Products[i], want.Products[i])
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		rig.Run(t, "", dump, rig.Tool(t, "sqlite3"), filepath.Join(folder, "db.sqlite"))
		read(t, filepath.Join(folder, "automx2.conf"), "sqlite:///db.sqlite")
		read(t, "automx2.conf", "sqlite:///"+filepath.Join(folder, "db.sqlite"))
	})
	for dialect, server := range map[string]func(testing.TB) *rig.Server{
		"mysql+pymysql": rig.MariaDB, "postgresql+psycopg2": rig.PostgreSQL,
	} {
		t.Run(dialect, func(t *testing.T) {
			s := server(t)
			d := s.Empty(t)
			script := tables
			for _, table := range []string{"provider", "server", "domain", "server_domain"} {
				if s.Scheme == "mysql" {
					script += fmt.Sprintf("GRANT SELECT ON %s.%s TO %s@'127.0.0.1';\n", d.Name, table, d.User)
				} else {
					script += fmt.Sprintf("GRANT SELECT ON %s TO %s;\n", table, d.User)
				}
			}
			if s.Scheme == "mysql" {
				script = strings.ReplaceAll(script, `\`, `\\`)
			}
			d.Run(t, script)
			read(t, "automx2.conf", dialect+"://"+d.User+":"+url.QueryEscape(rig.Password)+"@"+s.Address()+"/"+d.Name+
				"?charset=utf8mb4")
		})
	}
}

// TestAutomx2URI checks which databases cannot be read, and that no password is told.
func TestAutomx2URI(t *testing.T) {
	for uri, want := range map[string]string{
		"sqlite:///:memory:":                    "the database is in the memory of automx2; import its seed file instead",
		"sqlite://":                             "the database is in the memory of automx2; import its seed file instead",
		"oracle://u:secret@db.example/a":        "the database is neither SQLite, MySQL nor PostgreSQL; import a seed file instead",
		"mysql://u:secret@/a?unix_socket=/x":    "it names no host or no database; import a dump of the database instead",
		"mysql://u:secret@db.example:port/a":    "it is not a URL; import a dump of the database instead",
		"postgresql://u:secret%zz@db.example/a": "it is not a URL; import a dump of the database instead",
		"postgresql://u:secret@db.example":      "it names no host or no database; import a dump of the database instead",
		"secret":                                "the database is neither SQLite, MySQL nor PostgreSQL; import a seed file instead",
	} {
		if _, _, problem := automx2URI(uri, "."); problem != want {
			t.Errorf("automx2URI(%q) says %q, want %q", uri, problem, want)
		}
	}
}

// TestDumpLacksRows names the rows that lead nowhere.
func TestDumpLacksRows(t *testing.T) {
	d := readAutomx2(t, File{Path: "dump.sql", Data: []byte(dump)})
	var got []string
	for _, r := range d.Lost {
		got = append(got, r.Place.String()+": "+r.Text)
	}
	want := []string{
		`dump.sql:9: skjer.example has the server "7", which the table server lacks`,
		`dump.sql:9: skjer.example has the provider "9", which the table provider lacks`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("lost:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestDumpBackslash reads a backslash as each database dumps it.
func TestDumpBackslash(t *testing.T) {
	const want = `FJORD\%EMAILLOCALPART%`
	for _, row := range []struct{ name, text string }{
		{"sqlite3", `INSERT INTO server VALUES(1,'FJORD\%EMAILLOCALPART%');`},
		{"pg_dump --inserts", `INSERT INTO public.server VALUES (1, 'FJORD\%EMAILLOCALPART%');`},
		{"pg_dump with an escape", `INSERT INTO public.server VALUES (1, E'FJORD\\%EMAILLOCALPART%');`},
		{"pg_dump", "COPY public.server (id, user_name) FROM stdin;\n1\tFJORD\\\\%EMAILLOCALPART%\n\\.\n"},
		{"mysqldump", "INSERT INTO `server` VALUES (1,'FJORD\\\\%EMAILLOCALPART%');"},
	} {
		tables, err := readDump(File{Path: "dump.sql",
			Data: []byte("CREATE TABLE server (id INT, user_name TEXT);\n" + row.text)})
		if err != nil || len(tables["server"]) != 1 || tables["server"][0].values["user_name"] != want {
			t.Errorf("%s: %v, %v; want the user name %s", row.name, tables, err, want)
		}
	}
}

// TestDumpCut refuses a dump that was cut off between two statements.
func TestDumpCut(t *testing.T) {
	for _, mark := range dumpEnds {
		text := mark[0] + "\nCREATE TABLE server (id INT);\n"
		if _, err := readDump(File{Path: "dump.sql", Data: []byte(text)}); err == nil {
			t.Errorf("a dump that begins with %q and does not end is read", mark[0])
		}
		if _, err := readDump(File{Path: "dump.sql", Data: []byte(text + mark[1] + "\n")}); err != nil {
			t.Errorf("a whole dump: %v", err)
		}
	}
}
