package ldapdir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"signpost/internal/sources/row"
	"signpost/internal/sources/secret"
)

// check is what a check of a directory knows.
type check struct {
	*Store
	ctx   context.Context
	conn  *connection
	kind  kind
	found []row.Finding

	attributes, classes map[string]definition // of the server's schema, empty if it may not be read
}

// Check connects to each server and searches as the service does, for nobody at the
// domain sample.
func (s *Store) Check(ctx context.Context, sample string) []row.Finding {
	c := &check{Store: s, ctx: ctx}
	if file := s.options.PasswordFile; file != "" {
		if text := secret.Exposed(file); text != "" {
			c.warn(text, "chmod 640 "+file+" && chgrp signpost "+file)
		}
	}
	if !c.connect() {
		return c.found
	}
	defer c.conn.Close()
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	root := c.look("", "subschemaSubentry", "objectClass", "vendorName", "rootDomainNamingContext", "namingContexts")
	c.kind = kindOf(root)
	c.readSchema(root)
	if !c.bases(root) {
		return c.found
	}
	c.schema()
	sample = cmp.Or(sample, "example.com")
	c.accounts(sample)
	c.domains(sample)
	c.passwords()
	return c.found
}

// fault adds what keeps the source from working.
func (c *check) fault(text, cure string) {
	c.found = append(c.found, row.Finding{Text: text, Cure: cure})
}

// warn adds what the source works with all the same.
func (c *check) warn(text, cure string) {
	c.found = append(c.found, row.Finding{Text: text, Cure: cure, Warning: true})
}

// note adds what is well, but good to know.
func (c *check) note(text string) {
	c.found = append(c.found, row.Finding{Text: text, Warning: true, Note: true})
}

// failed adds a failure below an entry, with the server's words if they name nobody.
func (c *check) failed(what string, err error, dn string) {
	cure := c.cureOfRights(dn)
	e, ok := errors.AsType[*Error](err)
	if ok && e.Code == ldap.LDAPResultReferral {
		cure = "another server has this part of the directory: ask that, or a global catalogue (port 3269)"
	}
	if ok && e.Code == ldap.LDAPResultNoSuchObject {
		cure = "base may be mistyped; if it is right, the account may not see it: " + cure
	}
	c.fault(what+explain(err), cure)
}

// explain returns the text of an error, with the server's words if they name nobody.
func explain(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.details == "" || strings.ContainsAny(e.details, "@=") {
		return err.Error()
	}
	return err.Error() + ": " + strings.TrimRight(e.details, "\x00\n")
}

// connect connects to all servers and keeps the first connection.
func (c *check) connect() bool {
	var failures []error
	for _, at := range c.pool.dialer.servers {
		conn, err := c.pool.dialer.dialServer(c.ctx, at)
		switch {
		case err != nil:
			failures = append(failures, err)
		case c.conn == nil:
			c.conn = conn
			conn.SetTimeout(slowness * c.pool.timeout)
		default:
			conn.Close()
		}
	}
	for _, err := range failures {
		if c.conn != nil {
			c.warn(explain(err)+"; the other servers are asked", cureOfConnect(err))
		} else {
			c.fault(explain(err), cureOfConnect(err))
		}
	}
	return c.conn != nil
}

// look reads one entry, or returns nil.
func (c *check) look(dn string, attributes ...string) *ldap.Entry {
	r := c.exists(dn)
	r.Attributes = attributes
	result, err := c.conn.Search(r)
	if err != nil || len(result.Entries) == 0 {
		return nil
	}
	return result.Entries[0]
}

// bases reports whether the entries below which is searched exist.
func (c *check) bases(root *ldap.Entry) bool {
	all := []string{c.fixedBase()}
	if c.domain.filter != nil {
		all = attributeList(all, []string{c.domain.base.expand(key{})})
	}
	good := true
	for _, dn := range all {
		if dn == "" {
			good = c.hasRoot(root) && good
			continue
		}
		_, err := c.conn.Search(c.exists(dn))
		if err == nil {
			continue // 389 Directory Server says so also if the entry may not be seen
		}
		good = false
		c.failed(fmt.Sprintf("the base %q cannot be read: ", dn), newError("search", c.conn.server, err), dn)
	}
	return good
}

