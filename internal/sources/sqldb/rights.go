package sqldb

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// refused says why a query failed, table by table where the user may not read.
func (c *checker) refused(ctx context.Context, q *query, err error) {
	f := c.failure(ctx, err)
	e, ok := c.explain(ctx, err).(*Error)
	if ok && e.kind == refusesReading && c.other(c.engine.check.serverText(err)) == "" {
		own := uses(q)
		for _, u := range uses(c.account, c.domain, c.domains) {
			if !slices.ContainsFunc(own, func(o *use) bool { return o.table == u.table }) || c.mayRead(u) {
				continue
			}
			c.failOnce(fmt.Sprintf("the database user may not read %s (%s)", u.table, e.Code), c.grants(c.user(""),
				[]*use{u}))
			f.Text = ""
		}
	}
	if f.Text != "" {
		c.fail("the query of "+q.option+": "+f.Text, f.Cure)
	}
}

// other returns what is missing before the rights of tables count.
func (c *checker) other(words string) string {
	if c.engine.check.other == nil {
		return ""
	}
	return c.engine.check.other(c.place, words, c.engine.check.quote(c.place.user, ""))
}

// elsewhere returns the statement with which a table is found that exists in a schema
// where the server does not look.
func (c *checker) elsewhere() string {
	check := c.engine.check
	if check.elsewhere == "" {
		return ""
	}
	for _, u := range uses(c.account, c.domain, c.domains) {
		ctx, cancel := context.WithTimeout(c.ctx, checkTimeout)
		var schema, usable string
		err := c.db().QueryRowContext(ctx, check.elsewhere, bare(u.table)).Scan(&schema, &usable)
		cancel()
		user := check.quote(c.place.user, "")
		switch {
		case err != nil:
		case usable == "t":
			return "ALTER ROLE " + user + " SET search_path = " + quoteName(schema) + ";"
		default:
			return "GRANT USAGE ON SCHEMA " + quoteName(schema) + " TO " + user + ";"
		}
	}
	return ""
}

// mayRead reports whether the user may read what the queries need of a table.
func (c *checker) mayRead(u *use) bool {
	ctx, cancel := context.WithTimeout(c.ctx, checkTimeout)
	defer cancel()
	rows, err := c.db().QueryContext(ctx, u.probe())
	if err == nil {
		rows.Close()
		err = rows.Err()
	}
	if err == nil {
		return true
	}
	e, ok := c.explain(ctx, err).(*Error)
	return ok && e.kind != refusesReading
}

// rights warns of what the user may do and should not.
func (c *checker) rights() {
	check := c.engine.check
	if check.readsOnly != "" {
		if answer := c.texts(check.readsOnly); len(answer) == 1 && answer[0] != "t" {
			c.warn("the pooler in front of the database does not keep the session from writing",
				fmt.Sprintf("ALTER ROLE %s SET default_transaction_read_only = on;", c.user("")))
		}
	}
	told := false
	own := func() string {
		if told {
			return ""
		}
		told = true
		return "give Signpost a user of its own, with these rights only: " + c.newUser(c.another())
	}
	if tables := c.texts(check.writable); len(tables) > 0 {
		c.warn("the database user may write: "+some(tables), own())
	}
	if columns := c.texts(check.secrets); len(columns) > 0 {
		c.warn("the database user may read passwords or keys: "+some(columns), own())
	}
}

// userCure returns what lets the user in whom the server has refused. Servers do not tell
// whether there is no such user or the password is wrong, so that nobody finds out by trying.
func (c *checker) userCure(code, words string) string {
	check := c.engine.check
	user := c.user(words)
	switch {
	case code == "28000" && strings.Contains(words, "does not exist"):
		return c.newUser(user)
	case c.options.PasswordFile == "" && (code == "28P01" || code == "1045"):
		return "write the user's password into a file and name that with passwordFile"
	}
	return "if there is no such user: " + c.newUser(user) + " If there is: " + fmt.Sprintf(check.password, user)
}

// newUser returns the statements that create a user with the rights that the queries need.
func (c *checker) newUser(user string) string {
	return fmt.Sprintf(c.engine.check.create, user) + " " + c.grants(user, uses(c.account, c.domain, c.domains))
}

// another returns the name of a user of Signpost's own in place of the present one.
func (c *checker) another() string {
	_, machine := c.identity("")
	name := "signpost"
	if c.place.user == name {
		name = "signpost_reader"
	}
	return c.engine.check.quote(name, machine)
}

// user returns the user as a GRANT names it. words are those of a refusal, if there is one.
func (c *checker) user(words string) string { return c.engine.check.quote(c.identity(words)) }

// identity returns the user and the machine as the server knows them.
func (c *checker) identity(words string) (user, machine string) {
	check := c.engine.check
	if check.userIn != nil {
		if user, machine, ok := check.userIn(words); ok {
			return user, machine
		}
	}
	user, machine = c.place.user, "%"
	if words == "" { // there is a connection
		ctx, cancel := context.WithTimeout(c.ctx, checkTimeout)
		defer cancel()
		c.db().QueryRowContext(ctx, check.user).Scan(&user, &machine)
	}
	return user, machine
}

// grants returns the statements that let the user read the tables, but for passwords.
func (c *checker) grants(user string, tables []*use) string {
	var all, secret []string
	for _, u := range tables {
		granted, without := u.split()
		secret = append(secret, without...)
		if len(without) == 0 || len(granted.columns) > 0 || granted.whole {
			all = append(all, c.engine.check.grant(c.place, granted, user))
		}
	}
	text := strings.Join(all, " ")
	if len(secret) > 0 {
		text = strings.TrimSpace("leave out of the query, as Signpost reads no passwords: " +
			strings.Join(secret, ", ") + "; " + text)
	}
	return text
}

// texts returns the first column of a query's rows. What cannot be asked is no finding.
func (c *checker) texts(query string) []string {
	ctx, cancel := context.WithTimeout(c.ctx, checkTimeout)
	defer cancel()
	rows, err := c.db().QueryContext(ctx, query)
	if err != nil {
		return nil
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if rows.Scan(&text) == nil {
			all = append(all, text)
		}
	}
	return all
}
