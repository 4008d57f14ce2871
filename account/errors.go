package account

import "errors"

// Errors of a Resolver that say something about the query. Any other error is a
// failure of the service or of what it depends on, such as DNS: the query may be
// repeated, and no answer says that the domain is unknown.
var (
	// ErrUnknownDomain is returned for a domain that no provider hosts.
	ErrUnknownDomain = errors.New("the domain is not hosted here")
	// ErrAddressRequired is returned for a domain that is hosted here if the query
	// names no mailbox and the settings might be those of another one.
	ErrAddressRequired = errors.New("the settings depend on the mailbox, and the query names none")
)

// AddressError says why a text is not a mail address. It never quotes the text, as
// it goes into logs and answers.
type AddressError struct{ Problem string }

func (e *AddressError) Error() string { return "not a mail address: " + e.Problem }

// DomainError says why a text is not a domain name. It never quotes the text.
type DomainError struct{ Problem string }

func (e *DomainError) Error() string { return "not a domain name: it " + e.Problem }

// IsUnknown reports whether err means that there is certainly no answer: the domain is
// not hosted here, or its settings are not given without an address. Any other error
// leaves that open, and the query may be repeated.
func IsUnknown(err error) bool {
	return errors.Is(err, ErrUnknownDomain) || errors.Is(err, ErrAddressRequired)
}
