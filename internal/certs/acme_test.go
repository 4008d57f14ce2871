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

// renewedName returns another name for each test of renewals. certmagic remembers
// for the life of the process which renewals have failed, even if only because the
// test ended, and then does nothing about the name for a minute.
func renewedName() string { return fmt.Sprintf("autoconfig.renewed%d.example", renewals.Add(1)) }

var renewals atomic.Int32

// renewAt makes certificates due for renewal when the given part of their lifetime
// is left.
func renewAt(ratio float64) func(*tuning) {
	return func(t *tuning) { *t = tuning{renewEvery: 50 * time.Millisecond, renewRatio: ratio, withoutARI: true} }
}

// TestFirstHandshake checks that the first client waits for the order, and the
// next one does not. Each type of challenge is sufficient.
func TestFirstHandshake(t *testing.T) {
	for _, test := range []struct {
		name    string
		network networkOptions
		byHTTP  bool
	}{
		{"http-01", networkOptions{withoutTLS: true}, true},
		{"tls-alpn-01", networkOptions{withoutHTTP: true}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := newNetwork(t, test.network)
			s := n.start(t.TempDir(), nil, nil)
			state := s.mustDial(customer)
			if got := state.PeerCertificates[0].DNSNames; len(got) != 1 || got[0] != customer {
				t.Errorf("the certificate is for %q, want %s alone", got, customer)
			}
			if got := s.challenges.Load(); (got > 0) != test.byHTTP {
				t.Errorf("%d challenges by HTTP, want some: %v\n%s", got, test.byHTTP, s.log)
			}
			orders := n.orders.Load()
			s.mustDial("AutoConfig.Customer.Example")
			if got := n.orders.Load(); got != orders {
				t.Errorf("the second handshake caused %d orders, want none", got-orders)
			}
			if s.log.count("certificate obtained", customer) != 1 {
				t.Errorf("the log does not contain the certificate once:\n%s", s.log)
			}
			status := s.Status()
			if status.Count(Valid) != 1 || status.Orders.Obtained != 1 || status.NextExpiry().Before(time.Now()) {
				t.Errorf("Status() = %+v, want one valid certificate and one order", status)
			}
		})
	}
}

// TestManyClients checks that clients that ask for the same name at once cause
// one order.
func TestManyClients(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	var decisions atomic.Int64
	s := n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) {
		allowed := p.allowed
		p.allowed = func(ctx context.Context, name string) error {
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
	if orders, asked := n.orders.Load(), decisions.Load(); orders != 1 || asked != 1 {
		t.Errorf("%d orders and %d decisions, want one each", orders, asked)
	}
}

// TestNotHosted checks that a name that is not hosted here causes no request to the
// ACME server and no file. The client is refused at once with the alert
// unrecognized_name.
func TestNotHosted(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	dir := t.TempDir()
	s := n.start(dir, nil, nil)
	s.mustDial(customer)
	requests, before := n.requests.Load(), tree(t, dir)
	for _, name := range []string{
		"autoconfig.stranger.test",
		"autodiscover.not.hosted.example",
		"customer.example",                        // without Names.Apex
		"www.customer.example",                    // no client derives this name
		"autoconfig.example",                      // the prefix before a public suffix
		"localhost",                               // not a domain
		"autoconfig..customer.example",            // not a host name
		"autoconfig.customer.example.attacker",    // one label more
		"..%2f..%2fautoconfig.customer.example",   // an attempt to leave the directory
		strings.Repeat("a.", 100) + "example.com", // too long
	} {
		if _, err := s.dial(name); !isAlert(err, unrecognizedName) {
			t.Errorf("%s: got %v, want the alert unrecognized_name", name, err)
		}
	}
	if got := n.requests.Load(); got != requests {
		t.Errorf("the ACME server received %d requests, want none", got-requests)
	}
	if after := tree(t, dir); after != before {
		t.Errorf("the storage directory was\n%sand is\n%s", before, after)
	}
	if s.log.count("level=WARN") > 0 {
		t.Errorf("strangers caused warnings in the log:\n%s", s.log)
	}
}

// The texts of crypto/tls for alerts from the other side (RFC 8446 §6.2).
const (
	unrecognizedName = "tls: unrecognized name"
	internalError    = "tls: internal error"
)

func isAlert(err error, alert string) bool {
	remote, ok := errors.AsType[*net.OpError](err)
	return ok && remote.Op == "remote error" && remote.Err.Error() == alert
}

// tree lists the files below a directory, without those that certmagic needs to
// clean it.
func tree(t *testing.T, dir string) string {
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
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

// TestRestart checks that a stored certificate is not ordered again, even if the
// ACME server cannot be reached.
func TestRestart(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	dir := t.TempDir()
	first := n.start(dir, nil, nil)
	serial := first.mustDial(customer).PeerCertificates[0].SerialNumber
	first.stop()
	n.server.Close()
	second := n.start(dir, nil, nil)
	if again := second.mustDial(customer).PeerCertificates[0].SerialNumber; again.Cmp(serial) != 0 {
		t.Error("a second certificate was ordered")
	}
	// An attempt would have failed, because the server is gone.
	if got := second.Status().Orders; got.Obtained+got.Failed != 0 {
		t.Errorf("orders after the restart: %+v, want none", got)
	}
}

// TestOwnName checks that the certificate of the service's own name is ordered at
// the start. A client that names no host receives it.
func TestOwnName(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	s := n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) { o.Name = "setup.hoster.example" })
	within(t, 10*time.Second, "an order of the certificate", func() bool { return s.Status().Count(Valid) == 1 })
	c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState().PeerCertificates[0].DNSNames[0]; got != "setup.hoster.example" {
		t.Errorf("received the certificate of %s, want the service's own", got)
	}
}

