package sqldb

import (
	"strings"
	"testing"

	"signpost/internal/fault"
)

func syntaxOf(scheme string) *syntax { return engines[scheme].syntax }

func TestRewrite(t *testing.T) {
	const pg, my, lite = "postgres", "mysql", "sqlite"
	tests := []struct {
		name, scheme, source string
		want, holes          string
	}{
		{"quoted", pg, `SELECT a FROM t WHERE a = '%s'`, `SELECT a FROM t WHERE a = $1`, "s"},
		{"quoted", my, `SELECT a FROM t WHERE a = '%s'`, `SELECT a FROM t WHERE a = ?`, "s"},
		{"quoted", lite, `SELECT a FROM t WHERE a='%s'`, `SELECT a FROM t WHERE a=?`, "s"},
		{"bare", pg, `SELECT a FROM t WHERE lower(%s) = a`, `SELECT a FROM t WHERE lower(CAST($1 AS text)) = a`, "s"},
		{"the same letter twice", pg, `SELECT a FROM t WHERE a = %s OR b=%s`, `SELECT a FROM t WHERE a = $1 OR b=$2`,
			"ss"},
		{"not compared", pg, `SELECT %s AS domain`, `SELECT CAST($1 AS text) AS domain`, "s"},
		{"mixed", pg, `SELECT a FROM t WHERE a = '@%d'`, `SELECT a FROM t WHERE a = ('@' || CAST($1 AS text))`, "d"},
		{"mixed", my, `SELECT a FROM t WHERE a = '@%d'`, `SELECT a FROM t WHERE a = CONCAT('@', ?)`, "d"},
		{"mixed", lite, `SELECT a FROM t WHERE a = '%u at %d!'`,
			`SELECT a FROM t WHERE a = (? || ' at ' || ? || '!')`, "ud"},
		{"in a function", my, `SELECT a FROM t WHERE a=CONCAT('%u','@',x)`, `SELECT a FROM t WHERE a=CONCAT(?,'@',x)`,
			"u"},
		{"in a function", pg, `SELECT a FROM t WHERE a=concat('%u','@',x)`,
			`SELECT a FROM t WHERE a=concat(CAST($1 AS text),'@',x)`, "u"},
		{"a pattern", my, `SELECT a FROM t WHERE a LIKE '%%@%s'`, `SELECT a FROM t WHERE a LIKE CONCAT('%@', ?)`, "s"},
		{"percent signs", pg, `SELECT 5 %% 2, '100%%', "50%%"`, `SELECT 5 % 2, '100%', "50%"`, ""},
		{"doubled quotation marks", my, `SELECT 'it''s %s'`, `SELECT CONCAT('it''s ', ?)`, "s"},
		{"backslashes of MySQL", my, `SELECT 'a\'%s'`, `SELECT CONCAT('a\'', ?)`, "s"},
		{"no backslashes", lite, `SELECT 'a\' || '%s'`, `SELECT 'a\' || ?`, "s"},
		{"double quotation marks of MySQL", my, `SELECT "a""b%s"`, `SELECT CONCAT("a""b", ?)`, "s"},
		{"escapes of PostgreSQL", pg, `SELECT E'a\'b%s'`, `SELECT (E'a\'b' || CAST($1 AS text))`, "s"},
		{"dollar quotation", pg, `SELECT $x$it's %s$x$, $$%u$$`,
			`SELECT ($x$it's $x$ || CAST($1 AS text)), CAST($2 AS text)`, "su"},
		{"a dollar in a name", pg, `SELECT a$b$ FROM t$1`, `SELECT a$b$ FROM t$1`, ""},
		{"names", lite, "SELECT \"a'b\", `c'd`, [e'f] FROM t WHERE a = '%s'",
			"SELECT \"a'b\", `c'd`, [e'f] FROM t WHERE a = ?", "s"},
		{"comments go", pg, "SELECT a -- '%s\n, b /* '%s /* nested */ ' */ FROM t", "SELECT a , b FROM t", ""},
		{"comments of MySQL", my, "SELECT a # '%s\n, b--1 -- '\n FROM t", "SELECT a , b--1 FROM t", ""},
		{"a comment between words", lite, "SELECT/*x*/a", "SELECT a", ""},
		{"comments do not nest", lite, "SELECT a /* /* */ FROM t", "SELECT a FROM t", ""},
		{"marks in comments and texts", lite, `SELECT '--', '/*', ';' FROM t;`, `SELECT '--', '/*', ';' FROM t`, ""},
		{"white space and the end", pg, "\n SELECT a\n\tFROM t ; ;\n", "SELECT a FROM t", ""},
		{"with", pg, `WITH x AS (SELECT 1 AS a) SELECT a FROM x WHERE a = '%s'`,
			`WITH x AS (SELECT 1 AS a) SELECT a FROM x WHERE a = $1`, "s"},
		{"operators of PostgreSQL", pg, `SELECT data ? 'k', a::text FROM t WHERE b @> '%s'`,
			`SELECT data ? 'k', a::text FROM t WHERE b @> CAST($1 AS text)`, "s"},
		{"variables of MySQL", my, `SELECT @@version`, `SELECT @@version`, ""},
		{"a prefix without a placeholder", my, `SELECT _utf8mb4'a', X'41'`, `SELECT _utf8mb4'a', X'41'`, ""},
	}
	for _, test := range tests {
		t.Run(test.scheme+"/"+test.name, func(t *testing.T) {
			q, err := rewrite(test.source, "sud", syntaxOf(test.scheme))
			if err != nil {
				t.Fatalf("rewrite(%s) = %v", test.source, err)
			}
			if q.sql != test.want || q.holes != test.holes {
				t.Errorf("rewrite(%s)\n = %s, %q\nwant %s, %q", test.source, q.sql, q.holes, test.want, test.holes)
			}
		})
	}
}