// hasRoot reports whether entries can be searched for below no base at all, as in Zimbra.
func (c *check) hasRoot(root *ldap.Entry) bool {
	if root == nil {
		return true // nothing is known
	}
	contexts := valuesOf(root, "namingContexts")
	if len(contexts) == 0 || slices.Contains(contexts, "") {
		return true
	}
	c.fault("there is no base, and the directory has entries only below "+strings.Join(contexts, " and "),
		"set base, or write the base at the end of the server's URI")
	return false
}

// accounts searches for nobody, and then for anybody, to see what can be read.
func (c *check) accounts(sample string) {
	a := &c.account
	nobody := []key{{"nobody@" + sample, "nobody", sample}}
	if _, _, err := c.find(c.ctx, a.base, a.filter, nobody, a.asked); err != nil {
		c.failed("account: ", err, c.fixedBase())
		return
	}
	entries, err := c.some(c.fixedBase(), a.filter, a.keys, a.asked)
	if err != nil {
		c.failed("account: the search for all mailboxes: ", err, c.fixedBase())
		return
	}
	if len(entries) == 0 {
		c.fault("account: the filter finds no mailbox at all: "+
			"the base or the filter is wrong, or the right to search is missing",
			c.cureOfRights(c.fixedBase()))
		return
	}
	lacks := func(names []string) bool {
		has := func(e *ldap.Entry) bool { return firstValues(e, names) != nil }
		return names != nil && !slices.ContainsFunc(entries, has)
	}
	if lacks(a.address) {
		c.fault(fmt.Sprintf("address: none of %s has a readable %s",
			some(len(entries)), strings.Join(a.address, " or ")),
			c.cureOfRights(c.fixedBase()))
	}
	for _, l := range []nameList{
		{"username", "", &a.username}, {"displayName", "", &a.displayName}, {"provider", "", &a.provider},
	} {
		if lacks(*l.to) {
			c.warn(fmt.Sprintf("%s: none of %s has a readable %s",
				l.what, some(len(entries)), strings.Join(*l.to, " or ")),
				c.cureOfRights(c.fixedBase()))
		}
	}
	c.writing(entries[0].DN)
}

func some(n int) string {
	if n == 1 {
		return "one mailbox that was looked at"
	}
	return fmt.Sprintf("%d mailboxes that were looked at", n)
}

// some returns a few of the entries that a filter finds with any key.
func (c *check) some(base string, f *filter, keys []*filter, asked []string) ([]*ldap.Entry, error) {
	for _, k := range keys {
		any, result := f.only(k)
		if result != maybe {
			continue
		}
		r := c.request(base, any.expand(nil), asked)
		r.SizeLimit, r.EnforceSizeLimit = 20, false
		found, err := c.conn.Search(r)
		if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
			return nil, newError("search", c.conn.server, err)
		}
		if len(found.Entries) > 0 {
			return found.Entries, nil
		}
	}
	return nil, nil
}

// domains searches for a domain, and lists all.
func (c *check) domains(sample string) {
	d := &c.domain
	if d.filter == nil {
		return
	}
	base := d.base.expand(key{})
	if _, _, err := c.find(c.ctx, d.base, d.filter, []key{{whole: sample, domain: sample}}, d.asked); err != nil {
		c.failed("domain: ", err, base)
		return
	}
	for _, k := range d.keys {
		if !k.equality {
			c.warn(fmt.Sprintf("domain: %s is compared with a part of its value: without an index for that, "+
				"the server reads all entries for each domain that it does not have", k.name),
				c.kind.cureOfIndex(k.name))
		}
	}
	if len(d.lists) == 0 {
		return
	}
	count, inactive := 0, 0
	err := c.EachDomain(c.ctx, func(r row.Domain) {
		count++
		if r.Inactive {
			inactive++
		}
	})
	failure, _ := errors.AsType[*Error](err)
	switch {
	case failure != nil && failure.Code == ldap.LDAPResultSizeLimitExceeded:
		c.fault("domains: the server does not give the whole list: "+explain(err), c.kind.cureOfLimit())
	case err != nil:
		c.failed("domains: ", err, base)
	case count == 0:
		c.fault("domains: the filter finds none", c.cureOfRights(base))
	case inactive > 0:
		c.note(fmt.Sprintf("%d domains, %d of them inactive", count, inactive))
	default:
		c.note(fmt.Sprintf("%d domains", count))
	}
}