// TestOrdering orders the certificate of the service's own name, for which no client waits at first.
func TestOrdering(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	n.delay.Store(int64(2 * time.Second))
	const own = "setup.hoster.example"
	s := n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) { o.Name = own })
	within(t, 10*time.Second, "an order", func() bool { return n.orders.Load() > 0 })
	if s.Ordering() {
		t.Error("Ordering() = true while no client waits")
	}
	served := make(chan error, 1)
	go func() {
		_, err := s.dial(own)
		served <- err
	}()
	within(t, 2*time.Second, "Ordering() is true while a client waits", s.Ordering)
	if err := <-served; err != nil {
		t.Error(err)
	}
	within(t, time.Second, "Ordering() is false after the order", func() bool { return !s.Ordering() })
}

// TestNoPrompt checks that certmagic, which would prompt for a missing e-mail
// address on the terminal, does not do so.
func TestNoPrompt(t *testing.T) {
	terminal, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	real := os.Stdout
	os.Stdout = terminal
	defer func() { os.Stdout = real }()
	n := newNetwork(t, networkOptions{})
	n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) { o.ACME.Email = "" }).mustDial(customer)
	if text, err := os.ReadFile(terminal.Name()); err != nil || len(text) > 0 {
		t.Errorf("certmagic printed (%v):\n%s", err, text)
	}
}

// TestRenewal checks that certificates that are valid for seconds are renewed in
// time, again and again, without a failed handshake.
func TestRenewal(t *testing.T) {
	name := renewedName()
	n := newNetwork(t, networkOptions{validity: 8})
	s := n.start(t.TempDir(), renewAt(0.9), nil)
	serials := map[string]bool{}
	for end := time.Now().Add(30 * time.Second); len(serials) < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d certificates within 30 s, want 3\n%s", len(serials), s.log)
		}
		serials[s.mustDial(name).PeerCertificates[0].SerialNumber.String()] = true
	}
	within(t, 5*time.Second, "two log lines about renewals", func() bool {
		return s.log.count("certificate obtained", "renewal=true") >= 2
	})
	if got := len(s.Status().Certificates); got != 1 {
		t.Errorf("%d certificates in memory, want only the last", got)
	}
}

