package rig

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// PgBouncer starts a PgBouncer before PostgreSQL for the users of some of its databases,
// with transaction pooling and two connections for each of them: the mode in which a
// driver's prepared statements reach the wrong connection. It returns the databases as
// reached through it.
func PgBouncer(t testing.TB, databases ...*Database) []*Database {
	t.Helper()
	const owner = "postgres"
	program := Tool(t, "pgbouncer")
	behind := PostgreSQL(t)
	folder := Folder(t, "pb", owner)
	var users strings.Builder
	for _, database := range databases {
		fmt.Fprintf(&users, "%q %q\n", database.User, Password)
	}
	passwords := Write(t, folder, "users", users.String())
	give(t, passwords, owner)
	server := attempts(t, func(port string) *Server {
		settings := Write(t, folder, "pgbouncer.ini", fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir = %s
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
default_pool_size = 2
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
pidfile = %s
`, behind.Port, port, folder, passwords, filepath.Join(folder, "pid")))
		give(t, settings, owner)
		s := &Server{Scheme: "postgres", Port: port, Socket: folder, owner: owner,
			ready: "process up", quit: syscall.SIGTERM, administer: behind.administer}
		s.command = func() *exec.Cmd { return exec.Command(program, settings) }
		return s.first(t)
	})
	var through []*Database
	for _, database := range databases {
		other := *database
		other.Server = server
		other.URL = "postgres://" + other.User + "@" + server.Address() + "/" + other.Name
		through = append(through, &other)
	}
	return through
}
