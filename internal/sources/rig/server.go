package rig

import (
	"cmp"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"signpost/internal/freeport"
)

// Server is a running database server, which all tests of a test binary share.
type Server struct {
	Scheme  string // of its URLs: postgres or mysql
	Port    string // on 127.0.0.1, or on host
	Socket  string // the folder (PostgreSQL) or the file (MariaDB) of its Unix socket
	CA      string // a PEM file that its certificate is verified with
	host    string // empty: 127.0.0.1
	owner   string // as whom it runs
	ready   string // what it logs when it answers
	quit    syscall.Signal
	command func() *exec.Cmd
	// administer runs a script in a database, "" for none, as its administrator.
	administer func(t testing.TB, database, script string) string

	mu      sync.Mutex
	process *Process
	loaded  int // how many databases were made
}

// Address returns host and port.
func (s *Server) Address() string { return cmp.Or(s.host, "127.0.0.1") + ":" + s.Port }

// Start starts the server again, on the same port and with the same files.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process = Start(t, s.owner, s.ready, s.command()); s.process == nil {
		t.Fatal("the server does not start")
	}
	s.listens(t)
}

// listens waits until a server of LDAP takes connections: slapd logs that it starts a moment
// before, and Samba says nothing.
func (s *Server) listens(t testing.TB) {
	t.Helper()
	for began := time.Now(); s.Scheme == "ldap"; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.Address())
		if err == nil {
			conn.Close()
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the server does not listen: %v", err)
		}
	}
}

// Stop stops the server without waiting for its clients: from then on connections are
// refused.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.Stop(s.quit)
		s.process = nil
	}
}

// Pause stops the server and its children with SIGSTOP, as if the machine stood still.
func (s *Server) Pause(t testing.TB) (resume func()) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process.Pause(t)
}

// KillConnections ends the connections of a user from the server's side.
func (s *Server) KillConnections(t testing.TB, name string) {
	t.Helper()
	if s.Scheme == "postgres" {
		s.administer(t, "postgres", fmt.Sprintf(
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '%s';", name))
		return
	}
	s.administer(t, "", fmt.Sprintf("KILL CONNECTION USER %s;", name))
}

// first starts the server for the first time, and returns nil if it does not start.
func (s *Server) first(t testing.TB) *Server {
	t.Helper()
	if s.process = Start(t, s.owner, s.ready, s.command()); s.process == nil {
		return nil
	}
	atEnd(s.Stop)
	s.listens(t)
	return s
}

// attempts starts a server on one free port after the other: another process may take a
// port in between.
func attempts(t testing.TB, start func(port string) *Server) *Server {
	t.Helper()
	for range 3 {
		if server := start(freeport.Choose(t)); server != nil {
			return server
		}
	}
	t.Fatal("the server does not start after 3 attempts")
	return nil
}
