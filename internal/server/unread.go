package server

import (
	"cmp"
	"hash/maphash"
	"net/netip"
	"sync/atomic"

	"signpost/internal/conn"
)

// maxUnread is how many answers an address block may leave unread. Over HTTP/2 a client
// can ask for any number and take none (SETTINGS_INITIAL_WINDOW_SIZE 0); each waits for
// limits.write with its document, 30 KB of the set-up page, and a goroutine. The answers
// of honest clients wait for about a millisecond, so that few do at a time.
const maxUnread = 200

// unread counts the answers that wait to be taken, by address block. Blocks share a
// counter by chance, which nobody can choose: there are 65,536, which take 256 KiB. It
// outlives configurations.
type unread struct {
	seed   maphash.Seed
	counts [1 << 16]atomic.Int32
}

func newUnread() *unread { return &unread{seed: maphash.MakeSeed()} }

// of returns the counter of an address. All of an IPv6 /48 have one, since few answers
// wait for honest clients even there.
func (u *unread) of(addr netip.Addr) *atomic.Int32 {
	block := cmp.Or(conn.WideBlockOf(addr), conn.BlockOf(addr))
	return &u.counts[maphash.Comparable(u.seed, block)%uint64(len(u.counts))]
}
