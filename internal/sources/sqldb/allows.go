package sqldb

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"signpost/internal/fault"
)

// OwnTable is a table of this program's own.
type OwnTable struct {
	Name    string
	Create  string   // the statement that creates it
	Columns []string // all of them
	Changed []string // those that an UPDATE sets
}

// Allows returns nil if the database user has all rights that this program needs: to read the
// tables, to insert, change and delete rows, and if a table does not exist, to create them.
// Otherwise the error names the rights that are missing, and its hint is the statements that
// grant them. Nothing is written.
//
// The database looks at each statement without running it, so what it says is also true of rights
// that come from a role or from a pattern.
func (t *Tables) Allows(ctx context.Context, tables ...OwnTable) error {
	a := &allowance{t: t, ctx: ctx, isMySQL: t.Scheme() == "mysql", rights: map[string][]string{}}
	if _, err := t.Rows(ctx, "SELECT 1"); err != nil {
		return a.withCure(err)
	}
	if err := a.ask(tables); err != nil {
		return err
	}
	var texts []string
	if a.creating != "" {
		texts = append(texts, a.creating+" on schema "+a.schema)
	}
	for _, table := range tables {
		if rights := a.rights[table.Name]; len(rights) > 0 {
			texts = append(texts, strings.Join(rights, ", ")+" on "+table.Name)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	grants, err := a.grants(tables)
	if err != nil {
		return err
	}
	return a.lacks("the database user lacks rights: "+strings.Join(texts, "; "), strings.Join(grants, " "))
}

// lacks returns an error about rights that are missing, with the statements that grant them.
func (a *allowance) lacks(text, cure string) error {
	return fault.WithHint(&Error{Text: text, Code: a.code, kind: refusesReading}, cure)
}

// allowance is what is known of the rights of the database user.
type allowance struct {
	t       *Tables
	ctx     context.Context
	isMySQL bool

	code   string              // of the first refusal
	rights map[string][]string // that are missing, by table
	absent bool                // a table does not exist, as far as is known

	// Of PostgreSQL, in which the right to create tables is one for the schema:
	schema   string
	creating string // the rights that are missing
}

// withCure returns why there is no connection. If the user may not use the database at all, the hint is
// the statement that allows it.
func (a *allowance) withCure(err error) error {
	problem, ok := errors.AsType[*Error](err)
	if !ok || problem.kind != refusesReading {
		return err
	}
	check, place := a.t.store.engine.check, a.t.store.place
	words, cure := check.serverText(problem.cause), ""
	if !a.isMySQL {
		cure = check.other(place, words, check.quote(place.user, ""))
	} else if user, machine, ok := check.userIn(words); ok {
		cure = a.grantAll(check.quote(user, machine))
	}
	a.code = problem.Code
	return a.lacks("the database user may not use the database", cure)
}

// grantAll returns the statement that grants all rights that are needed in a database of MySQL. Of all
// grants for databases that fit a name only one counts, so it has to name all of them.
func (a *allowance) grantAll(user string) string {
	const rights = "CREATE, SELECT, INSERT, UPDATE, DELETE"
	return "GRANT " + rights + " ON " + pattern(a.t.store.place.database) + ".* TO " + user + ";"
}

// ask finds what is missing.
func (a *allowance) ask(tables []OwnTable) error {
	for _, table := range tables {
		exists, missing := false, false
		for _, s := range table.statements() {
			allowed, err := a.allows(s.text)
			switch {
			case IsMissing(err):
				missing = true
			case err != nil:
				return err
			case allowed:
				exists = true
			default:
				a.rights[table.Name] = append(a.rights[table.Name], s.right)
			}
		}
		// MySQL tells that a table is missing to those only who have the right. So one for which
		// there are no rights is taken for missing.
		a.absent = a.absent || missing || a.isMySQL && !exists
	}
	switch {
	case !a.absent:
		return nil
	case a.isMySQL:
		return a.askMySQLToCreate(tables)
	}
	return a.askPostgresToCreate()
}

// askMySQLToCreate asks for the right to create each table: if one is missing, the statements for all
// of them are run.
func (a *allowance) askMySQLToCreate(tables []OwnTable) error {
	for _, table := range tables {
		allowed, err := a.allows(table.Create)
		if err != nil {
			return err
		}
		if !allowed {
			a.rights[table.Name] = append([]string{"CREATE"}, a.rights[table.Name]...)
		}
	}
	return nil
}

// askPostgresToCreate asks for the rights in the schema in which tables are created.
func (a *allowance) askPostgresToCreate() error {
	rows, err := a.t.Rows(a.ctx, `SELECT COALESCE(quote_ident(current_schema()), 'public'),
		CASE WHEN current_schema() IS NULL THEN 'USAGE, CREATE'
		WHEN has_schema_privilege(current_schema(), 'CREATE') THEN '' ELSE 'CREATE' END`)
	if err != nil || len(rows) == 0 {
		return err
	}
	a.schema, a.creating = rows[0][0], rows[0][1]
	if a.creating != "" {
		a.code = cmp.Or(a.code, "42501")
	}
	return nil
}

// allows has the database look at a statement, and reports whether the user has the rights for it.
// EXPLAIN of PostgreSQL, which does not run the statement, needs the rights for it. So does PREPARE
// of MySQL and MariaDB, also for a statement that creates a table.
func (a *allowance) allows(statement string) (bool, error) {
	if a.isMySQL {
		statement = "PREPARE signpost FROM '" + statement + "'"
	} else {
		statement = "EXPLAIN " + statement
	}
	_, err := a.t.Rows(a.ctx, statement)
	if problem, ok := errors.AsType[*Error](err); ok && problem.kind == refusesReading {
		a.code = cmp.Or(a.code, problem.Code)
		return false, nil
	}
	return err == nil, err
}

// grants returns the statements that grant what is missing.
func (a *allowance) grants(tables []OwnTable) ([]string, error) {
	check := a.t.store.engine.check
	rows, err := a.t.Rows(a.ctx, check.user)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	user := check.quote(rows[0][0], rows[0][1])
	if a.isMySQL && a.absent { // rights for a table that does not exist cannot be granted
		return []string{a.grantAll(user)}, nil
	}
	to := " TO " + user + ";"
	var grants []string
	if a.creating != "" {
		grants = append(grants, "GRANT "+a.creating+" ON SCHEMA "+a.schema+to)
	}
	for _, table := range tables {
		if rights := a.rights[table.Name]; len(rights) > 0 {
			place, err := a.placeOf(table.Name)
			if err != nil {
				return nil, err
			}
			grants = append(grants, "GRANT "+strings.Join(rights, ", ")+" ON "+place+"."+table.Name+to)
		}
	}
	return grants, nil
}

// placeOf returns the database of MySQL or the schema of PostgreSQL that has a table: whoever grants
// may have another search_path.
func (a *allowance) placeOf(table string) (string, error) {
	if a.isMySQL {
		return backtick(a.t.store.place.database), nil
	}
	rows, err := a.t.Rows(a.ctx, `SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n
		ON n.oid = c.relnamespace WHERE c.relname = ? AND pg_table_is_visible(c.oid)`, table)
	if err != nil || len(rows) == 0 {
		return a.schema, err
	}
	return rows[0][0], nil
}

// pattern returns the name of a database as a GRANT for all of its tables has it: there, _ and %
// stand for other characters.
func pattern(database string) string {
	if !strings.ContainsAny(database, "_%") {
		return backtick(database)
	}
	return "`" + strings.NewReplacer("_", `\_`, "%", `\%`, "`", "``").Replace(database) + "`"
}

// ownStatement is a statement that needs one right.
type ownStatement struct{ right, text string }

// statements returns a statement for each right. Even if it were run, it would change nothing.
func (o OwnTable) statements() []ownStatement {
	columns, nulls := strings.Join(o.Columns, ", "), strings.Repeat(", NULL", len(o.Columns))[len(", "):]
	return []ownStatement{
		{"SELECT", "SELECT " + columns + " FROM " + o.Name + " WHERE 1 = 0"},
		{"INSERT", "INSERT INTO " + o.Name + " (" + columns + ") VALUES (" + nulls + ")"},
		{"UPDATE", "UPDATE " + o.Name + " SET " + strings.Join(o.Changed, " = NULL, ") + " = NULL WHERE 1 = 0"},
		{"DELETE", "DELETE FROM " + o.Name + " WHERE 1 = 0"},
	}
}
