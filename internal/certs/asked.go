package certs

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"time"
)

const (
	// askedKey is the name in a shared storage of the ledger of names that were new.
	askedKey = "signpost/asked.json"

	// askedPrefix is above the names in a shared storage of those that were granted. The value
	// of each is when that was. Those older than grantedFor are deleted (acmeIssuer.tidy).
	askedPrefix = "signpost/asked"

	// tellEvery is how old the time of a name becomes until it is written again.
	tellEvery = 24 * time.Hour
)

// asked is what machines with a shared storage know together about names that they granted.
type asked struct {
	storage Shared
	ledger  *ledger[askedNames]
	// turn lets this machine do one thing at a time. What strangers have a proxy ask leaves
	// room for the locks of orders.
	turn chan struct{}
}

func newAsked(storage Shared, log *slog.Logger) *asked {
	return &asked{storage, newLedger[askedNames](storage, askedKey, log), make(chan struct{}, 1)}
}

var errStorageAway = errors.New("the storage cannot be used now")

// take waits for the turn, which ends when done is called.
func (a *asked) take(ctx context.Context) (done func(), err error) {
	if a.storage.Away() {
		return nil, errStorageAway
	}
	select {
	case a.turn <- struct{}{}:
		return func() { <-a.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// when returns when a name was last granted, the zero time if never.
func (a *asked) when(ctx context.Context, name string) (time.Time, error) {
	done, err := a.take(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer done()
	return a.read(ctx, name)
}

// read is when for who has the turn. A value that is damaged, or was written by a machine whose
// clock is far ahead, is as good as none.
func (a *asked) read(ctx context.Context, name string) (at time.Time, err error) {
	value, err := a.storage.Load(ctx, askedPrefix+"/"+name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return at, err
	}
	at, err = time.Parse(time.RFC3339, string(value))
	if err != nil || time.Until(at) >= window {
		return time.Time{}, nil
	}
	return at, nil
}

// tell writes that a name was granted, unless another machine has told so not long before. It
// returns what is written now.
func (a *asked) tell(name string, at time.Time) (told time.Time, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	done, err := a.take(ctx)
	if err != nil {
		return told, err
	}
	defer done()
	if told, err = a.read(ctx, name); err != nil || at.Sub(told) < tellEvery {
		return told, err
	}
	return at, a.storage.Store(ctx, askedPrefix+"/"+name, []byte(at.UTC().Format(time.RFC3339)))
}

// update changes the new names of all machines. change may be called several times.
func (a *asked) update(ctx context.Context, change func(*history)) error {
	done, err := a.take(ctx)
	if err != nil {
		return err
	}
	defer done()
	return a.ledger.update(ctx, func(n *askedNames) bool {
		names := n.history()
		before := len(names)
		change(&names)
		*n = askedNamesOf(names)
		return len(names) != before
	})
}

// askedNames are the new names as they stand in the storage.
type askedNames struct {
	Names  []orderEntry `json:"names"`
	Writer string       `json:"writer"` // as in entries
}

func (a askedNames) history() history {
	var all history
	for _, n := range a.Names {
		all = append(all, n.event())
	}
	return all
}

func askedNamesOf(names history) askedNames {
	a := askedNames{Names: []orderEntry{}, Writer: rand.Text()}
	for _, e := range names {
		a.Names = append(a.Names, orderEntry{e.at.UTC(), e.name, e.count})
	}
	return a
}
