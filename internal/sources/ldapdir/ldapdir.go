// Package ldapdir asks an LDAP directory for mailboxes and domains.
//
// It only searches (RFC 4511 §4.5): it binds with a simple bind, writes nothing, follows no
// referral and dereferences no alias entry. What a client asked for goes into filters and
// DNs escaped (RFC 4515, RFC 4514).
package ldapdir

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"signpost/internal/certfile"
	"signpost/internal/sources/row"
	"signpost/internal/sources/secret"
)

// Options says which directory is asked, and what its attributes mean.
//
// An attribute may be several names with blanks between them: the first one that an entry
// has values of counts.
type Options struct {
	// Servers are URIs in the order in which they are tried: ldaps://HOST, ldap://HOST
	// with StartTLS (without it to this machine, or if Plain is set) and ldapi:// with the
	// path of a socket. One text may hold several, with blanks between them. A URI may end
	// in the base of searches: ldaps://ldap.example.com/dc=example,dc=com.
	Servers []string
	Plain   bool // ldap:// goes without encryption to other machines, too

	BindDN       string // who asks; empty: anonymous
	PasswordFile string // of BindDN, as secret.Read reads it
	CARoot       string // file with the roots that verify the servers; empty: the system's

	// Base is the entry below which accounts are searched for. Its values may hold %d, the
	// domain of the address. If it is empty, the base of the URI is taken, which also
	// completes a Base with a comma at its end.
	Base       string
	Account    string // filter: %s is the address, %u what stands before its @, %d its domain, %% a percent sign
	Attributes Attributes
	// Inactive are conditions of which one makes a mailbox inactive: ATTR=VALUE,
	// ATTR!=VALUE (an entry without ATTR meets neither) and ATTR&BIT.
	Inactive []string

	DomainBase       string // like Base, without placeholders; empty: Base
	Domain           string // filter: %s is the name of the domain; empty: the directory has no domains
	Domains          string // filter for all domains; empty: Domain with any value in place of %s
	DomainAttributes DomainAttributes
	DomainInactive   []string // like Inactive; an inactive domain is not hosted

	Timeout     time.Duration // of one search; 0: 500 ms
	Connections int           // at most, each with several searches; 0: 4
}

// Attributes are the names of the attributes of accounts.
type Attributes struct {
	// Address holds the address of the mailbox itself. The first attribute that Account
	// compares with %s is the default. Of values like those of Active Directory's
	// proxyAddresses, SMTP:anna@example.com counts.
	Address     string
	Username    string
	DisplayName string
	Provider    string
	MailHost    string
	// Alias holds the addresses that get the mail of an object that is no mailbox: of one
	// with the object class AliasClass or, if that is empty, without Address.
	Alias      string
	AliasClass string
}

// DomainAttributes are the names of the attributes of domains.
type DomainAttributes struct {
	// Domain holds the domain's own name. The first attribute that the filter compares
	// with %s is the default. A name of the domain in another attribute of the filter is
	// one of its alias domains.
	Domain   string
	Alias    string // the domain that this one is another name of
	Provider string
	MailHost string
}

// Store is an LDAP directory. It is safe for concurrent use.
type Store struct {
	options Options
	account accounts
	domain  domains
	pool    *pool
	sight   *sight
}

const (
	defaultTimeout     = 500 * time.Millisecond
	defaultConnections = 4
)

// New checks the options. It connects to no server.
func New(o Options) (*Store, error) {
	servers, base, err := parseServers(o.Servers, o.Plain)
	if err != nil {
		return nil, err
	}
	if err := checkLogin(o); err != nil {
		return nil, err
	}
	s := &Store{options: o}
	if s.account, err = newAccounts(o, base); err != nil {
		return nil, err
	}
	if s.domain, err = newDomains(o, base); err != nil {
		return nil, err
	}
	timeout, connections := o.Timeout, o.Connections
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if connections == 0 {
		connections = defaultConnections
	}
	if timeout < 0 || connections < 0 {
		return nil, errors.New("a time or a number of connections is negative")
	}
	s.pool = newPool(connections, timeout, newDialer(o, servers, timeout))
	s.sight = s.newSight()
	return s, nil
}

// checkLogin checks what the servers are to know of us, and we of them.
func checkLogin(o Options) error {
	switch {
	case o.BindDN == "" && o.PasswordFile != "":
		return errors.New("a password file without a bind DN")
	case o.BindDN != "" && o.PasswordFile == "":
		return errors.New("a bind DN without a password file: a directory takes it for anonymous")
	case o.PasswordFile != "":
		if err := secret.Check(o.PasswordFile); err != nil {
			return err
		}
	}
	if o.CARoot != "" {
		if _, err := certfile.Roots(o.CARoot); err != nil {
			return err
		}
	}
	return nil
}

// Columns says what the directory can tell.
func (s *Store) Columns() row.Columns {
	o := s.options
	return row.Columns{
		Alias:    s.account.hasAliases(),
		Provider: o.Attributes.Provider != "",
		Username: o.Attributes.Username != "",
		MailHost: o.Attributes.MailHost != "",

		Domains:   len(s.domain.lists) > 0,
		OneDomain: o.Domain != "",
	}
}

// Settings returns the Options of New.
func (s *Store) Settings() any { return s.options }

// Close closes all connections.
func (s *Store) Close() error {
	s.pool.close()
	return nil
}

// names returns the names of attributes that text holds.
func names(what, text string) ([]string, error) {
	var all []string
	for name := range strings.FieldsSeq(text) {
		if !isAttribute(name) {
			return nil, fmt.Errorf("%s: %q is not the name of an attribute", what, name)
		}
		all = append(all, name)
	}
	return all, nil
}

// isAttribute reports whether name can name an attribute: a word or an OID, perhaps with
// options (RFC 4512 §2.5).
func isAttribute(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || strings.IndexByte("-;._", c) >= 0):
		case '0' <= c && c <= '9' && strings.Trim(name, "0123456789.") == "":
		default:
			return false
		}
	}
	return name != ""
}
