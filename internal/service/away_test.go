package service_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"signpost/internal/certstore"
	"signpost/internal/fault"
	"signpost/internal/freeport"
	"signpost/internal/service"
	"signpost/internal/sources/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// machine is a running service whose certificates are in a database that others share.
type machine struct {
	name, admin string
	mu          sync.Mutex
	text        strings.Builder // what it logged
}

func (m *machine) Write(line []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(line)
}

func (m *machine) log() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// writeMachine writes the configuration of a machine.
func writeMachine(t *testing.T, store certstore.Options, admin string) (file string) {
	t.Helper()
	return rig.Write(t, t.TempDir(), "signpost.yaml", fmt.Sprintf(`name: setup.hoster.test
listen: 127.0.0.1:%s
tls:
  listen: 127.0.0.1:%s
  acme: {directory: "https://localhost:1/", storage: %q, passwordFile: %q, sealFile: %q}
admin: {listen: %s}
dns: {servers: ["127.0.0.1:1"]}
providers:
  - id: hoster
    displayName: Hoster
    domains: [hoster.test]
    servers: [{type: imap, hostname: imap.hoster.test}, {type: smtp, hostname: smtp.hoster.test}]
`, freeport.Choose(t), freeport.Choose(t), store.Database, store.PasswordFile, store.SealFile, admin))
}

func startMachine(t *testing.T, name string, store certstore.Options) *machine {
	t.Helper()
	m := &machine{name: name, admin: "127.0.0.1:" + freeport.Choose(t)}
	file := writeMachine(t, store, m.admin)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx, service.Options{File: file, Log: m}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the machine with %s ends with %v", name, err)
		}
	})
	m.logs(t, "listening for TLS", 1)
	return m
}

// readiness returns what the machine answers to /readyz, or why it does not.
func (m *machine) readiness() (status int, text string) { return get(m.admin, "/readyz") }

// get returns what the admin listener answers, or why it does not.
func get(admin, path string) (status int, text string) {
	response, err := http.Get("http://" + admin + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, strings.TrimSpace(string(body))
}

// becomes waits until /readyz answers a status, with a text that contains another.
func (m *machine) becomes(t *testing.T, when string, status int, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		gotStatus, got := m.readiness()
		if gotStatus == status && strings.Contains(got, text) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s, /readyz of the machine with %s = %d %q, want %d with %q; it logged:\n%s",
				when, m.name, gotStatus, got, status, text, m.log())
		}
	}
}

// logs waits until the log of the machine contains a text so many times.
func (m *machine) logs(t *testing.T, text string, times int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); strings.Count(m.log(), text) < times; {
		time.Sleep(20 * time.Millisecond)
		if time.Now().After(end) {
			t.Fatalf("the log of the machine with %s does not have %d times %q, but:\n%s", m.name, times, text, m.log())
		}
	}
}

// newDatabase makes a database whose user may create tables.
func newDatabase(t *testing.T) *rig.Database {
	t.Helper()
	d := rig.PostgreSQL(t).Empty(t)
	d.Run(t, fmt.Sprintf("GRANT CREATE ON SCHEMA public TO %[1]s; ALTER ROLE %[1]s RESET ALL; "+
		"ALTER ROLE %[1]s CONNECTION LIMIT -1;", d.User))
	return d
}

// options returns the options of the storage in a database, with a key.
func options(t *testing.T, d *rig.Database, key string) certstore.Options {
	return certstore.Options{Database: d.URL, PasswordFile: d.PasswordFile,
		SealFile: rig.Write(t, t.TempDir(), "seal", key)}
}

