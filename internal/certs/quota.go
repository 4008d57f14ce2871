package certs

import "context"

// quota limits what the lookups for one kind of names may use at the same time.
// Listed names have a quota of their own: strangers can make up any number of
// other names, with name servers that never answer, and must not keep the listed
// ones waiting.
type quota struct {
	names   semaphore // lookups of names that are not in storage
	clients semaphore // clients that wait for these
	checks  semaphore // lookups that ask DNS
	orders  semaphore // lookups that order
}

// The two quotas together are less than maxLookups. The rest is for names whose
// certificate is in storage: strangers cannot make these lookups slow. The DNS
// client has 64 slots; those that the checks leave are for the requests of
// clients.
const (
	maxLookups = 512
	maxNames   = 192

	maxListedClients, maxUnlistedClients = 768, 256
	maxListedChecks, maxUnlistedChecks   = 24, 16
	maxListedOrders, maxUnlistedOrders   = 12, 4
)

func newQuota(clients, checks, orders int) *quota {
	return &quota{
		names:   make(semaphore, maxNames),
		clients: make(semaphore, clients),
		checks:  make(semaphore, checks),
		orders:  make(semaphore, orders),
	}
}

// semaphore limits how many goroutines do something at once, by its capacity.
type semaphore chan struct{}

// acquire waits for a slot.
func (s semaphore) acquire(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryAcquire acquires a slot if one is free, and reports whether it did.
func (s semaphore) tryAcquire() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s semaphore) release() { <-s }
