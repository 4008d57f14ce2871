package server

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Rate is how many requests one address may make.
type Rate struct {
	interval int64 // nanoseconds in which one request's worth comes back
	room     int64 // nanoseconds' worth that a quiet address has
}

// RateOf allows so many requests a second on average, and burst at once from an
// address that has been quiet. Zero requests a second is no limit.
func RateOf(perSecond, burst int) Rate {
	if perSecond <= 0 {
		return Rate{}
	}
	interval := int64(time.Second) / int64(perSecond)
	return Rate{interval, interval * int64(max(burst, 1))}
}

// Limiter counts the requests of address blocks in token buckets. Its memory is
// one megabyte whoever asks: a block without a bucket takes the one that has
// been idle longest of the eight that its hash leads to. A bucket that is full
// again says nothing that a new one would not, so what is lost is mostly
// nothing. It outlives the configurations that it is used with.
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

// bucket is a token bucket as the time at which it will be full again. The one
// number tells the tokens in it at any time, for any rate.
type bucket struct {
	block uint64
	full  int64 // nanoseconds since the limiter's start
}

// NewLimiter makes a limiter with all its memory.
func NewLimiter() *Limiter {
	return &Limiter{start: time.Now(), seed: maphash.MakeSeed(), sets: make([]bucketSet, bucketSets)}
}

// allow takes a token of the address's block, or says how long it will be until
// there is one.
func (l *Limiter) allow(addr netip.Addr, rate Rate, now time.Time) (wait time.Duration) {
	block, at := blockOf(addr), int64(now.Sub(l.start))
	set := &l.sets[maphash.Comparable(l.seed, block)%bucketSets]
	set.mu.Lock()
	defer set.mu.Unlock()
	idlest := &set.buckets[0]
	for i := range set.buckets {
		b := &set.buckets[i]
		if b.block == block {
			return b.take(rate, at)
		}
		if b.full < idlest.full {
			idlest = b
		}
	}
	*idlest = bucket{block: block}
	return idlest.take(rate, at)
}

func (b *bucket) take(rate Rate, at int64) time.Duration {
	full := max(b.full, at) + rate.interval
	if wait := full - at - rate.room; wait > 0 {
		return time.Duration(wait)
	}
	b.full = full
	return 0
}

// nat64 are addresses of IPv4 clients as an IPv6 network sees them (RFC 6052
// §2.1). All of them are in one /64.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// blockOf is what stands for one client: an address of IPv4, or a network of
// IPv6 with 64 bits, all of whose addresses one machine can take.
func blockOf(addr netip.Addr) uint64 {
	b := addr.As16()
	if addr = addr.Unmap(); addr.Is4() || nat64.Contains(addr) {
		// No IPv6 client has a multicast address, under which these are.
		return 0xff<<56 | uint64(binary.BigEndian.Uint32(b[12:]))
	}
	return binary.BigEndian.Uint64(b[:8])
}

// blockName is the block for people.
func blockName(addr netip.Addr) string {
	bits := 64
	switch addr = addr.Unmap(); {
	case !addr.IsValid():
		return "unknown"
	case addr.Is4():
		bits = 32
	case nat64.Contains(addr):
		bits = 128
	}
	return netip.PrefixFrom(addr, bits).Masked().String()
}
