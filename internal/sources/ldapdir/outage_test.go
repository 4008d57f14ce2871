package ldapdir

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signpost/internal/sources/rig"
)

// ask asks for Anna, for at most a time, and reports how long that took.
func ask(t *testing.T, s *Store, limit time.Duration) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	rows, err := s.Account(ctx, address(t, "anna@example.com"))
	if err == nil && (len(rows) != 1 || rows[0].DisplayName != nameOfAnna) {
		t.Errorf("Account = %+v, want Anna", rows)
	}
	return time.Since(began), err
}

// askMany asks at 64 places at once, and returns how many failed and how long the slowest
// question took.
func askMany(t *testing.T, s *Store, limit time.Duration) (failed int, slowest time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	for range 64 {
		all.Go(func() {
			took, err := ask(t, s, limit)
			mu.Lock()
			defer mu.Unlock()
			slowest = max(slowest, took)
			if err != nil {
				failed++
			}
		})
	}
	all.Wait()
	return failed, slowest
}

// goroutines returns the number of goroutines that package ldap has, or that wait for it.
func goroutines() (n int) {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "go-ldap/ldap") {
			n++
		}
	}
	return n
}

// rightAgain waits until Anna is found again.
func rightAgain(t *testing.T, s *Store) {
	t.Helper()
	began := time.Now()
	for {
		_, err := ask(t, s, time.Second)
		if err == nil {
			t.Logf("right again after %v", time.Since(began).Round(time.Millisecond))
			return
		}
		if time.Since(began) > 5*time.Second {
			t.Fatalf("still wrong 5 s after the return: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// TestOutages takes the server away in every way, under the questions of 64 at once.
func TestOutages(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	proxy := rig.NewProxy(t, d.Server.Address())
	tests := []struct {
		name   string
		uri    string
		begin  func() (end func())
		within time.Duration // in which a question fails
	}{
		{"stopped", d.URI, func() func() { d.Server.Stop(); return func() { d.Server.Start(t) } }, 500 * time.Millisecond},
		{"standing still", d.URI, func() func() { return d.Server.Pause(t) }, 2 * time.Second},
		{"standing still, with TLS", d.TLS, func() func() { return d.Server.Pause(t) }, 2 * time.Second},
		{"a network that swallows", "ldap://" + proxy.Address + "/", func() func() {
			proxy.Swallow(true)
			return func() { proxy.Swallow(false) }
		}, 2 * time.Second},
		{"a right that is gone", d.URI, func() func() { return d.Revoke(t) }, 500 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStore(t, d, test.uri)
			if failed, _ := askMany(t, s, 5*time.Second); failed != 0 {
				t.Fatalf("%d of 64 fail before the outage", failed)
			}
			end := test.begin()
			time.Sleep(50 * time.Millisecond) // a signal takes its time to reach all threads
			for range 2 {
				failed, slowest := askMany(t, s, 2*time.Second)
				if failed != 64 {
					t.Errorf("%d of 64 fail during the outage, want all: a failure is not \"unknown\"", failed)
				}
				if slowest > test.within+time.Second { // the machine is busy
					t.Errorf("the slowest failure took %v, want at most %v", slowest, test.within)
				}
				// A connection has two goroutines of its own, and a search in it two more.
				if n := goroutines(); n > 64*4 {
					t.Errorf("%d goroutines, want at most %d", n, 64*4)
				}
			}
			end()
			rightAgain(t, s)
			if failed, _ := askMany(t, s, 5*time.Second); failed != 0 {
				t.Errorf("%d of 64 fail after the outage", failed)
			}
			s.Close()
			for began := time.Now(); goroutines() > 0; time.Sleep(20 * time.Millisecond) {
				if time.Since(began) > 5*time.Second {
					t.Fatalf("%d goroutines are left after Close", goroutines())
				}
			}
		})
	}
}

// TestLostConnection restarts the server between two questions: the second one goes to a
// new connection, and nobody notices.
func TestLostConnection(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	s := newStore(t, d, d.URI)
	if _, err := ask(t, s, time.Second); err != nil {
		t.Fatal(err)
	}
	d.Server.Stop()
	d.Server.Start(t)
	if _, err := ask(t, s, 2*time.Second); err != nil {
		t.Errorf("Account after a restart of the server = %v, want Anna", err)
	}
}

// TestCutConnection has a connection that ends just when a question comes.
func TestCutConnection(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var cut atomic.Bool
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", d.Server.Address())
			if err != nil {
				client.Close()
				continue
			}
			go io.Copy(client, server)
			go func() {
				defer client.Close()
				defer server.Close()
				question := make([]byte, 4096)
				for {
					n, err := client.Read(question)
					if err != nil || cut.Swap(false) {
						return
					}
					server.Write(question[:n])
				}
			}()
		}
	}()
	s := newStore(t, d, "ldap://"+listener.Addr().String())
	for _, cutNow := range []bool{false, true, false} {
		cut.Store(cutNow)
		if _, err := ask(t, s, 2*time.Second); err != nil {
			t.Errorf("Account, with the connection cut: %v: %v, want Anna", cutNow, err)
		}
	}
}

// TestFailOver has a server that is down, or stands still, before one that works.
func TestFailOver(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	proxy := rig.NewProxy(t, d.Server.Address())
	good := strings.TrimSuffix(d.URI, "/"+d.Suffix)
	t.Run("down", func(t *testing.T) {
		s := newStore(t, d, "ldap://127.0.0.1:9 "+good) // port 9 is discard, which nobody runs
		if _, err := ask(t, s, time.Second); err != nil {
			t.Errorf("Account = %v, want Anna", err)
		}
	})
	t.Run("standing still", func(t *testing.T) {
		s := newStore(t, d, "ldap://"+proxy.Address+" "+good)
		if _, err := ask(t, s, time.Second); err != nil {
			t.Fatal(err)
		}
		if c := s.pool.slots[0].conn; c == nil || c.index != 0 {
			t.Fatal("the first server is not asked first")
		}
		proxy.Swallow(true)
		defer proxy.Swallow(false)
		if took, err := ask(t, s, 5*time.Second); err != nil || took < 400*time.Millisecond {
			t.Errorf("Account = %v after %v, want Anna from the other server", err, took)
		}
		if took, err := ask(t, s, time.Second); err != nil || took > 400*time.Millisecond {
			t.Errorf("then Account = %v after %v, want Anna at once", err, took)
		}
	})
}

// TestPasswordChanges has a password file that is wrong at first.
func TestPasswordChanges(t *testing.T) {
	d := rig.LoadLDAP(t, "iredmail")
	s := newStore(t, d, d.URI)
	right, err := os.ReadFile(d.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.PasswordFile, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = ask(t, s, time.Second)
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != 49 {
		t.Errorf("Account with a wrong password = %v, want result 49", err)
	} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), d.BindDN) {
		t.Errorf("the error holds a secret: %v", err)
	}
	if err := os.WriteFile(d.PasswordFile, right, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, s, time.Second); err != nil {
		t.Errorf("Account with the right password = %v, want Anna", err)
	}
	if err := os.Remove(d.PasswordFile); err != nil {
		t.Fatal(err)
	}
	_, err = ask(t, newStore(t, d, d.URI), time.Second)
	if err == nil || !strings.Contains(err.Error(), d.PasswordFile) {
		t.Errorf("Account without a password file = %v, want an error with its path", err)
	}
}
