package server

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"signpost/internal/conn"
)

// Rate is how many requests an address block may send, an IPv4 address or an IPv6 /64. A
// /48 may send conn.Wider times as many in the long run. The zero Rate is no limit.
type Rate struct {
	interval int64 // nanoseconds until one request is allowed again
	burst    int64 // nanoseconds that a full bucket is worth
}

// RateOf returns the rate of perSecond requests on average, with a burst from an
// address that has been quiet. Zero requests a second is no limit.
func RateOf(perSecond, burst int) Rate {
	if perSecond <= 0 {
		return Rate{}
	}
	interval := int64(time.Second) / int64(perSecond)
	return Rate{interval, interval * int64(max(burst, 1))}
}

// wide returns the rate of a /48, each of whose blocks has this rate.
func (r Rate) wide() Rate { return Rate{r.interval / conn.Wider, r.burst} }

// Limiter limits the requests of address blocks by token buckets. It always takes one
// megabyte: the hash of a block selects eight buckets, and a block without a bucket
// replaces the one of them that has been full longest. A full bucket holds no
// information, so this mostly loses nothing. A Limiter outlives the configurations that
// use it.
type Limiter struct {
	start time.Time
	seed  maphash.Seed
	sets  []bucketSet
}

const (
	ways       = 8
	bucketSets = 1 << 13
)

type bucketSet struct {
	mu      sync.Mutex
	buckets [ways]bucket
}

// bucket is a token bucket, stored as the time at which it will be full again. That one
// number gives its tokens at any time and for any rate.
type bucket struct {
	block conn.Block
	full  int64 // nanoseconds since the limiter's start
}

// NewLimiter returns a limiter with all its memory allocated.
func NewLimiter() *Limiter {
	return &Limiter{start: time.Now(), seed: maphash.MakeSeed(), sets: make([]bucketSet, bucketSets)}
}

// Allow counts a request of addr, or what costs as much, and reports whether it may
// be answered.
func (l *Limiter) Allow(addr netip.Addr, rate Rate) bool {
	return rate.interval == 0 || l.allow(addr, rate, time.Now()) == 0
}

// allow reports how long addr has to wait until it may send a request. If that is zero,
// the request is counted, for the block of addr and for the wider one around it.
func (l *Limiter) allow(addr netip.Addr, rate Rate, now time.Time) (wait time.Duration) {
	block, at := conn.BlockOf(addr), int64(now.Sub(l.start))
	if wait = l.take(block, rate, at); wait > 0 {
		return wait
	}
	if around := conn.WideBlockOf(addr); around != 0 {
		if wait = l.take(around, rate.wide(), at); wait > 0 {
			l.take(block, Rate{-rate.interval, rate.burst}, at) // gives the request back
		}
	}
	return wait
}

// take takes a request from the bucket of the block, or returns how long that has to
// wait.
func (l *Limiter) take(block conn.Block, rate Rate, at int64) (wait time.Duration) {
	set := &l.sets[maphash.Comparable(l.seed, block)%bucketSets]
	set.mu.Lock()
	defer set.mu.Unlock()
	fullest := &set.buckets[0]
	for i := range set.buckets {
		b := &set.buckets[i]
		if b.block == block {
			return b.allow(rate, at)
		}
		if b.full < fullest.full {
			fullest = b
		}
	}
	*fullest = bucket{block: block}
	return fullest.allow(rate, at)
}

func (b *bucket) allow(rate Rate, at int64) time.Duration {
	full := max(b.full, at) + rate.interval
	if wait := full - at - rate.burst; wait > 0 {
		return time.Duration(wait)
	}
	b.full = full
	return 0
}
