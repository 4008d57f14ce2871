//go:build unix

package certs

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"signpost/internal/certstore"
	"signpost/internal/sources/rig"
)

// TestLostSeal has the key of sealFile lost. The statement of the documents deletes what cannot be
// read any more, and with another key all is made anew: certificates, account and ticket keys. The
// count of orders goes on.
func TestLostSeal(t *testing.T) {
	text, err := os.ReadFile("../../docs/machines.md")
	if err != nil {
		t.Fatal(err)
	}
	statements := regexp.MustCompile("(?m)^DELETE FROM .*;$").FindAllString(string(text), -1)
	if len(statements) != 1 {
		t.Fatalf("the document has %d lines that delete rows, want 1: %q", len(statements), statements)
	}
	d := rig.PostgreSQL(t).Empty(t)
	d.Run(t, fmt.Sprintf("GRANT CREATE ON SCHEMA public TO %s; ALTER ROLE %[1]s RESET ALL; "+
		"ALTER ROLE %[1]s CONNECTION LIMIT -1;", d.User))
	n := newNetwork(t, networkOptions{})
	use := func(key string) error {
		log := &testLog{}
		store, err := certstore.New(certstore.Options{Database: d.URL, PasswordFile: d.PasswordFile,
			SealFile: rig.Write(t, t.TempDir(), "seal", key)}, log.logger())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if err := store.Check(t.Context()); err != nil {
			return err
		}
		s := n.start("", nil, func(o *Options, _ *testPolicy) { o.Shared = store })
		defer s.stop()
		s.mustDial(customer)
		if s.log.count("level=WARN")+s.log.count("level=ERROR") > 0 {
			t.Errorf("with the key %q the log has warnings:\n%s", key, s.log)
		}
		return nil
	}
	const first, other = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", "MTEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"
	if err := use(first); err != nil {
		t.Fatal(err)
	}
	if err := use(other); err == nil {
		t.Fatal("another key can be used before the rows are deleted")
	}
	before := n.orders.Load()
	d.Run(t, statements[0])
	if left := d.Run(t, "SELECT name FROM signpost_certificates"); strings.Contains(left, ".key") ||
		!strings.Contains(left, "signpost/orders") {
		t.Errorf("these rows are left:\n%s\nwant the count of orders, and nothing that is sealed", left)
	}
	if err := use(other); err != nil {
		t.Fatalf("another key cannot be used after the rows were deleted: %v", err)
	}
	if got := n.orders.Load(); got <= before {
		t.Errorf("%d orders after the rows were deleted, %d before; want more", got, before)
	}
}
