package account

import "errors"

// What a Resolver answers besides Settings. Anything else that it returns is a
// fault of ours or of what we depend on (DNS, later a database): the question
// may be asked again, and no dialect turns it into "unknown".
var (
	// ErrUnknownDomain: no provider hosts the domain.
	ErrUnknownDomain = errors.New("the domain is not hosted here")
	// ErrWrongHost: the domain is hosted here, but the client asked for it at
	// the host name of another customer.
	ErrWrongHost = errors.New("the host name belongs to another customer")
)

// AddressError says why a text is not a mail address. It never holds the text:
// it goes into logs and answers.
type AddressError struct{ Problem string }

func (e *AddressError) Error() string { return "not a mail address: " + e.Problem }

// DomainError says why a text is not a domain name. It never holds the text.
type DomainError struct{ Problem string }

func (e *DomainError) Error() string { return "not a domain name: it " + e.Problem }

// IsUnknown reports whether err means that the domain, or the host that was
// asked, is certainly not served here. Any other error leaves that open, and the
// question may be asked again.
func IsUnknown(err error) bool {
	return errors.Is(err, ErrUnknownDomain) || errors.Is(err, ErrWrongHost)
}
