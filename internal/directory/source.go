package directory

import (
	"context"
	"iter"
	"maps"

	"signpost/account"
)

// Source knows accounts that differ from what their domain says. It is asked for
// every query with a mailbox, in the order of configuration, until one knows the
// mailbox.
type Source interface {
	// Account looks the mailbox up by its Key. It reports false for a mailbox
	// that it does not know. An error is a failure of the source, never
	// "unknown".
	Account(ctx context.Context, a account.Address) (Record, bool, error)
	// Keys yields the Key of every account.
	Keys() iter.Seq[string]
}

// Record is what a source knows about one account. All fields are optional.
type Record struct {
	Provider    string          // id of the provider; empty: what the domain says
	Alias       account.Address // the mailbox that receives this address's mail
	Inactive    bool            // the mailbox does not work now; answers stay the same
	Username    string          // replaces the provider's rule for user names
	DisplayName string          // of the owner, for the operator's eyes only
}

// List is a source that stands in the configuration, by Address.Key.
type List map[string]Record

// Account implements Source.
func (l List) Account(_ context.Context, a account.Address) (Record, bool, error) {
	record, ok := l[a.Key()]
	return record, ok, nil
}

// Keys implements Source.
func (l List) Keys() iter.Seq[string] { return maps.Keys(l) }
