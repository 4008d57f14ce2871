package rig

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

// asUser runs a query with a database's own user and returns output and error.
func asUser(t *testing.T, d *Database, query string) (string, error) {
	t.Helper()
	command := exec.Command(Tool(t, "sqlite3"), d.File, query)
	if d.Server != nil && d.Server.Scheme == "postgres" {
		command = exec.Command(Tool(t, "psql"), "-X", "-A", "-t", "-c", query,
			"postgres://"+d.User+":"+Password+"@"+d.Server.Address()+"/"+d.Name)
	} else if d.Server != nil {
		command = exec.Command(Tool(t, "mariadb"), "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
			"--port="+d.Server.Port, "--user="+d.User, "--password="+Password, "--batch", "--skip-column-names",
			"--default-character-set=utf8mb4", "--execute="+query, d.Name)
	}
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestGrants holds every fixture to what its user may read: each table of the grants, and
// no password.
func TestGrants(t *testing.T) {
	secrets := map[string]string{
		"postfixadmin": "password FROM mailbox", "mailcow": "password FROM mailbox", "iredmail": "password FROM mailbox",
		"modoboa": "password FROM core_user", "mailu": `password FROM "user"`, "ispconfig": "password FROM mail_user",
		"froxlor": "password_enc FROM mail_users", "vimbadmin": "password FROM mailbox",
		"gromox": "privilege_bits FROM users", "ispmail": "password FROM virtual_users",
	}
	for _, fixture := range SQL() {
		t.Run(fixture, func(t *testing.T) {
			d := Load(t, fixture)
			if d.Server == nil {
				return // a file has no users
			}
			var all []string
			for _, what := range grants[d.Preset] {
				table, columns, some := strings.Cut(what, " ")
				if columns = strings.Trim(columns, "()"); !some {
					columns = "*"
				}
				all = append(all, "SELECT "+columns+" FROM "+table)
			}
			if out, err := asUser(t, d, strings.Join(all, "; ")); err != nil {
				t.Errorf("%q: %v: %s", all, err, out)
			}
			if out, err := asUser(t, d, "SELECT "+secrets[d.Preset]); err == nil {
				t.Errorf("the user may read %s: %s", secrets[d.Preset], out)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for _, fixture := range []string{"postfixadmin.pgsql", "postfixadmin.mysql", "postfixadmin.sqlite"} {
		out, err := asUser(t, Load(t, fixture), "SELECT name FROM mailbox WHERE username = 'anna@example.com'")
		if err != nil || out != "Anna Åström" {
			t.Errorf("%s: name = %q, %v, want Anna Åström", fixture, out, err)
		}
	}
}

func TestPgBouncer(t *testing.T) {
	through := PgBouncer(t, Load(t, "mailu.pgsql"))[0]
	if out, err := asUser(t, through, "SELECT count(*) FROM domain"); err != nil || out != "3" {
		t.Errorf("count through PgBouncer = %q, %v, want 3", out, err)
	}
}

// TestOutage stops and starts both servers, and holds them still.
func TestOutage(t *testing.T) {
	for _, fixture := range []string{"mailu.pgsql", "ispmail"} {
		t.Run(fixture, func(t *testing.T) {
			d := Load(t, fixture)
			answers := func() error {
				out, err := asUser(t, d, "SELECT 1")
				if err != nil {
					t.Log(out)
				}
				return err
			}
			d.Server.Stop()
			if answers() == nil {
				t.Error("a stopped server answers")
			}
			d.Server.Start(t)
			if err := answers(); err != nil {
				t.Errorf("a server that was started again: %v", err)
			}
			resume := d.Server.Pause(t)
			start := time.Now()
			time.AfterFunc(300*time.Millisecond, resume)
			if err := answers(); err != nil || time.Since(start) < 250*time.Millisecond {
				t.Errorf("a paused server answered after %v: %v", time.Since(start), err)
			}
			d.KillConnections(t)
			d.Revoke(t)
			count := "SELECT count(*) FROM " +
				map[string]string{"mailu": "domain", "ispmail": "virtual_domains"}[d.Preset]
			if out, err := asUser(t, d, count); err == nil {
				t.Errorf("a user without rights counted: %s", out)
			}
			d.Grant(t)
			if out, err := asUser(t, d, count); err != nil {
				t.Errorf("a user with rights again: %s", out)
			}
		})
	}
}
