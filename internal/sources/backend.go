package sources

import (
	"context"

	"signpost/account"
	"signpost/internal/sources/row"
)

// Backend asks one store: a database, an LDAP directory or files. It is safe for
// concurrent use. No rows and no error mean that there is no such row, also where the
// store refuses a stranger's bytes. An error means that the store has failed. It names
// the class of the failure and never holds a password, an address or a bind DN.
type Backend interface {
	// Columns says what the store's rows can hold.
	Columns() row.Columns
	// Account returns the rows about exactly this address, in any spelling of its
	// domain.
	Account(ctx context.Context, a account.Address) ([]row.Account, error)
	// Domain returns the rows about a domain, whose name is a lower-case A-label. It is
	// called only if Columns has OneDomain.
	Domain(ctx context.Context, name string) ([]row.Domain, error)
	// Domains returns all domains. It is called only if Columns has Domains.
	Domains(ctx context.Context) ([]row.Domain, error)
	// Check opens the store and says what is missing or wrong there, for an operator.
	// It asks for nobody's mailbox at the domain sample, which may be empty.
	Check(ctx context.Context, sample string) []row.Finding
	// Settings returns the options of the backend. Two backends with settings that are
	// deeply equal ask the same store in the same way.
	Settings() any
	Close() error
}

// Lister is implemented by a Backend that can hand over its domains one by one. A
// million rows at once would need more memory than all the rest of the service.
type Lister interface {
	// EachDomain calls each for all domains.
	EachDomain(ctx context.Context, each func(row.Domain)) error
}
