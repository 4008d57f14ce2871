//go:build unix

package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"signpost/internal/certstore"
	"signpost/internal/freeport"
	"signpost/internal/sources/rig"
)

// machineVariable makes TestRenewalsAfterOutage be a machine that is described by the value.
const machineVariable = "SIGNPOST_TEST_MACHINE"

// machine is a process that shares its certificates with others in a database.
type machine struct {
	Database, PasswordFile string
	Directory, CARoot      string // of the ACME server
	Plain, Secure          string // addresses that it listens at
}

// run serves until the standard input ends.
func (m machine) run(t *testing.T) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	store, err := certstore.New(certstore.Options{Database: m.Database, PasswordFile: m.PasswordFile}, logger)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	manager, err := newManager(Options{
		ACME:   &ACME{Directory: m.Directory, CARoot: m.CARoot},
		Shared: store,
		Policy: &testPolicy{allowed: (&Names{Domains: exampleDomains{}}).Allowed},
		Log:    logger,
	}, tuning{renewEvery: 100 * time.Millisecond, renewRatio: renewRatio, withoutARI: true})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	plain := &http.Server{Handler: manager.HTTPChallenge(http.NotFoundHandler())}
	go plain.Serve(listenAt(t, m.Plain))
	secure := &http.Server{TLSConfig: manager.TLSConfig(), ErrorLog: log.New(io.Discard, "", 0)}
	go secure.ServeTLS(listenAt(t, m.Secure), "", "")
	manager.Start(t.Context())
	io.Copy(io.Discard, os.Stdin)
}

// start starts the machine as another process, which ends with the test.
func (m machine) start(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	output, err := os.Create(fmt.Sprintf("%s/log", t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRenewalsAfterOutage$")
	cmd.Env = append(os.Environ(), machineVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = output, output
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		hold.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("a machine ended with %v", err)
		}
		if said, err := os.ReadFile(output.Name()); err == nil && t.Failed() {
			t.Logf("the log of a machine:\n%s", said)
		}
	})
}

// startMachines starts machines that share a database. The ACME server reaches one after the other.
func (n *network) startMachines(t *testing.T, d *rig.Database, count int) []machine {
	t.Helper()
	d.Run(t, fmt.Sprintf("GRANT CREATE ON SCHEMA public TO %s; ALTER ROLE %[1]s RESET ALL; "+
		"ALTER ROLE %[1]s CONNECTION LIMIT -1;", d.User))
	var machines []machine
	var plain, secure []string
	for range count {
		m := machine{
			Database: d.URL, PasswordFile: d.PasswordFile, Directory: n.server.URL + "/dir", CARoot: n.rootFile,
			Plain: "127.0.0.1:" + freeport.Choose(t), Secure: "127.0.0.1:" + freeport.Choose(t),
		}
		m.start(t)
		machines, plain, secure = append(machines, m), append(plain, m.Plain), append(secure, m.Secure)
	}
	for _, address := range secure {
		within(t, 20*time.Second, "a machine listens", func() bool {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return false
			}
			conn.Close()
			return true
		})
	}
	go inTurn(n.plain, plain)
	go inTurn(n.secure, secure)
	return machines
}

// Certificates of this life are due for renewal when a quarter of it has passed.
const (
	renewLife  = 48 * time.Second
	renewRatio = 0.75
	renewDue   = 12 * time.Second
)

// TestRenewalsAfterOutage takes the database away from three machines, until after the time when
// their certificates are due for renewal. They go on serving what they have. When the database is
// back each certificate is renewed at once, by one of them, and all machines serve the new one.
func TestRenewalsAfterOutage(t *testing.T) {
	if text := os.Getenv(machineVariable); text != "" {
		var m machine
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		m.run(t)
		return
	}
	postgres := rig.PostgreSQL(t)
	n := newNetwork(t, networkOptions{validity: uint64(renewLife / time.Second)})
	machines := n.startMachines(t, postgres.Empty(t), 3)

	const names = 3
	served := make([]*x509.Certificate, names)
	var group sync.WaitGroup
	for i := range names {
		group.Go(func() {
			var err error
			if served[i], err = n.served(machines[i].Secure, hosted(i)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	last := served[0].NotBefore
	for i, c := range served {
		for _, m := range machines {
			if !n.mustServe(m.Secure, hosted(i)).Equal(c) {
				t.Fatalf("%s: two machines serve different certificates", hosted(i))
			}
		}
		if c.NotBefore.After(last) {
			last = c.NotBefore
		}
	}
	if got := n.orders.Load(); got != names {
		t.Fatalf("%d orders for %d names, want one for each", got, names)
	}

	postgres.Stop()
	for time.Since(last) < renewDue+2*time.Second {
		for i, c := range served {
			for _, m := range machines {
				if !n.mustServe(m.Secure, hosted(i)).Equal(c) {
					t.Fatalf("%s: another certificate while the database is away", hosted(i))
				}
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
	if got := n.orders.Load(); got != names {
		t.Errorf("%d orders while the database is away, want none", got-names)
	}
	postgres.Start(t)

	back := time.Now()
	for i, c := range served {
		for _, m := range machines {
			within(t, renewDue/2, "a machine serves the renewed certificate of "+hosted(i), func() bool {
				return !n.mustServe(m.Secure, hosted(i)).Equal(c)
			})
		}
	}
	t.Logf("%.1f s after the database was back, all machines served renewed certificates", time.Since(back).Seconds())
	if got := n.orders.Load() - names; got != names {
		t.Errorf("%d orders for the renewal of %d certificates, want one for each", got, names)
	}
}

func hosted(i int) string { return fmt.Sprintf("autoconfig.d%d.example", i) }

// mustServe returns the certificate that is served at an address.
func (n *network) mustServe(address, name string) *x509.Certificate {
	n.t.Helper()
	c, err := n.served(address, name)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

func (n *network) served(address, name string) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, RootCAs: n.roots})
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", name, address, err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// inTurn passes connections on to one address after the other, until the listener is closed.
func inTurn(l net.Listener, addresses []string) {
	for i := 0; ; i++ {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", addresses[i%len(addresses)])
		if err != nil {
			client.Close()
			continue
		}
		for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
			go func() {
				io.Copy(way[0], way[1])
				way[0].Close()
			}()
		}
	}
}