// TestExpired checks that a certificate that expired while no client asked for it
// is replaced and not served.
func TestExpired(t *testing.T) {
	n := newNetwork(t, networkOptions{validity: 4})
	dir := t.TempDir()
	tune := func(t *tuning) { *t = tuning{renewEvery: time.Hour, renewRatio: 0.01, withoutARI: true} }
	s := n.start(dir, tune, nil)
	old := s.mustDial(customer).PeerCertificates[0]
	within(t, 5*time.Second, "the certificate expires", func() bool { return time.Now().After(old.NotAfter) })
	// First it is in memory, after a restart only in storage.
	second := s.mustDial(customer).PeerCertificates[0]
	if second.SerialNumber.Cmp(old.SerialNumber) == 0 {
		t.Error("the expired certificate was served")
	}
	s.stop()
	within(t, 5*time.Second, "the certificate expires", func() bool { return time.Now().After(second.NotAfter) })
	third := n.start(dir, tune, nil).mustDial(customer).PeerCertificates[0]
	if third.SerialNumber.Cmp(second.SerialNumber) == 0 {
		t.Error("the expired certificate was served after a restart")
	}
}

// TestServerDown checks that without the ACME server, existing certificates are
// still served. The first order finds that the server is gone. After that, all are
// refused at once without a connection to it.
func TestServerDown(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	s := n.start(t.TempDir(), nil, nil)
	s.mustDial(customer)
	n.server.Close()
	const other = "autodiscover.customer.example"
	if _, err := s.dial(other); err == nil {
		t.Fatal("the handshake succeeded, want no certificate")
	}
	if s.log.count("level=WARN", "order failed", other, "connection refused", " again=") != 1 {
		t.Errorf("the log does not contain the failed order once:\n%s", s.log)
	}
	for _, name := range []string{other, "autoconfig.another.example"} {
		if _, err := s.dial(name); !isAlert(err, internalError) {
			t.Errorf("%s: got %v, want the alert internal_error", name, err)
		}
		if s.log.count("level=WARN", "no certificate", name, "the ACME server failed") != 1 {
			t.Errorf("the log does not contain the reason for %s once:\n%s", name, s.log)
		}
	}
	if got := s.Status().Orders.Failed; got != 1 {
		t.Errorf("%d orders failed, want none after the first", got)
	}
	s.mustDial(customer)
	// The account cannot be registered either, and the error contains its address.
	fresh := n.restart(s, t.TempDir())
	if _, err := fresh.dial(customer); err == nil ||
		fresh.log.count("order failed", "registering account", "‹email›") != 1 {
		t.Errorf("handshake: %v, want a failed registration without the address in the log:\n%s", err, fresh.log)
	}
	if stopped := s.Status().Orders.StoppedUntil; stopped.Before(time.Now()) {
		t.Errorf("orders are stopped until %v, want a time in the future", stopped)
	}
	if log := s.log.String() + fresh.log.String(); strings.Contains(log, "anna.operator") {
		t.Errorf("the operator's address is in the log:\n%s", log)
	}
}

// TestServerSlow checks that a handshake succeeds although its order takes
// longer than net/http grants for a handshake.
func TestServerSlow(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	n.delay.Store(int64(handshakeTimeout + time.Second))
	s := n.start(t.TempDir(), nil, nil)
	s.mustDial(customer)
}

// TestBackOff checks that a name that cannot be validated causes the two orders of
// one attempt, and no other before the end of its delay.
func TestBackOff(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	var lookups atomic.Int64
	s := n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) {
		p.leadsHere = func(context.Context, string) error { lookups.Add(1); return nil }
	})
	if _, err := s.dial(missing); err == nil {
		t.Fatal("the handshake succeeded, want no certificate")
	}
	orders := n.orders.Load()
	if orders == 0 || orders > ordersPerAttempt {
		t.Errorf("%d orders for one attempt, want 1 to %d", orders, ordersPerAttempt)
	}
	for range 20 {
		if _, err := s.dial(missing); err == nil {
			t.Fatal("the handshake succeeded, want no certificate")
		}
	}
	if got := n.orders.Load(); got != orders || lookups.Load() != 1 {
		t.Errorf("%d orders and %d DNS look-ups during the delay, want none", got-orders, lookups.Load()-1)
	}
	if got := s.log.count("order failed", missing); got != 1 {
		t.Errorf("%d log lines about one failed order, want 1\n%s", got, s.log)
	}
	if got := s.log.count("no certificate", missing); got == 0 || got > linesPerMinute {
		t.Errorf("%d log lines about twenty refusals, want 1 to %d", got, linesPerMinute)
	}
	if got := s.Status(); got.Count(Failed) != 1 || got.Orders.Failed != 1 {
		t.Errorf("Status() = %+v, want one failed certificate and one failed order", got)
	}
	s.mustDial(customer) // other names are not delayed
	orders = n.orders.Load()
	s.later(nameDelay)
	if _, err := s.dial(missing); err == nil {
		t.Fatal("the handshake succeeded, want no certificate")
	}
	if n.orders.Load() == orders {
		t.Error("after the delay the name was not tried again")
	}
}

