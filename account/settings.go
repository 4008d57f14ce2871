package account

import (
	"context"
	"crypto/md5"
)

// Query is what a client asks for.
type Query struct {
	// Address is the mailbox whose settings the client wants, or a result of
	// AnyAt for one that the client names in a way that cannot be read. If it is
	// zero, the client names none, and Host determines the domain.
	Address Address
	// MD5 is the MD5 sum of the address in lower case if that is all that the
	// client sends of it, and Address is a result of AnyAt.
	MD5 [md5.Size]byte
	// Host is the host of the request, as the client sent it. It is untrusted:
	// it is compared with what is hosted here and never repeated.
	Host   string
	Client Client
	// Fallback is set where a client may know the address although the query names
	// no mailbox: it sent a text that cannot be read, or asks a URL that clients ask
	// after another where they sent the address. What they were refused with the
	// address must not be given here, so such a query gets settings only where all
	// mailboxes of the domain have the same. It says nothing if Address is a mailbox.
	Fallback bool
}

// Resolver answers a query. It is all that the handlers of this module need to
// know of the rest of a program. An error for which IsUnknown is true means that
// the domain is not hosted here. After any other error, the query may be
// repeated.
type Resolver func(context.Context, Query) (Settings, error)

// Settings is the complete answer to a query. It holds everything that a document
// needs.
type Settings struct {
	// Address is the address of the query, or the result of AnyAt for the domain
	// if there was none.
	Address Address
	// Login completes the placeholders: the Address, except where an alias
	// signs in as the mailbox behind it, or where the domain is another name of
	// the domain that the mailboxes are in.
	Login Address
	// Provider has names, links and OAuth2. It is shared and must not be
	// modified.
	Provider *Provider
	// Servers are the servers for this client in the order of preference, with
	// placeholders that Expanded completes. The slice is shared and must not be
	// modified.
	Servers []Server
	// MailHost is the host that the mailbox is on, empty for that of the Provider. It is
	// completed in Servers.
	MailHost string
	// LookupDomain is the provider's own domain if the client asked there for an
	// address of another domain, as clients do that start from the MX record. It
	// is usually empty.
	LookupDomain string
	// Custom reports whether something in Servers is for this account alone, or for
	// the accounts of its domain.
	Custom bool
	// Dropped names the sections of a document that was read that no client could
	// use, each with the reason. It is empty for settings that were not read.
	Dropped []string
	// Account is what is known of the mailbox. It is for the operator only: no
	// document may depend on it.
	Account AccountInfo
}

// AccountInfo is what an account source knows of a mailbox.
type AccountInfo struct {
	Listed   bool
	Inactive bool
	AliasOf  Address // zero unless an alias
	// AliasUnresolved is set where nobody says which provider has the mailbox AliasOf. The
	// alias is answered like any address of its own domain.
	AliasUnresolved bool
	DomainOf        string // the domain that the address's domain is another name of, or empty
	Username        string // of this account alone; empty: the provider's rule applies
	DisplayName     string // of the person
	ByMX            string // the MX host by which the provider was found, if it was
}

// Cacheable reports whether the answer is the same for all mailboxes of the
// provider except for the address, so that a template made once per provider can
// be used. It is false for an address that needs escapes in a URL.
func (s *Settings) Cacheable() bool {
	return s.Provider != nil && !s.Custom && s.Login == s.Address && s.Address.plainInURL()
}

// Expanded returns the servers with all placeholders completed for the login.
func (s *Settings) Expanded() []Server {
	servers := make([]Server, len(s.Servers))
	for i, server := range s.Servers {
		servers[i] = server.Expand(s.Login)
	}
	return servers
}

// First returns the most preferred server of the type, and whether there is one.
func (s *Settings) First(t ServerType) (Server, bool) {
	for _, server := range s.Servers {
		if server.Type == t {
			return server, true
		}
	}
	return Server{}, false
}
