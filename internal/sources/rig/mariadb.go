package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

var mariadb struct {
	sync.Mutex
	server *Server
}

// MariaDB returns the MariaDB server, started by the first call.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	mariadb.Lock()
	defer mariadb.Unlock()
	if mariadb.server == nil {
		mariadb.server = startMariaDB(t)
	}
	return mariadb.server
}

// NewMariaDB starts another server, with databases of the same names.
func NewMariaDB(t testing.TB) *Server { return startMariaDB(t) }

func startMariaDB(t testing.TB) *Server {
	t.Helper()
	const owner = "mysql"
	program, install, client := Tool(t, "mariadbd"), Tool(t, "mariadb-install-db"), Tool(t, "mariadb")
	folder := Folder(t, "my", owner)
	// The socket lies where root's client and the server's user can both reach it.
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	data, socket := filepath.Join(folder, "data"), filepath.Join(folder, "socket")
	Run(t, owner, "", install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve")
	cert, key := Certificate(t, folder, owner)
	return attempts(t, func(port string) *Server {
		s := &Server{Scheme: "mysql", Port: port, Socket: socket, CA: cert, owner: owner,
			ready: "ready for connections", quit: syscall.SIGKILL}
		s.command = func() *exec.Cmd {
			return exec.Command(program, "--no-defaults", "--datadir="+data, "--socket="+socket, "--port="+port,
				"--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin",
				"--pid-file="+filepath.Join(folder, "pid"), "--ssl-cert="+cert, "--ssl-key="+key,
				"--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M",
				"--max-connections=300")
		}
		s.administer = func(t testing.TB, database, script string) string {
			t.Helper()
			return Run(t, "", script, client, "--no-defaults", "--socket="+socket, "--user=root", "--batch",
				"--skip-column-names", "--default-character-set=utf8mb4", "--database="+database)
		}
		return s.first(t)
	})
}
