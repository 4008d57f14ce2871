package certs

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// ticketsKey is the name of the keys in the storage. It ends as those of private keys do, so
	// that the keys are sealed where these are.
	ticketsKey = "signpost/tickets.key"

	// A key is used for a day, and its tickets are accepted for a week, like those of
	// package crypto/tls.
	ticketKeyUse  = 24 * time.Hour
	ticketKeyLife = 7 * 24 * time.Hour
	// maxTicketKeys is more than there are while the clocks of all machines are right.
	maxTicketKeys = 10

	// ticketRefresh is how often the keys are read. A ticket of a key that another machine
	// does not know yet costs a whole handshake there and nothing else.
	ticketRefresh = time.Minute
)

// tickets has the keys of session tickets that all machines share, so that a client resumes
// its TLS session at any of them (RFC 8446 §2.2). Until the keys could be read, the machine
// has its own.
type tickets struct {
	storage Shared
	log     *slog.Logger
	// current encrypts and decrypts tickets. It is nil before the first keys were read.
	current atomic.Pointer[tls.Config]
}

// ticketKey is a key as it stands in the storage.
type ticketKey struct {
	Key  [32]byte  `json:"key"`
	Made time.Time `json:"made"`
}

// apply makes the listener's configuration use the shared keys. Servers work on copies of a
// configuration, which keep these functions.
func (t *tickets) apply(c *tls.Config) {
	if t == nil {
		return
	}
	c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		if current := t.current.Load(); current != nil {
			return current.EncryptTicket(cs, ss)
		}
		return c.EncryptTicket(cs, ss)
	}
	c.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		if current := t.current.Load(); current != nil {
			return current.DecryptTicket(identity, cs)
		}
		return c.DecryptTicket(identity, cs)
	}
}

// keep reads the keys now and regularly until ctx is done, and makes a new one when the last
// is a day old.
func (t *tickets) keep(ctx context.Context) {
	failed := false
	for {
		err := t.refresh(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			t.log.Warn("cannot read the keys of session tickets", "reason", err)
		}
		failed = err != nil
		wait := ticketRefresh
		if t.current.Load() == nil {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// refresh reads the keys, and adds one if that is due.
func (t *tickets) refresh(ctx context.Context) error {
	data, keys, err := t.read(ctx)
	if err != nil {
		return err
	}
	if isDue(keys) {
		if keys, err = t.add(ctx, data, keys); err != nil {
			return err
		}
	}
	usable := make([][32]byte, len(keys))
	for i, k := range keys {
		usable[i] = k.Key
	}
	current := new(tls.Config)
	current.SetSessionTicketKeys(usable)
	t.current.Store(current)
	return nil
}

// isDue reports whether the first key has been used for long enough, or was made by a machine
// whose clock is far ahead.
func isDue(keys []ticketKey) bool {
	return len(keys) == 0 || time.Since(keys[0].Made).Abs() >= ticketKeyUse
}

// add adds a new key to those that were read, and drops those whose tickets are too old. If
// another machine has done so meanwhile, its keys are used.
func (t *tickets) add(ctx context.Context, old []byte, keys []ticketKey) ([]ticketKey, error) {
	k := ticketKey{Made: time.Now().UTC()}
	rand.Read(k.Key[:])
	keys = slices.Insert(keys, 0, k)
	keys = slices.DeleteFunc(keys, func(k ticketKey) bool { return time.Since(k.Made).Abs() >= ticketKeyLife })
	keys = keys[:min(len(keys), maxTicketKeys)]
	data, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	swapped, err := t.storage.Swap(ctx, ticketsKey, old, data)
	if err != nil || swapped {
		return keys, err
	}
	_, keys, err = t.read(ctx)
	return keys, err
}

// read returns the value in the storage, nil if there is none, and its keys, the newest first.
func (t *tickets) read(ctx context.Context) ([]byte, []ticketKey, error) {
	data, err := t.storage.Load(ctx, ticketsKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	var keys []ticketKey
	return data, keys, json.Unmarshal(data, &keys)
}