// later makes everything that the limits remember older, because Pebble needs the
// real clock.
func (s *acmeServer) later(d time.Duration) {
	err := s.acme.limits.update(s.network.t.Context(), func(c *counts) bool {
		for i := range c.orders {
			c.orders[i].at = c.orders[i].at.Add(-d)
		}
		for _, f := range c.failures {
			f.until = f.until.Add(-d)
		}
		c.stoppedUntil = c.stoppedUntil.Add(-d)
		return true
	})
	if err != nil {
		s.network.t.Fatal(err)
	}
}

// TestOrdersPerHour counts at the ACME server.
func TestOrdersPerHour(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	s := n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) {
		o.ACME.OrdersPerHour = 4
		p.listed = func(string) bool { return true }
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
	// One of four orders is reserved for renewals, and an attempt needs room for two.
	if served := ask(); served != 2 || n.orders.Load() != 2 {
		t.Errorf("%d names served with %d orders, want 2 and 2", served, n.orders.Load())
	}
	if s.log.count("no certificate", "no more than 3 may be") == 0 {
		t.Errorf("the log does not contain the reason:\n%s", s.log)
	}
	s.later(window)
	if served := ask(); served != 4 || n.orders.Load() != 4 {
		t.Errorf("an hour later %d names served with %d orders, want 4 and 4", served, n.orders.Load())
	}
}

// TestUndecided checks that while DNS cannot tell whether a name is hosted here,
// nothing is ordered for it, and an existing certificate is still served.
func TestUndecided(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	dir := t.TempDir()
	first := n.start(dir, nil, nil)
	first.mustDial(customer)
	first.stop()
	s := n.start(dir, nil, func(o *Options, p *testPolicy) {
		p.allowed = func(context.Context, string) error { return errSilent }
	})
	s.mustDial(customer)
	_, err := s.dial("autodiscover.customer.example")
	if !isAlert(err, internalError) {
		t.Errorf("got %v, want the alert internal_error", err)
	}
	if got := n.orders.Load(); got != 1 {
		t.Errorf("%d orders, want only the one of the first server", got)
	}
	if s.log.count("no certificate", errSilent.Error()) != 1 {
		t.Errorf("the log does not contain the reason once:\n%s", s.log)
	}
}

// restart replaces a server by another with the given storage directory.
func (n *network) restart(s *acmeServer, storage string) *acmeServer {
	s.stop()
	return n.start(storage, nil, nil)
}

// TestLeadsElsewhere checks that a hosted name whose DNS leads elsewhere causes
// no order.
func TestLeadsElsewhere(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	s := n.start(t.TempDir(), nil, func(o *Options, p *testPolicy) {
		p.leadsHere = func(_ context.Context, name string) error {
			if name == customer {
				return errors.New("it is at 192.0.2.7")
			}
			return nil
		}
	})
	if _, err := s.dial(customer); err == nil || n.requests.Load() != 0 {
		t.Errorf("handshake: %v, with %d requests to the ACME server; want a failure and none", err, n.requests.Load())
	}
	if s.log.count("no certificate", "192.0.2.7") != 1 {
		t.Errorf("the log does not contain the reason:\n%s", s.log)
	}
	s.mustDial("autodiscover.customer.example")
}