func TestRewriteFaults(t *testing.T) {
	const pg, my, lite = "postgres", "mysql", "sqlite"
	tests := []struct{ scheme, source, allowed, want, hint string }{
		{pg, ``, "sud", "does not begin with SELECT or WITH", "only reads"},
		{pg, `DELETE FROM t`, "sud", "does not begin with SELECT or WITH", "only reads"},
		{pg, `(SELECT 1)`, "sud", "does not begin with SELECT or WITH", "only reads"},
		{pg, `SELECT 1; DELETE FROM t`, "sud", "a second statement", "one SELECT"},
		{pg, `WITH x AS (SELECT 1) DELETE FROM t`, "sud", "writes, with DELETE", "only reads"},
		{pg, `WITH x AS (SELECT 1)`, "sud", "no SELECT behind it", ""},
		{pg, `SELECT a INTO b FROM t`, "sud", "writes, with INTO", "only reads"},
		{my, `SELECT a FROM t INTO OUTFILE '/tmp/x'`, "sud", "writes, with INTO", "only reads"},
		{pg, `SELECT (a FROM t`, "sud", "parenthesis", ""},
		{pg, `SELECT a) FROM t (`, "sud", "parenthesis", ""},
		{pg, `SELECT '%x'`, "sud", "none of s, u, d and %", "%%"},
		{pg, `SELECT %`, "sud", "single %", "%%"},
		{pg, `SELECT 'a%'`, "sud", "single %", "%%"},
		{pg, `SELECT 5 % 2`, "sud", "none of s, u, d and %", "%%"},
		{pg, `SELECT '%1'`, "sud", "%1, which only Postfix knows", "%d"},
		{pg, `SELECT '%S'`, "sud", "%S, which only Postfix knows", "%d"},
		{pg, `SELECT "%s"`, "sud", "placeholder inside the name", "'%s'"},
		{my, "SELECT `%s`", "sud", "placeholder inside the name", "'%s'"},
		{lite, "SELECT [%s]", "sud", "placeholder inside the name", "'%s'"},
		{pg, `SELECT N'%s'`, "sud", "with a prefix", "without the prefix"},
		{pg, `SELECT U&'%s'`, "sud", "with a prefix", "without the prefix"},
		{my, `SELECT _utf8mb4'%s'`, "sud", "with a prefix", "without the prefix"},
		{my, `SELECT 'a\%s'`, "sud", `a \ in front of a %`, "%%"},
		{pg, `SELECT E'a\%s'`, "sud", `a \ in front of a %`, "%%"},
		{pg, `SELECT 'a`, "sud", "' without an end", ""},
		{pg, `SELECT $x$a$$`, "sud", "$x$ without an end", ""},
		{pg, `SELECT /* a`, "sud", "comment without an end", ""},
		{pg, `SELECT /* /* a */`, "sud", "comment without an end", ""},
		{my, `SELECT /*! 1 */`, "sud", "comment that MySQL executes", ""},
		{my, `SELECT /*M! 1 */`, "sud", "comment that MySQL executes", ""},
		{my, `SELECT a FROM t WHERE a = ?`, "sud", "a parameter of the database's own", "%s"},
		{pg, `SELECT a FROM t WHERE a = $1`, "sud", "a parameter of the database's own", "%s"},
		{lite, `SELECT a FROM t WHERE a = ?1`, "sud", "a parameter of the database's own", "%s"},
		{lite, `SELECT a FROM t WHERE a = :key`, "sud", "a parameter of the database's own", "%s"},
		{lite, `SELECT a FROM t WHERE a = @key`, "sud", "a parameter of the database's own", "%s"},
		{lite, `SELECT a FROM t WHERE a = $key`, "sud", "a parameter of the database's own", "%s"},
		{pg, `SELECT a FROM t WHERE a = '%s'`, "", "the whole list has the placeholder %s", "leave the condition out"},
		{pg, `SELECT a FROM t WHERE a = '%u'`, "sd", "a domain has the placeholder %u", "write %s"},
		{pg, "SELECT '\x00'", "sud", "zero byte", ""},
	}
	for _, test := range tests {
		q, err := rewrite(test.source, test.allowed, syntaxOf(test.scheme))
		if err == nil {
			t.Errorf("%s: rewrite(%s) = %s, want an error with %q", test.scheme, test.source, q.sql, test.want)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || !strings.Contains(fault.Hint(err), test.hint) {
			t.Errorf("%s: rewrite(%s) = %v, hint %q, want %q, hint %q", test.scheme, test.source, err,
				fault.Hint(err), test.want, test.hint)
		}
	}
}
