package certs

import (
	"log/slog"
	"testing"

	"signpost/internal/certstore"
	"signpost/internal/sources/rig"
)

// TestCopied orders with a directory, copies it into a database, and goes on with the database:
// the certificate is served without an order, and another one is ordered with the same account.
func TestCopied(t *testing.T) {
	n := newNetwork(t, networkOptions{})
	dir := t.TempDir()
	before := n.start(dir, nil, nil)
	served := before.mustDial(customer)
	before.stop()
	orders := n.orders.Load()

	d := rig.PostgreSQL(t).Empty(t)
	d.Run(t, "GRANT CREATE ON SCHEMA public TO "+d.User+"; ALTER ROLE "+d.User+" RESET ALL; "+
		"ALTER ROLE "+d.User+" CONNECTION LIMIT -1;")
	o := certstore.Options{
		Database: d.URL, PasswordFile: d.PasswordFile,
		SealFile: rig.Write(t, t.TempDir(), "seal", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"),
	}
	copied, err := certstore.Copy(t.Context(), o, dir,
		func(file string, reason error) { t.Errorf("%s: %v", file, reason) })
	if want := (certstore.Copied{Certificates: 1, Accounts: 1}); err != nil || copied != want {
		t.Fatalf("Copy = %+v, %v; want %+v", copied, err, want)
	}
	store, err := certstore.New(o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := n.start("", nil, func(o *Options, _ *testPolicy) { o.Shared = store })
	now := after.mustDial(customer)
	if got := n.orders.Load(); got != orders || !now.PeerCertificates[0].Equal(served.PeerCertificates[0]) {
		t.Errorf("after the copying %d orders were placed, want none; the certificate is another one: %t",
			got-orders, !now.PeerCertificates[0].Equal(served.PeerCertificates[0]))
	}
	after.mustDial("autoconfig.next.example")
	if got := n.accounts.Load(); got != 1 {
		t.Errorf("%d accounts were registered, want the one of the directory", got)
	}
}
