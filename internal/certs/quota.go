package certs

import (
	"sync/atomic"
	"time"

	"signpost/internal/dns"
	"signpost/internal/fair"
)

// quota limits what the lookups for one kind of names may use at the same time.
// Listed names have a quota of their own: strangers can make up any number of
// other names, with name servers that never answer, and must not keep the listed
// ones waiting. Each client has a share of it, and so have the names of each
// registrable domain.
type quota struct {
	kind    fair.Kind
	client  room          // share of a client
	names   *fair.Limiter // lookups of names that are not in storage
	clients *fair.Limiter // clients that wait for these
	orders  *fair.Limiter // lookups that order, or wait for it
	reads   *fair.Limiter // lookups that read a database, or wait for it
	claims  *fair.Limiter // clients that claim to validate orders of other machines
	sampler sampler       // for log lines that the clients can cause
}

// room is how many places there are.
type room struct {
	names, clients, orders int
	reads, readers         int // who read a database, and who wait for it
}

// The two quotas together are less than maxLookups. The rest is for names whose
// certificate is in storage: strangers cannot make these lookups slow.
var (
	listedRoom    = room{names: 192, clients: 768, orders: 12, reads: 2, readers: 128}
	listedShare   = room{names: 32, clients: 192, orders: 12, reads: 2, readers: 64}
	unlistedRoom  = room{names: 192, clients: 1024, orders: 8, reads: 1, readers: 64}
	unlistedShare = room{names: 32, clients: 256, orders: 3, reads: 1, readers: 16}
)

const (
	maxLookups   = 640
	maxQuestions = 24 // to DNS, for one handshake or one question of a proxy
	// readWait is how long a lookup or a claim waits for its turn at a database, at most.
	// An ACME server waits for ten seconds or so.
	readWait = 5 * time.Second
)

func newQuota(kind fair.Kind, all, client room) *quota {
	return &quota{
		kind:    kind,
		client:  client,
		names:   fair.New(all.names, 0, 0),
		clients: fair.New(all.clients, 0, 0),
		orders:  fair.New(all.orders, all.names, orderTimeout),
		reads:   fair.New(all.reads, all.readers, readWait),
		claims:  fair.New(1, all.readers, readWait),
	}
}

// callerOf returns the client as the one on whose behalf DNS is asked.
func (q *quota) callerOf(client fair.Caller) fair.Caller { return askingOnce(q.kind, client) }

// askingOnce returns the client as the one on whose behalf DNS is asked about one name.
// The number of questions is limited: a name may have many labels and aliases.
func askingOnce(kind fair.Kind, client fair.Caller) fair.Caller {
	pay, asked := client.Pay, new(atomic.Int32)
	client.Kind = kind
	client.Pay = func() bool { return asked.Add(1) <= maxQuestions && (pay == nil || pay()) }
	return client
}

// ofDomain returns the share of the registrable domain of a name, larger than those of an
// address and of a /48 together: one stranger with both cannot use it up.
func (q *quota) ofDomain(name string) fair.Share {
	return fair.Share{Key: dns.Registrable(name), Most: 4 * q.client.names}
}
