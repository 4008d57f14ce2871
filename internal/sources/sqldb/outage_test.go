package sqldb

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// both calls f for a database of a PostgreSQL and of a MariaDB server.
func both(t *testing.T, f func(t *testing.T, d *rig.Database, options Options)) {
	for _, fixture := range []string{"postfixadmin.pgsql", "postfixadmin.mysql"} {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			f(t, d, presetOptions(t, d.Preset))
		})
	}
}

// ask asks as often at the same time and returns the errors.
func ask(t *testing.T, s *Store, times int) (errors []string) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range times {
		all.Go(func() {
			got := rowsOf(t, s, "info@example.com")
			if got != "info@example.com -> anna@example.com" {
				mu.Lock()
				errors = append(errors, got)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return errors
}

// works asks with all connections until there are no errors, for up to five seconds.
func works(t *testing.T, s *Store, when string) {
	t.Helper()
	start := time.Now()
	errors := ask(t, s, 16)
	for len(errors) > 0 && time.Since(start) < 5*time.Second {
		time.Sleep(50 * time.Millisecond)
		errors = ask(t, s, 16)
	}
	if len(errors) > 0 {
		t.Errorf("%s: %d of 16 questions give %q, want the alias", when, len(errors), errors[0])
	}
}

// fails asks at the same time and wants an error from every question, in time. On a busy
// machine some of them only learn that the time is over.
func fails(t *testing.T, s *Store, when, want string) {
	t.Helper()
	start := time.Now()
	errors := ask(t, s, 16)
	// A question that waits for a connection has the same limit as one that has it.
	if took := time.Since(start); took > DefaultTimeout+2*time.Second {
		t.Errorf("%s: 16 questions at the same time took %v, want %v", when, took, DefaultTimeout)
	}
	if len(errors) < 16 {
		t.Errorf("%s: %d of 16 questions failed, want all", when, len(errors))
	}
	const late = "error: the database does not answer in time"
	other := func(err string) bool { return err != late && err != "error: "+want }
	if !slices.Contains(errors, "error: "+want) || slices.ContainsFunc(errors, other) {
		t.Errorf("%s: questions give %q, want the error %q", when, errors, want)
	}
}

// TestStoppedServer holds the server still, as with a full disk or a machine that swaps.
func TestStoppedServer(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		s := open(t, d, options)
		works(t, s, "before")
		goroutines := runtime.NumGoroutine()
		resume := d.Server.Pause(t)
		defer resume()
		for range 100 { // what was under way may still be answered
			if len(ask(t, s, 16)) == 16 {
				break
			}
		}
		for range 3 {
			fails(t, s, "while the server stands still", "the database does not answer in time")
		}
		if now := runtime.NumGoroutine(); now > goroutines+100 {
			t.Errorf("questions to a server that stands still left %d goroutines, want fewer than 100", now-goroutines)
		}
		resume()
		works(t, s, "after the server went on")
	})
}

// TestKilledConnections ends all connections from the server's side. Nobody notices.
func TestKilledConnections(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		s := open(t, d, options)
		for range 5 {
			works(t, s, "before")
			d.KillConnections(t)
			if errors := ask(t, s, 16); len(errors) > 0 {
				t.Errorf("after the connections were killed %d of 16 questions give %q, want the alias", len(errors),
					errors[0])
			}
		}
	})
}

// TestKilledUnderLoad ends connections while they are in use. No question fails for that.
func TestKilledUnderLoad(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		options.Timeout = 10 * time.Second // how busy the machine is does not matter here
		s := open(t, d, options)
		done := make(chan struct{})
		var killer sync.WaitGroup
		killer.Go(func() {
			for range 5 {
				d.KillConnections(t)
				time.Sleep(20 * time.Millisecond)
			}
			close(done)
		})
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			if errors := ask(t, s, 16); len(errors) > 0 {
				t.Errorf("while connections are killed %d of 16 questions give %q, want the alias", len(errors),
					errors[0])
			}
		}
		killer.Wait()
	})
}

// TestRestart stops and starts the server.
func TestRestart(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		s := open(t, d, options)
		works(t, s, "before")
		d.Server.Stop()
		fails(t, s, "while there is no server", "the database cannot be reached: connection refused")
		d.Server.Start(t)
		works(t, s, "after the server started")
	})
}

// TestHalfOpen has the network swallow everything.
func TestHalfOpen(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		proxy := rig.NewProxy(t, d.Server.Address())
		through := *d
		through.URL = strings.Replace(d.URL, d.Server.Address(), proxy.Address, 1)
		s := open(t, &through, options)
		works(t, s, "before")
		proxy.Swallow(true)
		for range 2 {
			fails(t, s, "while the network swallows", "the database does not answer in time")
		}
		proxy.Swallow(false)
		works(t, s, "after the network came back")
	})
}

// TestLockedTable has somebody lock the table.
func TestLockedTable(t *testing.T) {
	for fixture, script := range map[string]string{
		"postfixadmin.pgsql": "BEGIN; LOCK TABLE alias IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2); COMMIT;",
		"postfixadmin.mysql": "LOCK TABLES alias WRITE; SELECT SLEEP(2);",
	} {
		t.Run(fixture, func(t *testing.T) {
			d := rig.Load(t, fixture)
			s := open(t, d, presetOptions(t, d.Preset))
			works(t, s, "before")
			var locker sync.WaitGroup
			locker.Go(func() { d.Run(t, script) })
			time.Sleep(500 * time.Millisecond)
			fails(t, s, "while the table is locked", "the database does not answer in time")
			locker.Wait()
			works(t, s, "after the table was unlocked")
		})
	}
}

