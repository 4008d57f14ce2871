package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signpost/account"
)

const customer = "autoconfig.customer.example"

// renewed is a name of its own for each test that has a certificate renewed:
// certmagic remembers as long as the process lives whose renewal has failed, be
// it that the test's end cut it off, and leaves the name alone for a minute.
func renewed() string { return fmt.Sprintf("autoconfig.renewed%d.example", renewals.Add(1)) }

var renewals atomic.Int32

// TestFirstHandshake: whoever asks first waits for the order, and the next one
// does not. Each way of validation does it alone.
func TestFirstHandshake(t *testing.T) {
	for _, test := range []struct {
		name   string
		world  worldOptions
		byHTTP bool
	}{
		{"http-01", worldOptions{withoutTLS: true}, true},
		{"tls-alpn-01", worldOptions{withoutHTTP: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.world)
			s := w.start(t.TempDir(), nil, nil)
			state := s.mustDial(customer)
			if got := state.PeerCertificates[0].DNSNames; len(got) != 1 || got[0] != customer {
				t.Errorf("the certificate names %v", got)
			}
			if byHTTP := s.answered.Load() > 0; byHTTP != test.byHTTP {
				t.Errorf("%d challenges came by HTTP\n%s", s.answered.Load(), s.log)
			}
			orders := w.orders.Load()
			s.mustDial("AutoConfig.Customer.Example")
			if got := w.orders.Load(); got != orders {
				t.Errorf("the second handshake cost %d orders", got-orders)
			}
			if s.log.count("certificate obtained", customer) != 1 {
				t.Errorf("the log does not tell:\n%s", s.log)
			}
			status := s.Status()
			if status.Count(Valid) != 1 || status.Orders.Obtained != 1 || status.NextExpiry().Before(time.Now()) {
				t.Errorf("status %+v", status)
			}
		})
	}
}