// TestStoreAway starts two machines while the database of certificates is away. They have no
// certificate, so they are not ready. When the database is there, the one with another key than the
// machine that used the database before says so and is still not ready. The other is ready, and
// stays so when the database is away again.
func TestStoreAway(t *testing.T) {
	server := rig.PostgreSQL(t)
	d := newDatabase(t)
	right := options(t, d, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	first, err := certstore.New(right, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.Close()

	const away = "the store of certificates is away"
	server.Stop()
	good := startMachine(t, "the right key", right)
	bad := startMachine(t, "another key", options(t, d, "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"))
	for _, m := range []*machine{good, bad} {
		m.logs(t, away, 1)
		m.becomes(t, "before the database was reached", http.StatusServiceUnavailable,
			"tls.acme.storage: the store of certificates could not be used since the start: the database ")
	}
	server.Start(t)
	const reason = "the store of certificates is sealed with a key that sealFile does not hold"
	bad.becomes(t, "when the database is back", http.StatusServiceUnavailable, reason)
	if _, text := bad.readiness(); !strings.Contains(text, "tls.acme.storage") {
		t.Errorf("/readyz with another key is %q, want it to name tls.acme.storage", text)
	}
	bad.logs(t, "the store of certificates cannot be used", 1)
	if log := bad.log(); !strings.Contains(log, reason) {
		t.Errorf("the log of the machine with another key does not say that %s:\n%s", reason, log)
	}
	good.logs(t, "the store of certificates is back", 1)
	good.becomes(t, "when the database is back", http.StatusOK, "ready")
	if _, text := good.readiness(); text != "ready" {
		t.Errorf("when the database is back, /readyz = %q, want no remark", text)
	}

	server.Stop()
	good.logs(t, away, 2)
	if status, text := good.readiness(); status != http.StatusOK {
		t.Errorf("when the database is away again, /readyz of the machine with the right key = %d %q, want 200",
			status, text)
	}
	good.becomes(t, "when the database is away again", http.StatusOK, "\nstore of certificates: the database ")
	if _, text := get(good.admin, "/metrics"); !strings.Contains(text, "\nsignpost_certificate_store_failing 1\n") {
		t.Errorf("when the database is away, /metrics does not say so:\n%s", text)
	}
	if log := good.log(); strings.Contains(log, "cannot be used") {
		t.Errorf("the machine with the right key says that the store cannot be used:\n%s", log)
	}
	server.Start(t) // other tests use it
}

// TestCheckStore checks a database whose user has the rights that are needed, and then one too few.
// When the key is being replaced, it warns of what is sealed with the old one.
func TestCheckStore(t *testing.T) {
	d := newDatabase(t)
	const oldKey, newKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"
	store := options(t, d, oldKey)
	l, err := service.Load(writeMachine(t, store, "127.0.0.1:1"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if warning, err := l.CheckStore(t.Context()); warning != "" || err != nil {
		t.Errorf("CheckStore = %q, %v; want no warning, nil", warning, err)
	}
	machine, err := certstore.New(store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := machine.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	machine.Close()
	l.Config.TLS.Store.SealFile = options(t, d, newKey+oldKey).SealFile
	const old = "tls.acme.sealFile: values in the database that are not sealed with its first key yet: 1; " +
		"keep the other keys"
	if warning, err := l.CheckStore(t.Context()); warning != old || err != nil {
		t.Errorf("CheckStore with a new key = %q, %v; want %q, nil", warning, err, old)
	}
	d.Run(t, "DROP TABLE signpost_certificates, signpost_leases; REVOKE CREATE ON SCHEMA public FROM "+d.User+";")
	const want = "tls.acme.storage: the database user lacks rights: CREATE on schema public (42501)"
	cure := "GRANT CREATE ON SCHEMA public TO " + d.User + ";"
	if _, err := l.CheckStore(t.Context()); err == nil || err.Error() != want || fault.Hint(err) != cure {
		t.Errorf("CheckStore without a right = %v with the hint %q, want %s with the hint %q",
			err, fault.Hint(err), want, cure)
	}
}

// TestStoreRefused starts a service whose database of certificates will not have it before something else is
// configured. It does not start, and says what to do; so does a check.
func TestStoreRefused(t *testing.T) {
	d := newDatabase(t)
	right := options(t, d, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	another, _ := rig.Certificate(t, t.TempDir(), "")
	for _, test := range []struct {
		name       string
		change     func(o *certstore.Options)
		want, hint string // the beginning of the hint
	}{
		{"another authority", func(o *certstore.Options) { o.Database += "?caRoot=" + another },
			"the database's certificate is signed by no authority that is trusted here", "?caRoot="},
		{"no TLS", func(o *certstore.Options) { o.Database = rig.PgBouncer(t, d)[0].URL + "?caRoot=" + d.Server.CA },
			"the database does not offer TLS", "let the server offer it; ?socketType=plain"},
		{"a wrong password", func(o *certstore.Options) { o.PasswordFile = rig.Write(t, t.TempDir(), "wrong", "wrong\n") },
			"the database refuses the password (28P01)", ""},
		{"no database", func(o *certstore.Options) { o.Database += "x" }, "the database does not exist (3D000)", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := right
			test.change(&o)
			file := writeMachine(t, o, "127.0.0.1:"+freeport.Choose(t))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // ends a service that has started
			defer cancel()
			l, err := service.Load(file, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			_, unusable := l.CheckStore(ctx)
			for what, err := range map[string]error{
				"Run":        service.Run(ctx, service.Options{File: file, Log: io.Discard}),
				"CheckStore": unusable,
			} {
				if err == nil || err.Error() != "tls.acme.storage: "+test.want {
					t.Errorf("%s = %v, want tls.acme.storage: %s", what, err, test.want)
				}
				if hint := fault.Hint(err); !strings.HasPrefix(hint, test.hint) || (hint == "") != (test.hint == "") {
					t.Errorf("the hint of %s is %q, want %q …", what, hint, test.hint)
				}
			}
		})
	}
}
