package ldapdir

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// enough is how many entries a search for one name may give: one is the answer, and two
// say already that it is ambiguous.
const enough = 2

// find searches for the entries that match a filter with the keys. It reports whether
// there are more than it returns.
func (s *Store) find(
	ctx context.Context, b base, f *filter, keys []key, asked []string,
) (entries []*ldap.Entry, more bool, err error) {
	if len(b.dn.letters) == 0 {
		return s.findBelow(ctx, b, f, keys, asked)
	}
	for i := range keys {
		found, m, err := s.findBelow(ctx, b, f, keys[i:i+1], asked)
		if err != nil {
			return nil, false, err
		}
		entries, more = append(entries, found...), more || m
	}
	return entries, more, nil
}

// findBelow is like find for a base that is the same for all keys.
func (s *Store) findBelow(
	ctx context.Context, b base, f *filter, keys []key, asked []string,
) (entries []*ldap.Entry, more bool, err error) {
	request := s.request(b.expand(keys[0]), f.expand(keys), asked)
	result, err := s.pool.search(ctx, request)
	var failure *Error
	switch {
	case err == nil:
		return result.Entries, false, nil
	case !errors.As(err, &failure):
		return nil, false, err
	case failure.Code == ldap.LDAPResultSizeLimitExceeded:
		return result.Entries, true, nil
	case failure.Code == ldap.LDAPResultNoSuchObject && b.fixed != "":
		// The domain has no entry, or we may see none at all.
		_, err := s.pool.search(ctx, s.exists(b.fixed))
		return nil, false, err
	case isRefusal(failure.Code) && !arePlain(keys):
		// The server refused the question: for what a stranger wrote, or at all?
		harmless := key{"nobody@example.com", "nobody", "example.com"}
		if keys[0].local == "" {
			harmless.whole = harmless.domain
		}
		_, err := s.pool.search(ctx, s.request(b.expand(harmless), f.expand([]key{harmless}), asked))
		if errors.As(err, &failure) && (failure.Code == ldap.LDAPResultSizeLimitExceeded ||
			failure.Code == ldap.LDAPResultNoSuchObject && b.fixed != "") {
			err = nil
		}
		return nil, false, err
	}
	return nil, false, err
}

// fixedBase returns the base of accounts, or the part of it that is the same for all
// domains.
func (s *Store) fixedBase() string {
	if b := s.account.base; b.fixed != "" {
		return b.fixed
	}
	return s.account.base.expand(key{})
}

// request returns a search for few entries.
func (s *Store) request(base, filter string, asked []string) *ldap.SearchRequest {
	return &ldap.SearchRequest{
		BaseDN: base, Scope: ldap.ScopeWholeSubtree, DerefAliases: ldap.NeverDerefAliases,
		SizeLimit: enough, EnforceSizeLimit: true, // Samba knows no limit
		TimeLimit: seconds(s.pool.timeout), Filter: filter, Attributes: asked,
	}
}

// exists returns a search that fails if there is no entry dn, or we may not see it.
func (s *Store) exists(dn string) *ldap.SearchRequest {
	r := s.request(dn, "(objectClass=*)", []string{"1.1"})
	r.Scope = ldap.ScopeBaseObject
	return r
}

// seconds returns the time in seconds, rounded up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// isRefusal reports whether a result can be the answer to bytes that the server, or an
// attribute, cannot take.
func isRefusal(code int) bool {
	switch code {
	case ldap.LDAPResultOperationsError, ldap.LDAPResultProtocolError, ldap.LDAPResultInappropriateMatching,
		ldap.LDAPResultConstraintViolation, ldap.LDAPResultInvalidAttributeSyntax, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultOther, ldap.LDAPResultFilterError:
		return true
	}
	return false
}

// arePlain reports whether the keys have only characters that no server minds.
func arePlain(keys []key) bool {
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789.@-_"
	for _, k := range keys {
		if strings.Trim(k.whole, plain) != "" {
			return false
		}
	}
	return true
}

const (
	pageSize = 500 // Active Directory gives at most 1,000 ([MS-ADTS] §3.1.1.3.4.6, MaxPageSize)
	// slowness is how much longer a page may take than the search for one entry.
	slowness = 20
)

// pages calls each for every entry that matches the filter (RFC 2696). It has a connection
// of its own, since a page may take its time and the next one must come the same way.
func (s *Store) pages(ctx context.Context, base, filter string, asked []string, each func(*ldap.Entry)) error {
	c, err := s.pool.dialer.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	c.SetTimeout(slowness * s.pool.timeout)
	request := s.request(base, filter, asked)
	request.SizeLimit, request.EnforceSizeLimit, request.TimeLimit = 0, false, seconds(slowness*s.pool.timeout)
	paging := ldap.NewControlPaging(pageSize)
	request.Controls = []ldap.Control{paging}
	for {
		result, err := c.Search(request)
		if err != nil {
			return newError("search", c.server, err)
		}
		for _, e := range result.Entries {
			each(e)
		}
		next, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(next.Cookie)
	}
}