// TestAtOnce: however many ask at once, there is one order.
func TestAtOnce(t *testing.T) {
	w := newWorld(t, worldOptions{})
	var decisions atomic.Int64
	s := w.start(t.TempDir(), nil, func(o *Options) {
		allowed := o.Allowed
		o.Allowed = func(ctx context.Context, name string) error {
			decisions.Add(1)
			return allowed(ctx, name)
		}
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := s.dial(customer); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if orders, asked := w.orders.Load(), decisions.Load(); orders != 1 || asked != 1 {
		t.Errorf("%d orders, %d decisions", orders, asked)
	}
}

// TestNotOurs: a name that is not hosted costs neither an order nor anything
// else at the ACME server, nor a file, and is refused at once with the alert that
// says so.
func TestNotOurs(t *testing.T) {
	w := newWorld(t, worldOptions{})
	folder := t.TempDir()
	s := w.start(folder, nil, nil)
	s.mustDial(customer)
	requests, before := w.requests.Load(), tree(t, folder)
	for _, name := range []string{
		"autoconfig.stranger.test",
		"autodiscover.not.hosted.example",
		"customer.example",                        // the apex, without opting in
		"www.customer.example",                    // a name that no client derives
		"autoconfig.example",                      // the prefix of a public suffix
		"localhost",                               // no domain
		"autoconfig..customer.example",            // no name at all
		"autoconfig.customer.example.attacker",    // a label more
		"..%2f..%2fautoconfig.customer.example",   // somebody's trick
		strings.Repeat("a.", 100) + "example.com", // long
	} {
		if _, err := s.dial(name); !isAlert(err, unrecognizedName) {
			t.Errorf("%s: got %v, want the alert unrecognized_name", name, err)
		}
	}
	if got := w.requests.Load(); got != requests {
		t.Errorf("the ACME server got %d requests", got-requests)
	}
	if after := tree(t, folder); after != before {
		t.Errorf("the folder was\n%sand is\n%s", before, after)
	}
	if s.log.count("level=WARN") > 0 {
		t.Errorf("strangers can write into the log:\n%s", s.log)
	}
}

// What crypto/tls says of an alert that the other side sent (RFC 8446 §6.2).
const (
	unrecognizedName = "tls: unrecognized name"
	internalError    = "tls: internal error"
)

func isAlert(err error, alert string) bool {
	var remote *net.OpError
	return errors.As(err, &remote) && remote.Op == "remote error" && remote.Err.Error() == alert
}

// tree lists a folder, without what certmagic notes about clearing it.
func tree(t *testing.T, folder string) string {
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && !strings.Contains(path, "last_clean") && !strings.Contains(path, "locks") {
			all.WriteString(path + "\n")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestRestart: what is in the folder is not ordered again, whether or not the
// ACME server can be reached.
func TestRestart(t *testing.T) {
	w := newWorld(t, worldOptions{})
	folder := t.TempDir()
	first := w.start(folder, nil, nil)
	serial := first.mustDial(customer).PeerCertificates[0].SerialNumber
	first.stop()
	w.server.Close()
	second := w.start(folder, nil, nil)
	if again := second.mustDial(customer).PeerCertificates[0].SerialNumber; again.Cmp(serial) != 0 {
		t.Error("a second certificate was ordered")
	}
	// Nor was one tried: with the server gone it would have failed.
	if got := second.Status().Orders; got.Obtained+got.Failed != 0 {
		t.Errorf("orders after the restart: %+v", got)
	}
}

// TestOwnName: the service's own certificate is there before anybody asks, and
// who names no host gets it.
func TestOwnName(t *testing.T) {
	w := newWorld(t, worldOptions{})
	s := w.start(t.TempDir(), nil, func(o *Options) { o.Name = "setup.hoster.example" })
	within(t, 10*time.Second, "its certificate", func() bool { return s.Status().Count(Valid) == 1 })
	c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState().PeerCertificates[0].DNSNames[0]; got != "setup.hoster.example" {
		t.Errorf("got the certificate of %s", got)
	}
}

// TestNobodyAsked: without an e-mail address, certmagic would ask for one on the
// terminal.
func TestNobodyAsked(t *testing.T) {
	terminal, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	real := os.Stdout
	os.Stdout = terminal
	defer func() { os.Stdout = real }()
	w := newWorld(t, worldOptions{})
	w.start(t.TempDir(), nil, func(o *Options) { o.ACME.Email = "" }).mustDial(customer)
	if text, err := os.ReadFile(terminal.Name()); err != nil || len(text) > 0 {
		t.Errorf("somebody was asked (%v):\n%s", err, text)
	}
}

// TestRenewal: certificates that live for seconds are renewed in time, with no
// handshake failing, however often that comes to pass.
func TestRenewal(t *testing.T) {
	name := renewed()
	w := newWorld(t, worldOptions{validity: 8})
	s := w.start(t.TempDir(), func(k *tuning) { k.renewEvery, k.renewRatio, k.withoutARI = 50*time.Millisecond, 0.9, true }, nil)
	serials := map[string]bool{}
	for end := time.Now().Add(30 * time.Second); len(serials) < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d certificates\n%s", len(serials), s.log)
		}
		serials[s.mustDial(name).PeerCertificates[0].SerialNumber.String()] = true
	}
	within(t, 5*time.Second, "two lines of renewals", func() bool {
		return s.log.count("certificate obtained", "renewal=true") >= 2
	})
	if got := len(s.Status().Certificates); got != 1 {
		t.Errorf("%d certificates are in memory", got)
	}
}

// TestExpired: a certificate that expired while nobody asked is not served but
// replaced.
func TestExpired(t *testing.T) {
	w := newWorld(t, worldOptions{validity: 4})
	folder := t.TempDir()
	tune := func(k *tuning) { k.renewEvery, k.renewRatio, k.withoutARI = time.Hour, 0.01, true }
	s := w.start(folder, tune, nil)
	old := s.mustDial(customer).PeerCertificates[0]
	within(t, 5*time.Second, "the end of a certificate", func() bool { return time.Now().After(old.NotAfter) })
	// Out of memory, and after a restart out of the folder.
	second := s.mustDial(customer).PeerCertificates[0]
	if second.SerialNumber.Cmp(old.SerialNumber) == 0 {
		t.Error("the old one was served")
	}
	s.stop()
	within(t, 5*time.Second, "the end of a certificate", func() bool { return time.Now().After(second.NotAfter) })
	if third := w.start(folder, tune, nil).mustDial(customer).PeerCertificates[0]; third.SerialNumber.Cmp(second.SerialNumber) == 0 {
		t.Error("the old one was served after a restart")
	}
}

// TestServerDown: without the ACME server, what there is serves on. The first
// name without a certificate finds the server gone, and then all are refused at
// once, without asking it.
func TestServerDown(t *testing.T) {
	w := newWorld(t, worldOptions{})
	s := w.start(t.TempDir(), nil, nil)
	s.mustDial(customer)
	w.server.Close()
	const other = "autodiscover.customer.example"
	if _, err := s.dial(other); err == nil {
		t.Fatal("there is a certificate")
	}
	if s.log.count("level=WARN", "order failed", other, "connection refused") != 1 {
		t.Errorf("the log does not tell once that the order failed:\n%s", s.log)
	}
	for _, name := range []string{other, "autoconfig.another.example"} {
		if _, err := s.dial(name); !isAlert(err, internalError) {
			t.Errorf("%s: got %v, want the alert internal_error", name, err)
		}
		if s.log.count("level=WARN", "no certificate", name, "the ACME server failed") != 1 {
			t.Errorf("the log does not tell once why %s has none:\n%s", name, s.log)
		}
	}
	if got := s.Status().Orders.Failed; got != 1 {
		t.Errorf("%d orders failed, want none after the first", got)
	}
	s.mustDial(customer)
	// The account could not be registered either, and the error names it.
	fresh := w.another(s, t.TempDir())
	if _, err := fresh.dial(customer); err == nil || fresh.log.count("order failed", "registering account", "‹email›") != 1 {
		t.Errorf("got %v and\n%s", err, fresh.log)
	}
	if stopped := s.Status().Orders.StoppedUntil; stopped.Before(time.Now()) {
		t.Errorf("orders are stopped until %v", stopped)
	}
	if log := s.log.String() + fresh.log.String(); strings.Contains(log, "anna.operator") {
		t.Errorf("the operator's address is in the log:\n%s", log)
	}
}

// TestServerSlow: an order that takes longer than the server grants for a
// handshake does not end the handshake.
func TestServerSlow(t *testing.T) {
	w := newWorld(t, worldOptions{})
	w.delay.Store(int64(handshakeTimeout + time.Second))
	s := w.start(t.TempDir(), nil, nil)
	s.mustDial(customer)
}

// TestBackOff: a name that cannot be validated costs the two orders of an
// attempt, and no more until its time has come.
func TestBackOff(t *testing.T) {
	w := newWorld(t, worldOptions{})
	var looks atomic.Int64
	s := w.start(t.TempDir(), nil, func(o *Options) {
		o.LeadsHere = func(context.Context, string) error { looks.Add(1); return nil }
	})
	if _, err := s.dial(missing); err == nil {
		t.Fatal("there is a certificate")
	}
	orders := w.orders.Load()
	if orders == 0 || orders > ordersPerAttempt {
		t.Errorf("%d orders for one attempt", orders)
	}
	for range 20 {
		if _, err := s.dial(missing); err == nil {
			t.Fatal("there is a certificate")
		}
	}
	if got := w.orders.Load(); got != orders || looks.Load() != 1 {
		t.Errorf("%d orders and %d DNS look-ups in spite of the failure", got-orders, looks.Load()-1)
	}
	if got := s.log.count("order failed", missing); got != 1 {
		t.Errorf("%d lines about one failure\n%s", got, s.log)
	}
	if got := s.log.count("no certificate", missing); got == 0 || got > linesPerMinute {
		t.Errorf("%d lines about twenty refusals", got)
	}
	if got := s.Status(); got.Count(Failed) != 1 || got.Orders.Failed != 1 {
		t.Errorf("status %+v", got)
	}
	s.mustDial(customer) // others are not held up
	orders = w.orders.Load()
	s.later(failedName)
	if _, err := s.dial(missing); err == nil {
		t.Fatal("there is a certificate")
	}
	if w.orders.Load() == orders {
		t.Error("it was not tried again")
	}
}

// later sets the clock of the limits forward.
func (s *service) later(d time.Duration) {
	l := s.acme.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now
	l.now = func() time.Time { return now().Add(d) }
}

// TestOrdersPerHour: the bound holds at the ACME server's door.
func TestOrdersPerHour(t *testing.T) {
	w := newWorld(t, worldOptions{})
	s := w.start(t.TempDir(), nil, func(o *Options) {
		o.ACME.OrdersPerHour = 4
		o.Listed = func(string) bool { return true }
	})
	names := []string{"autoconfig.a.example", "autoconfig.b.example", "autoconfig.c.example", "autoconfig.d.example"}
	ask := func() (served int) {
		for _, name := range names {
			if _, err := s.dial(name); err == nil {
				served++
			}
		}
		return served
	}
	// Of four, one is kept for renewals, and an attempt needs room for two.
	if served := ask(); served != 2 || w.orders.Load() != 2 {
		t.Errorf("%d names served, %d orders", served, w.orders.Load())
	}
	if s.log.count("no certificate", "no more than 3 may be") == 0 {
		t.Errorf("the log does not tell:\n%s", s.log)
	}
	s.later(window)
	if served := ask(); served != 4 || w.orders.Load() != 4 {
		t.Errorf("an hour later %d names served, %d orders", served, w.orders.Load())
	}
}

// TestUnknown: while nobody can tell whether a name is ours, nothing is ordered
// for it, and what there is serves on.
func TestUnknown(t *testing.T) {
	w := newWorld(t, worldOptions{})
	folder := t.TempDir()
	w.start(folder, nil, nil).withStop(func(s *service) { s.mustDial(customer) })
	s := w.start(folder, nil, func(o *Options) {
		o.Allowed = func(context.Context, string) error { return errors.New("the name server is silent") }
	})
	s.mustDial(customer)
	_, err := s.dial("autodiscover.customer.example")
	if !isAlert(err, internalError) {
		t.Errorf("got %v, want the alert internal_error", err)
	}
	if got := w.orders.Load(); got != 1 {
		t.Errorf("%d orders", got)
	}
	if s.log.count("no certificate", "the name server is silent") != 1 {
		t.Errorf("the log does not tell:\n%s", s.log)
	}
}

// another takes the place of a service.
func (w *world) another(s *service, storage string) *service {
	s.stop()
	return w.start(storage, nil, nil)
}

func (s *service) withStop(do func(*service)) {
	defer s.stop()
	do(s)
}

// TestLeadsElsewhere: a name of ours whose DNS leads elsewhere costs no order.
func TestLeadsElsewhere(t *testing.T) {
	w := newWorld(t, worldOptions{})
	s := w.start(t.TempDir(), nil, func(o *Options) {
		o.LeadsHere = func(_ context.Context, name string) error {
			if name == customer {
				return errors.New("it is at 192.0.2.7")
			}
			return nil
		}
	})
	if _, err := s.dial(customer); err == nil || w.requests.Load() != 0 {
		t.Errorf("got %v and %d requests", err, w.requests.Load())
	}
	if s.log.count("no certificate", "192.0.2.7") != 1 {
		t.Errorf("the log does not tell:\n%s", s.log)
	}
	s.mustDial("autodiscover.customer.example")
}

// TestLeft: the certificate of a customer who has left is not renewed, nor
// served any longer than to the moment when it would have been.
func TestLeft(t *testing.T) {
	name := renewed()
	w := newWorld(t, worldOptions{})
	var left sync.Map
	s := w.start(t.TempDir(), func(k *tuning) { k.renewEvery, k.renewRatio, k.withoutARI = 50*time.Millisecond, 1, true }, func(o *Options) {
		allowed := o.Allowed
		o.Allowed = func(ctx context.Context, name string) error {
			if _, gone := left.Load(name); gone {
				return account.ErrUnknownDomain
			}
			return allowed(ctx, name)
		}
	})
	s.mustDial(name)
	left.Store(name, true)
	within(t, 10*time.Second, "no certificate", func() bool {
		_, err := s.dial(name)
		return err != nil
	})
	orders := w.orders.Load()
	if _, err := s.dial(name); err == nil || w.orders.Load() != orders {
		t.Errorf("got %v and %d orders", err, w.orders.Load()-orders)
	}
	if files := tree(t, s.acme.storage.Path); strings.Contains(files, name+".") {
		t.Errorf("it would be served again after a restart:\n%s", files)
	}
}

// TestDamaged: files that a crash or a full disk has damaged are replaced.
func TestDamaged(t *testing.T) {
	w := newWorld(t, worldOptions{})
	folder := t.TempDir()
	w.start(folder, nil, nil).withStop(func(s *service) { s.mustDial(customer) })
	found := 0
	filepath.WalkDir(folder, func(path string, _ os.DirEntry, _ error) error {
		if strings.HasSuffix(path, customer+".crt") {
			found++
			return os.WriteFile(path, nil, 0o600)
		}
		return nil
	})
	if found != 1 {
		t.Fatalf("%d certificates in the folder", found)
	}
	w.start(folder, nil, nil).mustDial(customer)
	if got := w.orders.Load(); got != 2 {
		t.Errorf("%d orders", got)
	}
}

// TestFolder: a folder that cannot be written to is said at the start.
func TestFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		acme ACME
		want string
	}{
		{ACME{Storage: filepath.Join(file, "certificates")}, "certificates: not a directory"},
		{ACME{}, "there is no folder"},
		{ACME{Storage: t.TempDir(), CARoot: file}, "no certificate in PEM form"},
		{ACME{Storage: t.TempDir(), CARoot: file + "s"}, "files: no such file"},
	} {
		m, err := New(Options{ACME: &test.acme})
		if err == nil {
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got %v", test.acme, err)
		}
	}
}

