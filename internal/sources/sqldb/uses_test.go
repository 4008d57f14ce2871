package sqldb

import (
	"fmt"
	"strings"
	"testing"
)

func TestUses(t *testing.T) {
	tests := []struct{ source, want string }{
		{"SELECT username AS address, NULL AS alias, NOT active AS inactive FROM mailbox WHERE username = %s UNION ALL SELECT address, goto, NULL, NOT active FROM alias WHERE address = %s",
			"mailbox(username, active) alias(address, goto, active)"},
		{"SELECT u.email, m.id FROM core_user u JOIN admin_mailbox AS m ON m.user_id = u.id WHERE u.email = %s",
			"core_user(email, id) admin_mailbox(id, user_id)"},
		{"SELECT a.x FROM s.a LEFT JOIN `b c` d ON d.y = a.z", "s.a(x, z) `b c`(y)"},
		{`SELECT email FROM "user" WHERE "email" = '%s'`, `"user"(email)`},
		{"SELECT * FROM a", "a()"},
		{"SELECT a.* , b.x FROM a, b", "a() b(x)"},
		{"SELECT x FROM a, b WHERE a.y = b.z", "a() b()"},
		{"SELECT count(*) FROM a WHERE b = 1", "a(b)"},
		{"SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND v = 2) ORDER BY w", "a(k, x, w) b(k, v)"},
		{"SELECT (SELECT y FROM b WHERE z = '%s') AS alias FROM a WHERE x = 1", "b(y, z) a(x)"},
		{"WITH c AS (SELECT x FROM a) SELECT x, c.y FROM c JOIN b ON b.z = c.x", "a(x) b()"},
		{"SELECT t.x FROM (SELECT x FROM a) AS t WHERE t.x = 1", "a(x)"},
		{"SELECT CAST(x AS text) y, CASE WHEN z THEN 'a' ELSE b END FROM a", "a(x, z, b)"},
		{"SELECT lower(x) AS address FROM a WHERE y COLLATE utf8mb4_bin = '%s' ORDER BY address", "a(x, y)"},
		{"SELECT x::text FROM a", "a(x)"},
		{"SELECT 1", ""},
		{"SELECT extract(year FROM x) FROM a", "a(year, x)"},
	}
	for _, test := range tests {
		q, err := rewrite(test.source, "sud", syntaxOf("postgres"))
		if err != nil {
			t.Fatalf("rewrite(%s) = %v", test.source, err)
		}
		var got []string
		for _, u := range uses(q) {
			got = append(got, fmt.Sprintf("%s(%s)", u.table, u.list()))
		}
		if all := strings.Join(got, " "); all != test.want {
			t.Errorf("uses(%s)\n = %s\nwant %s", test.source, all, test.want)
		}
	}
}
