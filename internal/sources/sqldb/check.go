package sqldb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"signpost/internal/fault"
	"signpost/internal/sources/row"
	"signpost/internal/sources/secret"
)

// checkTimeout bounds each question of a check. It is long, so that a check can tell slow
// from dead.
const checkTimeout = 5 * time.Second

// Check opens the database, runs its queries with nobody@sample, and says what is missing
// and what would mend it. Here alone the server's own words are told.
func (s *Store) Check(ctx context.Context, sample string) []row.Finding {
	c := &checker{Store: s, ctx: ctx}
	if s.options.PasswordFile != "" {
		if text := secret.Exposed(s.options.PasswordFile); text != "" {
			c.warn(text, "chmod 640 and chgrp signpost "+s.options.PasswordFile)
		}
	}
	if !c.hosts() {
		return c.found
	}
	c.queries(sample)
	if s.engine.check.user != "" {
		c.rights()
	}
	return c.found
}

// checker collects findings.
type checker struct {
	*Store
	ctx   context.Context
	found []row.Finding
}

func (c *checker) fail(text, cure string) {
	c.found = append(c.found, row.Finding{Text: text, Cure: cure})
}

func (c *checker) warn(text, cure string) {
	c.found = append(c.found, row.Finding{Text: text, Cure: cure, Warning: true})
}

// note tells what is no fault.
func (c *checker) note(text string) {
	c.found = append(c.found, row.Finding{Text: text, Warning: true, Note: true})
}

// hosts connects to each host and reports whether one of them answers.
func (c *checker) hosts() bool {
	all := newFailover(c.place, c.engine, c.timeout).hosts
	var failures []row.Finding
	for _, candidate := range all {
		ctx, cancel := context.WithTimeout(c.ctx, checkTimeout)
		conn, err := candidate.connector.Connect(ctx)
		if err == nil {
			conn.Close()
		} else {
			f := c.failure(ctx, err)
			if len(all) > 1 {
				f.Text = candidate.host.String() + ": " + f.Text
			}
			failures = append(failures, f)
		}
		cancel()
	}
	works := len(failures) < len(all)
	for _, f := range failures {
		f.Warning = works
		c.found = append(c.found, f)
	}
	return works
}

// failure returns what an error means, with the server's words and what mends it.
func (c *checker) failure(ctx context.Context, err error) row.Finding {
	e, ok := c.explain(ctx, err).(*Error)
	if !ok {
		return row.Finding{Text: "the check was interrupted"}
	}
	f := row.Finding{Text: e.Error(), Cure: cmp.Or(fault.Hint(err), e.cure)}
	if e.Code == "" {
		return f
	}
	words := c.engine.check.serverText(err)
	f.Text += ": " + words
	switch e.kind {
	case refusesUser:
		f.Cure = c.userCure(e.Code, words)
	case refusesReading:
		f.Cure = cmp.Or(c.other(words), c.grants(c.user(words), uses(c.account, c.domain, c.domains)))
	case lacksObject:
		f.Cure = cmp.Or(c.elsewhere(),
			"compare the query with the tables of this version; signpost presets prints those of a preset, to copy")
	}
	return f
}

// queries runs the queries.
func (c *checker) queries(sample string) {
	sample = cmp.Or(sample, "example.com")
	if c.domains != nil {
		c.list()
	}
	if c.domain != nil {
		c.one(c.domain, key{whole: sample, domain: sample}, "domain")
	}
	if c.account != nil {
		c.one(c.account, key{whole: "nobody@" + sample, local: "nobody", domain: sample}, "address")
	}
}

// list runs the query of all domains.
func (c *checker) list() {
	rows, unread := 0, 0
	isInactive := map[string]bool{} // by domain: PostfixAdmin has two rows for one that is another's alias
	ctx, cancel := context.WithTimeout(c.ctx, listTimeout)
	defer cancel()
	answer, err := c.run(ctx, c.domains, key{}, 0, func(v *values) {
		rows++
		truth, ok := flag(v.inactive)
		if !ok {
			unread++
		}
		name := strings.ToLower(plain(v.domain))
		isInactive[name] = isInactive[name] || truth
	})
	if err != nil {
		c.refused(ctx, c.domains, err)
		return
	}
	switch {
	case !answer.has.domain:
		c.fail("the query of domains gives no column domain", "write … AS domain behind the column with the name")
	case rows == 0:
		c.warn("the query of domains gives no rows", "")
	default:
		c.note(domainCount(isInactive))
	}
	c.flags(c.domains, unread)
	c.columns(c.domains, answer, known.domain)
}

// domainCount says how many domains there are, and how many of them are inactive.
func domainCount(isInactive map[string]bool) string {
	inactive := 0
	for _, is := range isInactive {
		if is {
			inactive++
		}
	}
	if inactive == 0 {
		return fmt.Sprintf("%d domains", len(isInactive))
	}
	return fmt.Sprintf("%d domains, %d of them inactive", len(isInactive), inactive)
}

// one runs the query about one domain or address, whose rows should name it in a column.
func (c *checker) one(q *query, k key, named string) {
	unread := 0
	ctx, cancel := context.WithTimeout(c.ctx, checkTimeout)
	defer cancel()
	start := time.Now()
	answer, err := c.run(ctx, q, k, maxRows, func(v *values) {
		if _, ok := flag(v.inactive); !ok {
			unread++
		}
	})
	if err != nil {
		c.refused(ctx, q, err)
		return
	}
	if took := time.Since(start); took > c.timeout {
		c.warn(fmt.Sprintf("the query of %s took %v, and the limit is %v", q.option, took.Round(time.Millisecond),
			c.timeout),
			"look whether the column that it compares has an index, and no function around it")
	}
	names, has := known.account, answer.has.address
	if q == c.domain {
		names, has = known.domain, answer.has.domain
	}
	if !has {
		c.warn(fmt.Sprintf("the query of %s gives no column %s: rows that a collation or pooler mixes up pass",
			q.option, named),
			fmt.Sprintf("write … AS %s behind the column that it compares", named))
	}
	c.flags(q, unread)
	c.columns(q, answer, names)
}

// flags warns of values that are neither yes nor no.
func (c *checker) flags(q *query, unread int) {
	if unread > 0 {
		c.warn(fmt.Sprintf("the query of %s gives %d values of inactive that are neither yes nor no, and count as no",
			q.option, unread),
			"1 t true y yes and 0 f false n no are read, in any case")
	}
}

// columns warns of columns that are not read, unless the query asks for all there are.
func (c *checker) columns(q *query, answer *values, names []string) {
	if len(answer.unknown) > 0 && q.result != nil {
		c.warn(fmt.Sprintf("the query of %s gives columns that are not read: %s", q.option, some(answer.unknown)),
			"read are "+strings.Join(names, ", "))
	}
}

// some returns up to three of the names.
func some(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// failOnce is fail for what several queries have in common.
func (c *checker) failOnce(text, cure string) {
	if !slices.ContainsFunc(c.found, func(f row.Finding) bool { return f.Text == text }) {
		c.fail(text, cure)
	}
}