// TestRenewalFails: as long as it is valid a certificate serves on, whatever
// becomes of its renewal. Then it is neither served nor renewed any more, and
// who asks for it is refused at once.
func TestRenewalFails(t *testing.T) {
	name := renewed()
	w := newWorld(t, worldOptions{validity: 8})
	s := w.start(t.TempDir(), func(k *tuning) { k.renewEvery, k.renewRatio, k.withoutARI = 50*time.Millisecond, 0.75, true }, nil)
	serial := s.mustDial(name).PeerCertificates[0]
	w.server.Close()
	for tried := false; !tried; {
		if time.Until(serial.NotAfter) < time.Second {
			t.Fatalf("the log does not tell that its renewal failed:\n%s", s.log)
		}
		tried = s.log.count("order failed", name, "renewal=true") > 0
		if got := s.mustDial(name).PeerCertificates[0]; got.SerialNumber.Cmp(serial.SerialNumber) != 0 {
			t.Fatal("it was renewed by nobody")
		}
	}
	within(t, 15*time.Second, "a refusal", func() bool {
		_, err := s.dial(name)
		return isAlert(err, internalError)
	})
	if got := s.Status(); got.Count(Expired) != 0 || got.Count(Failed) != 1 {
		t.Errorf("status %+v", got)
	}
	if got := s.log.count("level=WARN"); got > 2*linesPerMinute {
		t.Errorf("%d lines in the log", got)
	}
	failed := s.Status().Orders.Failed
	if _, err := s.dial(name); !isAlert(err, internalError) {
		t.Errorf("got %v, want the alert internal_error", err)
	}
	if more := s.Status().Orders.Failed - failed; more > 0 {
		t.Errorf("%d orders were tried for it", more)
	}
}