// TestCustomerLeft checks that the certificate of a customer who moved away is not
// renewed, and not served after the time of its renewal.
func TestCustomerLeft(t *testing.T) {
	name := renewedName()
	n := newNetwork(t, networkOptions{})
	var left sync.Map
	s := n.start(t.TempDir(), renewAt(1), func(o *Options, p *testPolicy) {
		allowed := p.allowed
		p.allowed = func(ctx context.Context, name string) error {
			if _, gone := left.Load(name); gone {
				return account.ErrUnknownDomain
			}
			return allowed(ctx, name)
		}
	})
	s.mustDial(name)
	left.Store(name, true)
	within(t, 10*time.Second, "the certificate is removed", func() bool {
		_, err := s.dial(name)
		return err != nil
	})
	orders := n.orders.Load()
	if _, err := s.dial(name); err == nil || n.orders.Load() != orders {
		t.Errorf("handshake: %v, with %d orders; want a failure and none", err, n.orders.Load()-orders)
	}
	if files := tree(t, s.acme.storage.(disk).Path); strings.Contains(files, name+".") {
		t.Errorf("the certificate is still in storage:\n%s", files)
	}
}

// TestDamaged checks that a file that a crash or a full disk has damaged is
// replaced: a certificate, and the key of a certificate that is good.
func TestDamaged(t *testing.T) {
	for _, suffix := range []string{".crt", ".key"} {
		t.Run(suffix, func(t *testing.T) {
			n := newNetwork(t, networkOptions{})
			dir := t.TempDir()
			first := n.start(dir, nil, nil)
			first.mustDial(customer)
			first.stop()
			found := 0
			filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
				if strings.HasSuffix(path, customer+suffix) {
					found++
					return os.WriteFile(path, nil, 0o600)
				}
				return nil
			})
			if found != 1 {
				t.Fatalf("%d files %s in storage, want 1", found, suffix)
			}
			n.start(dir, nil, nil).mustDial(customer)
			if got := n.orders.Load(); got != 2 {
				t.Errorf("%d orders, want one more for what is damaged", got)
			}
		})
	}
}

// TestUnusableFiles checks that a storage directory or roots that cannot be used are
// an error at the start.
func TestUnusableFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		acme ACME
		want string
	}{
		{ACME{Storage: filepath.Join(file, "certificates")}, "certificates: not a directory"},
		{ACME{}, "no directory for certificates is configured"},
		{ACME{Storage: t.TempDir(), CARoot: file}, "no certificate in PEM form"},
		{ACME{Storage: t.TempDir(), CARoot: file + "s"}, "files: no such file"},
	} {
		m, err := New(Options{ACME: &test.acme})
		if err == nil {
			m.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("New with %+v = %v, want %q", test.acme, err, test.want)
		}
	}
}

// TestRenewalFails checks that a certificate is served as long as it is valid, even
// if its renewal fails. After that it is neither served nor renewed, and clients are
// refused at once.
func TestRenewalFails(t *testing.T) {
	name := renewedName()
	n := newNetwork(t, networkOptions{validity: 8})
	s := n.start(t.TempDir(), renewAt(0.75), nil)
	serial := s.mustDial(name).PeerCertificates[0]
	n.server.Close()
	for tried := false; !tried; {
		if time.Until(serial.NotAfter) < time.Second {
			t.Fatalf("the log does not contain the failed renewal:\n%s", s.log)
		}
		tried = s.log.count("order failed", name, "renewal=true") > 0
		if got := s.mustDial(name).PeerCertificates[0]; got.SerialNumber.Cmp(serial.SerialNumber) != 0 {
			t.Fatal("another certificate is served although the ACME server is gone")
		}
	}
	within(t, 15*time.Second, "clients are refused", func() bool {
		_, err := s.dial(name)
		return isAlert(err, internalError)
	})
	if got := s.Status(); got.Count(Expired) != 0 || got.Count(Failed) != 1 {
		t.Errorf("Status() = %+v, want one failed certificate and no expired one", got)
	}
	if got := s.log.count("level=WARN"); got > 2*linesPerMinute {
		t.Errorf("%d warnings in the log, want at most %d", got, 2*linesPerMinute)
	}
	failed := s.Status().Orders.Failed
	if _, err := s.dial(name); !isAlert(err, internalError) {
		t.Errorf("got %v, want the alert internal_error", err)
	}
	if more := s.Status().Orders.Failed - failed; more > 0 {
		t.Errorf("a refused client caused %d orders, want none", more)
	}
}
