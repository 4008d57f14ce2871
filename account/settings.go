package account

import "context"

// Query is what a client asks.
type Query struct {
	// Address is whose settings are asked for: a mailbox, any mailbox of a
	// domain (AnyAt), or nothing, and then Host tells the domain.
	Address Address
	// Host is the host that the client asked, as it stood in the request. It
	// comes from a stranger and is compared with what is hosted, never repeated.
	Host   string
	Client Client
}

// Resolver answers a query. It is what every dialect is given, and all that a
// dialect knows of the rest of the program. Errors are ErrUnknownDomain,
// ErrWrongHost or a failure that asking again may cure.
type Resolver func(context.Context, Query) (Settings, error)

// Settings is the complete answer to a query. A dialect decides how to spell
// it, and asks nobody else.
type Settings struct {
	// Address is who asked, or AnyAt the domain when no address was given.
	Address Address
	// Login completes the placeholders: the Address, except where an alias
	// signs in as the mailbox behind it.
	Login Address
	// Provider gives names, links and OAuth2. It is shared: read only.
	Provider *Provider
	// Servers is what this client should be told, in the order of preference,
	// with placeholders; Expanded completes them. Shared: read only.
	Servers []Server
	// LookupDomain is a domain of the provider's own under which the client
	// asked for an address of another domain, as clients do that start from
	// the MX record; mostly empty.
	LookupDomain string
	// Custom is set where something in Servers belongs to this account alone.
	Custom bool
	// Account says what is known of the mailbox. It is for the operator's
	// eyes: no dialect may look at it.
	Account AccountInfo
}

// AccountInfo is what an account source said of a mailbox.
type AccountInfo struct {
	Listed      bool
	Inactive    bool
	AliasOf     Address // zero unless an alias
	Username    string  // of this account alone; empty where the rule holds
	DisplayName string  // of the person
	ByMX        string  // the MX host that told the provider; empty otherwise
}

// Cacheable reports whether the answer differs from that for every other mailbox
// of the provider in nothing but the address, so that one prepared for the
// provider (for AnyAt a domain) fits once its placeholders are completed. An
// address that cannot stand in a URL as it is never does.
func (s *Settings) Cacheable() bool {
	return s.Provider != nil && !s.Custom && s.Login == s.Address && s.Address.plainInURL()
}

// Expanded lists the servers with all placeholders completed for the login.
func (s *Settings) Expanded() []Server {
	servers := make([]Server, len(s.Servers))
	for i, server := range s.Servers {
		servers[i] = server.Expand(s.Login)
	}
	return servers
}

// First is the most preferred server of the type.
func (s *Settings) First(t ServerType) (Server, bool) {
	for _, server := range s.Servers {
		if server.Type == t {
			return server, true
		}
	}
	return Server{}, false
}