// TestFailover has a first host that refuses, and one that does not answer.
func TestFailover(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		silent := rig.NewProxy(t, d.Server.Address())
		silent.Swallow(true)
		for name, first := range map[string]string{"refuses": "127.0.0.1:1", "does not answer": silent.Address} {
			other := *d
			other.URL = strings.Replace(d.URL, "@", "@"+first+",", 1)
			s := open(t, &other, options)
			if errors := ask(t, s, 1); len(errors) > 0 {
				t.Errorf("with a first host that %s: %q, want the alias", name, errors[0])
			}
			works(t, s, "with a first host that "+name)
			s.Close()
		}
		other := *d
		other.URL = d.Server.Scheme + "://signpost@127.0.0.1:1,127.0.0.1:2/mail"
		fails(t, open(t, &other, options), "with two hosts that refuse",
			"the database cannot be reached: connection refused")
	})
}

// TestSocket connects through Unix sockets.
func TestSocket(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		socket := d.Server.Socket
		if d.Server.Scheme == "postgres" {
			socket = filepath.Join(socket, ".s.PGSQL."+d.Server.Port)
		}
		other := *d
		other.URL = d.Server.Scheme + "://" + d.User + "@/" + d.Name + "?socket=" + socket
		works(t, open(t, &other, options), "through "+socket)
	})
}

// TestTLS verifies the server's certificate.
func TestTLS(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		options.CARoot = d.Server.CA
		s := open(t, d, options)
		works(t, s, "with TLS")
		s.Close()
		encrypted := map[string]string{
			"postgres": "SELECT CASE WHEN ssl THEN 'yes' ELSE 'no' END AS alias, '%s' AS address FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
			"mysql": "SELECT IF(variable_value = '', 'no', 'yes') AS alias, '%s' AS address FROM information_schema.session_status " +
				"WHERE variable_name = 'Ssl_cipher'",
		}[d.Server.Scheme]
		s = open(t, d, Options{Account: encrypted, CARoot: d.Server.CA})
		if got := rowsOf(t, s, "anna@example.com"); got != "anna@example.com -> yes" {
			t.Errorf("is the connection encrypted with a caRoot? %s", got)
		}

		folder := t.TempDir()
		options.CARoot, _ = rig.Certificate(t, folder, "")
		fails(t, open(t, d, options), "with another authority",
			"the database's certificate is signed by no authority that is trusted here")

		options.CARoot = d.Server.CA
		other := *d
		other.URL = strings.Replace(d.URL, d.Server.Address(), forward(t, "127.0.0.2:0", d.Server.Address()), 1)
		fails(t, open(t, &other, options), "with another name", "the database's certificate is for another name")
	})
	d := rig.Load(t, "postfixadmin.pgsql")
	options := presetOptions(t, d.Preset)
	options.CARoot = d.Server.CA
	fails(t, open(t, rig.PgBouncer(t, d)[0], options), "with a server without TLS", "the database does not offer TLS")
}

// forward passes connections to an address on to another one.
func forward(t *testing.T, address, to string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
				go func() {
					io.Copy(pair[0], pair[1])
					pair[0].Close()
				}()
			}
		}
	}()
	return listener.Addr().String()
}

// TestPasswordRotation changes the password, in the database and then in the file.
func TestPasswordRotation(t *testing.T) {
	both(t, func(t *testing.T, d *rig.Database, options Options) {
		s := open(t, d, options)
		works(t, s, "before")
		script, refused := "ALTER ROLE "+d.User+" PASSWORD 'new';", "the database refuses the password (28P01)"
		if d.Server.Scheme == "mysql" {
			script, refused = "SET PASSWORD FOR "+d.User+"@'127.0.0.1' = PASSWORD('new');",
				"the database refuses the user or the password (1045)"
		}
		d.Run(t, script)
		d.KillConnections(t)
		fails(t, s, "with the old password", refused)
		if err := os.WriteFile(d.PasswordFile, []byte("new\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		works(t, s, "with the new password")
	})
}

// TestReplacedFile replaces the file of a SQLite database, as a backup that is restored
// does, and locks it.
func TestReplacedFile(t *testing.T) {
	d := rig.Load(t, "postfixadmin.sqlite")
	s := open(t, d, presetOptions(t, d.Preset))
	works(t, s, "before")
	other := rig.Load(t, "postfixadmin.sqlite")
	other.Run(t, "DELETE FROM alias; DELETE FROM mailbox;")
	if err := os.Rename(other.File, d.File); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if got := rowsOf(t, s, "info@example.com"); got != "" {
			t.Fatalf("Account(info@example.com) = %q from a file that was replaced, want none", got)
		}
	}
	if err := os.Remove(d.File); err != nil {
		t.Fatal(err)
	}
	// What is open stays open until a new file comes.
	if got := rowsOf(t, s, "info@example.com"); got != "" {
		t.Errorf("Account(info@example.com) = %q from a file that was removed, want none", got)
	}
}

// TestLockedFile has another program hold a SQLite database for a second.
func TestLockedFile(t *testing.T) {
	d := rig.Load(t, "postfixadmin.sqlite")
	s := open(t, d, presetOptions(t, d.Preset))
	works(t, s, "before")
	var locker sync.WaitGroup
	locker.Go(func() { d.Run(t, "BEGIN EXCLUSIVE;\n.shell sleep 1\nCOMMIT;\n") })
	for start := time.Now(); len(ask(t, s, 1)) == 0 && time.Since(start) < 5*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	errors := ask(t, s, 4)
	locker.Wait()
	for _, err := range errors {
		if !strings.Contains(err, "the database does not answer in time") && !strings.Contains(err,
			"another program holds the database (5)") {
			t.Errorf("while another program holds the database: %q", err)
		}
	}
	works(t, s, "after the other program let go")
}
