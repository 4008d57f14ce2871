package rig

import (
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

var postgres struct {
	sync.Mutex
	server *Server
}

// PostgreSQL returns the PostgreSQL server, started by the first call.
func PostgreSQL(t testing.TB) *Server {
	t.Helper()
	postgres.Lock()
	defer postgres.Unlock()
	if postgres.server == nil {
		postgres.server = startPostgreSQL(t)
	}
	return postgres.server
}

// NewPostgreSQL starts another server, with databases of the same names.
func NewPostgreSQL(t testing.TB) *Server { return startPostgreSQL(t) }

func startPostgreSQL(t testing.TB) *Server {
	t.Helper()
	const owner = "postgres"
	program, initdb, psql := Tool(t, "postgres"), Tool(t, "initdb"), Tool(t, "psql")
	folder := Folder(t, "pg", owner)
	password := Write(t, folder, "password", "administrator")
	give(t, password, owner)
	data := filepath.Join(folder, "data")
	Run(t, owner, "", initdb, "-D", data, "-A", "scram-sha-256", "--pwfile="+password, "-U", "administrator",
		"-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	cert, key := Certificate(t, folder, owner)
	return attempts(t, func(port string) *Server {
		s := &Server{Scheme: "postgres", Port: port, Socket: folder, CA: cert, owner: owner,
			ready: "database system is ready to accept connections", quit: syscall.SIGQUIT}
		s.command = func() *exec.Cmd {
			command := exec.Command(program, "-D", data, "-p", port, "-k", folder, "-h", "127.0.0.1")
			for _, setting := range []string{"fsync=off", "full_page_writes=off",
				"ssl=on", "ssl_cert_file=" + cert, "ssl_key_file=" + key, "autovacuum=off"} {
				command.Args = append(command.Args, "-c", setting)
			}
			return command
		}
		s.administer = func(t testing.TB, database, script string) string {
			t.Helper()
			if database == "" {
				database = "postgres"
			}
			return Run(t, "", script, psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
				"postgres://administrator:administrator@"+s.Address()+"/"+database)
		}
		return s.first(t)
	})
}
