package certs

import (
	"slices"
	"time"

	"signpost/internal/dns"
)

// window is the period in which orders and names are counted.
const window = time.Hour

// history lists what was counted within the window, oldest first.
type history []event

// event is something that counts for a name.
type event struct {
	at     time.Time
	name   string
	domain string // the registrable domain
	count  int
}

func newEvent(name string, count int) event {
	return event{time.Now(), name, dns.Registrable(name), count}
}

// prune removes what is older than the window, and what a machine has counted whose clock is
// ahead by more.
func (h *history) prune() {
	now := time.Now()
	*h = slices.DeleteFunc(*h, func(e event) bool { return now.Sub(e.at).Abs() >= window })
}

// sum adds up everything, and what counts for a registrable domain.
func (h history) sum(domain string) (total, ofDomain int) {
	for _, e := range h {
		total += e.count
		if e.domain == domain {
			ofDomain += e.count
		}
	}
	return total, ofDomain
}
