package certs

import (
	"context"
	"sync/atomic"
)

// share is what names of one kind may take of what is short. Those that only DNS
// can say are ours have a share of their own: strangers can make up any number of
// them, with name servers that never answer, and shall not keep those of the
// configuration waiting.
type share struct {
	found   bool // by DNS
	names   places
	clients places
	asking  chan struct{} // names with questions to DNS under way
	orders  chan struct{} // names with an order under way
}

// The numbers of names and clients. What is left of maxFlights is for names whose
// certificate lies in storage: strangers cannot make that take long. Our resolver
// has 64 places, and of these the rest is for clients' requests.
const (
	maxFlights = 512 // names looked for at once
	shareNames = 192 // that are not in storage

	listedClients, foundClients = 768, 256
	listedAsking, foundAsking   = 24, 16
	listedOrders, foundOrders   = 12, 4
)

func newShares() (listed, found *share) {
	return &share{
			names: places{most: shareNames}, clients: places{most: listedClients},
			asking: make(chan struct{}, listedAsking), orders: make(chan struct{}, listedOrders),
		}, &share{
			found: true,
			names: places{most: shareNames}, clients: places{most: foundClients},
			asking: make(chan struct{}, foundAsking), orders: make(chan struct{}, foundOrders),
		}
}

// places are so many that can be taken at once.
type places struct {
	most  int32
	taken atomic.Int32
}

// take reports whether there was a place.
func (p *places) take() bool {
	if p.taken.Add(1) > p.most {
		p.taken.Add(-1)
		return false
	}
	return true
}

func (p *places) leave() { p.taken.Add(-1) }

// await waits for a place in a channel of them.
func await(ctx context.Context, place chan<- struct{}) error {
	select {
	case place <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
