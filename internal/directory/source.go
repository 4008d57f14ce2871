package directory

import (
	"context"

	"signpost/account"
)

// Source knows accounts that are not what their domain says. It is asked for
// every query with a mailbox, in the order of configuration, until one knows
// the mailbox.
type Source interface {
	// Account looks the mailbox up by its Key. It reports false for one that
	// it does not know; an error is a failure of the source, never "unknown".
	Account(ctx context.Context, a account.Address) (Record, bool, error)
}

// Record is what a source knows of one account. All fields are optional.
type Record struct {
	Provider    string          // id of the provider; empty: what the domain says
	Alias       account.Address // the mailbox that receives this address's mail
	Inactive    bool            // no mail is served now; answers stay the same
	Username    string          // what this account signs in with instead of the provider's rule
	DisplayName string          // of the person, for the operator's eyes only
}

// List is a source that stands in the configuration, by Address.Key.
type List map[string]Record

// Account implements Source.
func (l List) Account(_ context.Context, a account.Address) (Record, bool, error) {
	record, ok := l[a.Key()]
	return record, ok, nil
}
