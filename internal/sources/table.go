package sources

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
	"strings"

	"signpost/account"
	"signpost/internal/directory"
	"signpost/internal/sources/row"
)

// table is a list of domains. A million of them need 36 MB in it, and 150 MB in a map of
// strings: the names stand in one text, and few domains differ in what is said of them.
// It never changes once it is built.
type table struct {
	seed    maphash.Seed
	names   []byte  // one after the other
	entries []entry // in the order in which they came
	slots   []uint32
	values  []directory.Domain // each once; Provider is the store's word
	sum     uint64             // of all names and values, in any order
	nameless
}

// nameless are the rows that name no domain.
type nameless struct {
	rows     int
	examples []string // what some of them have for a name
}

// maxNameless is how many examples are kept, and maxExample the length of the longest.
const maxNameless, maxExample = 3, 60

func (n *nameless) add(name string) {
	n.rows++
	isFit := len(name) <= maxExample && !strings.Contains(name, "@") // no address is told
	if isFit && len(n.examples) < maxNameless && !slices.Contains(n.examples, name) {
		n.examples = append(n.examples, name)
	}
}

// entry is a domain of a table.
type entry struct {
	start  uint32 // of its name
	value  uint32 // in values
	length uint8
}

// builder builds a table.
type builder struct {
	*table
	said  []said          // what the rows say that each value follows from
	known map[said]uint32 // the numbers of the values
	sums  []uint64        // what stands for each value
	last  said            // of the row before, which is mostly equal
	value uint32          // the number of last
	bad   int             // rows that name no domain, or a host that is none
}

// newBuilder returns the builder of a table that is probably about as large as the last
// one, which may be nil.
func newBuilder(last *table) *builder {
	t := &table{seed: maphash.MakeSeed()}
	if last != nil {
		t.seed = last.seed // so that the sums can be compared
		t.names = make([]byte, 0, len(last.names)+len(last.names)/32)
		t.entries = make([]entry, 0, len(last.entries)+len(last.entries)/32)
	}
	b := &builder{table: t, known: map[said]uint32{}}
	b.resize(max(64, 2*cap(t.entries)))
	return b
}

// add adds a row.
func (b *builder) add(r row.Domain) {
	name, d, ok := domainOf(r)
	if !ok || d.MailHost == "" && r.MailHost != "" {
		b.bad++
	}
	if !ok {
		b.nameless.add(r.Domain)
		return
	}
	says := saidBy(d)
	hash := maphash.String(b.seed, name)
	at, slot := b.lookUp(name, hash)
	if at >= 0 {
		e := &b.entries[at]
		value := b.number(b.said[e.value].and(says))
		b.sum += mix(hash, b.sums[value]) - mix(hash, b.sums[e.value])
		e.value = value
		return
	}
	value := b.number(says)
	b.sum += mix(hash, b.sums[value])
	b.entries = append(b.entries, entry{uint32(len(b.names)), value, uint8(len(name))})
	b.names = append(b.names, name...)
	b.slots[slot] = uint32(len(b.entries))
	if 2*len(b.entries) > len(b.slots) {
		b.resize(4 * len(b.entries))
	}
}

// number returns the number of the value that follows from what rows say, which is added
// to the values if it is new.
func (b *builder) number(says said) uint32 {
	if says == b.last && len(b.values) > 0 {
		return b.value
	}
	value, ok := b.known[says]
	if !ok {
		d := says.domain()
		value = uint32(len(b.values))
		b.values = append(b.values, d)
		b.said = append(b.said, says)
		b.sums = append(b.sums, maphash.Comparable(b.seed, d))
		b.known[says] = value
	}
	b.last, b.value = says, value
	return value
}

// mix returns a number that stands for a name with a value.
func mix(name, value uint64) uint64 {
	high, low := bits.Mul64(name^value, 0x9e3779b97f4a7c15)
	return high ^ low ^ name
}

