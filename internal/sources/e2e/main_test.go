// Package e2e tests accounts and domains from databases, directories and files as a
// client meets them: a running service, real servers with the rows of real mail systems,
// and HTTP requests in every dialect.
package e2e

import (
	"fmt"
	"testing"

	"signpost/internal/sources/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// fill adds n mailboxes, aliases and inactive mailboxes to PostfixAdmin's database in
// PostgreSQL.
func fill(t testing.TB, d *rig.Database, n int) {
	t.Helper()
	d.Run(t, fmt.Sprintf(`
INSERT INTO mailbox (username, name, local_part, domain)
  SELECT 'found' || i || '@example.com', 'Name', 'found' || i, 'example.com' FROM generate_series(0, %[1]d) i;
INSERT INTO mailbox (username, name, local_part, domain, active)
  SELECT 'gone' || i || '@example.com', 'Name', 'gone' || i, 'example.com', false FROM generate_series(0, %[1]d) i;
INSERT INTO alias (address, goto, domain)
  SELECT 'alias' || i || '@example.com', 'found' || i || '@example.com', 'example.com'
  FROM generate_series(0, %[1]d) i;
ANALYZE;`, n))
}