// said is what all rows about a domain say, in whatever order they come.
type said struct {
	own, alias       directory.Domain // of a row of the domain itself, and of one that makes it another name
	hasOwn, hasAlias bool
}

func saidBy(d directory.Domain) said {
	if d.Alias != "" {
		return said{alias: d, hasAlias: true}
	}
	return said{own: d, hasOwn: true}
}

// and returns what is said if further rows say more. Of several rows of the same sort, the
// first active one counts.
func (s said) and(more said) said {
	if more.hasOwn && (!s.hasOwn || s.own.Inactive && !more.own.Inactive) {
		s.own, s.hasOwn = more.own, true
	}
	if more.hasAlias && (!s.hasAlias || s.alias.Inactive && !more.alias.Inactive) {
		s.alias, s.hasAlias = more.alias, true
	}
	return s
}

// domain returns what follows. A domain that its own row says is inactive is not hosted,
// also as another name: PostfixAdmin and ISPConfig have both rows, and their queries for
// Postfix want both active.
func (s said) domain() directory.Domain {
	if s.hasAlias && !s.alias.Inactive && !(s.hasOwn && s.own.Inactive) || !s.hasOwn {
		return s.alias
	}
	return s.own
}

// resize makes room for at least the number of slots, a power of two.
func (b *builder) resize(slots int) {
	size := 64
	for size < slots {
		size *= 2
	}
	b.slots = make([]uint32, size)
	for i := range b.entries {
		name := b.name(i)
		_, slot := b.lookUp(string(name), maphash.Bytes(b.seed, name))
		b.slots[slot] = uint32(i + 1)
	}
}

// lookUp returns the number of the entry with the name, or -1 and the slot for it.
func (t *table) lookUp(name string, hash uint64) (at, slot int) {
	mask := len(t.slots) - 1
	for slot = int(hash) & mask; ; slot = (slot + 1) & mask {
		at = int(t.slots[slot]) - 1
		if at < 0 || string(t.name(at)) == name {
			return at, slot
		}
	}
}

// name returns the name of an entry.
func (t *table) name(i int) []byte {
	e := t.entries[i]
	return t.names[e.start : e.start+uint32(e.length)]
}

// find returns what is said of a domain. It is safe for a nil table.
func (t *table) find(name string) (directory.Domain, bool) {
	if t == nil {
		return directory.Domain{}, false
	}
	at, _ := t.lookUp(name, maphash.String(t.seed, name))
	if at < 0 {
		return directory.Domain{}, false
	}
	return t.values[t.entries[at].value], true
}

// len returns the number of domains.
func (t *table) len() int {
	if t == nil {
		return 0
	}
	return len(t.entries)
}

// all yields the domains.
func (t *table) all() iter.Seq2[string, directory.Domain] {
	return func(yield func(string, directory.Domain) bool) {
		for i := range t.entries {
			if !yield(string(t.name(i)), t.values[t.entries[i].value]) {
				return
			}
		}
	}
}

// domainOf returns the name of a domain and what its row says, or false if that names no
// domain. A name without a dot, such as com, belongs to nobody who has mailboxes.
func domainOf(r row.Domain) (name string, d directory.Domain, ok bool) {
	name, err := account.ParseDomain(r.Domain)
	if err != nil || !strings.Contains(name, ".") {
		return "", d, false
	}
	d = directory.Domain{Provider: r.Provider, MailHost: hostOf(r.MailHost), Inactive: r.Inactive}
	if alias := strings.TrimSpace(r.Alias); alias != "" {
		if d.Alias, err = account.ParseDomain(strings.TrimPrefix(alias, "@")); err != nil || d.Alias == name {
			return "", d, false
		}
	}
	return name, d, true
}

// hostOf returns a host name that clients can use, or "".
func hostOf(text string) string {
	if text == "" {
		return ""
	}
	host, err := account.ParseDomain(strings.TrimSpace(text))
	if err != nil || !strings.Contains(host, ".") {
		return ""
	}
	return host
}
